"""Facets: what is read in protocols and reports, filters by it, and counts of what a search finds."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from random import Random
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadline.errors import InputError
from leadline.ledger.ids import study_id
from leadline.store import Query, Store, open_store, search_studies
from leadline.store import facets as counting
from leadline.store.facets import FACETS, facets
from leadline.store.projections.facets import FACET, MAX_EACH, facet_rows, mark, marks_of
from leadline.store.projections.status import status_of
from leadline.store.projections.studies import State, studies
from leadline.store.query import SEARCH_STATUSES, status_at
from store.factory import TIME, Lab, digest
from store.studies import add_report, add_study, protocol, techniques

TODAY = date(2026, 3, 1)


@pytest.fixture(params=["sqlite", "postgresql"])
def either(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """An empty store of each engine."""
    url = str(tmp_path / "r.db") if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    with open_store(url) as opened:
        yield opened


def found(store: Store, **asked: Any) -> list[str]:
    """Titles of the studies that answer, sorted."""
    page = search_studies(store, Query(limit=100, **asked), today=TODAY)
    return sorted(row.title for row in page.studies)


def test_marks_of_a_protocol() -> None:
    """Areas with their groups, techniques by their usual names, models, tasks, data, measures, claims and gaps."""
    document = {
        "arms": techniques("Activation_Probe", "my OWN  way", "none"),
        "models": [{"name": "m", "id": "acme/Orca-1b"}, {"name": "n", "rule": "the next one"}],
        "tasks": [{"task": "Suite/Adding", "dataset": {"sha256": "a" * 64, "name": "sums"}}],
        "measures": [{"name": "accuracy", "score": "match"}],
        "hypotheses": [{"kind": "greater"}, {"kind": "greater"}],
        "gap": {"scale": {"distance": "far"}, "task": {"distance": "unknown"}, "family": "near"},
    }
    assert facet_rows(document, ["control/monitoring"]) == sorted(
        [
            "area:control/monitoring", "area:control", "technique:linear probe", "technique:my own way",
            "technique:none", "model:acme/Orca-1b", "task:suite/adding", "task:adding", f"dataset:{'a' * 64}",
            "dataset:sums", "measure:accuracy", "measure:match", "claim:greater", "gap:scale:far",
            "gap:family:near",
        ]
    )  # fmt: skip


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)
_BLOCKS = ("arms", "models", "tasks", "measures", "hypotheses", "gap", "dataset")


@settings(deadline=None)
@given(_JSON | st.dictionaries(st.sampled_from(_BLOCKS), _JSON))
def test_odd_documents_give_what_can_be_read(document: object) -> None:
    """No document of any shape raises anything, and marks are short, one line each, and sorted."""
    marks = facet_rows(document, ["a/b"])
    assert marks == sorted(set(marks))
    assert {"area:a", "area:a/b"} <= set(marks)
    assert all(len(item) < 140 and item.isprintable() for item in marks)


def test_a_protocol_that_names_everything_gives_little() -> None:
    """Marks of one kind are bounded, whatever a protocol lists."""
    document = {"models": [{"id": f"model {i}"} for i in range(1000)], "arms": techniques("x" * 10_000)}
    marks = facet_rows(document)
    assert sum(item.startswith("model:") for item in marks) == MAX_EACH
    assert max(map(len, marks)) <= 130


def test_every_filter_selects(either: Store, lab: Lab) -> None:
    """Each property of a query narrows the search, with words and without, alone and together."""
    lab.start(either)
    one = protocol("First study")
    receipt = add_study(
        lab, either, "First study", freeze={"area": ["control/monitoring"], "due": "2026-02-01"}
    )
    add_study(
        lab,
        either,
        "Second study",
        freeze={"area": ["control"], "due": None, "created": "2026-02-10T00:00:00Z"},
        arms=techniques("SAE"),
        models=[{"name": "m", "id": "borea/lynx"}],
        gap={"scale": {"distance": "near"}},
    )
    add_study(lab, either, "Third study", freeze={"due": "2026-09-01"}, tasks=[], measures=[])
    both, first, second, third = (
        ["First study", "Second study"],
        ["First study"],
        ["Second study"],
        ["Third study"],
    )
    for asked, expected in (
        ({"area": "control"}, both), ({"area": "control/monitoring"}, first), ({"area": "monitoring"}, []),
        ({"technique": "Linear-Probe"}, [*first, *third]), ({"technique": "dictionary learning"}, second),
        ({"model": "borea/lynx"}, second), ({"model": "borea"}, []),
        ({"task": "adding"}, both), ({"task": "Suite/Adding"}, both), ({"measure": "match"}, both),
        ({"gap": "scale:far"}, [*first, *third]), ({"gap": "scale:near"}, second),
        ({"status": "overdue"}, first), ({"status": "registered"}, [*second, *third]),
        ({"status": "reported"}, []),
        ({"since": date(2026, 2, 10)}, second), ({"until": date(2026, 2, 9)}, [*first, *third]),
        ({"since": date(2026, 2, 10), "until": date(2026, 2, 10)}, second), ({"until": date.max}, [*both, *third]),
        ({"area": "control", "technique": "linear probe", "gap": "scale:far", "status": "overdue"}, first),
        ({"author": "Alice Example", "model": "borea/lynx"}, second), ({"verdict": "null"}, []),
    ):  # fmt: skip
        assert found(either, **asked) == expected, asked
        assert found(either, text="study", **asked) == expected, asked
        assert found(either, text="study", order="newest", **asked) == expected, asked
        assert found(either, text="aardvark", **asked) == []
    add_report(lab, either, study_id(receipt.leaf_hash), one, h1=("null", "confirmatory"))
    assert found(either, verdict="null") == found(either, standing="confirmatory") == first
    assert found(either, status="reported") == first
    assert found(either, status="overdue") == []


def test_the_newest_report_decides(either: Store, lab: Lab) -> None:
    """A later report replaces the outcomes a study is found by."""
    lab.start(either)
    body = protocol("Twice reported")
    study = study_id(add_study(lab, either, "Twice reported").leaf_hash)
    add_report(lab, either, study, body, h1=("null", "confirmatory"), h2=("supported", "qualified"))
    assert found(either, verdict="supported") == ["Twice reported"]
    add_report(lab, either, study, body, h1=("refuted", "confirmatory"))
    assert found(either, verdict="supported") == found(either, verdict="null") == []
    assert found(either, verdict="refuted") == ["Twice reported"]
    assert [item for item in marks_of(either, 2) if item.startswith(("verdict", "standing"))] == [
        "standing:confirmatory",
        "verdict:refuted",
    ]


def test_a_withdrawn_study_counts_among_no_outcomes(either: Store, lab: Lab) -> None:
    """Its verdict stays on its page and in the log; lists and shares of outcomes are of studies that stand."""
    lab.start(either)
    study = study_id(add_study(lab, either, "Withdrawn later").leaf_hash)
    add_report(lab, either, study, protocol("Withdrawn later"), h1=("null", "confirmatory"))
    assert found(either, verdict="null") == ["Withdrawn later"]
    lab.add(either, lab.statement("withdraw", {"study": study, "reason": "a mistake", "created": TIME}))
    assert found(either, verdict="null") == found(either, standing="confirmatory") == []
    assert found(either, technique="linear probe") == ["Withdrawn later"]


def test_what_is_taken_down_is_forgotten(either: Store, lab: Lab) -> None:
    """A protocol that is taken down leaves no marks but those of the freeze itself."""
    lab.start(either)
    add_study(lab, either, "Public title", freeze={"area": ["control"]})
    either.take_down(digest(protocol("Public title")), "harmful")
    assert marks_of(either, 2) == ["area:control"]
    assert found(either, technique="linear probe") == []


def test_statuses_agree_with_the_rows(store: Store, lab: Lab) -> None:
    """A study is found under exactly the status its row has that day, and counted under it."""
    lab.start(store)
    for due in (None, "2026-02-28", "2026-03-01"):
        add_study(lab, store, f"due {due}", freeze={"due": due})
    row = studies(store)[0]
    for state in get_args(State):
        for day in (None, "2026-02-28", "2026-03-01", "2026-03-02"):
            assert status_at(state, day, TODAY) == status_of(replace(row, state=state, due=day), TODAY)
    for status in SEARCH_STATUSES:
        expected = sorted(row.title for row in studies(store) if status_of(row, TODAY) == status)
        assert found(store, status=status) == expected
    assert facets(store, Query(), today=TODAY)["status"] == [("registered", 2), ("overdue", 1)]


def test_filters_that_make_no_sense_are_refused(store: Store) -> None:
    """An unknown status or gap, and a status without a day, raise InputError with the choices."""
    for query, today, said in (
        (Query(status="asleep"), TODAY, "overdue"),  # type: ignore[arg-type]
        (Query(status="overdue"), None, "today"),
        (Query(status="sealed"), TODAY, "leadline show"),
        (Query(gap="scale"), TODAY, "scale"),
        (Query(gap="size:far"), TODAY, "adversary"),
        (Query(gap="scale:unknown"), TODAY, "near"),
    ):
        with pytest.raises(InputError) as caught:
            search_studies(store, query, today=today)
        assert said in caught.value.remedy()


def test_counts_are_those_of_the_pages(either: Store, lab: Lab) -> None:
    """Every count equals what the search finds when that value is chosen, for any other choice."""
    lab.start(either)
    draw = Random(3)
    for i in range(30):
        receipt = add_study(
            lab,
            either,
            f"Study {i} about {draw.choice(['apples', 'pears'])}",
            freeze={
                "area": [draw.choice(["control/monitoring", "control/unlearning", "other"])],
                "due": draw.choice([None, "2026-02-01"]),
            },
            arms=techniques(*draw.sample(["linear probe", "debate", "SFT", "none"], 2)),
            models=[{"name": "m", "id": draw.choice(["a/x", "b/y"])}],
        )
        if draw.random() < 0.3:
            body = either.blob(studies(either, limit=1)[0].protocol)
            add_report(
                lab,
                either,
                study_id(receipt.leaf_hash),
                body,
                h1=(draw.choice(["null", "supported"]), "confirmatory"),
            )
    for query in (
        Query(), Query("apples"), Query("apples", technique="debate"), Query(area="control", model="a/x"),
        Query("pears", status="overdue", verdict=None), Query(verdict="null", technique="SFT"),
    ):  # fmt: skip
        counted = facets(either, query, today=TODAY)
        chosen = {name: getattr(query, name) for name in ("text", *FACETS)}
        assert counted.total == len(found(either, **chosen))
        assert list(counted) == list(FACETS) and len(counted) == len(FACETS) and not counted.capped
        for facet, values in counted.items():
            assert [number for _, number in values] == sorted((number for _, number in values), reverse=True)
            for value, number in values:
                assert len(found(either, **{**chosen, facet: value})) == number, (facet, value)


def test_counts_say_where_they_end(store: Store, lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Above the cap only the newest studies are counted, and that is said."""
    monkeypatch.setattr(counting, "COUNT_CAP", 3)
    lab.start(store)
    for i in range(3):
        add_study(lab, store, f"Old {i}", arms=techniques("debate"))
    assert not facets(store, Query()).capped
    add_study(lab, store, "New", arms=techniques("SFT"))
    counted = facets(store, Query())
    assert counted.capped and counted.total == 3
    assert counted["technique"] == [("debate", 2), ("supervised fine-tuning", 1)]
    assert "status" not in counted


