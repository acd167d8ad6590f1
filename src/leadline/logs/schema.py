"""The columns of a SampleTable: names, Arrow types, meaning."""

from typing import Any, Final

import pyarrow as pa

TIME: Final[Any] = pa.timestamp("us", tz="UTC")
NAMES: Final[Any] = pa.dictionary(pa.int32(), pa.string())

#: One value per log, stored once.
LOG_COLUMNS: Final = ("log", "sha256", "eval_id", "task", "model")

#: name, type, meaning. The order is the order of the table.
COLUMNS: Final[tuple[tuple[str, Any, str], ...]] = (
    ("log", NAMES, "file name"),
    ("sha256", NAMES, "SHA-256 of the file, lower-case hex"),
    ("eval_id", NAMES, "the evaluation's own id"),
    ("task", NAMES, "task name"),
    ("model", NAMES, "model the evaluation was run on"),
    ("sample_id", pa.string(), "sample id; numbers as text"),
    ("epoch", pa.int32(), "epoch, from 1"),
    ("uuid", pa.string(), "id of this run of the sample; null before Inspect 0.3.70"),
    ("score", NAMES, "score name; null for a sample without scores"),
    ("value", pa.float64(), "the value as a number, by Inspect's default mapping; null where it has none"),
    ("value_json", NAMES, "the raw value as JSON text"),
    ("unscored_reason", NAMES, "why value is null: the log's reason, else what the value is"),
    ("answer", pa.string(), "answer the scorer extracted (samples only)"),
    ("explanation", pa.string(), "the scorer's explanation (samples only)"),
    ("score_reason", NAMES, "the log's own reason for an abnormal score, scored or not (samples only)"),
    ("error", pa.string(), "message of the error that ended the sample"),
    ("limit", NAMES, "type of the limit that ended the sample"),
    ("invalidated", pa.bool_(), "marked invalid in the log; null where only samples could tell"),
    ("started_at", TIME, "start of the sample, UTC"),
    ("completed_at", TIME, "end of the sample, UTC"),
    ("total_time", pa.float64(), "seconds"),
    ("working_time", pa.float64(), "seconds without waiting"),
    ("model_fallback", NAMES, "models that answered in the place of the one asked for"),
    ("retries", pa.int32(), "retries after errors; null where not recorded"),
)
SAMPLE: Final[tuple[tuple[str, Any, str], ...]] = (
    ("input", NAMES, "input; messages as 'role:' and text"),
    ("target", NAMES, "target; several joined with commas"),
    ("metadata", NAMES, "sample metadata as JSON text"),
    ("score_metadata", pa.string(), "score metadata as JSON text"),
    ("score_edits", pa.int32(), "edits recorded in the score's history"),
    ("item_sha256", NAMES, "digest of the dataset item: id, input, choices, target"),
)

#: Dictionary-encoded columns that are text and not names: decoded on the way to pandas and polars.
TEXTS: Final = frozenset({"value_json", "input", "target", "metadata", "item_sha256"})


def table_schema(*, samples: bool) -> Any:
    """The Arrow schema; with `samples`, the columns that whole samples add."""
    fields = (*COLUMNS, *SAMPLE) if samples else COLUMNS
    return pa.schema(
        [pa.field(name, kind, metadata={"description": meaning}) for name, kind, meaning in fields]
    )
