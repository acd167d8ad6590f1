"""What to look for: words and properties, and what the properties mean as filters every engine understands."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import date, timedelta
from typing import Final, Literal, get_args

from leadline.errors import InputError
from leadline.landscape import axes
from leadline.ledger.fields import Outcome, Standing
from leadline.store.projections.facets import DISTANCES, FACET, FacetKind, mark
from leadline.store.projections.status import Status
from leadline.store.projections.studies import AUTHOR, STUDY, State
from leadline.store.text import Filter

SearchStatus = Literal["registered", "running", "reported", "overdue", "closed-undisclosed", "withdrawn"]
"""A status that can be searched for: a sealed study shows nothing by which it could be found."""
SEARCH_STATUSES: Final[tuple[SearchStatus, ...]] = get_args(SearchStatus)
#: The states in which a study can still become overdue, by the status it has until then.
_OPEN: Final[dict[str, tuple[State, ...]]] = {
    "registered": ("registered",),
    "running": ("running", "attached"),
    "overdue": ("registered", "running", "attached"),
}
_ENDED: Final[dict[SearchStatus, str]] = {
    "reported": "reported",
    "closed-undisclosed": "closed",
    "withdrawn": "withdrawn",
}


@dataclass(frozen=True, slots=True)
class Query:
    """What to look for: words and "phrases" that must all occur, and properties of the study.

    `area` may be a whole group (``control``) or a leaf of it; `technique` any of its names; `gap` an axis and a
    distance (``scale:far``). `verdict` and `standing` are those of any hypothesis in the newest report. `since` and
    `until` bound the claimed day of registration, both included. `order` is relevance unless there are no words;
    `limit` is the page size, 1 to 100.
    """

    text: str = ""
    area: str | None = None
    author: str | None = None
    state: State | None = None
    protocol: str | None = None
    keyid: str | None = None
    order: Literal["relevance", "newest"] = "relevance"
    limit: int = 10
    status: SearchStatus | None = None
    technique: str | None = None
    model: str | None = None
    task: str | None = None
    measure: str | None = None
    verdict: Outcome | None = None
    standing: Standing | None = None
    gap: str | None = None
    since: date | None = None
    until: date | None = None

    def filters(self, today: date | None = None) -> tuple[Filter, ...]:
        """The properties asked for, as filters, those that usually select fewest first.

        Raises InputError for a status or gap that does not exist, a status without the day it is asked on, and a
        value that is no text.
        """
        self._check_texts()
        _check_gap(self.gap)
        return (*self._equal(), *self._marked(), *self._dated(), *_status(self.status, today))

    def _check_texts(self) -> None:
        """Half a surrogate pair, which JSON can spell, is no character, and no engine can look for it."""
        for one in fields(self):
            value = getattr(self, one.name)
            if (
                isinstance(value, str)
                and one.name != "text"
                and any("\ud800" <= c <= "\udfff" for c in value)
            ):
                raise InputError(
                    f"the {one.name} to search for is no text: half a surrogate pair is in it",
                    remedy="send whole characters, in UTF-8",
                )

    def _equal(self) -> Iterator[Filter]:
        if self.protocol is not None:
            yield Filter(STUDY, "ix", "protocol", self.protocol)
        if self.keyid is not None:
            yield Filter(STUDY, "ix", "keyid", self.keyid)
        if self.author is not None:
            yield Filter(AUTHOR, "ix", "name", self.author)
        if self.state is not None:
            yield Filter(STUDY, "ix", "state", self.state)

    def _marked(self) -> Iterator[Filter]:
        wanted: tuple[tuple[FacetKind, str | None], ...] = (
            ("task", self.task),
            ("model", self.model),
            ("technique", self.technique),
            ("area", self.area),
            ("measure", self.measure),
            ("verdict", self.verdict),
            ("standing", self.standing),
            ("gap", self.gap),
        )
        for kind, value in wanted:
            if value is not None:
                yield Filter(FACET, "ix", "mark", mark(kind, value))

    def _dated(self) -> Iterator[Filter]:
        if self.since is not None:
            yield Filter(STUDY, "ix", "created", self.since.isoformat(), ">=")
        if self.until is not None and self.until < date.max:
            yield Filter(STUDY, "ix", "created", (self.until + timedelta(days=1)).isoformat(), "<")


def _check_gap(gap: str | None) -> None:
    axis, _, distance = (gap or "scale:far").partition(":")
    known = [one.id for one in axes()]
    if axis not in known or distance not in DISTANCES:
        raise InputError(
            f"there is no gap {gap!r}",
            remedy=f"write an axis ({', '.join(known)}), a colon, and a distance ({', '.join(DISTANCES)})",
        )


def _status(status: str | None, today: date | None) -> Iterator[Filter]:
    """`leadline.store.projections.status.status_of`, turned round."""
    if status is None:
        return
    if status in _ENDED:
        yield Filter(STUDY, "ix", "state", _ENDED[status])
        return
    if status == "sealed":
        raise InputError(
            "a sealed study shows nothing by which it could be found",
            remedy="look at one by its id (`leadline show ID`); all seals are statements of the log, of kind seal",
        )
    if status not in _OPEN:
        raise InputError(f"there is no status {status!r}", remedy=f"use one of {', '.join(SEARCH_STATUSES)}")
    if today is None:
        raise InputError(
            f"whether a study is {status} depends on the day", remedy="say which day it is (`today=`)"
        )
    yield Filter(STUDY, "ix", "state", _OPEN[status], "in")
    yield Filter(STUDY, "ix", "due", today.isoformat(), "<", absent=status != "overdue")


def status_at(state: str, due: str | None, today: date) -> Status:
    """The status of a study in this state with this due date: what `status_of` says of its row."""
    if state not in _OPEN["overdue"]:
        return next(status for status, ended in _ENDED.items() if ended == state)
    if due is not None and due < today.isoformat():
        return "overdue"
    return "registered" if state in _OPEN["registered"] else "running"
