"""The item-weighted mean."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.errors import StatisticsError
from leadline.stats.mean import METHODS, mean
from leadline.stats.quantiles import critical

RNG = np.random.default_rng(11)
X = RNG.normal(3.0, 2.0, 120)
KEY = np.repeat(np.arange(12), 10)


@pytest.mark.parametrize("method", METHODS)
@given(seed=st.integers(0, 1000))
def test_order_of_rows_does_not_matter(method: str, seed: int) -> None:
    """Shuffling rows gives the same bits in value, error and interval."""
    order = np.random.default_rng(seed).permutation(X.size)
    one = mean(X, KEY, method=method, replicates=200)
    assert mean(X[order], KEY[order], method=method, replicates=200) == one


@pytest.mark.parametrize("method", ["cr2", "cr1", "iid"])
@given(scale=st.floats(1e-6, 1e6), shift=st.floats(-1e3, 1e3))
def test_unit_and_origin(method: str, scale: float, shift: float) -> None:
    """Changing unit and origin changes the estimate and its interval by the same rule."""
    one, two = mean(X, KEY, method=method), mean(scale * X + shift, KEY, method=method)
    assert one.low is not None
    assert two.low is not None
    assert two.value == pytest.approx(scale * one.value + shift, rel=1e-9)
    assert two.low == pytest.approx(scale * one.low + shift, rel=1e-6, abs=1e-6 * scale)
    assert two.se == pytest.approx(scale * (one.se or 0.0), rel=1e-6)


def test_without_clusters_it_is_the_t_interval() -> None:
    """No cluster key: s/sqrt(n) with n - 1 degrees of freedom, for cr2, cr1 and iid alike."""
    se = X.std(ddof=1) / np.sqrt(X.size)
    for method in ("cr2", "cr1", "iid"):
        fit = mean(X, method=method)
        assert (fit.value, fit.se, fit.df, fit.clusters) == (
            pytest.approx(X.mean()),
            pytest.approx(se),
            119.0,
            None,
        )
        assert fit.high == pytest.approx(X.mean() + critical(0.95, 119) * se)


def test_iid_ignores_the_clusters() -> None:
    """method='iid' with clusters gives the unclustered answer."""
    assert mean(X, KEY, method="iid").se == pytest.approx(mean(X).se, rel=1e-12)


def test_few_clusters_warn_and_fewer_refuse() -> None:
    """Nine clusters carry a warning; four give no interval and say why."""
    assert mean(X[:90], KEY[:90]).warnings == ("few_clusters",)
    four = mean(X[:40], KEY[:40])
    assert (four.low, four.high, four.reason, four.clusters) == (None, None, "too_few_clusters", 4)
    assert mean(X, KEY).warnings == ()


@pytest.mark.parametrize("method", METHODS)
def test_no_variance_is_degenerate(method: str) -> None:
    """Constant scores give a reason, never an interval of no width; also when rounding leaves a crumb of variance."""
    for constant in (0.0, 1.0, 0.1, 1e9 + 0.1):
        fit = mean(np.full(60, constant), np.repeat(np.arange(10), 6), method=method, replicates=200)
        assert (fit.low, fit.high, fit.reason) == (None, None, "degenerate")


def test_one_dominant_cluster_is_degenerate() -> None:
    """Under four Satterthwaite degrees of freedom a graded score gets no interval."""
    key = np.concatenate((np.zeros(90), np.repeat(np.arange(1, 10), 10)))
    fit = mean(np.random.default_rng(0).normal(size=180), key)
    assert fit.df is not None
    assert fit.df < 4
    assert (fit.reason, fit.low) == ("degenerate", None)


@pytest.mark.parametrize("x", [[], [1.0, float("nan")], [float("inf")], ["a"], [[1.0]], [1e200]])
def test_senseless_input_is_refused(x: list[object]) -> None:
    """Empty, non-finite, non-numeric, nested and absurdly large input raises StatisticsError."""
    with pytest.raises(StatisticsError):
        mean(x)  # type: ignore[arg-type]


def test_unknown_method_and_level_are_refused() -> None:
    """The error names the methods there are."""
    with pytest.raises(StatisticsError, match="cr2"):
        mean(X, method="wald")
    with pytest.raises(StatisticsError):
        mean(X, level=95)


@pytest.mark.parametrize("method", ["bootstrap", "percentile"])
def test_bootstrap_intervals_agree_with_the_analytic_one(method: str) -> None:
    """With forty clusters of normal scores the bootstrap intervals are close to CR1's, and seeded."""
    rng = np.random.default_rng(5)
    x, key = rng.normal(size=400), np.repeat(np.arange(40), 10)
    fit, reference = mean(x, key, method=method, seed=b"s"), mean(x, key, method="cr1")
    assert fit == mean(x, key, method=method, seed=b"s")
    assert fit != mean(x, key, method=method, seed=b"t")
    assert fit.low is not None
    assert fit.high is not None
    assert fit.high - fit.low == pytest.approx(2 * critical(0.95, 39) * (reference.se or 0), rel=0.15)
