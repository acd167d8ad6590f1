"""Sums that do not depend on order."""

import math
from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from leadline.stats.summation import group_totals, total

FINITE = st.floats(-1e90, 1e90, allow_nan=False)
ARRAYS = hnp.arrays(np.float64, st.integers(1, 60), elements=FINITE)


@given(x=ARRAYS, seed=st.integers(0, 2**32))
def test_total_has_the_same_bits_in_every_order(x: np.ndarray, seed: int) -> None:
    """Shuffling the terms never changes the sum."""
    assert total(np.random.default_rng(seed).permutation(x)) == total(x)


@given(x=hnp.arrays(np.float64, st.integers(1, 60), elements=st.floats(-1e6, 1e6)))
def test_total_is_accurate(x: np.ndarray) -> None:
    """The sum agrees with exact rational arithmetic to a rounding of the largest term."""
    exact = float(sum((Fraction(float(v)) for v in x), Fraction(0)))
    assert math.isclose(total(x), exact, rel_tol=1e-15, abs_tol=1e-16 * float(np.abs(x).max()))


@given(data=st.data())
def test_group_totals_are_the_totals_of_the_groups(data: st.DataObject) -> None:
    """Each group's sum is independent of row order and equals the sum of its rows."""
    x = data.draw(hnp.arrays(np.float64, 40, elements=st.floats(-1e6, 1e6)))
    codes = data.draw(hnp.arrays(np.int64, 40, elements=st.integers(0, 4)))
    order = np.random.default_rng(data.draw(st.integers(0, 1000))).permutation(40)
    sums = group_totals(x, codes, 5)
    assert np.array_equal(sums, group_totals(x[order], codes[order], 5))
    for g in range(5):
        own = math.fsum(x[codes == g])
        assert math.isclose(sums[g], own, rel_tol=1e-14, abs_tol=1e-15 * float(np.abs(x).max()))


def test_an_empty_sum_is_zero() -> None:
    """No terms sum to zero."""
    assert total(np.array([])) == 0.0
