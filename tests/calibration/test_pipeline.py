"""Fifty studies of each claim kind, as `.eval` files through the whole pipeline: the same verdict as from the items."""

from pathlib import Path

import pytest

from calibration.generator import World
from calibration.settings import KINDS, Setting
from leadline import analyze, read_logs
from leadline.protocol import Protocol
from leadline.verdict.cases import Case
from leadline.verdict.estimate import question
from leadline.verdict.items import Items
from leadline.verdict.needs import required_columns
from logs.factory import sample, write_eval

STUDIES = 50
#: True effects, in units of the smallest effect of interest: every outcome has its chance.
EFFECTS = (-2.0, -1.0, 0.0, 0.5, 1.0, 2.5)

#: One estimand per claim kind: paired, single, unpaired and ratio; 0/1 and graded; clustered and not.
ASKED = {
    "greater": Setting("greater", "paired_difference", World((0.55, 0.5), 90, clusters=30, icc=0.1, correlation=0.5), 0.25),
    "at_least": Setting("at_least", "proportion", World((0.5,), 80), 0.18),
    "differs": Setting("differs", "mean", World((0.4,), 60, shape="gamma"), 0.4),
    "no_worse": Setting("no_worse", "difference", World((0.5, 0.5), 90, paired=False), 0.25),
    "equivalent": Setting("equivalent", "ratio", World((3.0, 2.8), 60, clusters=15, icc=0.1, correlation=0.6, shape="uniform"), 1.15),
}  # fmt: skip


def write(folder: Path, protocol: Protocol, arms: tuple[Items, ...], binary: bool) -> None:
    """The logs of one study, an `.eval` file per arm, samples in an order of their own."""
    asked = protocol.hypotheses[0].estimand.arms
    for position, (name, items) in enumerate(zip(asked, arms, strict=True)):
        clusters = items.clusters if items.clusters is not None else items.ids
        rows = [
            sample(
                str(ident),
                ("C" if value else "I") if binary else float(value),
                metadata={"topic": str(topic)},
            )
            for ident, value, topic in zip(items.ids, items.values, clusters, strict=True)
        ]
        arm = protocol.arm(name)
        write_eval(
            folder / f"{position}.eval",
            task=protocol.task(arm.task).task,
            model="mockllm/model",
            samples=rows[::-1],
            task_args=dict(arm.task_args),
        )


@pytest.mark.parametrize("kind", KINDS)
def test_logs_and_items_give_the_same_verdict(kind: str, tmp_path: Path) -> None:
    """Written, read back, matched to arms, accounted for and analysed: outcome and interval are those of the items."""
    setting = ASKED[kind]
    protocols = [setting.protocol(kind, times * setting.scale) for times in EFFECTS]
    outcomes = []
    for number, arms in enumerate(setting.world.studies(STUDIES, seed=17)):
        protocol = protocols[number % len(protocols)]
        hypothesis = protocol.hypotheses[0]
        folder = tmp_path / str(number)
        folder.mkdir()
        write(folder, protocol, arms, setting.world.shape == "binary")
        table = read_logs(folder, tier="sample", columns=list(required_columns(protocol)))
        verdict = analyze(protocol, table).verdicts["h"]
        case = Case(hypothesis, question(hypothesis), arms, None)
        expected, _ = case.estimate(hypothesis.level)
        assert verdict.outcome == case.outcome(hypothesis.level), number
        assert verdict.estimate is not None and expected is not None
        assert (verdict.estimate.n, verdict.estimate.clusters) == (expected.n, expected.clusters)
        assert verdict.estimate.wide == pytest.approx(expected.wide, rel=1e-12)
        assert verdict.estimate.narrow == pytest.approx(expected.narrow, rel=1e-12)
        outcomes.append(verdict.outcome)
    assert len(set(outcomes)) >= 3, outcomes
