"""Scales: from numbers to positions, with ticks people would choose."""

import math
import sys
from dataclasses import dataclass
from typing import Protocol as Shape

MINUS = "\N{MINUS SIGN}"
#: Beyond this many decimals numbers are written with an exponent.
_MOST_DECIMALS = 9
#: Factors beyond e to this power are written as powers of e.
_VAST = 40.0
#: Steps between ticks, as multiples of a power of ten.
_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True, slots=True)
class Tick:
    """A position worth a label."""

    value: float
    label: str


class Scale(Shape):
    """Maps numbers to positions and knows its ticks."""

    low: float
    high: float

    def __call__(self, x: float) -> float:
        """The position of ``x``, clipped to the scale's ends."""
        ...

    def ticks(self, count: int = 5) -> tuple[Tick, ...]:
        """About ``count`` round values inside the scale."""
        ...


def format_number(x: float, decimals: int, *, sign: bool = False) -> str:
    """``x`` with ``decimals`` decimals, a true minus sign, and a plus sign where asked."""
    shown = f"{abs(x):.{decimals}f}"
    if abs(x) >= 1e7 or (x != 0.0 and float(shown) == 0.0 and decimals >= _MOST_DECIMALS):
        shown = f"{abs(x):.3g}"
    if float(shown) == 0.0:
        return shown
    if x < 0:
        return MINUS + shown
    return f"+{shown}" if sign else shown


def format_factor(logarithm: float) -> str:
    """The factor a natural logarithm stands for, to three significant digits; as a power of e where it is vast."""
    shown = f"{math.exp(logarithm):.3g}" if abs(logarithm) < _VAST else f"e^{logarithm:.3g}"
    return f"×{shown}"


def decimals_for(resolution: float, digits: int = 2) -> int:
    """Decimals that show ``digits`` significant digits of something the size of ``resolution``."""
    if not math.isfinite(resolution) or resolution == 0.0:
        return digits
    return min(max(digits - 1 - math.floor(math.log10(abs(resolution))), 0), _MOST_DECIMALS)


def decimals_of(low: float, high: float) -> int:
    """Decimals of an interval: two significant digits of its half-width, and no end that is not 0 reads as 0.

    Ends within a hundred-thousandth of 0 excepted.
    """
    half = decimals_for((high - low) / 2)
    return max(half, *(min(decimals_for(end, 1), 5) for end in (low, high)))


@dataclass(frozen=True, slots=True)
class Linear:
    """A linear scale from [low, high] to [left, right]."""

    low: float
    high: float
    left: float
    right: float

    def __call__(self, x: float) -> float:
        """The position of ``x``, clipped to the scale's ends."""
        share = (min(max(x, self.low), self.high) - self.low) / (self.high - self.low)
        return self.left + share * (self.right - self.left)

    def ticks(self, count: int = 5) -> tuple[Tick, ...]:
        """Multiples of 1, 2, 2.5 or 5 times a power of ten; one tick where floats are too coarse for several."""
        raw = (self.high - self.low) / max(count, 1)
        if raw < sys.float_info.min:
            return (Tick(self.low, format_number(self.low, _MOST_DECIMALS)),)
        magnitude = 10.0 ** math.floor(math.log10(raw))
        step = next(s * magnitude for s in _STEPS if s * magnitude >= raw * (1 - 1e-9))
        fitting = (d for d in range(_MOST_DECIMALS) if abs(round(step, d) - step) <= step * 1e-6)
        decimals = next(fitting, _MOST_DECIMALS)
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return tuple(Tick(i * step, format_number(i * step, decimals)) for i in range(first, last + 1))


@dataclass(frozen=True, slots=True)
class Factor:
    """A scale for effects on the log scale, labelled with the factors they stand for.

    ``low`` and ``high`` are natural logarithms, as are the numbers mapped.
    """

    low: float
    high: float
    left: float
    right: float

    def __call__(self, x: float) -> float:
        """The position of the natural logarithm ``x``."""
        return Linear(self.low, self.high, self.left, self.right)(x)

    def ticks(self, count: int = 5) -> tuple[Tick, ...]:
        """Round factors: powers of two or ten where they fit, else round numbers."""
        for candidates in _FACTORS:
            inside = [f for f in candidates if self.low <= math.log(f) <= self.high]
            if 3 <= len(inside) <= max(count + 2, 3):
                return tuple(Tick(math.log(f), "×" + f"{f:g}") for f in inside)
        linear = Linear(self.low, self.high, self.left, self.right).ticks(count)
        return tuple(Tick(tick.value, format_factor(tick.value)) for tick in linear)


_FACTORS: tuple[tuple[float, ...], ...] = (
    tuple(10.0**k for k in range(-8, 9)),
    tuple(2.0**k for k in range(-12, 13)),
    (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0),
    (0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0),
    (0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.4, 1.6, 1.8, 2.0),
    (0.8, 0.85, 0.9, 0.95, 1.0, 1.05, 1.1, 1.15, 1.2, 1.25),
)
