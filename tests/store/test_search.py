"""Search: what matches, in which order, in pages that stay put, whatever people type."""

from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from leadline.errors import InputError
from leadline.store import Draft, Page, Query, Store, search_studies
from leadline.store import text as text_module
from leadline.store.cursor import Cursor
from leadline.store.projections.search import unstuffed
from leadline.store.sqlite import text as sqlite_text
from leadline.store.text import split_words
from store.factory import Lab, life_of_a_study


def titles(page: Page) -> list[str]:
    """Titles on a page."""
    return [row.title for row in page.studies]


def test_words_match_everywhere(store: Store, lab: Lab) -> None:
    """Title, claim, area, author and the protocol's own text are all found; endings do not matter."""
    lab.start(store)
    lab.study(store, "Honest monitors", "residual streams", area=["monitoring"], authors=["Zoë Müller"])
    lab.study(store, "Something else", "unrelated")
    for words in ("monitor", "HONEST", "muller", "Zoë", "residual stream", "positive honest", "monitoring"):
        assert titles(search_studies(store, Query(words))) == ["Honest monitors"], words


def test_title_outranks_text(store: Store, lab: Lab) -> None:
    """A word in the title weighs more than the same word in the protocol's text."""
    lab.start(store)
    lab.study(store, "A plain study", "sandbagging is mentioned here")
    lab.study(store, "Sandbagging", "text")
    lab.study(store, "Another plain study", "sandbagging is mentioned there")
    assert titles(search_studies(store, Query("sandbagging", area=None)))[0] == "Sandbagging"


def test_repetition_is_not_rewarded(store: Store, lab: Lab) -> None:
    """A text stuffed with a word is indexed as if it said it three times, so it ranks no better."""
    assert unstuffed("spam Spam spam, spam SPAM ham spam") == "spam Spam spam, ham"
    assert unstuffed("quokka " * 500) == "quokka quokka quokka"
    lab.start(store)
    lab.study(store, "Stuffed", "quokka " * 500)
    lab.study(store, "Quokka", "a sincere text that says it once more in passing: quokka")
    assert titles(search_studies(store, Query("quokka"))) == ["Quokka", "Stuffed"]


@pytest.mark.parametrize(
    "text",
    ["AND", "probes AND", "probes -transfer", "title:probes", "probes*", '"probes', "probes)", "NEAR(a b)", "^probes",
     "a OR b", "probes + transfer", "'; DROP TABLE entry; --", '""', "{title}: x", "\x00probes"],
)  # fmt: skip
def test_user_text_is_never_syntax(store: Store, lab: Lab, text: str) -> None:
    """Operators of the query language are plain words in what people type."""
    lab.start(store)
    lab.study(store, "Probes transfer", "probes and near title")
    assert search_studies(store, Query(text)).as_of == 3


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.text(max_size=60))
def test_any_text_can_be_typed(store: Store, text: str) -> None:
    """No text of any characters raises anything."""
    assert search_studies(store, Query(text)).studies == ()


def test_phrases_and_relaxation(store: Store, lab: Lab) -> None:
    """A quoted phrase must occur as such; when no study has all words, some of them suffice, and that is said."""
    lab.start(store)
    lab.study(store, "Linear probes", "x")
    lab.study(store, "Probes that are linear", "x")
    assert titles(search_studies(store, Query('"linear probes"'))) == ["Linear probes"]
    assert not search_studies(store, Query("linear probes")).relaxed
    page = search_studies(store, Query("linear aardvarks"))
    assert page.relaxed
    assert len(page.studies) == 2
    assert not search_studies(store, Query("aardvarks")).relaxed


def test_synonyms_widen_a_word(store: Store, lab: Lab) -> None:
    """A word stands for its synonyms too, without loosening the other words."""
    lab.start(store)
    lab.study(store, "Sandbagging in arithmetic", "x")
    words = {"underperformance": ["sandbagging"]}
    page = search_studies(store, Query("underperformance arithmetic"), synonyms=lambda w: words.get(w, []))
    assert titles(page) == ["Sandbagging in arithmetic"]
    assert not page.relaxed


def test_filters(store: Store, lab: Lab) -> None:
    """Area, author, state, protocol and key narrow a search, with words and without."""
    lab.start(store)
    life_of_a_study(lab, store, "Reported study")
    lab.study(store, "Open study", area=["control"], authors=["Bob Example"])
    for query, expected in (
        (Query(area="control"), ["Open study"]),
        (Query("study", area="control"), ["Open study"]),
        (Query("study", author="Alice Example"), ["Reported study"]),
        (Query(state="registered"), ["Open study"]),
        (Query("study", state="reported"), ["Reported study"]),
        (Query("study", state="withdrawn"), []),
        (Query(keyid=lab.author.fingerprint), ["Open study", "Reported study"]),
        (Query("study", protocol="0" * 64), []),
    ):
        assert titles(search_studies(store, query)) == expected, query


