"""Tango 1998, Statist. Med. 17, 891-908, section 2: the score interval for paired proportions."""

import math

import pytest

from leadline.stats.tango import tango


def test_twelve_against_five() -> None:
    """b = 12, c = 5 of 60: (-.019466, .254023)."""
    assert tango(12, 5, 60) == pytest.approx((-0.019466, 0.254023), abs=1e-6)


@pytest.mark.parametrize(("b", "c", "n"), [(12, 5, 60), (0, 3, 40), (9, 0, 30), (1, 1, 100)])
def test_ends_satisfy_the_score_equation(b: int, c: int, n: int) -> None:
    """Section 2: at both ends the score statistic with the constrained q equals the normal quantile."""
    for d in tango(b, c, n):
        big_b, big_c = -b - c + (2 * n - b + c) * d, -c * d * (1 - d)
        q = (math.sqrt(big_b**2 - 8 * n * big_c) - big_b) / (4 * n)
        z = (b - c - n * d) / math.sqrt(n * (2 * q + d * (1 - d)))
        assert abs(z) == pytest.approx(1.959963984540054, rel=1e-6)


def test_no_discordant_pair() -> None:
    """With b = c = 0 the interval is +-z^2/(n + z^2), not a point."""
    z2 = 1.959963984540054**2
    assert tango(0, 0, 43) == pytest.approx((-z2 / (43 + z2), z2 / (43 + z2)), abs=1e-12)
