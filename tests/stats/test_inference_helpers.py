"""Multiplicity, equivalence and power."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from leadline.errors import StatisticsError
from leadline.stats.equivalence import tost
from leadline.stats.multiplicity import bh, by, holm
from leadline.stats.power import detectable, power_paired, probability_of_verdict, sample_size
from leadline.stats.quantiles import critical

P_VALUES = hnp.arrays(np.float64, st.integers(1, 20), elements=st.floats(0, 1))


@given(p=P_VALUES, seed=st.integers(0, 99))
def test_adjusted_values(p: np.ndarray, seed: int) -> None:
    """Adjustment never lowers a p-value, keeps their order, follows permutations, and BH <= BY, BH <= Holm."""
    order = np.random.default_rng(seed).permutation(p.size)
    for adjust in (holm, bh, by):
        adjusted = adjust(p)
        assert (adjusted >= p).all()
        assert (adjusted <= 1).all()
        assert (np.diff(adjusted[np.argsort(p, kind="stable")]) >= 0).all()
        assert np.allclose(adjust(p[order]), adjusted[order], rtol=0, atol=0)
    assert (bh(p) <= by(p)).all()
    assert (bh(p) <= holm(p) + 1e-15).all()


@pytest.mark.parametrize("adjust", [holm, bh, by])
def test_values_outside_the_unit_interval_are_refused(adjust: object) -> None:
    """Probabilities only."""
    with pytest.raises(StatisticsError):
        adjust([0.1, 1.2])  # type: ignore[operator]


@given(value=st.floats(-1, 1), se=st.floats(0.01, 1), df=st.one_of(st.none(), st.floats(3, 200)))
def test_tost_is_the_narrow_interval_inside_the_band(value: float, se: float, df: float | None) -> None:
    """p < .05 exactly when the 90 % interval lies inside the band."""
    half = critical(0.9, df) * se
    margin = min(value - half + 0.8, 0.8 - value - half)
    if abs(margin) > 1e-9:
        assert (tost(value, se, -0.8, 0.8, df).p < 0.05) == (margin > 0)


def test_tost_refuses_senseless_arguments() -> None:
    """No error, or an empty band, has no answer."""
    with pytest.raises(StatisticsError):
        tost(0.0, 0.0, -1, 1)
    with pytest.raises(StatisticsError):
        tost(0.0, 0.1, 1, -1)


KINDS = ["greater", "at_least", "differs", "no_worse", "equivalent"]


@pytest.mark.parametrize("kind", KINDS)
@given(effect=st.floats(-2, 2), se=st.floats(0.05, 1.5))
def test_verdict_probabilities_against_simulation_of_the_table(kind: str, effect: float, se: float) -> None:
    """The closed form equals the decision table applied to a fine grid of normal estimates."""
    z = np.linspace(-8, 8, 20_001)
    weight = np.exp(-0.5 * z * z)
    weight /= weight.sum()
    x, d = effect + se * z, 1.0
    wide, narrow = critical(0.95) * se, critical(0.90) * se
    null_kind = kind in ("greater", "at_least", "differs")
    inside = (x - narrow > -d) & (x + narrow < d)
    null = inside & null_kind
    low, high = x - wide, x + wide
    supported, refuted = {
        "greater": (low > 0, high < 0),
        "at_least": (low > d, high < d),
        "differs": ((low > 0) | (high < 0), np.zeros_like(inside)),
        "no_worse": (low > -d, high < -d),
        "equivalent": (inside, (low > d) | (high < -d)),
    }[kind]
    supported = supported & ~null
    refuted = refuted & ~null & ~supported
    got = probability_of_verdict(kind, effect, se, d)  # type: ignore[arg-type]
    expected = [float(weight[mask].sum()) for mask in (null, supported, refuted)]
    assert (got.null, got.supported, got.refuted) == pytest.approx(expected, abs=2e-3)
    assert got.null + got.supported + got.refuted + got.inconclusive == pytest.approx(1.0)
    assert got.inconclusive >= 0


@pytest.mark.parametrize(
    ("kind", "se", "d", "m"),
    [
        ("greater", 0.0, 1, 0),
        ("greater", 1, 0, 0),
        ("greater", 1, 1, 1),
        ("greater", 1, 1, -0.1),
        ("better", 1, 1, 0),
    ],
)
def test_senseless_claims_are_refused(kind: str, se: float, d: float, m: float) -> None:
    """Errors, effects and margins that make no claim raise StatisticsError."""
    with pytest.raises(StatisticsError):
        probability_of_verdict(kind, 0.0, se, d, m)  # type: ignore[arg-type]


def test_power_against_simulation() -> None:
    """The noncentral t power of a paired study equals the share of simulated studies that find the effect."""
    rng = np.random.default_rng(3)
    d = rng.normal(0.5, 1.0, (40_000, 25))
    t = d.mean(axis=1) / (d.std(axis=1, ddof=1) / 5)
    found = float((t > critical(0.95, 24)).mean())
    assert power_paired(0.5, 1.0, 25) == pytest.approx(found, abs=0.01)
    assert power_paired(0.5, 1.0, 25, clusters=5, design_effect=2.0) < power_paired(0.5, 1.0, 25)


def test_sample_size_and_detectable_effect_agree() -> None:
    """At the computed n the detectable effect is the effect it was computed for."""
    n = sample_size(0.05, 0.2, design_effect=1.5)
    assert detectable((0.2 * 1.5 / n) ** 0.5) == pytest.approx(0.05, rel=1e-3)
    assert detectable(0.1, df=4) > detectable(0.1)
    with pytest.raises(StatisticsError):
        sample_size(0.0, 1.0)
    with pytest.raises(StatisticsError):
        detectable(0.0)
    with pytest.raises(StatisticsError):
        power_paired(0.1, 1.0, 1)
