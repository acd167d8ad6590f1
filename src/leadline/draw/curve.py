"""A line chart with one curve and the lines it is read against."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from leadline.draw.mark import points as joined
from leadline.draw.scale import Linear
from leadline.draw.svg import Element, Picture, el, group, line, text
from leadline.draw.words import width_of, wrap
from leadline.errors import StatisticsError


@dataclass(frozen=True, slots=True)
class Reference:
    """A labelled line across the chart at one value."""

    value: float
    label: str
    axis: Literal["x", "y"]


#: Between the lines of a label.
_LEADING = 14.0
_SIZES = {"wide": (860.0, 260.0, 56.0), "compact": (360.0, 220.0, 44.0)}


def curve(
    points: Sequence[tuple[float, float]],
    *,
    x_title: str,
    y_title: str,
    title: str,
    description: str,
    references: Sequence[Reference] = (),
    y_range: tuple[float, float] = (0.0, 1.0),
    layout: Literal["wide", "compact"] = "wide",
) -> Picture:
    """Draw ``points`` (x ascending) as one curve.

    Raises StatisticsError for fewer than two points, an empty x range, or numbers that are not finite.
    """
    xs = [x for x, _ in points]
    values = [*xs, *(y for _, y in points), *(one.value for one in references), *y_range]
    if len(xs) < 2 or min(xs) == max(xs) or not all(math.isfinite(x) for x in values):
        raise StatisticsError("a curve needs two finite points at different x", remedy="draw nothing instead")
    width, height, left = _SIZES[layout]
    across = Linear(min(xs), max(xs), left, width - 12)
    up = Linear(*y_range, height - 48, 26)
    parts: list[Element] = [_frame(across, up, layout)]
    drawn = [_reference(one, across, up, points) for one in references]
    parts += [stroke for stroke, _ in drawn]
    parts.append(
        el("polyline", class_="ll-curve", points=joined(tuple((across(x), up(y)) for x, y in points)))
    )
    parts += [label for _, label in drawn]
    parts.append(text((across.left + across.right) / 2, height - 8, x_title, "ll-small", "middle"))
    parts.append(text(0, 12, y_title, "ll-small"))
    return Picture(width, height, title, description, tuple(parts))


def _frame(across: Linear, up: Linear, layout: str) -> Element:
    parts: list[Element] = []
    for tick in up.ticks(5):
        y = up(tick.value)
        parts.append(line(across.left, y, across.right, y, "ll-axis"))
        parts.append(text(across.left - 8, y + 4, tick.label, "ll-soft ll-small", "end"))
    for tick in across.ticks(4 if layout == "compact" else 8):
        x = across(tick.value)
        parts.append(line(x, up.left, x, up.left + 5, "ll-axis"))
        parts.append(text(x, up.left + 19, tick.label, "ll-soft ll-small", "middle"))
    return group(*parts)


def _reference(
    one: Reference, across: Linear, up: Linear, points: Sequence[tuple[float, float]]
) -> tuple[Element, Element]:
    """The line, and its label to be drawn over the curve."""
    if one.axis == "y":
        y = up(one.value)
        label = text(across.right - 4, y - 6, one.label, "ll-soft ll-small", "end")
        return line(across.left, y, across.right, y, "ll-margin"), label
    x = across(one.value)
    late = x > (across.left + across.right) / 2
    lines = wrap(one.label, (x - across.left if late else across.right - x) - 10, 11.5) or ("",)
    widest = max(width_of(words, 11.5) for words in lines)
    reach = x - widest if late else x + widest
    behind = [y for at, y in points if min(x, reach) <= across(at) <= max(x, reach)]
    # The label stands at the foot of its line, or at the head where the curve runs along the foot.
    deep = 8 + _LEADING * len(lines)
    low = bool(behind) and up(min(behind)) > up.left - deep and up(max(behind)) > up.right + deep
    y = up.right + 14 if low else up.left - 8 - _LEADING * (len(lines) - 1)
    at, anchor = x + (-6 if late else 6), "end" if late else "start"
    texts = [
        text(at, y + _LEADING * row, words, "ll-small ll-halo", anchor) for row, words in enumerate(lines)
    ]
    label = texts[0] if len(texts) == 1 else group(*texts)
    return line(x, up.left, x, up.right, "ll-margin"), label
