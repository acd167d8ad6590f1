"""When summaries cannot be trusted to answer, and whole samples are read instead.

Summaries lose invalidation, cut and collapse text, drop large metadata, and in old logs hold score values
alone. Each guard names what made it fire.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from leadline.logs.headers import LogHeader
from leadline.logs.project import present
from leadline.logs.shapes import Summary

REMOVED: Final = "Key removed from summary (> 1k)"
_MOST_CHECKED_KEYS = 64


def log_guards(header: LogHeader, *, summarised: bool) -> list[str]:
    """Reasons that lie in the log as a whole."""
    reasons = []
    if header.invalidated:
        reasons.append("the header says that samples were invalidated, and summaries do not say which")
    if header.status != "success":
        reasons.append(f"the run ended with status {header.status!r}")
    if not summarised:
        reasons.append("there is no summaries.json")
    return reasons


def key_guards(summaries: Iterable[Summary], keys: Sequence[str]) -> list[str]:
    """Reasons that lie in the metadata keys to project: text, cut or missing values."""
    if not keys:
        return []
    open_keys = set(keys[:_MOST_CHECKED_KEYS])
    reasons = [] if len(keys) <= _MOST_CHECKED_KEYS else ["many metadata keys were asked for"]
    for summary in summaries:
        for key in sorted(open_keys):
            found, value = present(summary.metadata, key)
            if (why := _why_not(found, value)) is not None:
                reasons.append(f"metadata.{key} {why}")
                open_keys.discard(key)
        if not open_keys:
            break
    return reasons


def _why_not(found: bool, value: Any) -> str | None:
    if not found:
        return "is missing from a summary"
    if isinstance(value, str):
        return (
            "was removed from a summary for its size"
            if value == REMOVED
            else "is text, which summaries change"
        )
    return None
