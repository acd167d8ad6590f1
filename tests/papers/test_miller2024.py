"""Miller 2024, "Adding Error Bars to Evals", arXiv 2411.00640, section 5: how many questions are needed."""

import math

import pytest

from leadline.stats.power import detectable, sample_size


@pytest.mark.parametrize(
    ("within", "attempts", "n"), [(0.0, 1, 969), (1 / 6, math.inf, 969), (1 / 6, 1, 3876), (1 / 6, 10, 1260)]
)
def test_questions_for_three_points(within: float, attempts: float, n: int) -> None:
    """Section 5: d = .03, omega^2 = 1/9 needs 969 questions; with within-question variance 1/6 each, more."""
    assert sample_size(0.03, 1 / 9, within, within, attempts, attempts) == n


def test_the_detectable_effect_inverts_the_formula() -> None:
    """Section 5: 969 questions detect .03 with 80 % power."""
    assert detectable(math.sqrt(1 / 9 / 969)) == pytest.approx(0.03, abs=1e-5)
