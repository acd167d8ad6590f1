"""Verdict marks: a shape and a fill per outcome, so that colour is never the only sign."""

import math
from typing import Literal

from leadline.draw.svg import Element, el, group, line, number, rect

Outcome = Literal["supported", "refuted", "null", "inconclusive"]

#: What each mark looks like, for descriptions in words.
MARK_WORDS: dict[Outcome, str] = {
    "supported": "filled circle",
    "refuted": "square with a cross",
    "null": "diamond ring",
    "inconclusive": "open dashed circle",
}


def mark(outcome: Outcome, x: float, y: float, radius: float = 7.0) -> Element:
    """The mark of an outcome, centred at (x, y)."""
    match outcome:
        case "supported":
            return el("circle", class_="ll-full", cx=x, cy=y, r=radius)
        case "refuted":
            half, arm = radius * 0.95, radius * 0.5
            return group(
                rect(x - half, y - half, 2 * half, 2 * half, "ll-full"),
                line(x - arm, y - arm, x + arm, y + arm, "ll-cross"),
                line(x - arm, y + arm, x + arm, y - arm, "ll-cross"),
            )
        case "null":
            reach = radius * 1.2
            corners = ((x, y - reach), (x + reach, y), (x, y + reach), (x - reach, y))
            return el("polygon", class_="ll-ring", points=points(corners))
        case "inconclusive":
            return el("circle", class_="ll-dashed", cx=x, cy=y, r=radius)


def points(corners: tuple[tuple[float, float], ...]) -> str:
    """Corners as the value of a ``points`` attribute."""
    return " ".join(f"{number(x)},{number(y)}" for x, y in corners)


def hatch(x: float, y: float, width: float, height: float, gap: float = 6.0) -> Element:
    """Diagonal lines that stay inside a rectangle, computed rather than clipped: no ids to clash."""
    lines: list[Element] = []
    for k in range(1, math.ceil((width + height) / gap)):
        offset = k * gap
        start = (x + min(offset, width), y + max(offset - width, 0.0))
        end = (x + max(offset - height, 0.0), y + min(offset, height))
        lines.append(line(*start, *end, "ll-hatch"))
    return group(*lines)


def mark_svg(outcome: Outcome, size: float = 18.0) -> str:
    """The mark alone as a decorative inline SVG; the word beside it carries the meaning."""
    shape = mark(outcome, size / 2, size / 2, size * 0.36)
    box = f"0 0 {number(size)} {number(size)}"
    return el(
        "svg", shape, xmlns="http://www.w3.org/2000/svg", class_="ll-mark", viewBox=box, aria_hidden="true"
    ).render()
