"""McNemar 1947, Psychometrika 12, 153-157, on Agresti's approval table."""

import numpy as np
import pytest

from leadline.stats.paired import difference, mcnemar_exact
from leadline.stats.tango import tango


def test_agresti_approval_table() -> None:
    """Agresti 1990, Categorical Data Analysis, table 10.1: [[794, 86], [150, 570]], exact p 3.71593614e-5."""
    assert mcnemar_exact(86, 150) == pytest.approx(3.71593614e-5, rel=1e-8)


def test_squared_score_at_zero_is_mcnemars_statistic() -> None:
    """McNemar 1947, p. 154: (b - c)^2/(b + c) = 17.3559322; Tango's interval touches zero at that quantile."""
    chi = (86 - 150) ** 2 / (86 + 150)
    assert chi == pytest.approx(17.3559322)
    from leadline.stats.tango import tango_score

    assert tango_score(86, 150, 1600, chi**0.5)[1] == pytest.approx(0.0, abs=1e-12)


def test_difference_of_the_approval_table() -> None:
    """The drop is 64 of 1,600 with Tango's interval (-.058998, -.021362), from rows as from counts."""
    first = np.array([1] * 794 + [1] * 86 + [0] * 150 + [0] * 570)
    second = np.array([1] * 794 + [0] * 86 + [1] * 150 + [0] * 570)
    fit = difference(first, second, method="tango")
    assert fit.value == pytest.approx(-0.04)
    assert (fit.low, fit.high) == tango(86, 150, 1600)
    assert (fit.low, fit.high) == pytest.approx((-0.058998, -0.021362), abs=1e-6)
