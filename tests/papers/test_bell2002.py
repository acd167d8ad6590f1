"""Bell and McCaffrey 2002, Survey Methodology 28(2), 169-181: bias-reduced linearisation."""

import numpy as np
import pytest

from leadline.stats.mean import mean
from leadline.stats.robust import cr1, cr2, satterthwaite


def test_equal_clusters_have_one_less_than_their_number() -> None:
    """With equal clusters an intercept has exactly C - 1 degrees of freedom."""
    for clusters in (2, 5, 40):
        assert satterthwaite(np.full(clusters, 7.0)) == pytest.approx(clusters - 1)


def test_cr2_is_unbiased_under_independence() -> None:
    """With independent errors the expected CR2 variance is sigma^2/N, whatever the cluster sizes; CR1's is not."""
    sizes = np.array([40, 10, 10, 10, 10, 3, 1])
    cluster = np.repeat(np.arange(sizes.size), sizes)
    rng = np.random.default_rng(0)
    n = sizes.astype(float)
    draws = [np.bincount(cluster, weights=rng.normal(size=cluster.size)) for _ in range(20_000)]
    two = np.array([cr2(n, s).variance for s in draws]) * cluster.size
    one = np.array([cr1(n, s).variance for s in draws]) * cluster.size
    assert two.mean() == pytest.approx(1.0, abs=4 * two.std() / np.sqrt(two.size))
    assert one.mean() < 0.95


def test_unequal_clusters_have_fewer() -> None:
    """One cluster with half of the items leaves fewer than four degrees of freedom of nine."""
    fit = mean(np.arange(180.0) % 7, np.repeat(np.arange(10), [90] + [10] * 9), method="cr1")
    assert fit.df == 9
    assert satterthwaite(np.array([90.0] + [10.0] * 9)) < 4
