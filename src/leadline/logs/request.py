"""What a caller wants from logs, compiled to the cheapest tier that can answer it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, get_args

from leadline.errors import InputError
from leadline.logs.limits import DEFAULT, Limits

Tier = Literal["header", "summary", "sample"]
AskedTier = Literal["auto", "header", "summary", "sample"]

#: Columns that summaries answer exactly.
SUMMARY_COLUMNS: Final = (
    "log", "sha256", "eval_id", "task", "model", "sample_id", "epoch", "uuid", "score", "value", "value_json",
    "unscored_reason", "error", "limit", "invalidated", "started_at", "completed_at", "total_time", "working_time",
    "model_fallback", "retries",
)  # fmt: skip
#: Columns in every table that only whole samples answer; null where samples were not read.
TEXT_COLUMNS: Final = ("answer", "explanation", "score_reason")
#: Columns that are added when samples are read.
SAMPLE_COLUMNS: Final = ("input", "target", "metadata", "score_metadata", "score_edits", "item_sha256")
PROJECTION: Final = "metadata."


@dataclass(frozen=True, slots=True)
class Request:
    """A compiled request: the tier to read, whether guards may raise it, and the metadata keys to project."""

    tier: Tier
    escalates: bool
    keys: tuple[str, ...] = ()
    arm: str | None = None
    limits: Limits = DEFAULT


def compile_request(
    tier: AskedTier = "auto",
    columns: Sequence[str] | None = None,
    arm: str | None = None,
    limits: Limits = DEFAULT,
) -> Request:
    """The request for a tier and a list of wanted columns.

    `auto` takes the lowest tier that answers the columns asked for (all of them when `columns` is None, so
    whole samples). Raises InputError for an unknown tier or column, or a column the tier cannot answer.
    """
    if tier not in get_args(AskedTier):
        raise InputError(
            f"there is no tier {tier!r}",
            where="read_logs",
            remedy=f"choose one of {', '.join(get_args(AskedTier))}",
        )
    if isinstance(columns, str):
        raise InputError(
            "columns is one text", where="read_logs", remedy=f"pass a list: columns=[{columns!r}]"
        )
    wanted = tuple(dict.fromkeys(columns or ()))
    keys = tuple(name.removeprefix(PROJECTION) for name in wanted if name.startswith(PROJECTION))
    known = (*SUMMARY_COLUMNS, *TEXT_COLUMNS, *SAMPLE_COLUMNS)
    for name in wanted:
        if name not in known and (not name.startswith(PROJECTION) or name == PROJECTION):
            raise InputError(
                f"no column is called {name!r}",
                where="read_logs",
                remedy=f"columns are {', '.join(known)}, and metadata.<key> for any key of the samples' metadata",
            )
    textual = [name for name in wanted if name in TEXT_COLUMNS or name in SAMPLE_COLUMNS]
    if tier == "summary" and textual:
        raise InputError(
            f"summaries shorten text and cannot answer {', '.join(textual)}",
            where="read_logs",
            remedy='read whole samples: tier="sample", or leave tier="auto"',
        )
    if tier == "auto":
        lowest: Tier = "sample" if columns is None or textual else "summary"
        return Request(lowest, escalates=True, keys=keys, arm=arm, limits=limits)
    return Request(tier, escalates=False, keys=keys, arm=arm, limits=limits)
