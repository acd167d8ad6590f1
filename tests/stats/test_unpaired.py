"""Differences and ratios of arms with different items."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.errors import StatisticsError
from leadline.stats import paired
from leadline.stats.unpaired import difference, miettinen_nurminen, newcombe, ratio

RNG = np.random.default_rng(8)
A, B = RNG.normal(1.0, 1.0, 80), RNG.normal(0.5, 2.0, 120)
KEY_A, KEY_B = np.repeat(np.arange(16), 5), np.repeat(np.arange(20, 32), 10)


@given(seed=st.integers(0, 1000))
def test_order_of_rows_does_not_matter(seed: int) -> None:
    """Each arm may be shuffled by itself."""
    rng = np.random.default_rng(seed)
    p, q = rng.permutation(80), rng.permutation(120)
    assert difference(A[p], B[q], KEY_A[p], KEY_B[q]) == difference(A, B, KEY_A, KEY_B)
    assert difference(A[p], B[q]) == difference(A, B)


def test_without_clusters_it_is_the_welch_variance() -> None:
    """Independent items: s_a^2/n_a + s_b^2/n_b."""
    fit = difference(A, B)
    assert fit.value == pytest.approx(A.mean() - B.mean())
    assert fit.se == pytest.approx(math.sqrt(A.var(ddof=1) / 80 + B.var(ddof=1) / 120))
    assert fit.clusters is None


def test_disjoint_clusters_add_their_variances() -> None:
    """Arms in different clusters: the variances of the two means add, the clusters are counted together."""
    from leadline.stats.mean import mean

    fit = difference(A, B, KEY_A, KEY_B)
    assert fit.se == pytest.approx(math.hypot(mean(A, KEY_A).se or 0, mean(B, KEY_B).se or 0))
    assert (fit.clusters, fit.n, fit.method) == (28, 200, "cr2")


def test_shared_clusters_count_the_covariance() -> None:
    """When both arms hold the same items in the same clusters, the answer is the paired one (under CR1)."""
    b = A + RNG.normal(0, 0.1, 80)
    shared = difference(A, b, KEY_A, KEY_A, method="cr1")
    assert shared.se == pytest.approx(paired.difference(A, b, KEY_A, method="cr1").se)
    apart = difference(A, b, KEY_A, KEY_A, method="cr1", shared_clusters=False)
    assert (apart.se or 0) > 3 * (shared.se or 0)
    assert (apart.clusters, shared.clusters) == (32, 16)


def test_binary_outcomes_use_score_intervals() -> None:
    """Without clusters Miettinen-Nurminen; in clusters the same with the design effect, which is wider here."""
    rng = np.random.default_rng(1)
    p = rng.beta(2, 2, 40)
    a, b = (
        (rng.random(400) < np.repeat(p, 10)).astype(float),
        (rng.random(400) < np.repeat(p[::-1], 10)).astype(float),
    )
    ka, kb = np.repeat(np.arange(40), 10), np.repeat(np.arange(40, 80), 10)
    alone, clustered = difference(a, b), difference(a, b, ka, kb)
    assert (alone.low, alone.high) == miettinen_nurminen(a.sum(), 400, b.sum(), 400)
    assert clustered.method == "score_clustered"
    assert (clustered.high or 0) - (clustered.low or 0) > 1.2 * ((alone.high or 0) - (alone.low or 0))


@pytest.mark.parametrize(("p", "q"), [(0.0, 0.0), (1.0, 1.0), (0.0, 1.0), (0.02, 0.0)])
def test_degenerate_proportions_never_get_zero_width(p: float, q: float) -> None:
    """All zeros, all ones, and opposite arms get a proper interval that holds the difference."""
    a, b = np.zeros(100), np.zeros(100)
    a[: int(100 * p)], b[: int(100 * q)] = 1, 1
    key = np.repeat(np.arange(10), 10)
    for keys in ((None, None), (key, key), (key, key + 50)):
        fit = difference(a, b, *keys)
        assert fit.low is not None
        assert fit.high is not None
        assert -1.0 <= fit.low <= fit.value <= fit.high <= 1.0
        assert fit.high - fit.low > 0.01


def test_sparse_groups_join_their_own_intervals() -> None:
    """With few events in a group the default is Newcombe's way of joining both groups' own default intervals."""
    from leadline.stats.proportion import proportion

    rng = np.random.default_rng(6)
    a, b = (rng.random(200) < 0.03).astype(float), (rng.random(200) < 0.4).astype(float)
    key = np.repeat(np.arange(20), 10)
    fit, one, two = difference(a, b, key, key + 20), proportion(a, key), proportion(b, key)
    assert fit.method == "hybrid_clustered"
    assert one.low is not None
    assert two.high is not None
    assert fit.low == pytest.approx(fit.value - math.hypot(one.value - one.low, two.high - two.value))


def test_sparse_groups_that_vary_against_each_other_are_widened() -> None:
    """Shared clusters where one group's events are the other's failures widen the joined interval, as CR2 does."""
    event = np.zeros((20, 10))
    event[:4, :4] = 1
    a, key = event.ravel(), np.repeat(np.arange(20), 10)
    b = 1 - a
    together = difference(a, b, key, key, method="hybrid_clustered")
    apart = difference(a, b, key, key + 20, method="hybrid_clustered")
    assert (together.high or 0) - together.value == pytest.approx(
        math.sqrt(2) * ((apart.high or 0) - apart.value), rel=1e-6
    )


def test_floors_apply_to_the_smaller_arm() -> None:
    """Four clusters in one arm refuse, whatever the other has; seven warn."""
    assert difference(A[:20], B, KEY_A[:20], KEY_B).reason == "too_few_clusters"
    assert difference(A[:35], B, KEY_A[:35], KEY_B).warnings == ("few_clusters",)
    assert difference(A, B, KEY_A, KEY_B).warnings == ()


def test_senseless_clusters_are_refused() -> None:
    """Keys for one arm only, and declared sharing without a common key, raise StatisticsError."""
    with pytest.raises(StatisticsError, match="one arm"):
        difference(A, B, KEY_A)
    with pytest.raises(StatisticsError, match="share"):
        difference(A, B, KEY_A, KEY_B, shared_clusters=True)
    with pytest.raises(StatisticsError, match="unknown"):
        difference(A, B, method="welch")


def test_string_keys_may_be_shared() -> None:
    """String keys of different lengths are the same cluster when they are equal."""
    a_keys, b_keys = [f"t{i}" for i in KEY_A], [f"t{i}" for i in np.repeat(np.arange(12), 10)]
    assert difference(A, B, a_keys, b_keys).clusters == 16


class TestRatio:
    """The log ratio of two means."""

    def test_delta_method(self) -> None:
        """Independent items: the variances of the relative means add."""
        a, b = np.exp(A / 5), np.exp(B / 5)
        fit = ratio(a, b)
        variance = a.var(ddof=1) / 80 / a.mean() ** 2 + b.var(ddof=1) / 120 / b.mean() ** 2
        assert (fit.value, fit.se) == (
            pytest.approx(math.log(a.mean() / b.mean())),
            pytest.approx(math.sqrt(variance)),
        )

    def test_sparse_and_undefined(self) -> None:
        """Few events give a reason, a mean that is not positive an error."""
        few = np.zeros(100)
        few[:5] = 1
        assert ratio(few, np.ones(100)).reason == "degenerate"
        with pytest.raises(StatisticsError, match="positive"):
            ratio(np.zeros(10), np.ones(10))


@given(
    n=st.tuples(st.integers(1, 200), st.integers(1, 200)),
    share=st.tuples(st.floats(0, 1), st.floats(0, 1)),
)
def test_two_proportion_intervals_hold_the_difference(n: tuple[int, int], share: tuple[float, float]) -> None:
    """Both score intervals hold the estimate, stay in [-1, 1] and mirror when the arms change places."""
    k = (round(n[0] * share[0]), round(n[1] * share[1]))
    d = k[0] / n[0] - k[1] / n[1]
    for method in (newcombe, miettinen_nurminen):
        low, high = method(k[0], n[0], k[1], n[1])
        assert -1 - 1e-12 <= low <= d + 1e-12
        assert d - 1e-12 <= high <= 1 + 1e-12
        assert method(k[1], n[1], k[0], n[0]) == (
            pytest.approx(-high, abs=1e-9),
            pytest.approx(-low, abs=1e-9),
        )
