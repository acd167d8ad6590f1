"""Error rates and power on data from a generator that shares no code with the simulator of plans."""

import math

import numpy as np
import pytest

from calibration.generator import World
from calibration.settings import SETTINGS, Estimated, Setting, boundaries, outcome
from leadline.stats.power import probability_of_verdict
from leadline.verdict.simulation import operating_characteristics

STUDIES = 1_000
POWERED = 700
BY_NAME = {setting.name: setting for setting in SETTINGS}


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_false_support_at_every_boundary(setting: Setting) -> None:
    """Where a claim just turns false it is supported at most as often as its level allows, plus 3 Monte Carlo errors."""
    cases = [
        (setting.protocol(kind, effect, margin).hypotheses[0], allowed)
        for kind, effect, margin, allowed in boundaries(setting)
    ]
    supported = np.zeros(len(cases))
    for arms in setting.world.studies(STUDIES, seed=len(setting.name)):
        study = Estimated.of(setting, arms)
        supported += [study.outcome(setting, hypothesis) == "supported" for hypothesis, _ in cases]
    for share, (hypothesis, allowed) in zip(supported / STUDIES, cases, strict=True):
        error = math.sqrt(allowed * (1 - allowed) / STUDIES)
        assert share <= allowed + 3 * error, (hypothesis.kind, share, allowed)


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_a_reference_only_moves_the_intervals(setting: Setting) -> None:
    """Deciding from one estimate per study is what the analysis itself does for each claim."""
    for arms in setting.world.studies(3, seed=5):
        study = Estimated.of(setting, arms)
        for kind, effect, margin, _ in boundaries(setting):
            hypothesis = setting.protocol(kind, effect, margin).hypotheses[0]
            assert study.outcome(setting, hypothesis) == outcome(hypothesis, arms)


#: kind, setting, the truth at which power is promised.
PROMISES = (
    ("greater", "paired 0/1", "smallest"),
    ("greater", "paired 0/1, clustered", "smallest"),
    ("greater", "paired graded, clustered", "smallest"),
    ("greater", "two groups 0/1", "smallest"),
    ("at_least", "clustered share", "expected"),
    ("at_least", "ratio of shares", "expected"),
    ("differs", "mean, clustered", "smallest"),
    ("differs", "two groups graded, clustered", "smallest"),
    ("no_worse", "ratio, clustered", "zero"),
    ("no_worse", "share", "zero"),
    ("equivalent", "threshold, clustered", "zero"),
    ("equivalent", "paired graded", "zero"),
)


@pytest.mark.parametrize(("kind", "name", "label"), PROMISES)
def test_power_is_what_was_promised(kind: str, name: str, label: str) -> None:
    """When the world has the moments the plan assumes, the promised power comes out within 3 joint Monte Carlo errors."""
    setting = BY_NAME[name]
    d = setting.scale
    truth = {"smallest": d, "zero": 0.0, "expected": 1.8 * d}[label]
    more = {}
    if label == "expected":
        more["expected"] = math.exp(truth) if setting.estimand == "ratio" else truth
    protocol = setting.protocol(kind, truth, **more)
    promised = operating_characteristics(protocol, replicates=POWERED).power("h")
    assert promised is not None and promised.effect == pytest.approx(truth)
    hypothesis = protocol.hypotheses[0]
    had = np.mean(
        [outcome(hypothesis, arms) == "supported" for arms in setting.world.studies(POWERED, seed=7)]
    )
    error = math.sqrt(
        max(promised.value * (1 - promised.value), had * (1 - had), 0.5 / POWERED) * 2 / POWERED
    )
    assert abs(had - promised.value) <= 3 * error, (had, promised.value)


#: se as a fraction of d, truth in units of d, P(null), P(supported), P(refuted): normal theory, claim `greater` than 0.
GOLDEN = (
    (2.8, 0.0, 0.752, 0.025, 0.025),
    (2.8, 0.5, 0.398, 0.288, 0.0),
    (2.8, 1.0, 0.050, 0.800, 0.0),
    (4.0, 0.0, 0.981, 0.009, 0.009),
    (4.0, 0.5, 0.639, 0.361, 0.0),
    (4.0, 1.0, 0.050, 0.950, 0.0),
)


@pytest.mark.parametrize(("ratio", "truth", "null", "supported", "refuted"), GOLDEN)
def test_normal_theory_goldens(
    ratio: float, truth: float, null: float, supported: float, refuted: float
) -> None:
    """Independent normal pairs, many of them: outcomes come as normal theory says, within 3 Monte Carlo errors."""
    studies, items = 1_500, 1_000
    d = ratio * math.sqrt(2 * (1 - 0.5) / items)
    setting = Setting(
        "golden", "paired_difference", World((truth * d, 0.0), items, correlation=0.5, shape="normal"), d
    )
    hypothesis = setting.protocol("greater", truth * d).hypotheses[0]
    assert hypothesis.reference == pytest.approx(0.0)
    outcomes = [outcome(hypothesis, arms) for arms in setting.world.studies(studies, seed=11)]
    for word, expected in (("null", null), ("supported", supported), ("refuted", refuted)):
        theory = getattr(probability_of_verdict("greater", truth * d, d / ratio, d), word)
        assert theory == pytest.approx(expected, abs=6e-4)
        error = math.sqrt(max(expected * (1 - expected), 1e-3) / studies)
        assert outcomes.count(word) / studies == pytest.approx(expected, abs=3 * error), word


def test_the_generator_has_the_moments_it_claims() -> None:
    """Means, variance, intra-cluster correlation and correlation between arms of the independent generator."""
    for shape in ("binary", "gamma", "laplace", "uniform"):
        world = World((0.6, 0.4), 200, clusters=20, icc=0.2, correlation=0.4, shape=shape, sd=0.7)
        arms = np.array([[arm.values for arm in study] for study in world.studies(700, seed=3)])
        a, b = arms[:, 0], arms[:, 1]
        spread = math.sqrt(0.24) if shape == "binary" else 0.7
        assert a.mean() == pytest.approx(0.6, abs=0.015)
        assert b.std() == pytest.approx(spread, rel=0.03)
        assert np.corrcoef(a.ravel(), b.ravel())[0, 1] == pytest.approx(0.4, abs=0.025)
        grouped = (a - 0.6).reshape(700, 20, 10)
        within = (grouped.sum(axis=2) ** 2 - (grouped**2).sum(axis=2)).mean() / 90
        assert within / spread**2 == pytest.approx(0.2, abs=0.025)
