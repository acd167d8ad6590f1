"""Closed-form cluster-robust variances."""

import numpy as np
import pytest
from numpy.typing import NDArray

from leadline.stats.robust import cr1, cr1_two, cr2, cr2_two, kurtosis_df, satterthwaite
from stats.dense import cr2 as dense_cr2

SIZES = ([3, 5, 1, 7, 10], [4, 4, 4, 4, 4, 4], [30, 1, 1, 1, 2, 3, 4], [1] * 9)


def _sums(
    x: NDArray[np.float64], cluster: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    count = int(cluster.max()) + 1
    return np.bincount(cluster, minlength=count).astype(float), np.bincount(
        cluster, weights=x, minlength=count
    )


@pytest.mark.parametrize("sizes", SIZES)
def test_cr2_of_a_mean_equals_the_dense_matrix_computation(sizes: list[int]) -> None:
    """Value, variance and degrees of freedom agree with eigen-decomposed hat matrices."""
    cluster = np.repeat(np.arange(len(sizes)), sizes)
    y = np.random.default_rng(1).normal(2.0, 1.0, cluster.size)
    fit = cr2(*_sums(y, cluster))
    expected = dense_cr2(np.ones((y.size, 1)), y, cluster, np.ones(1))
    assert (fit.value, fit.variance, fit.df) == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("icc", [0.0, 0.3, 0.9])
@pytest.mark.parametrize("sizes", SIZES)
def test_satterthwaite_under_an_exchangeable_working_model(sizes: list[int], icc: float) -> None:
    """The three-sum formula equals trace^2 / trace of squares of the dense Gram matrix."""
    cluster = np.repeat(np.arange(len(sizes)), sizes)
    _, _, df = dense_cr2(np.ones((cluster.size, 1)), np.zeros(cluster.size), cluster, np.ones(1), icc)
    assert satterthwaite(np.array(sizes, dtype=float), icc) == pytest.approx(df, rel=1e-9)


@pytest.mark.parametrize("shared", [True, False])
def test_cr2_of_a_difference_equals_the_dense_matrix_computation(shared: bool) -> None:
    """The two-arm form agrees with the two-parameter regression, whether or not arms share clusters."""
    rng = np.random.default_rng(2)
    cluster = np.repeat(np.arange(8), [3, 5, 2, 7, 4, 6, 1, 9])
    arm = rng.integers(0, 2, cluster.size) if shared else cluster % 2
    arm[:2] = (0, 1) if shared else arm[:2]
    y = rng.normal(arm * 0.5, 1.0)
    design = np.column_stack((arm == 0, arm == 1)).astype(float)
    expected = dense_cr2(design, y, cluster, np.array([1.0, -1.0]))
    arms = [_sums(y * (arm == k), cluster)[1] for k in (0, 1)]
    sizes = [_sums((arm == k).astype(float), cluster)[1] for k in (0, 1)]
    fit = cr2_two(sizes[0], arms[0], sizes[1], arms[1])
    assert (fit.value, fit.variance, fit.df) == pytest.approx(expected, rel=1e-10)


def test_single_items_give_the_classical_variance() -> None:
    """With one item per cluster CR2 is s^2/n with n - 1 degrees of freedom, and CR1 the same."""
    y = np.array([0.3, 1.7, 2.2, -0.4, 5.0])
    for fit in (cr1(np.ones(5), y), cr2(np.ones(5), y)):
        assert (fit.variance, fit.df) == pytest.approx((y.var(ddof=1) / 5, 4.0))


def test_cr1_of_a_difference_on_shared_clusters() -> None:
    """When both arms hold the same items CR1 of the difference is CR1 of the differences."""
    n = np.array([3.0, 5.0, 2.0, 4.0])
    a, b = np.array([2.0, 1.0, 2.0, 0.0]), np.array([1.0, 1.0, 0.0, 3.0])
    paired, two = cr1(n, a - b), cr1_two(n, a, n, b)
    assert (two.value, two.variance, two.df) == pytest.approx((paired.value, paired.variance, paired.df))


def test_an_arm_inside_one_cluster_is_not_identified() -> None:
    """A cluster that holds a whole arm leaves no degree of freedom."""
    fit = cr2_two(np.array([4.0, 0.0]), np.array([1.0, 0.0]), np.array([2.0, 3.0]), np.array([1.0, 1.0]))
    assert fit.df == 0.0


def test_one_dominant_residual_leaves_few_degrees_of_freedom() -> None:
    """Kurtosis degrees of freedom: about C for normal residuals, about 2 when one cluster has all variation."""
    normal = np.random.default_rng(3).normal(size=4000)
    assert kurtosis_df(normal) == pytest.approx(4000, rel=0.1)
    spike = np.full(50, 1e-6)
    spike[0] = 1.0
    assert kurtosis_df(spike) == pytest.approx(2 * 50 / 49, rel=1e-3)
