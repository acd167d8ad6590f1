"""How the embedded engine goes about a search must not change what is found."""

from datetime import date
from itertools import pairwise, product
from random import Random

import pytest

from leadline.store import Query, Store, search_studies
from leadline.store.sqlite import ranking
from leadline.store.sqlite import text as sqlite_text
from leadline.store.sqlite.ranking import ranking_words
from leadline.store.sqlite.store import SqliteStore
from leadline.store.text import TextQuestion
from store.factory import Lab
from store.studies import add_study, techniques

TODAY = date(2026, 3, 1)


@pytest.fixture
def orchard(store: Store, lab: Lab) -> Store:
    """Forty studies about fruit, of various techniques, areas and due dates."""
    draw = Random(11)
    lab.start(store)
    for i in range(40):
        fruit = " ".join(draw.choices(["apple", "pear", "plum", "quince"], (8, 4, 2, 1), k=3))
        freeze = {
            "area": [draw.choice(["control", "other"])],
            "due": draw.choice([None, "2026-02-01", "2026-09-01"]),
        }
        add_study(
            lab,
            store,
            f"Study {i} {fruit}",
            freeze=freeze,
            arms=techniques(draw.choice(["SFT", "SAE", "LAT"])),
        )
    return store


QUERIES = [
    Query(text, technique=technique, area=area, status=status, order=order, limit=100)
    for text, technique, area, status, order in product(
        ("", "apple", "apple pear", "quince plum pear", '"apple pear"', "apple zebra"),
        (None, "SFT", "nothing"),
        (None, "control"),
        (None, "overdue", "registered"),
        ("relevance", "newest"),
    )
]


@pytest.mark.parametrize(("few", "some"), [(0, 0), (0, 10), (5, 20), (200, 25_000), (10**6, 10**6)])
def test_every_way_of_filtering_finds_the_same(
    orchard: Store, monkeypatch: pytest.MonkeyPatch, few: int, some: int
) -> None:
    """Led by a filter, asking a set, or looking each study up: the same studies, and what `filters` mean by hand."""
    everything = search_studies(orchard, Query(limit=100)).studies
    for name, value in (("_FEW", few), ("_SOME", some), ("_MANY", some + 1)):
        monkeypatch.setattr(sqlite_text, name, value)
    for query in QUERIES:
        page = search_studies(orchard, query, today=TODAY)
        expected = {row.ix for row in everything if _answers(orchard, row.ix, query, every=not page.relaxed)}
        assert {row.ix for row in page.studies} == expected, query
        if query.order == "newest" or not query.text:
            assert [row.ix for row in page.studies] == sorted(expected, reverse=True)


def _answers(store: Store, ix: int, query: Query, *, every: bool) -> bool:
    """Whether a study answers a query, by looking at each of its rows."""
    from leadline.store.projections.facets import marks_of
    from leadline.store.projections.status import status_of
    from leadline.store.projections.studies import study_at

    row, marks = study_at(store, ix), marks_of(store, ix)
    assert row is not None
    names = {"SFT": "supervised fine-tuning"}
    title = row.title.casefold().split()[2:]
    pairs = list(pairwise(title))
    words = (
        [("apple", "pear") in pairs] if '"' in query.text else [word in title for word in query.text.split()]
    )
    return (
        (all(words) if every else any(words))
        and (query.technique is None or f"technique:{names.get(query.technique, query.technique)}" in marks)
        and (query.area is None or f"area:{query.area}" in marks)
        and (query.status is None or status_of(row, TODAY) == query.status)
    )


def test_in_a_large_index_the_commonest_words_only_select(
    orchard: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where counting is rationed, rare words rank, and every word still has to be there."""
    from leadline.store.projections.search import STUDY_TEXT

    def words(text: str, *, every: bool = True) -> tuple[tuple[str, ...], ...]:
        groups = tuple((word,) for word in text.split()) if '"' not in text else ((text.strip('"'),),)
        question = TextQuestion(STUDY_TEXT, groups, as_of=100, limit=9, every=every)
        return ranking_words(orchard.record.db, question)

    assert words("study apple quince") == (("study",), ("apple",), ("quince",))
    before = {
        query: [row.ix for row in search_studies(orchard, query, today=TODAY).studies] for query in QUERIES
    }
    monkeypatch.setattr(ranking, "LARGE", 0)
    monkeypatch.setattr(ranking, "_WINDOW", 50)
    monkeypatch.setattr(ranking, "_BUDGET", 10)
    assert words("study apple quince") == (("quince",),)
    assert words("study zebra") == (("zebra",),)
    assert words("study zebra", every=False) == (("zebra",), ("study",))
    assert words('"apple pear"') == (("pear",),)
    for query, indexes in before.items():
        page = search_studies(orchard, query, today=TODAY)
        assert sorted(row.ix for row in page.studies) == sorted(indexes), query


def test_filters_must_fit_their_tables(orchard: SqliteStore) -> None:
    """A filter over a column that is not there, or a tuple where one value belongs, is a programming error."""
    from leadline.store.projections.search import STUDY_TEXT
    from leadline.store.projections.studies import STUDY
    from leadline.store.text import Filter

    for wrong in (
        Filter(STUDY, "no", "state", "x"),
        Filter(STUDY, "ix", "no", "x"),
        Filter(STUDY, "ix", "state", ("x",)),
        Filter(STUDY, "ix", "state", "x", "in"),
    ):
        with pytest.raises(ValueError, match=r"no columns|does not fit"):
            orchard.match_text(TextQuestion(STUDY_TEXT, (), as_of=9, limit=1, filters=(wrong,)))