def many(store: Store, lab: Lab, count: int, *, area: str = "sandbagging", start: int = 0) -> None:
    """Freeze many studies about one protocol in one append."""
    protocol = lab.protocol("Shared")
    store.put_blob(protocol)
    drafts = [Draft(lab.freeze(f"Common study {start + i}", protocol, area=[area])) for i in range(count)]
    store.append(lambda view: drafts, sign=lab.sign)


@pytest.mark.parametrize("order", ["relevance", "newest"])
@pytest.mark.parametrize("text", ["common", ""])
def test_pages_stay_put_while_others_register(store: Store, lab: Lab, order: str, text: str) -> None:
    """Pages through a search show each study once, in one order, though studies are registered in between."""
    lab.start(store)
    many(store, lab, 25)
    query = Query(text, order=order, limit=10)
    whole = titles(search_studies(store, Query(text, order=order, limit=100)))
    page = search_studies(store, query)
    seen = titles(page)
    while page.cursor:
        many(store, lab, 3, start=1000 * store.size())
        page = search_studies(store, query, cursor=page.cursor)
        assert page.as_of == 27
        seen += titles(page)
    assert seen == whole
    assert len(set(seen)) == 25


def test_the_cap_is_said_and_filters_stand_inside_it(
    store: Store, lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Above the ranking cap the page says so, and a selective filter still finds what lies beyond the cap."""
    monkeypatch.setattr(sqlite_text, "RANK_CAP", 10)
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


def test_ranked_listings_end(store: Store, lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ranked results stop at their depth; newest first goes on to the end."""
    from leadline.store import search as search_module

    monkeypatch.setattr(search_module, "RANKED_DEPTH", 6)
    lab.start(store)
    many(store, lab, 12)
    for order, expected in (("relevance", 6), ("newest", 12)):
        query = Query("common", order=order, limit=4)
        page = search_studies(store, query)
        count = len(page.studies)
        while page.cursor:
            page = search_studies(store, query, cursor=page.cursor)
            count += len(page.studies)
        assert count == expected


def test_half_a_character_is_refused(store: Store, lab: Lab) -> None:
    """A filter with half a surrogate pair is a mistake of the caller, on every engine; in the words it is a space."""
    lab.start(store)
    many(store, lab, 2)
    for name in ("area", "author", "technique", "model", "task", "measure", "protocol", "keyid"):
        with pytest.raises(InputError, match=f"the {name} to search for is no text"):
            search_studies(store, Query("common", **{name: "a\ud800"}))
    assert len(search_studies(store, Query("common\udfff")).studies) == 2


def test_a_sealed_study_is_not_searched_for(store: Store) -> None:
    """The status is refused with what to do instead: a listing that is always empty would say there are none."""
    with pytest.raises(InputError, match="nothing by which it could be found") as caught:
        search_studies(store, Query(status="sealed"), today=date(2026, 1, 1))  # type: ignore[arg-type]
    assert "leadline show" in caught.value.remedy()


def test_senseless_searches_are_refused(store: Store) -> None:
    """Page sizes, lengths and cursors that make no sense raise InputError."""
    good = Cursor(5, before=3).encode(Query("x"))
    for call in (
        lambda: search_studies(store, Query(limit=0)),
        lambda: search_studies(store, Query(limit=101)),
        lambda: split_words("x" * 1001),
        lambda: split_words(" ".join(str(i) for i in range(33))),
        lambda: search_studies(store, Query("y"), cursor=good),
        lambda: search_studies(store, Query("x"), cursor="é"),
        lambda: search_studies(store, Query("x"), cursor="A" * 9000),
        lambda: search_studies(store, Query("x"), cursor=good[:-2]),
    ):
        with pytest.raises(InputError):
            call()


@given(
    st.integers(0, 2**62),
    st.none() | st.integers(0, 2**62),
    st.lists(st.integers(0, 2**62), max_size=20),
    st.booleans(),
    st.booleans(),
)
def test_cursors_come_back(
    as_of: int, before: int | None, rest: list[int], capped: bool, relaxed: bool
) -> None:
    """Encoding and decoding a cursor gives it back, and only for its own query."""
    cursor = Cursor(as_of, before, tuple(rest), capped, relaxed)
    text = cursor.encode("query")
    assert Cursor.decode(text, "query") == cursor
    with pytest.raises(InputError, match="another search"):
        Cursor.decode(text, "other")


@given(st.text(max_size=100))
def test_foreign_cursors_are_refused(text: str) -> None:
    """Text that this registry did not give out is refused as a cursor, never misread or raised through."""
    with pytest.raises(InputError):
        Cursor.decode(text, "query")


def test_caps_agree() -> None:
    """The engine ranks within the documented cap."""
    assert sqlite_text.RANK_CAP == text_module.RANK_CAP == 5_000


def test_search_needs_no_words(tmp_path: Path, store: Store) -> None:
    """An empty store answers an empty page, also to text without letters."""
    assert search_studies(store, Query()) == Page((), 0, capped=False, relaxed=False, cursor=None)
    assert search_studies(store, Query("?!")) == Page((), 0, capped=False, relaxed=False, cursor=None)
