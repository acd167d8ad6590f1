"""Shares of a whole as one bar: each part by its own fill or hatching, never by colour alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from leadline.draw.mark import hatch
from leadline.draw.svg import Element, Picture, el, group, rect, text
from leadline.draw.words import width_of
from leadline.errors import StatisticsError

Fill = Literal["full", "tint", "open", "outline", "hatch", "dashed", "cross"]
_CLASSES: dict[Fill, str] = {
    "full": "ll-full",
    "tint": "ll-tint",
    "open": "ll-open",
    "outline": "ll-outline",
    "hatch": "ll-outline",
    "dashed": "ll-dashed",
    "cross": "ll-open",
}
_WIDTH, _HEIGHT = 420.0, 34.0


@dataclass(frozen=True, slots=True)
class Share:
    """One part: its name, how many, and its fill."""

    label: str
    count: int
    fill: Fill


def share_bar(parts: Sequence[Share], *, title: str) -> Picture:
    """One stacked bar; parts that are empty are left out of it. Raises StatisticsError when all are."""
    shown = [part for part in parts if part.count > 0]
    total = sum(part.count for part in shown)
    if not total:
        raise StatisticsError("a whole of nothing has no shares", remedy="draw it when there is something")
    body: list[Element] = []
    x, inner = 1.0, _WIDTH - 2
    for part in shown:
        extent = inner * part.count / total
        body += _piece(part, x, extent)
        x += extent
    words = ", ".join(f"{part.label} {part.count}" for part in shown)
    return Picture(_WIDTH, _HEIGHT, title, f"Of {total}: {words}.", tuple(body))


def swatch(fill: Fill, size: float = 14.0) -> str:
    """A small square in a fill, as decorative inline SVG for a legend."""
    box = f"0 0 {size:g} {size:g}"
    return el(
        "svg",
        *_filled(fill, 1, 1, size - 2, size - 2),
        xmlns="http://www.w3.org/2000/svg",
        class_="ll-swatch",
        viewBox=box,
        aria_hidden="true",
    ).render()


def _piece(part: Share, x: float, extent: float) -> list[Element]:
    made = _filled(part.fill, x, 2, extent, _HEIGHT - 4)
    words = str(part.count)
    if part.fill not in ("hatch", "cross") and extent > width_of(words, 13) + 10:
        tone = "ll-on ll-strong" if part.fill == "full" else "ll-strong"
        made.append(text(x + extent / 2, _HEIGHT / 2 + 4.5, words, tone, "middle"))
    return made


def _filled(fill: Fill, x: float, y: float, width: float, height: float) -> list[Element]:
    made: list[Element] = [rect(x, y, width, height, _CLASSES[fill])]
    if fill in ("hatch", "cross") and width > 2:
        made.append(hatch(x, y, width, height, gap=6.0 if fill == "hatch" else 3.5))
    return [group(*made)]
