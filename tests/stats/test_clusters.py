"""Cluster keys and sufficient statistics."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.errors import StatisticsError
from leadline.stats.checks import encode
from leadline.stats.clusters import ClusterSums, PairSums, collapse, effective_clusters


@pytest.mark.parametrize(
    "keys",
    [
        [3, 1, 3, -2, 1],
        ["c", "b", "c", "a", "b"],
        [300_000_000_000, 5, 300_000_000_000, -7, 5],
        np.array([2.5, 1.0, 2.5, 0.5, 1.0]),
        np.array(["c", "b", "c", "a", "b"], dtype=object),
        np.array([9, 8, 9, 7, 8], dtype=np.uint8),
    ],
)
def test_codes_follow_the_sorted_keys(keys: object) -> None:
    """Integers (dense or sparse), strings, floats and objects become ranks of the sorted keys."""
    codes, count = encode(keys, 5)  # type: ignore[arg-type]
    assert codes.tolist() == [2, 1, 2, 0, 1]
    assert count == 3


def test_booleans_are_keys() -> None:
    """Boolean keys are two clusters."""
    assert encode(np.array([True, False, True]), 3)[0].tolist() == [1, 0, 1]


@pytest.mark.parametrize(
    "keys", [["a", None], [1.0, float("nan")], [["a"], ["b"]], ["a"], np.array([1, "x"], dtype=object)]
)
def test_unusable_keys_are_refused(keys: object) -> None:
    """Missing, nested, too few or unsortable keys raise StatisticsError."""
    with pytest.raises(StatisticsError):
        encode(keys, 2)  # type: ignore[arg-type]


@given(seed=st.integers(0, 10_000))
def test_sums_ignore_the_order_of_rows(seed: int) -> None:
    """Shuffled rows give the same bits in every statistic."""
    rng = np.random.default_rng(seed)
    a, b, key = rng.normal(size=50), rng.normal(size=50), rng.integers(0, 7, 50)
    order = rng.permutation(50)
    for cluster, shuffled in ((key, key[order]), (None, None)):
        one, two = PairSums.of(a, b, cluster), PairSums.of(a[order], b[order], shuffled)
        for name in ("n", "a", "b", "aa", "bb", "ab"):
            assert np.array_equal(getattr(one, name), getattr(two, name))
        assert one.items == 50


def test_difference_of_pair_sums() -> None:
    """The sums of a - b follow from both arms' sums and the cross products."""
    a, b, key = [1.0, 0.0, 1.0, 1.0], [0.0, 0.0, 1.0, 0.0], ["x", "x", "y", "y"]
    d = PairSums.of(a, b, key).difference()
    direct = ClusterSums.of(np.subtract(a, b), key)
    assert np.array_equal(d.total, direct.total)
    assert np.array_equal(d.squares, direct.squares)
    assert (direct.items, direct.count) == (4, 2)


def test_collapse_groups_identical_clusters() -> None:
    """Paired binary items become at most four cells whose multiplicities add up."""
    rng = np.random.default_rng(0)
    cells = collapse(rng.integers(0, 2, 1000).astype(float), rng.integers(0, 2, 1000).astype(float))
    assert cells.columns.tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]]
    assert cells.multiplicity.sum() == 1000


def test_effective_clusters() -> None:
    """Equal clusters count fully; one holding half of everything leaves fewer than four."""
    assert effective_clusters(np.full(8, 3.0)) == pytest.approx(8.0)
    assert effective_clusters(np.array([40.0, 10, 10, 10, 10])) == pytest.approx(3.2)
