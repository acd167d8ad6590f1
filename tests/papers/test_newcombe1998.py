"""Newcombe 1998, Statist. Med. 17, 873-890, table II: two independent proportions, 95 %."""

import pytest

from leadline.stats.unpaired import miettinen_nurminen, newcombe

#: (k_a, n_a, k_b, n_b), method 10 (hybrid score); contrasts (a), (b), (c), (d) of the table.
TABLE = [
    ((56, 70, 48, 80), (0.0524, 0.3339)),
    ((9, 10, 3, 10), (0.1705, 0.8090)),
    ((6, 7, 2, 7), (0.0582, 0.8062)),
    ((5, 56, 0, 29), (-0.0381, 0.1926)),
]


@pytest.mark.parametrize(("counts", "expected"), TABLE)
def test_hybrid_score(counts: tuple[int, int, int, int], expected: tuple[float, float]) -> None:
    """Table II, method 10, to the four printed digits."""
    assert newcombe(*counts) == pytest.approx(expected, abs=5e-5)


def test_score() -> None:
    """Contrast (a), 56/70 against 48/80: the score interval with the factor N/(N - 1) (Miettinen and Nurminen 1985)."""
    assert miettinen_nurminen(56, 70, 48, 80) == pytest.approx((0.0528, 0.3382), abs=5e-5)
