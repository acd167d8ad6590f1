"""Coarse dates: everything sealed is dated to the first instant of its week and opens at the end of a quarter."""

from datetime import date, timedelta
from typing import Final

_MONDAY_TIME: Final = "T00:00:00Z"
#: Quarters between a seal's own and the one at whose end it may open, at least.
SHORTEST: Final = 1
#: The same for hazard seals, exactly: their date must not depend on what they hold.
HAZARD: Final = 4
#: Hazard seals that a week of a server has, or a multiple of it, unless its operator chooses otherwise.
BUCKET: Final = 4
#: No embargo lasts longer; beyond that nobody is left to ask.
LONGEST: Final = 40


def period_of(day: date) -> date:
    """The first day (Monday) of the ISO week of `day`."""
    return day - timedelta(days=day.weekday())


def period_time(begin: date) -> str:
    """The claimed time of whatever belongs to the period that begins on this Monday."""
    return begin.isoformat() + _MONDAY_TIME


def period_begin(time: str) -> date:
    """The Monday that a claimed time names; ValueError unless it is the first instant of a week."""
    begin = date.fromisoformat(time[:10])
    if time[10:] != _MONDAY_TIME or begin.weekday():
        raise ValueError("what is sealed is dated to the first instant of its week, a Monday at 00:00:00Z")
    return begin


def quarter(day: date) -> int:
    """Quarters since year 0."""
    return day.year * 4 + (day.month - 1) // 3


def quarter_end(number: int) -> date:
    """The last day of a quarter counted as `quarter` counts."""
    year, index = divmod(number + 1, 4)
    return date(year, 3 * index + 1, 1) - timedelta(days=1)


def embargo_for(begin: date, wanted: date | None, tier: str) -> date:
    """The date to write into a seal of the period that begins at `begin`.

    The end of the first quarter that is not before `wanted` and at least `SHORTEST` whole quarters ahead; for the
    hazard tier always `HAZARD` ahead, whatever is wanted.
    """
    if tier == "hazard":
        return quarter_end(quarter(begin) + HAZARD)
    first = quarter(begin) + SHORTEST
    chosen = first if wanted is None else max(first, quarter(wanted))
    return quarter_end(min(chosen, quarter(begin) + LONGEST))


def check_embargo(begin: date, embargo: date, tier: str) -> None:
    """ValueError unless `embargo` is a date that `embargo_for` gives."""
    if embargo != embargo_for(begin, embargo, tier):
        raise ValueError(
            "the embargo of a hazard seal ends four quarters after its own"
            if tier == "hazard"
            else "an embargo ends with a quarter, one to forty quarters after that of the seal"
        )
