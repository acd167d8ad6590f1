"""The denominator bar: of everything promised, what was kept, what was left out and why, what never came."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from leadline.draw.mark import hatch
from leadline.draw.svg import Element, Picture, group, rect, text
from leadline.draw.words import shorten, width_of
from leadline.errors import StatisticsError


@dataclass(frozen=True, slots=True)
class DenominatorRow:
    """One arm on one measure; counts of results. ``left_out`` pairs a reason with its count."""

    label: str
    promised: int
    kept: int
    left_out: tuple[tuple[str, int], ...] = ()
    missing: int = 0


_WIDTHS = {"wide": 860.0, "compact": 360.0}
_ROW = 74.0
_BAR = 22.0


def denominator_bars(
    rows: Sequence[DenominatorRow], *, title: str, layout: Literal["wide", "compact"] = "wide"
) -> Picture:
    """One bar per row, all on the same scale of results.

    Kept is solid, left out is hatched, missing is an open dashed outline. A segment that holds
    anything is at least three units wide: one lost sample in ten thousand must still be seen.
    Raises StatisticsError for a negative count or no rows.
    """
    if not rows:
        raise StatisticsError("a denominator picture needs at least one row", remedy="draw nothing instead")
    for row in rows:
        if min(row.promised, row.kept, row.missing, *(count for _, count in row.left_out)) < 0:
            raise StatisticsError(f"row {row.label!r} holds a negative count", remedy="count results, from 0")
    width = _WIDTHS[layout]
    largest = max(max(row.promised, _total(row)) for row in rows) or 1
    body = tuple(_row(row, i * _ROW, width, largest) for i, row in enumerate(rows))
    return Picture(width, _ROW * len(rows), title, " ".join(sentence(row) for row in rows), body)


def sentence(row: DenominatorRow) -> str:
    """The row in words."""
    parts = [f"{row.kept} of {row.promised} kept"]
    parts += [f"{count} {reason}" for reason, count in row.left_out if count]
    if row.missing:
        parts.append(f"{row.missing} missing")
    return f"{row.label}: {', '.join(parts)}."


def _total(row: DenominatorRow) -> int:
    return row.kept + sum(count for _, count in row.left_out) + row.missing


def _row(row: DenominatorRow, top: float, width: float, largest: int) -> Element:
    kept = f"{row.kept:,} of {row.promised:,} kept".replace(",", "\N{THIN SPACE}")
    parts = [
        text(0, top + 14, shorten(row.label, width - width_of(kept) - 16), "ll-strong"),
        text(width, top + 14, kept, "", "end"),
    ]
    inner = width - 2
    segments = [("kept", row.kept, "ll-full"), *((reason, n, "ll-outline") for reason, n in row.left_out)]
    segments.append(("missing", row.missing, "ll-open"))
    shown = [segment for segment in segments if segment[1] > 0]
    extents = [max(inner * count / largest, 3.0) for _, count, _ in shown]
    over = sum(extents) - inner
    if over > 0 and extents:
        widest = extents.index(max(extents))
        extents[widest] = max(extents[widest] - over, 3.0)
    x = 1.0
    for (_, _, kind), extent in zip(shown, extents, strict=True):
        parts.append(rect(x, top + 24, extent, _BAR, kind))
        if kind == "ll-outline":
            parts.append(hatch(x, top + 24, extent, _BAR))
        x += extent
    losses = [f"{count} {reason}" for reason, count, kind in shown if kind != "ll-full"]
    said = "left out: " + " · ".join(losses) if losses else "nobody left out"
    parts.append(text(0, top + 62, shorten(said, width, 11.5), "ll-soft ll-small"))
    return group(*parts)
