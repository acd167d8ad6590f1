"""Pictures of paired results: who solved what (two-valued scores), and two means side by side."""

from dataclasses import dataclass
from typing import Literal

from leadline.draw.mark import hatch
from leadline.draw.scale import Linear, decimals_for, format_number
from leadline.draw.svg import Element, Picture, el, group, line, rect, text
from leadline.draw.words import shorten
from leadline.errors import StatisticsError

_WIDTHS = {"wide": 860.0, "compact": 360.0}
Layout = Literal["wide", "compact"]


@dataclass(frozen=True, slots=True)
class Agreement:
    """Counts of items by who got them: both arms, only the first, only the second, neither."""

    both: int
    only_a: int
    only_b: int
    neither: int

    @property
    def total(self) -> int:
        """All items."""
        return self.both + self.only_a + self.only_b + self.neither


def agreement(counts: Agreement, a: str, b: str, *, title: str, layout: Layout = "wide") -> Picture:
    """One bar of all items; below it, where the arms disagree: the only items that tell them apart.

    Raises StatisticsError when a count is negative or there is no item.
    """
    values = (counts.both, counts.only_a, counts.only_b, counts.neither)
    if min(values) < 0 or counts.total == 0:
        raise StatisticsError("an agreement picture needs at least one item", remedy="draw nothing instead")
    width = _WIDTHS[layout]
    names = ("both", f"only {a}", f"only {b}", "neither")
    kinds = ("ll-tint", "ll-full", "ll-outline", "ll-open")
    parts: list[Element] = []
    x, inner = 1.0, width - 2
    for value, kind in zip(values, kinds, strict=True):
        extent = inner * value / counts.total
        if value:
            parts.append(rect(x, 4, extent, 28, kind))
            if kind == "ll-outline":
                parts.append(hatch(x, 4, extent, 28))
        x += extent
    parts += _key(values, names, kinds, counts.total, width, layout)
    rows = 1 if layout == "wide" else 2
    said = ", ".join(f"{name} {value}" for name, value in zip(names, values, strict=True))
    return Picture(width, 40.0 + 40.0 * rows, title, f"Of {counts.total} items: {said}.", tuple(parts))


def _key(
    values: tuple[int, ...],
    names: tuple[str, ...],
    kinds: tuple[str, ...],
    total: int,
    width: float,
    layout: Layout,
) -> list[Element]:
    columns = 4 if layout == "wide" else 2
    cell = width / columns
    parts: list[Element] = []
    for i, (value, name, kind) in enumerate(zip(values, names, kinds, strict=True)):
        x, y = (i % columns) * cell, 46.0 + 40.0 * (i // columns)
        parts.append(rect(x + 1, y, 14, 14, kind))
        if kind == "ll-outline":
            parts.append(hatch(x + 1, y, 14, 14))
        parts.append(text(x + 22, y + 12, shorten(name, cell - 30), ""))
        parts.append(text(x + 22, y + 28, f"{value} ({100 * value / total:.0f} %)", "ll-soft ll-small"))
    return parts


def dumbbell(
    mean_a: float, mean_b: float, a: str, b: str, *, title: str, unit: str = "", layout: Layout = "wide"
) -> Picture:
    """Two means on one axis, joined: filled for the first, ring for the second."""
    width = _WIDTHS[layout]
    low, high = min(mean_a, mean_b, 0.0), max(mean_a, mean_b)
    if low >= 0.0 and high <= 1.0:
        high = 1.0
    if high == low:
        high = low + 1.0
    scale = Linear(low, high, 12, width - 12)
    y = 40.0
    decimals = max(decimals_for(high - low, 3), decimals_for(mean_a - mean_b or high - low, 2))
    parts: list[Element] = [line(12, y, width - 12, y, "ll-axis")]
    for tick in scale.ticks(5):
        parts.append(line(scale(tick.value), y + 14, scale(tick.value), y + 19, "ll-axis"))
        parts.append(text(scale(tick.value), y + 33, tick.label, "ll-soft ll-small", "middle"))
    parts.append(line(scale(mean_a), y, scale(mean_b), y, "ll-narrow"))
    parts.append(el("circle", class_="ll-ring", cx=scale(mean_b), cy=y, r=7))
    parts.append(el("circle", class_="ll-full", cx=scale(mean_a), cy=y, r=7))
    first, second = ((mean_a, a), (mean_b, b)) if mean_a <= mean_b else ((mean_b, b), (mean_a, a))
    said = [
        f"{shorten(name, width / 2 - 70)} {format_number(value, decimals)}{unit}"
        for value, name in (first, second)
    ]
    parts.append(group(text(0, 18, said[0], ""), text(width, 18, said[1], "", "end")))
    description = (
        f"{a}: {format_number(mean_a, decimals)}{unit}. {b}: {format_number(mean_b, decimals)}{unit}."
    )
    return Picture(width, 80, title, description, tuple(parts))
