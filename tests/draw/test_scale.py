"""Scales and numbers."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.draw.scale import Factor, Linear, decimals_for, format_number
from leadline.draw.words import shorten, width_of, wrap


@given(
    st.floats(-1e6, 1e6),
    st.floats(1e-4, 1e6),
    st.integers(2, 10),
)
def test_ticks_lie_inside_are_distinct_and_few(low: float, extent: float, count: int) -> None:
    """Ticks are inside the scale, ascending, labelled differently, and not many more than asked."""
    scale = Linear(low, low + extent, 0, 100)
    ticks = scale.ticks(count)
    slack = 1e-6 * max(abs(low), abs(low + extent), 1)
    assert all(low - slack <= tick.value <= low + extent + slack for tick in ticks)
    assert [tick.value for tick in ticks] == sorted({tick.value for tick in ticks})
    assert len(ticks) <= count + 1
    if extent > 1e-3 * abs(low):
        assert len({tick.label for tick in ticks}) == len(ticks)


def test_ticks_are_round() -> None:
    """People get the numbers they would have chosen."""
    assert [tick.label for tick in Linear(-0.13, 0.21, 0, 1).ticks(6)] == ["−0.1", "0.0", "0.1", "0.2"]


def test_positions_are_clipped_to_the_scale() -> None:
    """Nothing is drawn outside the plot."""
    scale = Linear(0, 10, 100, 200)
    assert [scale(x) for x in (-5, 0, 5, 10, 50)] == [100, 100, 150, 200, 200]


def test_factors_are_labelled_as_factors() -> None:
    """A log axis speaks of factors, with one at the centre."""
    ticks = Factor(math.log(0.2), math.log(5), 0, 1).ticks(5)
    assert "×1" in [tick.label for tick in ticks]
    assert [tick.value for tick in ticks] == sorted(tick.value for tick in ticks)


def test_a_narrow_factor_axis_still_has_ticks() -> None:
    """Effects of a percent get ticks of a percent."""
    assert len(Factor(-0.01, 0.012, 0, 1).ticks(5)) >= 3


@pytest.mark.parametrize(
    ("x", "decimals", "sign", "shown"),
    [
        (0.5, 2, True, "+0.50"),
        (-0.5, 2, False, "−0.50"),
        (-0.001, 2, True, "0.00"),
        (3e9, 2, False, "3e+09"),
        (-2e-12, 9, False, "−2e-12"),
    ],
)
def test_numbers_carry_a_true_minus_and_no_signed_zero(
    x: float, decimals: int, sign: bool, shown: str
) -> None:
    """Signs are typographic; a rounded zero has none; extremes are written with an exponent."""
    assert format_number(x, decimals, sign=sign) == shown


@pytest.mark.parametrize(
    ("resolution", "decimals"), [(0.22, 2), (0.022, 3), (5.0, 1), (400.0, 0), (0.0, 2), (math.nan, 2)]
)
def test_decimals_follow_the_resolution(resolution: float, decimals: int) -> None:
    """An estimate is shown to two digits of its uncertainty."""
    assert decimals_for(resolution) == decimals


@given(st.text(max_size=80), st.floats(20, 400))
def test_wrapped_words_fit(content: str, room: float) -> None:
    """No line is wider than its room, and no more lines come back than asked for."""
    lines = wrap(content, room, 13, 2)
    assert len(lines) <= 2
    assert all(width_of(line) <= room or line == "…" for line in lines)


def test_shortened_words_end_in_an_ellipsis() -> None:
    """A cut is visible."""
    assert shorten("a rather long label", 60).endswith("…")
    assert shorten("short", 200) == "short"