def test_counts_follow_the_page(store: Store, lab: Lab) -> None:
    """Counts are as of the page's log index, relax as its words do, and are empty for text without words."""
    lab.start(store)
    add_study(lab, store, "Linear apples")
    page = search_studies(store, Query("linear aardvarks"))
    add_study(lab, store, "Linear pears")
    counted = facets(store, Query("linear aardvarks"), as_of=page.as_of)
    assert (page.relaxed, counted.relaxed, counted.total) == (True, True, 1)
    assert facets(store, Query("linear aardvarks", order="newest")).total == 0
    nothing = facets(store, Query("?!"), today=TODAY)
    assert nothing.total == 0 and all(values == [] for values in nothing.values())
    assert facets(store, Query(), limit=1)["technique"] == [("linear probe", 2)]


def test_pages_by_status_show_each_steady_study_once(either: Store, lab: Lab) -> None:
    """While others register and report between the pages, a study that stays overdue is shown exactly once."""
    lab.start(either)
    made = [add_study(lab, either, f"Study {i}", freeze={"due": "2026-02-01"}) for i in range(12)]
    steady = {f"Study {i}" for i in range(12) if i not in (2, 9)}
    query = Query(status="overdue", order="newest", limit=3)
    page = search_studies(either, query, today=TODAY)
    seen = [row.title for row in page.studies]
    for turn in (9, 2, None, None, None):
        if turn is not None:
            body = protocol(f"Study {turn}")
            add_report(lab, either, study_id(made[turn].leaf_hash), body, h1=("null", "confirmatory"))
        add_study(lab, either, f"Later {either.size()}", freeze={"due": "2026-02-01"})
        if page.cursor:
            page = search_studies(either, query, cursor=page.cursor, today=TODAY)
            seen += [row.title for row in page.studies]
    assert page.cursor is None
    assert len(seen) == len(set(seen))
    assert steady <= set(seen) <= {f"Study {i}" for i in range(12)}


