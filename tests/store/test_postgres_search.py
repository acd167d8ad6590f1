"""Search on PostgreSQL: the same behaviour as on SQLite, and the same studies for the same questions."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from leadline.store import Draft, Query, Store, open_store, search_studies
from leadline.store.postgres import text as postgres_text
from leadline.store.projections.search import STUDY_TEXT
from leadline.store.projections.studies import AREA, STUDY
from leadline.store.text import RANK_CAP, Filter, TextQuestion
from store.factory import Lab
from store.test_search import (  # noqa: F401 -- collected here once more, over this file's `store`
    many,
    test_any_text_can_be_typed,
    test_filters,
    test_half_a_character_is_refused,
    test_pages_stay_put_while_others_register,
    test_phrases_and_relaxation,
    test_ranked_listings_end,
    test_repetition_is_not_rewarded,
    test_search_needs_no_words,
    test_senseless_searches_are_refused,
    test_synonyms_widen_a_word,
    test_title_outranks_text,
    test_user_text_is_never_syntax,
    test_words_match_everywhere,
)

VOCABULARY = [
    f"{stem}{ending}"
    for stem in ("prob", "deceiv", "lock", "grad", "steer")
    for ending in ("e", "ing", "ed", "es")
]
AREAS = ("sandbagging", "control", "monitoring")


@pytest.fixture
def store(postgres_url: str) -> Iterator[Store]:
    """An empty store on PostgreSQL."""
    with open_store(postgres_url) as opened:
        yield opened


def test_the_cap_is_said_and_filters_stand_inside_it(
    store: Store, lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Above the ranking cap the page says so, and a selective filter still finds what lies beyond the cap."""
    assert postgres_text.RANK_CAP == RANK_CAP == 5_000
    monkeypatch.setattr(postgres_text, "RANK_CAP", 10)
    lab.start(store)
    many(store, lab, 3, area="rare")
    many(store, lab, 7, start=100)
    assert not search_studies(store, Query("common")).capped
    many(store, lab, 5, start=200)
    page = search_studies(store, Query("common", limit=100))
    assert page.capped
    assert {row.ix for row in page.studies} == set(range(7, 17))
    rare = search_studies(store, Query("common", area="rare"))
    assert not rare.capped
    assert {row.ix for row in rare.studies} == {2, 3, 4}


def test_a_rare_word_tells_more_than_a_common_one(store: Store, lab: Lab) -> None:
    """Where some of the words suffice, the study with the one that few have comes before those with a common one."""
    lab.start(store)
    many(store, lab, 30)
    lab.study(store, "Quokka habitats")
    many(store, lab, 30, start=500)
    page = search_studies(store, Query("common quokka aardvark"))
    assert page.relaxed
    assert page.studies[0].title == "Quokka habitats"
    phrased = search_studies(store, Query('"quokka habitats" common aardvark'))
    assert phrased.studies[0].title == "Quokka habitats"


def test_both_engines_find_the_same(store: Store, lab: Lab, tmp_path: Path) -> None:
    """Two hundred random questions over three hundred random studies have the same answers in both engines."""
    draw = random.Random(20260301)
    drafts = []
    for number in range(300):
        text = " ".join(draw.choice(VOCABULARY) for _ in range(draw.randrange(1, 12)))
        protocol = lab.protocol(f"Study {number}", text)
        title = " ".join(draw.choice(VOCABULARY) for _ in range(3))
        area = draw.sample(AREAS, draw.randrange(1, 3))
        drafts.append(Draft(lab.freeze(title, protocol, area=area), (protocol,)))
    with open_store(tmp_path / "other.db") as other:
        for engine in (store, other):
            lab.start(engine)
            engine.append(lambda view: drafts, sign=lab.sign)
        for _ in range(200):
            question = _question(draw)
            mine, theirs = store.match_text(question), other.match_text(question)
            assert mine.capped == theirs.capped
            if question.ranked and question.words:
                assert sorted(mine.indexes) == sorted(theirs.indexes), question
            else:
                assert mine.indexes == theirs.indexes, question
            among = theirs.indexes
            counted = store.count_by(AREA, ("area",), where="ix", among=among)
            assert counted == other.count_by(AREA, ("area",), where="ix", among=among)


def _question(draw: random.Random) -> TextQuestion:
    words = []
    for _ in range(draw.randrange(0, 4)):
        alternatives = [
            " ".join(draw.choices(VOCABULARY, k=draw.choice((1, 1, 2)))) for _ in range(draw.randrange(1, 3))
        ]
        words.append(tuple(alternatives))
    filters = [
        Filter(AREA, "ix", "area", draw.choice(AREAS)),
        Filter(AREA, "ix", "area", draw.choice(AREAS), absent=True),
        Filter(AREA, "ix", "area", tuple(draw.sample(AREAS, 2)), "in"),
        Filter(STUDY, "ix", "ix", draw.randrange(300), draw.choice(("<", ">="))),
        Filter(STUDY, "ix", "title", draw.choice(VOCABULARY), ">="),
        Filter(STUDY, "ix", "characteristics", "0", "<"),
    ]
    return TextQuestion(
        STUDY_TEXT,
        tuple(words),
        as_of=draw.randrange(2, 310),
        limit=400,
        filters=tuple(draw.sample(filters, draw.randrange(0, 3))),
        every=draw.random() < 0.6,
        ranked=draw.random() < 0.5,
        before=draw.choice((None, draw.randrange(310))),
    )
