"""Near-duplicates of a draft are found whatever words they use, and stuffing finds nothing."""

import json
import statistics
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from leadline.landscape.synonyms import concepts, stem
from leadline.protocol.model import Protocol
from leadline.registry.likeness import Comparison, Frequencies, Traits, reasons
from leadline.registry.similar import FLOOR, Similar, nearest, neighbours, similar
from leadline.store import Draft, Store, open_store
from leadline.store.projections.facets import facet_rows
from registry import paraphrases
from registry.paraphrases import Idea, draft, idea, original, paraphrase, words
from registry.world import World
from store.factory import TIME, Lab, digest

STUDIES = 10_000
ASKED = 100


def freeze(lab: Lab, document: dict[str, Any]) -> Draft:
    """A freeze of a document, as a registry would append it."""
    body = json.dumps(document).encode()
    said = {
        "area": document["area"],
        "authors": [document["authors"][0]["name"]],
        "hypotheses": [
            {name: one[name] for name in ("id", "kind", "claim")} for one in document["hypotheses"]
        ],
    }
    return Draft(lab.freeze(document["title"], body, **said), (body,))


@dataclass
class Haystack:
    """A registry of many ideas: log index by idea, and the ideas somebody else has again."""

    store: Store
    indexes: dict[Idea, int]
    asked: list[Idea]

    def recall(self, **switches: bool) -> float:
        """Share of the paraphrases whose original is among the nearest five."""
        hits = 0
        for about in self.asked:
            near = nearest(self.store, draft(paraphrase(about)), 5, **switches)
            hits += self.indexes[about] in {one.row.ix for one in near}
        return hits / len(self.asked)


@pytest.fixture(scope="module")
def haystack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Haystack]:
    """Ten thousand studies, half of them reported with a null or still running."""
    lab, draw = Lab(), Random(5)
    ideas = list(dict.fromkeys(idea(draw) for _ in range(STUDIES)))
    with open_store(tmp_path_factory.mktemp("haystack") / "registry.db") as store:
        lab.start(store)
        indexes: dict[Idea, int] = {}
        for start in range(0, len(ideas), 1000):
            part = ideas[start : start + 1000]
            drafts = [freeze(lab, original(about)) for about in part]
            receipts = store.append(lambda view, drafts=drafts: drafts, sign=lab.sign)  # type: ignore[misc]
            indexes |= {about: receipt.index for about, receipt in zip(part, receipts, strict=True)}
        yield Haystack(store, indexes, Random(9).sample(ideas, ASKED))


def test_paraphrases_are_paraphrases(haystack: Haystack) -> None:
    """No title word is kept, and more than half of the rewordings are none that the matcher knows."""
    for about in haystack.asked:
        assert not words(original(about)["title"]) & words(paraphrase(about)["title"])
    tables = (paraphrases.TECHNIQUES, paraphrases.PHENOMENA, paraphrases.VERBS, paraphrases.SETTINGS)
    pairs = [(row[0], other) for table in tables for row in table for other in row[1:]]
    unknown = sum(not set(concepts(first)) & set(concepts(other)) for first, other in pairs)
    assert unknown / len(pairs) > 0.5


def test_paraphrased_duplicates_are_found(haystack: Haystack) -> None:
    """At least nine of ten originals are among the nearest five, and structure is what finds them."""
    assert haystack.recall() >= 0.9
    assert haystack.recall(structure=False) < 0.5


def test_reasons_name_what_agrees(haystack: Haystack) -> None:
    """Each neighbour has a score between 0 and 1, falling, and says in words what it shares."""
    about = next(one for one in haystack.asked if "none" not in original(one)["title"])
    near = nearest(haystack.store, draft(original(about) | {"title": "Another name"}), 5)
    assert near[0].row.ix == haystack.indexes[about]
    assert [one.score for one in near] == sorted((one.score for one in near), reverse=True)
    assert all(FLOOR <= one.score <= 1 and one.why for one in near)
    assert near[0].score > 0.7
    assert near[0].why[0] == "same dataset"
    assert any(reason.startswith("technique: ") for reason in near[0].why)
    assert not any("none" in reason for one in near for reason in one.why)


