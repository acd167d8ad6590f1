"""Does anything public tell a study that was withheld as dangerous from one that was abandoned as dull?

Two years of a registry with a thousand sealed studies, made through the product. Their authors behave so differently
that a boosted classifier on what only authors know tells the two kinds apart; the same classifier on every public
byte, place, date and answer must not. Controls show that it would notice: with one protection off, it does.

A classifier that knows nothing has here an AUC of .5 with a standard error of .018, so that of honest worlds one in
three hundred would fail by chance. Therefore a second, independent world decides: one in a hundred thousand.
"""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from math import sqrt
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from attacks.sealed_eyes import Asker, Table, entries, measured, quick_questions, read_log, without_names
from attacks.sealed_plans import START, make_plans, private
from attacks.sealed_world import SealedWorld, fast_folder
from leadline.ledger.predicates import Seal
from leadline.ledger.sealing.body import BODY_SIZE
from leadline.ledger.sealing.slots import SLOT_SIZE, SlotOpening, batch_size
from leadline.registry.sealing import flushing
from leadline.store.projections.seals import batches, seals
from leadline.store.projections.seals import seal as find_seal

pytestmark = pytest.mark.slow

#: What the public may reach at most, what the private side must reach, and what the controls must reach.
PUBLIC, PRIVATE, NOTICED = 0.55, 0.9, 0.75
EACH, SEALING_WEEKS, WEEKS = 500, 30, 98
_GIB = 1 << 30


# -- the adversary --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Auc:
    """An area under the curve from classes of these sizes; `error` is its standard error (Hanley and McNeil 1982)."""

    value: float
    first: int
    second: int

    @property
    def error(self) -> float:
        """At the value itself; at .5 it is that of the rank sum test."""
        a = self.value
        q1, q2 = a / (2 - a), 2 * a * a / (1 + a)
        spread = a * (1 - a) + (self.first - 1) * (q1 - a * a) + (self.second - 1) * (q2 - a * a)
        return sqrt(spread / (self.first * self.second))

    def interval(self, z: float = 1.96) -> tuple[float, float]:
        """Around the value; 95 % by default."""
        return self.value - z * self.error, self.value + z * self.error

    def __str__(self) -> str:
        low, high = self.interval()
        return f"{self.value:.3f} [{low:.3f}, {high:.3f}]"


def adversary(features: Table, guilty: NDArray[np.bool_]) -> Auc:
    """Cross-validated AUC of a boosted classifier that tries to find the guilty ones."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import StratifiedKFold, cross_val_predict
    from threadpoolctl import threadpool_limits

    varied = features[:, np.ptp(features, axis=0) > 0]
    if not varied.shape[1]:  # nothing differs at all
        return Auc(0.5, int(guilty.sum()), int((~guilty).sum()))
    model = HistGradientBoostingClassifier(max_iter=80, learning_rate=0.08, max_leaf_nodes=15, random_state=1)
    folds = StratifiedKFold(5, shuffle=True, random_state=1)
    with threadpool_limits(1):  # tables this small are slower with more
        said = cross_val_predict(model, varied, guilty, cv=folds, method="predict_proba")[:, 1]
    return Auc(float(roc_auc_score(guilty, said)), int(guilty.sum()), int((~guilty).sum()))


@contextmanager
def living(seed: int, each: int, sealing: int, weeks: int, **options: Any) -> Iterator[SealedWorld]:
    """A world after so many weeks, with `each` studies of the two kinds and an eighth as many that are revealed."""
    plans = make_plans(np.random.default_rng(seed), each, each, each // 8, sealing)
    with fast_folder(each * weeks * 20_000 + _GIB // 4) as folder:
        world = SealedWorld(folder, plans, **options)
        try:
            world.live(START + timedelta(weeks=weeks))
            yield world
        finally:
            world.close()


def suspects(world: SealedWorld, state: str) -> tuple[list[int], NDArray[np.bool_]]:
    """Studies of the two kinds that the log shows in this state, and which of them are withheld."""
    store = world.registry.store
    rows = [find_seal(store, work.id) for work in world.works]
    numbers = [
        number
        for number, (plan, row) in enumerate(zip(world.plans, rows, strict=False))
        if plan.kind != "revealed" and row is not None and row.state == state
    ]
    return numbers, np.array([world.plans[number].kind == "withheld" for number in numbers])


def in_the_log(world: SealedWorld, state: str) -> dict[str, NDArray[np.float64]]:
    """What entries and blobs say about every sealed study in this state, decoys and all, by public id."""
    ids = [row.id for row in seals(world.registry.store, state=state)]
    return dict(zip(ids, read_log(world.registry, world.sizes, ids), strict=True))


def answered(world: SealedWorld, ids: list[str]) -> Table:
    """What the most telling surfaces answer about these studies."""
    named = [(study, _place(world, study)) for study in ids]
    return measured(Asker(world.registry).ask(named, quick_questions))


def _place(world: SealedWorld, study: str) -> int:
    row = find_seal(world.registry.store, study)
    assert row is not None
    return row.ix


# -- two years ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def two_years() -> Iterator[SealedWorld]:
    """A thousand studies, sealed over thirty weeks, until all of them are closed."""
    with living(20260105, EACH, SEALING_WEEKS, WEEKS) as world:
        yield world


@pytest.fixture(scope="module")
def closed(two_years: SealedWorld) -> dict[str, NDArray[np.float64]]:
    """What the log says about each study of the two years that was closed."""
    return in_the_log(two_years, "closed")


def _guessed(world: SealedWorld, closed: dict[str, NDArray[np.float64]]) -> Auc:
    numbers, guilty = suspects(world, "closed")
    assert len(numbers) == 2 * EACH, "both kinds close, all of them"
    ids = [world.works[number].id for number in numbers]
    return adversary(np.hstack([np.array([closed[study] for study in ids]), answered(world, ids)]), guilty)


def _clueless(found: Auc) -> bool:
    """No better than allowed; nor so far from a coin's throw, either way, that something must be there."""
    return found.value <= PUBLIC and abs(found.value - 0.5) < 3 * found.error


