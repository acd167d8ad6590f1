"""The sample columns an expression may name, and which of them were known before the run."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

#: What a column or a part of an expression holds. `unknown` is decided when a table is at hand.
Kind = Literal["number", "text", "truth", "time", "null", "unknown"]

#: Every column of a sample table, by the kind of its values.
SAMPLE_COLUMNS: Mapping[str, Kind] = MappingProxyType(
    {
        "log": "text",
        "sha256": "text",
        "eval_id": "text",
        "task": "text",
        "model": "text",
        "sample_id": "text",
        "epoch": "number",
        "uuid": "text",
        "score": "text",
        "value": "number",
        "value_json": "text",
        "unscored_reason": "text",
        "answer": "text",
        "explanation": "text",
        "error": "text",
        "limit": "text",
        "invalidated": "truth",
        "started_at": "time",
        "completed_at": "time",
        "total_time": "number",
        "working_time": "number",
        "model_fallback": "unknown",
        "retries": "number",
        "input": "text",
        "target": "text",
        "metadata": "text",
        "score_metadata": "text",
        "item_sha256": "text",
    }
)

#: Columns fixed before a model was asked anything; a restriction of the items may use only these
#: and `metadata.<key>`. What names a run (`log`, `uuid`, ...) is left out: choosing items by it is
#: choosing them after the fact.
PRIOR_COLUMNS: frozenset[str] = frozenset(
    {"task", "model", "sample_id", "epoch", "score", "input", "target", "metadata", "item_sha256"}
)

#: Columns that exist only once the run has happened.
OUTCOME_COLUMNS: frozenset[str] = frozenset(SAMPLE_COLUMNS) - PRIOR_COLUMNS

#: `metadata.<key>` is a column of its own for every key of the samples' metadata.
METADATA_PREFIX = "metadata."


def is_metadata(name: str) -> bool:
    """Whether `name` is a projected metadata column."""
    return name.startswith(METADATA_PREFIX) and len(name) > len(METADATA_PREFIX)
