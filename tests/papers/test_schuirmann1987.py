"""Schuirmann 1987, J. Pharmacokinet. Biopharm. 15, 657-680, section "two one-sided tests"."""

import pytest

from leadline.stats.equivalence import tost
from leadline.stats.mean import mean


def test_paired_differences() -> None:
    """Eight paired differences, limits (-.5, .9): p-values .00309876 and .00992076, as statsmodels gives them."""
    fit = mean([1.2, 0.8, -0.3, 0.5, 0.1, -0.6, 0.4, 0.2])
    assert fit.se is not None
    result = tost(fit.value, fit.se, -0.5, 0.9, fit.df)
    assert (result.p_lower, result.p_upper, result.p) == pytest.approx(
        (0.00309876, 0.00992076, 0.00992076), abs=5e-9
    )