def test_private_behaviour_tells_the_kinds_apart(two_years: SealedWorld) -> None:
    """Topic, attempts, amendments, hours, lengths: whoever knew them would know."""
    numbers, guilty = suspects(two_years, "closed")
    found = adversary(private([two_years.plans[number] for number in numbers]), guilty)
    print(f"private: AUC {found}")
    assert found.value >= PRIVATE


def test_nothing_public_tells_withheld_from_abandoned(
    two_years: SealedWorld, closed: dict[str, NDArray[np.float64]]
) -> None:
    """Every entry, blob, date, place and answer, to a boosted classifier: a coin's throw."""
    found = _guessed(two_years, closed)
    print(f"public: AUC {found}")
    if not _clueless(found):
        with living(20270104, EACH, SEALING_WEEKS, WEEKS) as second:
            again = _guessed(second, in_the_log(second, "closed"))
        assert _clueless(again), f"AUC {found}, and {again} in a second world"


def test_nothing_public_tells_a_decoy_from_a_silent_hazard_seal(
    two_years: SealedWorld, closed: dict[str, NDArray[np.float64]]
) -> None:
    """The installation's decoys of the weeks in which people sealed look like the seals beside them."""
    mine = {work.id: plan.kind for work, plan in zip(two_years.works, two_years.plans, strict=True)}
    last = (START + timedelta(weeks=SEALING_WEEKS)).isoformat()
    rows = [
        row for row in seals(two_years.registry.store, tier="hazard", state="closed") if row.period < last
    ]
    decoy = np.array([row.id not in mine for row in rows])
    weeks = {row.period for row, made in zip(rows, decoy, strict=True) if made}
    kept = np.array([row.period in weeks for row in rows])
    features = np.array([closed[row.id] for row in rows])
    found = adversary(features[kept], decoy[kept])
    print(f"decoys: AUC {found}, {found.first} decoys")
    assert found.first >= 20
    assert found.value - 0.5 < 4 * Auc(0.5, found.first, found.second).error


# -- exactly --------------------------------------------------------------------------------------


def test_statements_and_blobs_have_one_length_each(two_years: SealedWorld) -> None:
    """Seals of one tier and signer are as long as each other; every body and every slot is as long as any."""
    store = two_years.registry.store
    lengths: dict[tuple[str, str], set[int]] = defaultdict(set)
    bodies: set[int] = set()
    for one in entries(two_years.registry, two_years.sizes):
        if isinstance(one.said, Seal) and one.said.action == "study":
            lengths[one.said.tier or "", one.keyid].add(len(one.envelope))
            bodies.add(len(store.blob(one.said.body)))
    assert bodies == {BODY_SIZE}
    assert {len(found) for found in lengths.values()} == {1}
    for row in batches(store):
        assert len(store.blob(row.body)) == batch_size(row.slots)


def test_every_answer_about_sealed_studies_is_the_same_but_for_names(two_years: SealedWorld) -> None:
    """Pages, files, API and search, for studies of all kinds: one answer, but for id, place, hashes and dates."""
    groups: dict[Any, list[str]] = defaultdict(list)
    numbers, _ = suspects(two_years, "closed")
    for number in numbers:
        row = find_seal(two_years.registry.store, two_years.works[number].id)
        assert row is not None
        if row.ix > 301:  # a place that nothing else in an answer is, nor next to it: `max-age=300`
            groups[row.tier, row.embargo, row.keyid if row.tier == "ordinary" else ""].append(row.id)
    asker = Asker(two_years.registry)
    for group in sorted(groups.values(), key=len, reverse=True)[:4]:
        named = [(study, _place(two_years, study)) for study in group[:12]]
        answers = asker.ask(named)
        plain = [
            [without_names(one, study, place) for one in row]
            for (study, place), row in zip(named, answers, strict=True)
        ]
        for question, variants in zip(asker.asked, zip(*plain, strict=True), strict=True):
            assert len(set(variants)) == 1, question


# -- controls: with one protection off ------------------------------------------------------------


def _caught(**options: Any) -> Auc:
    """What the adversary finds in a smaller world, while the studies are still sealed."""
    with living(7, 110, 8, 20, **options) as world:
        numbers, guilty = suspects(world, "sealed")
        seen = in_the_log(world, "sealed")
        return adversary(np.array([seen[world.works[number].id] for number in numbers]), guilty)


def test_the_adversary_notices_silence_that_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    """With slots of zeros where a study says nothing, its classifier knows who works on."""

    def honest_silence(opening: SlotOpening) -> bytes:
        return opening.commitment.ljust(SLOT_SIZE, b"\x00")

    monkeypatch.setattr(flushing, "silent_slot", honest_silence)
    found = _caught()
    print(f"without dummies: AUC {found}")
    assert found.value > NOTICED


def test_the_adversary_notices_seals_that_do_not_wait() -> None:
    """With seals that enter on the day they are made, days of the week tell who made them."""
    found = _caught(at_once=True)
    print(f"without waiting: AUC {found}")
    assert found.value > NOTICED


def test_the_adversary_finds_nothing_in_the_same_small_world() -> None:
    """The controls' worlds with every protection on: what they notice is the protection, not the world."""
    found = _caught()
    print(f"small world: AUC {found}")
    assert abs(found.value - 0.5) < 4 * Auc(0.5, found.first, found.second).error
