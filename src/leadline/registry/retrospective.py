"""Results that were never registered: welcome, labelled, and weighing less.

`leadline.registry.exchange.import_logs` computes a report from logs. Where the logs are gone, or never were in a
form Leadline reads, a finished comparison or a table is recorded as it is.
"""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from leadline.errors import InputError
from leadline.store import Appended, ReadView

if TYPE_CHECKING:
    from leadline.registry.registry import Registry, Said

#: Said wherever a retrospective record is shown.
WORDS: Final = (
    "recorded after the fact: nothing was promised beforehand, so it weighs less than a registered study"
)
#: Longest result, in bytes.
MOST_BYTES: Final = 16 << 20


@dataclass(frozen=True, slots=True)
class Retrospective:
    """A result of elsewhere: its bytes, what they are, and where they come from.

    `content` is ``report`` for the JSON of a comparison or report, as `leadline compare --json` and
    `leadline report --json` write it, and ``table`` for anything tabular (CSV, Parquet, JSON lines), which is kept
    and not interpreted. `holder` names who records it, for a key that the log does not know yet.
    """

    title: str
    source: str
    result: bytes
    content: Literal["report", "table"] = "report"
    note: str | None = None
    holder: str | None = None


def record_retrospective(registry: "Registry", result: Retrospective) -> Appended:
    """Record a result of elsewhere, always as retrospective.

    Raises InputError for an empty or oversized result, and for a ``report`` that is not the JSON of a comparison
    or report; StatementError for a title or source out of bounds.
    """
    _require(result)
    author = registry.author()
    said = {
        "content": result.content,
        "digest": registry.store.put_blob(result.result),
        "title": result.title,
        "source": result.source,
        "note": result.note,
        "created": registry.time(),
    }
    fields = {name: value for name, value in said.items() if value is not None}

    def build(view: ReadView) -> "list[Said]":
        holder = result.holder or author.name
        return [*registry.introduce(view, holder, "human"), ("import", fields, author)]

    return registry.append(build)[-1]


def _require(result: Retrospective) -> None:
    if not 0 < len(result.result) <= MOST_BYTES:
        raise InputError(
            f"a result has 1 to {MOST_BYTES:,} bytes, not {len(result.result):,}",
            remedy="record a summary, and name where the whole of it is kept as the source",
        )
    if result.content == "table":
        return
    try:
        document: Any = json.loads(result.result)
    except (ValueError, RecursionError):
        document = None
    kind = document.get("kind") if isinstance(document, dict) else None
    if kind not in ("leadline/comparison", "leadline/report"):
        raise InputError(
            "this is not the JSON of a comparison or report",
            remedy="write one with `leadline compare A B --json`, or record the file as a table",
        )
