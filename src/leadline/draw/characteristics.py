"""Operating characteristics: for each truth, how often each verdict comes out."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from leadline.draw.mark import Outcome, hatch, mark
from leadline.draw.svg import Element, Picture, group, rect, text
from leadline.draw.words import shorten, width_of
from leadline.errors import StatisticsError

#: Left to right, and how each is filled.
_KINDS: tuple[tuple[Outcome, str], ...] = (
    ("supported", "ll-full"),
    ("inconclusive", "ll-open"),
    ("null", "ll-tint"),
    ("refuted", "ll-outline"),
)
_WIDTHS = {"wide": 860.0, "compact": 360.0}
_ROW = 56.0


@dataclass(frozen=True, slots=True)
class TruthRow:
    """A truth and the share of simulated studies that came to each outcome; shares sum to one."""

    truth: str
    shares: Mapping[Outcome, float]


def characteristics(
    rows: Sequence[TruthRow], *, title: str, layout: Literal["wide", "compact"] = "wide"
) -> Picture:
    """Stacked bars, one per truth.

    Raises StatisticsError when there is no row, or shares are negative or do not sum to one.
    """
    if not rows:
        raise StatisticsError("operating characteristics need at least one truth", remedy="simulate one")
    for row in rows:
        shares = list(row.shares.values())
        if min(shares, default=-1.0) < 0 or not math.isclose(sum(shares), 1.0, abs_tol=1e-6):
            raise StatisticsError(
                f"shares of {row.truth!r} do not sum to one", remedy="give shares, not counts"
            )
    width = _WIDTHS[layout]
    per_line = 4 if layout == "wide" else 2
    head = 8.0 + 24.0 * (len(_KINDS) / per_line)
    body = [_key(width / per_line, per_line)]
    body += [_bar(row, head + i * _ROW, width) for i, row in enumerate(rows)]
    return Picture(
        width, head + _ROW * len(rows), title, " ".join(_sentence(row) for row in rows), tuple(body)
    )


def _sentence(row: TruthRow) -> str:
    parts = [f"{kind} {100 * row.shares.get(kind, 0.0):.1f} %" for kind, _ in _KINDS]
    return f"{row.truth}: {', '.join(parts)}."


def _key(cell: float, per_line: int) -> Element:
    parts: list[Element] = []
    for i, (kind, fill) in enumerate(_KINDS):
        x, y = (i % per_line) * cell, 24.0 * (i // per_line)
        parts.append(rect(x + 1, y + 3, 14, 14, fill))
        if fill == "ll-outline":
            parts.append(hatch(x + 1, y + 3, 14, 14))
        parts.append(mark(kind, x + 30, y + 10, 5))
        parts.append(text(x + 44, y + 14, kind, "ll-small"))
    return group(*parts)


def _bar(row: TruthRow, top: float, width: float) -> Element:
    parts: list[Element] = [text(0, top + 14, shorten(row.truth, width), "ll-strong")]
    x, inner = 1.0, width - 2
    for kind, fill in _KINDS:
        share = row.shares.get(kind, 0.0)
        extent = inner * share
        if share > 0:
            parts.append(rect(x, top + 22, extent, 22, fill))
            words = f"{100 * share:.0f} %"
            if fill == "ll-outline":
                parts.append(hatch(x, top + 22, extent, 22))
            elif extent > width_of(words, 11.5) + 8:
                tone = "ll-on ll-small" if fill == "ll-full" else "ll-small"
                parts.append(text(x + extent / 2, top + 37, words, tone, "middle"))
        x += extent
    return group(*parts)
