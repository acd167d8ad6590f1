"""Coarse dates."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.ledger.sealing.periods import (
    check_embargo,
    embargo_for,
    period_begin,
    period_of,
    period_time,
    quarter,
    quarter_end,
)

DAYS = st.dates(date(2020, 1, 1), date(2080, 1, 1))


@given(DAYS)
def test_a_period_is_an_iso_week(day: date) -> None:
    """Every day of a week gives the same Monday, and its time reads back."""
    begin = period_of(day)
    assert begin.weekday() == 0
    assert begin <= day < begin + timedelta(days=7)
    assert begin.isocalendar()[:2] == day.isocalendar()[:2]
    assert period_begin(period_time(begin)) == begin


@pytest.mark.parametrize("time", ["2026-11-16T00:00:01Z", "2026-11-17T00:00:00Z", "2026-11-16T00:00:00.5Z"])
def test_finer_times_are_refused(time: str) -> None:
    """A seal cannot carry a time that tells more than the week."""
    with pytest.raises(ValueError, match="first instant of its week"):
        period_begin(time)


@given(DAYS)
def test_quarters_end_on_their_last_day(day: date) -> None:
    """The day after the end of a quarter is in the next one."""
    end = quarter_end(quarter(day))
    assert end >= day
    assert quarter(end) == quarter(day)
    assert quarter(end + timedelta(days=1)) == quarter(day) + 1


@given(DAYS, st.one_of(st.none(), DAYS))
def test_an_embargo_ends_with_a_quarter_at_least_one_ahead(begin: date, wanted: date | None) -> None:
    """What the author wants is rounded up, so that it tells at most the quarter."""
    embargo = embargo_for(begin, wanted, "ordinary")
    assert embargo == quarter_end(quarter(embargo))
    assert 1 <= quarter(embargo) - quarter(begin) <= 40
    assert wanted is None or embargo >= min(wanted, quarter_end(quarter(begin) + 40))
    check_embargo(begin, embargo, "ordinary")


@given(DAYS, st.one_of(st.none(), DAYS))
def test_a_hazard_embargo_depends_on_nothing(begin: date, wanted: date | None) -> None:
    """Four quarters ahead, whatever was wanted."""
    assert embargo_for(begin, wanted, "hazard") == quarter_end(quarter(begin) + 4)


@pytest.mark.parametrize(
    ("embargo", "tier"),
    [(date(2026, 12, 31), "ordinary"), (date(2027, 3, 30), "ordinary"), (date(2027, 3, 31), "hazard")],
)
def test_other_embargoes_are_refused(embargo: date, tier: str) -> None:
    """The end of this quarter, the middle of one, and a hazard date of one's own choice."""
    with pytest.raises(ValueError, match="embargo"):
        check_embargo(date(2026, 11, 16), embargo, tier)
