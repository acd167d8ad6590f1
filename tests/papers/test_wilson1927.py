"""Wilson 1927, J. Am. Stat. Assoc. 22, 209-212, as tabulated by Newcombe 1998."""

import pytest

from leadline.stats.intervals import clopper_pearson, jeffreys, wilson

#: Newcombe 1998, Statist. Med. 17, 857-872, table I: method 3 (score) and method 5 (exact).
TABLE = [
    (81, 263, (0.2553, 0.3662), (0.2527, 0.3676)),
    (15, 148, (0.0624, 0.1605), (0.0578, 0.1617)),
    (0, 20, (0.0000, 0.1611), (0.0000, 0.1684)),
    (1, 29, (0.0061, 0.1718), (0.0009, 0.1776)),
]


@pytest.mark.parametrize(("k", "n", "score", "exact"), TABLE)
def test_newcombe_table_one(k: int, n: int, score: tuple[float, float], exact: tuple[float, float]) -> None:
    """Newcombe 1998, table I: score and exact intervals to the four printed digits."""
    assert wilson(k, n) == pytest.approx(score, abs=5e-5)
    assert clopper_pearson(k, n) == pytest.approx(exact, abs=5e-5)


def test_eight_of_ten() -> None:
    """Eight of ten: Wilson, Clopper-Pearson and Jeffreys (Brown, Cai and DasGupta 2001, section 4) to ten and six digits."""
    assert wilson(8, 10) == pytest.approx((0.4901624715, 0.9433178485), abs=1e-10)
    assert clopper_pearson(8, 10) == pytest.approx((0.4439045377, 0.9747892737), abs=1e-10)
    assert jeffreys(8, 10) == pytest.approx((0.497226, 0.955941), abs=1e-6)
