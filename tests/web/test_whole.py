"""What the front page says of everybody is exact, also where a search counts only the newest."""

from datetime import date

import pytest

from leadline.registry.study import Study
from leadline.store import facets as counting
from leadline.store.facets import facets
from leadline.store.projections.status import GRACE_DAYS
from leadline.store.projections.studies import study as find_study
from leadline.store.query import Query
from leadline.web.context import Site
from leadline.web.pages.areas import _words
from leadline.web.settings import Settings
from leadline.web.views.cards import cards
from leadline.web.views.shares import percent
from leadline.web.views.whole import outcomes_of_all, states_of_all
from web.site import PLOTS, TODAY, Lab

Record = tuple[Lab, dict[str, Study]]


def test_a_share_is_never_said_to_be_nothing_or_everything_where_it_is_not() -> None:
    """Between none and one in a hundred there are some, and so there are at the other end."""
    assert percent(0, 0) == ""
    assert [percent(part, 1_000) for part in (0, 9, 10, 500, 990, 991, 1_000)] == [
        "0 %",
        "under 1 %",
        "1 %",
        "50 %",
        "99 %",
        "over 99 %",
        "100 %",
    ]


@pytest.mark.parametrize("day", [date(2026, 1, 1), TODAY.date(), date(2027, 6, 1)])
def test_counts_of_all_are_those_of_an_uncapped_search(record: Record, day: date) -> None:
    """By state on any day, and by outcome, they agree with the facets of a search that finds everything."""
    with record[0].registry.store.snapshot() as view:
        found = facets(view, Query(), today=day)
        assert not found.capped
        assert states_of_all(view, day) == dict(found["status"])
        assert outcomes_of_all(view) == dict(found["verdict"])


def test_counts_of_all_leave_nobody_out(record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a search would count the newest three only, the whole is still the whole; an area says what it counted."""
    registry = record[0].registry
    monkeypatch.setattr(counting, "COUNT_CAP", 3)
    with registry.store.snapshot() as view:
        today = TODAY.date()
        assert facets(view, Query(), today=today).capped
        assert sum(states_of_all(view, today).values()) == len(record[1])
        said = _words(Site(registry, Settings(), lambda: TODAY), view, "control")
    assert ". Of the newest " in said


def test_one_grace_is_told_everywhere(record: Record) -> None:
    """A server without the setting gives the registry's own days of grace, and a card says the day that follows."""
    assert Settings().grace_days == GRACE_DAYS == 90
    closed = next(plot.title for plot in PLOTS if plot.end == "closed")
    with record[0].registry.store.snapshot() as view:
        row = find_study(view, record[1][closed].id)
        assert row is not None and row.due == "2026-06-01"
        assert "grace ended 2026-08-30" in cards(view, [row], TODAY.date())[0].deadline
        assert "grace ended 2026-07-01" in cards(view, [row], TODAY.date(), grace_days=30)[0].deadline