def test_stuffing_finds_nothing(haystack: Haystack) -> None:
    """A study that names every technique, model and task, and lists every keyword, is not near to anything."""
    lab = Lab()
    about = haystack.asked[0]
    mine = paraphrase(about)
    stuffed = original(about)
    rows = (*paraphrases.PHENOMENA, *paraphrases.TECHNIQUES, *paraphrases.SETTINGS, *paraphrases.VERBS)
    keywords = " ".join(phrase for way in (1, 2) for phrase in (row[way] for row in rows))
    stuffed["title"] = keywords[:300]
    stuffed["hypotheses"] = [
        {**stuffed["hypotheses"][0], "id": f"H{i}", "claim": (keywords[i * 499 :] * 3)[:499].strip()}
        for i in range(4)
    ]
    everything = [row[0] for row in paraphrases.TECHNIQUES]
    stuffed["arms"] = [
        {"name": f"a{i}", "technique": name, "model": "m0", "task": "task"}
        for i, name in enumerate(everything)
    ]
    stuffed["models"] = [{"name": f"m{i}", "id": model} for i, (model, _) in enumerate(paraphrases.MODELS)]
    stuffed["tasks"] = [
        {"name": f"t{i}", "task": f"task_{i}", "dataset": {"sha256": digest(b"%d" % i)}} for i in range(200)
    ]
    stuffed["area"] = [
        "control/monitoring",
        "organisms/elicitation",
        "robustness/jailbreaks",
        "other/honesty",
    ]
    haystack.store.append(lambda view: [freeze(lab, stuffed)], sign=lab.sign)
    near = nearest(haystack.store, draft(mine), 20)
    assert near[0].row.ix == haystack.indexes[about]
    assert stuffed["title"] not in {one.row.title for one in near}


class Hashing:
    """An embedder for tests: a bag of hashed letters' triples."""

    def embed(self, texts: Any) -> NDArray[np.float64]:
        """One row of 64 for each text."""
        rows = np.zeros((len(texts), 64))
        for row, text in zip(rows, texts, strict=True):
            for at in range(len(text) - 2):
                row[int(digest(text[at : at + 3].lower().encode())[:4], 16) % 64] += 1
        return rows


class Blank:
    """An embedder that says nothing."""

    def embed(self, texts: Any) -> NDArray[np.float64]:
        """Rows of zeros."""
        return np.zeros((len(texts), 3))


def test_meaning_is_a_third_voice(haystack: Haystack) -> None:
    """An embedder's cosine moves scores up where texts are near in its sense; one that says nothing moves none up."""
    plan = draft(original(haystack.asked[1]) | {"notes": "not the same bytes"})
    without, with_ = nearest(haystack.store, plan, 3), nearest(haystack.store, plan, 3, embedder=Hashing())
    assert without[0].row == with_[0].row
    assert with_[0].score > 0.95
    blank = nearest(haystack.store, plan, 3, embedder=Blank())
    assert blank[0].row == without[0].row and blank[0].score == pytest.approx(
        0.6 * without[0].score, abs=1e-3
    )


# -- in a small registry --------------------------------------------------------------------------


def test_nulls_running_and_withdrawn_studies_count(lab_store: tuple[Lab, Store]) -> None:
    """How a study came out or where it stands changes nothing: it is found all the same."""
    lab, store = lab_store
    about = idea(Random(1))
    (receipt,) = store.append(lambda view: [freeze(lab, original(about))], sign=lab.sign)
    before = nearest(store, draft(paraphrase(about)))
    from leadline.ledger.ids import study_id

    study = study_id(receipt.leaf_hash)
    opening = {"study": study, "number": 1, "action": "open", "status": "started", "created": TIME}
    lab.add(store, lab.statement("attempt", opening))
    assert nearest(store, draft(paraphrase(about)))[0].row.state == "running"
    lab.add(store, lab.statement("withdraw", {"study": study, "reason": "no money", "created": TIME}))
    after = nearest(store, draft(paraphrase(about)))
    assert [(one.row.ix, one.score) for one in after] == [(one.row.ix, one.score) for one in before] != []
    assert after[0].row.state == "withdrawn"


@pytest.fixture
def lab_store(tmp_path: Any) -> Iterator[tuple[Lab, Store]]:
    """An empty store with its people."""
    lab = Lab()
    with open_store(tmp_path / "registry.db") as store:
        lab.start(store)
        yield lab, store