def test_counting_rows(either: Store, lab: Lab) -> None:
    """Rows are counted by any columns, among integers or texts, most first, from a beginning, up to a limit."""
    lab.start(either)
    for i in range(4):
        add_study(lab, either, f"Study {i}", arms=techniques(*["debate", "SFT", "SAE"][: i % 3 + 1]))
    count = either.count_by
    assert count(FACET, ("mark",), where="ix", among=[2, 3, 4, 4], starting=("mark", "technique:")) == [
        (("technique:debate",), 3),
        (("technique:supervised fine-tuning",), 2),
        (("technique:sparse autoencoder",), 1),
    ]
    assert count(
        FACET, ("ix",), where="mark", among=["technique:debate", "technique:sparse autoencoder"], limit=2
    ) == [
        ((4,), 2),
        ((2,), 1),
    ]
    assert count(FACET, ("ix", "mark"), where="mark", among=["gap:scale:far"], limit=1) == [
        ((2, "gap:scale:far"), 1)
    ]
    assert count(FACET, ("mark",), where="ix", among=[]) == []
    for wrong in ({"where": "no"}, {"where": "ix", "starting": ("no", "x")}):
        with pytest.raises(ValueError, match="no columns"):
            count(FACET, ("mark",), among=[1], **wrong)  # type: ignore[arg-type]


def test_marks_compare_by_meaning() -> None:
    """The same thing spelled otherwise is the same mark; a value cannot pose as another kind."""
    assert mark("technique", "Few_Shot") == mark("technique", "few-shot prompting")
    assert mark("task", " A  b\n") == "task:a b"
    assert mark("model", "x:verdict:null").startswith("model:")
