"""Intervals for one proportion."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.errors import StatisticsError
from leadline.stats import intervals

METHODS = [intervals.wilson, intervals.jeffreys, intervals.clopper_pearson]


@st.composite
def counts(draw: st.DrawFn) -> tuple[int, int]:
    """Successes and trials."""
    n = draw(st.integers(1, 5000))
    return draw(st.integers(0, n)), n


@pytest.mark.parametrize("method", METHODS)
@given(kn=counts(), level=st.floats(0.5, 0.999))
def test_interval_holds_the_estimate_and_mirrors(method: type, kn: tuple[int, int], level: float) -> None:
    """0 <= low <= k/n <= high <= 1, never of zero width, and failures give the mirrored interval."""
    k, n = kn
    low, high = method(k, n, level)
    assert 0.0 <= low <= k / n + 1e-15
    assert k / n - 1e-15 <= high <= 1.0
    assert low < high
    assert method(n - k, n, level) == pytest.approx((1 - high, 1 - low), abs=1e-9)


@given(kn=counts())
def test_a_higher_level_is_wider(kn: tuple[int, int]) -> None:
    """The 99 % interval holds the 90 % interval."""
    for method in METHODS:
        (low90, high90), (low99, high99) = method(*kn, 0.9), method(*kn, 0.99)
        assert low99 <= low90 + 1e-12
        assert high99 >= high90 - 1e-12


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("k", "n", "level"), [(1, 0, 0.95), (-1, 5, 0.95), (6, 5, 0.95), (math.nan, 5, 0.95), (1, 5, 1.0)]
)
def test_impossible_counts_are_refused(method: type, k: float, n: float, level: float) -> None:
    """Impossible counts and levels raise StatisticsError with a remedy."""
    with pytest.raises(StatisticsError) as caught:
        method(k, n, level)
    assert caught.value.remedy()


def test_exact_interval_inverts_the_binomial_tails() -> None:
    """At the ends of Clopper-Pearson the binomial tail probability is alpha/2."""
    low, high = intervals.clopper_pearson(7, 40)

    def tail(p: float, ks: range) -> float:
        return sum(math.comb(40, k) * p**k * (1 - p) ** (40 - k) for k in ks)

    assert tail(low, range(7, 41)) == pytest.approx(0.025, rel=1e-9)
    assert tail(high, range(8)) == pytest.approx(0.025, rel=1e-9)


def test_no_event() -> None:
    """Zero of 30 has the one-sided 95 % upper limit 1 - .05^(1/30)."""
    assert intervals.zero_event_upper(30) == pytest.approx(1 - 0.05 ** (1 / 30), rel=1e-14)


class TestBetaBinomial:
    """The clustered likelihood interval."""

    def test_without_correlation_it_is_close_to_wilson(self) -> None:
        """A thousand single items give nearly the score interval."""
        k = np.zeros(1000)
        k[:100] = 1
        assert intervals.beta_binomial(k, np.ones(1000)) == pytest.approx(
            intervals.wilson(100, 1000), abs=1e-3
        )

    def test_perfect_correlation_counts_clusters(self) -> None:
        """All-or-none clusters give about the interval of as many single items."""
        clustered = intervals.beta_binomial([0] * 24 + [50] * 16, [50] * 40)
        assert clustered == pytest.approx(intervals.beta_binomial([0] * 24 + [1] * 16, [1] * 40), abs=2e-3)

    def test_no_event_counts_clusters_not_items(self) -> None:
        """No event in C clusters bounds the rate as C items would, whatever their size; and mirrored at all."""
        low, high = intervals.beta_binomial([0] * 30, [10] * 30)
        assert (low, high) == pytest.approx((0.0, 1 - 0.025 ** (1 / 30)))
        assert intervals.beta_binomial([10] * 30, [10] * 30) == pytest.approx((1 - high, 1.0))

    def test_order_of_clusters_does_not_matter(self) -> None:
        """Permuting the clusters gives the same bits."""
        k, n = np.array([1, 0, 3, 2, 0, 5]), np.array([20, 10, 30, 20, 5, 9])
        order = np.array([3, 5, 0, 2, 4, 1])
        assert intervals.beta_binomial(k, n) == intervals.beta_binomial(k[order], n[order])

    @pytest.mark.parametrize(
        ("k", "n"), [([1], [2]), ([3, 1], [2, 2]), ([1, 0], [2, 0]), ([0.5, 1], [2, 2]), ([1, 1], [2, 2, 2])]
    )
    def test_senseless_counts_are_refused(self, k: list[float], n: list[float]) -> None:
        """One cluster, k > n, empty clusters, fractions and unequal lengths raise StatisticsError."""
        with pytest.raises(StatisticsError):
            intervals.beta_binomial(k, n)
