"""What lists show of many studies at once is what is read of each alone."""

from typing import Any

import pytest

from leadline.ledger.ids import study_id
from leadline.store import ReadView, Store
from leadline.store.listing import Listing
from leadline.store.projection import Row
from leadline.store.projections.facets import marks_of
from leadline.store.projections.reports import reports, verdicts
from leadline.store.projections.studies import (
    StudyRow,
    areas,
    authors,
    hypotheses,
    studies,
    studies_at,
    studies_named,
)
from store.factory import Lab
from store.studies import add_report, add_study, protocol, techniques


class Counting:
    """A view that counts the reads made of it, and the rows that were looked up."""

    def __init__(self, view: ReadView) -> None:
        self._view = view
        self.reads = 0
        self.rows = 0

    def __getattr__(self, name: str) -> Any:
        self.reads += 1
        return getattr(self._view, name)

    def select_among(self, *asked: Any) -> list[Row]:
        """Rows of the view, counted."""
        found = self._view.select_among(*asked)
        self.reads, self.rows = self.reads + 1, self.rows + len(found)
        return found


def registry(lab: Lab, store: Store) -> list[StudyRow]:
    """Four studies with none to three reports; newest first."""
    lab.start(store)
    for number in range(4):
        freeze: dict[str, Any] = {
            "authors": [f"Author {number}", "Ada"],
            "area": ["control", "evals"][: number % 3],
        }
        made = add_study(lab, store, f"Study {number}", freeze=freeze, arms=techniques("debate", "SFT"))
        for again in range(number):
            outcome = ("null" if again else "supported", "confirmatory")
            add_report(lab, store, study_id(made.leaf_hash), protocol(f"Study {number}"), h1=outcome)
    return studies(store)


def test_a_listing_says_what_each_study_says(store: Store, lab: Lab) -> None:
    """Authors, areas, hypotheses, marks, the newest report and its verdicts, in the same order."""
    rows = registry(lab, store)
    listing = Listing(store, rows)
    assert listing.studies == tuple(rows)
    for row in rows:
        published = reports(store, row.id)
        assert listing.authors(row) == authors(store, row.ix)
        assert listing.areas(row) == areas(store, row.ix)
        assert listing.hypotheses(row) == hypotheses(store, row.ix)
        assert listing.marks(row) == marks_of(store, row.ix)
        assert listing.report(row) == (published[-1] if published else None)
        assert listing.verdicts(row) == (verdicts(store, published[-1].ix) if published else [])
    assert [listing.report(row) is None for row in rows] == [False, False, False, True]


@pytest.mark.parametrize("many", [1, 4])
def test_a_listing_reads_once_for_all(store: Store, lab: Lab, many: int) -> None:
    """However many studies it shows, each kind of thing is one read, and nothing is read that was not asked for."""
    rows = registry(lab, store)[:many]
    counting: Any = Counting(store)
    listing = Listing(counting, rows)
    assert counting.reads == 0
    for row in rows:
        listing.authors(row), listing.hypotheses(row), listing.verdicts(row)
    assert counting.reads == 4
    for row in rows:
        listing.areas(row), listing.marks(row)
    assert counting.reads == 6
    for row in rows:
        listing.report(row)
    assert counting.reads == 7


def test_older_reports_cost_a_listing_nothing(store: Store, lab: Lab) -> None:
    """Of a study that was reported many times, one report is read, with its verdicts."""
    lab.start(store)
    made = add_study(lab, store, "Again and again")
    name = study_id(made.leaf_hash)
    for _ in range(20):
        add_report(lab, store, name, protocol("Again and again"), h1=("null", "confirmatory"))
    counting: Any = Counting(store)
    (row,) = studies(store)
    listing = Listing(counting, [row])
    assert listing.report(row) == reports(store, name)[-1]
    assert counting.rows == 2  # which one is the newest, and that one
    assert len(listing.verdicts(row)) == 1
    assert counting.rows == 3


def test_studies_come_in_the_order_asked(store: Store, lab: Lab) -> None:
    """By log index or by id; what is no study is left out."""
    rows = registry(lab, store)
    chosen = [rows[2], rows[0], rows[3]]
    assert studies_at(store, [chosen[0].ix, 0, chosen[1].ix, 10_000, chosen[2].ix]) == chosen
    assert studies_named(store, ["LL-nothing", *(row.id for row in chosen)]) == chosen
    assert studies_at(store, []) == studies_named(store, []) == []
