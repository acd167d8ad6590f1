"""Reruns and variants: what is pooled, what is one family, and how many ways of running are weighed."""

from pathlib import Path
from typing import Any

import pytest

from leadline.registry.study import Study
from leadline.verdict.variants import MOST_COMBINATIONS
from registry.world import ITEMS, World, samples_of

SHARE = {"type": "proportion", "measure": "accuracy", "arms": ["hint"]}


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A registry and a lab in a folder."""
    return World(tmp_path)


def opened_solver(world: World) -> Study:
    """A study that leaves the solver open."""
    tasks = world.protocol().model_dump(mode="json")["tasks"]
    tasks[0]["solver"] = None
    return world.register(world.protocol(tasks=tasks))


def prompted(text: str) -> dict[str, Any]:
    """The plan of a run with this prompt."""
    steps = [{"solver": "generate", "params": {"prompt": text}, "params_passed": {}}]
    return {"plan": {"name": "plan", "steps": steps, "config": {}}}


def test_more_variants_than_are_weighed_are_inconclusive_with_that_reason(world: World) -> None:
    """Nine settings of each of two arms are 81 analyses: none is picked, and the reason says so."""
    study = opened_solver(world)
    for number in range(9):
        world.attempt(study, name=f"v{number}", header_fields=prompted(str(number)))
    assert MOST_COMBINATIONS < 9 * 9
    verdict = study.analyze().verdicts["H1"]
    assert (verdict.outcome, verdict.reason) == ("inconclusive", "too_many_variants")
    assert verdict.estimate is not None
    assert verdict.estimate.alpha == pytest.approx(0.05 / 81)


def test_as_many_variants_as_are_weighed_still_decide(world: World) -> None:
    """Eight settings of each arm, all with the same clear answer, survive the correction over 64."""
    study = opened_solver(world)
    for number in range(8):
        world.attempt(study, name=f"v{number}", header_fields=prompted(str(number)))
    verdict = study.analyze().verdicts["H1"]
    assert (verdict.outcome, verdict.reason) == ("supported", None)
    assert verdict.estimate is not None
    assert verdict.estimate.alpha == pytest.approx(0.05 / 64)


def share_study(world: World) -> Study:
    """A study of a share: at least the half of the answers with a hint is right."""
    hypotheses = world.protocol().model_dump(mode="json")["hypotheses"]
    hypotheses[0] |= {"estimand": SHARE, "reference": 0.5, "expected": None}
    return world.register(world.protocol(hypotheses=hypotheses))


def test_reruns_that_disagree_still_answer_a_question_about_a_share(world: World) -> None:
    """Pooled items are shares of their runs: every item weighs the same, its runs are one cluster."""
    study = share_study(world)
    world.attempt(study)
    other = samples_of("hint")
    for row in other[:5]:
        value = row["scores"]["match"]["value"]
        row["scores"]["match"]["value"] = "I" if value == "C" else "C"
    world.attempt(study, name="again", arms=("hint",), samples=other)
    report = study.analyze()
    verdict = report.verdicts["H1"]
    assert (verdict.outcome, report.standing) == ("supported", "confirmatory")
    assert verdict.estimate is not None
    right = sum(row["scores"]["match"]["value"] == "C" for row in [*samples_of("hint"), *other])
    assert verdict.estimate.value == pytest.approx(right / (2 * ITEMS))
    assert verdict.estimate.n == ITEMS
    assert verdict.estimate.method in ("score_clustered", "beta_binomial+score")


def test_reruns_that_agree_add_nothing_to_a_share(world: World) -> None:
    """The same answers again are no new items: the interval stays that of one run."""
    study = share_study(world)
    world.attempt(study)
    once = study.analyze().verdicts["H1"].estimate
    world.attempt(study, name="again")
    assert study.analyze().verdicts["H1"].estimate == once
