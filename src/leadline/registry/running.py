"""Attempts of a study: announcing a run, and saying how it ended."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from leadline.errors import StateError
from leadline.registry.publication import require_live
from leadline.store import Appended, ReadView
from leadline.store.projection import TableReader
from leadline.store.projections.attempts import attempts, next_number

if TYPE_CHECKING:
    from leadline.registry.registry import Said
    from leadline.registry.study import Study

#: How an attempt may end that has no log to show.
WITHOUT_LOGS: Final = ("failed", "cancelled")


def open_attempt(study: "Study", note: str) -> tuple[int, Appended]:
    """Open the next attempt: its number, and the receipt whose leaf hash is its token.

    Raises StateError when the study is withdrawn.
    """
    number = 0

    def said(view: ReadView) -> dict[str, Any]:
        nonlocal number
        require_live(view, study.id, "no further run of it can be announced")
        number = next_number(view, study.id)
        return {"number": number, "action": "open", "status": "started", "note": note or None}

    receipt = say(study, "attempt", said)
    return number, receipt


def close_attempt(study: "Study", number: int, logs: Sequence[str], status: str, note: str) -> Appended:
    """Close an attempt with the digests of the logs it wrote.

    Raises StateError when it is not open, and when there is no log although `status` is not "failed"
    or "cancelled".
    """

    def said(view: ReadView) -> dict[str, Any]:
        require_open(view, study.id, number)
        if not logs and status not in WITHOUT_LOGS:
            raise StateError(
                f"attempt {number} has no log, so there is nothing to close it with; it stays open",
                where=study.id,
                remedy=f"`leadline attach {study.id} LOGS --attempt {number}` (in Python run.attach(logs)), then "
                f"close it; or `leadline attempts abandon {study.id} {number} --reason TEXT`",
            )
        return {
            "number": number,
            "action": "close",
            "status": status,
            "logs": list(logs),
            "note": note or None,
        }

    return say(study, "attempt", said)


def abandon_attempt(study: "Study", number: int, reason: str) -> Appended:
    """End an attempt that will have no result, with the reason why; StateError when it is not open."""

    def said(view: ReadView) -> dict[str, Any]:
        require_open(view, study.id, number)
        return {"number": number, "action": "abandon", "status": "cancelled", "note": reason}

    return say(study, "attempt", said)


def say(study: "Study", kind: str, said: Callable[[ReadView], dict[str, Any]]) -> Appended:
    """Sign and append what `said` makes of the record as it is at that very moment."""
    registry = study.registry
    author = registry.author()

    def build(view: ReadView) -> list["Said"]:
        fields = {"study": study.id, "created": registry.time(), **said(view)}
        return [(kind, {key: value for key, value in fields.items() if value is not None}, author)]

    return registry.append(build)[0]


def require_open(view: TableReader, study: str, number: int) -> None:
    """StateError unless that attempt exists and is open."""
    rows = attempts(view, study)
    found = next((row for row in rows if row.number == number), None)
    if found is not None and found.state == "open":
        return
    if found is None:
        numbers = f"it has {len(rows)}" if rows else "none was announced"
        what = f"the study has no attempt {number}; {numbers}"
    else:
        ended = f" as {found.status}" if found.state == "closed" else ""
        what = f"attempt {number} is {found.state} already{ended} (entry {found.ended}), not open"
    raise StateError(
        what,
        where=study,
        remedy=f"see the attempts with `leadline attempts list {study}`; "
        f"announce a new run with `leadline attempts open {study}`",
    )
