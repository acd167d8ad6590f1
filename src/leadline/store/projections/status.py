"""What a study's state means on a given day: overdue is no statement, it is what the calendar makes of silence."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Literal, get_args

from leadline.store.projections.studies import StudyRow

Status = Literal["registered", "sealed", "running", "reported", "overdue", "closed-undisclosed", "withdrawn"]
"""Where a study stands on a day; ``sealed`` is a study that shows nothing else yet."""
STATUSES: Final[tuple[Status, ...]] = get_args(Status)
#: Days after the due date in which a report is late, but the study is not closed.
GRACE_DAYS: Final = 90

_OF_STATE: Final[dict[str, Status]] = {
    "registered": "registered",
    "running": "running",
    "attached": "running",
    "reported": "reported",
    "closed": "closed-undisclosed",
    "withdrawn": "withdrawn",
}
_ENDED: Final = frozenset({"reported", "closed", "withdrawn"})


@dataclass(frozen=True, slots=True)
class Deadline:
    """A study's due date on a day: how many days it is overdue (0: not), and the last day of its grace.

    `closes` is the day of the batch in which it is closed unless it is reported: the first of the first month
    that begins after the grace has ended.
    """

    due: date
    days_overdue: int
    grace_ends: date
    closes: date


def status_of(row: StudyRow, today: date) -> Status:
    """Where a study stands on a day. A due date counts as kept until it has passed."""
    return "overdue" if is_overdue(row, today) else _OF_STATE[row.state]


def is_overdue(row: StudyRow, today: date) -> bool:
    """Whether the due date has passed and the study is neither reported, nor closed, nor withdrawn."""
    return row.state not in _ENDED and row.due is not None and date.fromisoformat(row.due) < today


def deadline_of(row: StudyRow, today: date, grace_days: int = GRACE_DAYS) -> Deadline | None:
    """A study's due date and what follows from it; None for a study that names none."""
    if row.due is None:
        return None
    due = date.fromisoformat(row.due)
    late = (today - due).days if is_overdue(row, today) else 0
    ends = grace_end(due, grace_days)
    return Deadline(due, late, ends, closing_day(ends))


def grace_end(due: date, grace_days: int = GRACE_DAYS) -> date:
    """The last day of grace; the last day of the calendar for a due date beyond it."""
    try:
        return due + timedelta(days=grace_days)
    except OverflowError:
        return date.max


def closing_day(grace_ends: date) -> date:
    """The first day of the first month that begins after the grace has ended."""
    if grace_ends >= date(date.max.year, 12, 1):
        return date.max
    year, month = (
        (grace_ends.year + 1, 1) if grace_ends.month == 12 else (grace_ends.year, grace_ends.month + 1)
    )
    return date(year, month, 1)