def test_an_empty_registry_has_no_neighbours(lab_store: tuple[Lab, Store]) -> None:
    """Nothing is near anything where nothing is registered, nor in a registry of other things."""
    lab, store = lab_store
    about = Idea(0, 0, 0, 0, 0, (0,), 1, 0, "control/monitoring", "greater", 7)
    assert nearest(store, draft(paraphrase(about))) == []
    other = original(Idea(9, 9, 3, 8, 5, (30,), 99, 1, "other/honesty", "no_worse", 8))
    store.append(lambda view: [freeze(lab, other)], sign=lab.sign)
    assert nearest(store, draft(paraphrase(about))) == []


def test_the_registry_names_neighbours(tmp_path: Any) -> None:
    """The identical protocol comes first and says so; what was taken down is no neighbour any more."""
    world = World(tmp_path / "world")
    study = world.register()
    plan = study.protocol
    (same,) = similar(world.registry, plan)
    assert world.registry.similar(plan) == [same]
    assert (same.row.id, same.score, same.why) == (study.id, 1.0, ("the very same protocol",))
    assert [(one.id, likeness) for one, likeness in neighbours(world.registry, plan)] == [(study.id, 1.0)]
    twin = Protocol.model_validate(plan.model_dump() | {"title": "Sums with a clue"})
    (near,) = world.registry.similar(twin)
    assert isinstance(near, Similar) and near.row.id == study.id and near.score > 0.8
    assert [one.id for one, _ in world.registry.neighbours(twin)] == [study.id]
    world.registry.store.take_down(plan.digest, "by mistake")
    assert list(world.registry.neighbours(twin)) == []


# -- the comparison itself -------------------------------------------------------------------------


def traits(text: str, *marks: str) -> Traits:
    """Traits of a made-up study."""
    return Traits(frozenset(marks), Counter(concepts(text)))


def test_likeness_is_symmetric_and_bounded() -> None:
    """A study is wholly like itself, not at all like a stranger, and as like another as the other is like it."""
    known = Frequencies(100, {"task:a": 3, "task:b": 50, "model:x": 10}, {"prob": 10})
    one = traits("probes find lies", "task:a", "task:b", "model:x")
    two = traits("probes and apples", "task:b", "model:x")
    far = traits("bananas", "task:c", "model:y")
    assert Comparison(one, known).likeness(one) == pytest.approx(1.0)
    assert Comparison(one, known).likeness(far) == 0.0
    there, back = Comparison(one, known).likeness(two), Comparison(two, known).likeness(one)
    assert 0 < there < 1 and there == pytest.approx(back)
    assert Comparison(traits(""), known).likeness(one) == 0.0
    assert Comparison(one, known, structure=False, words=False).likeness(one) == 0.0


def test_what_is_rare_says_more() -> None:
    """Sharing a rare mark makes two studies more alike than sharing one that everybody has."""
    known = Frequencies(1000, {"task:rare": 2, "task:usual": 900}, {})
    mine = traits("", "task:rare", "task:usual")
    rare, usual = traits("", "task:rare"), traits("", "task:usual")
    scores = [Comparison(mine, known).likeness(other) for other in (rare, usual)]
    assert scores[0] > 5 * scores[1]
    assert reasons(mine, mine, known) == ("task: rare",)


def test_repeating_a_word_adds_little() -> None:
    """Saying the draft's word a hundred times is no nearer than saying it as often as others do."""
    known = Frequencies(100, {}, {})
    mine = traits("quokkas swim in lakes")
    once, often = traits("quokkas swim"), traits("quokkas " * 100)
    comparison = Comparison(mine, known)
    assert comparison.verbal(often) < comparison.verbal(once)
    assert statistics.fmean(Counter(concepts("quokkas " * 100)).values()) == 100


def test_stems_and_marks_of_a_draft_are_those_of_its_registered_form() -> None:
    """A draft's marks are read from the same document a registry reads."""
    document = original(idea(Random(3)))
    plan = draft(document)
    assert facet_rows(document, document["area"]) == facet_rows(json.loads(plan.canonical_bytes()), plan.area)
    assert stem("probes") == stem("probing")
