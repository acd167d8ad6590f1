"""The estimate plot in one line of text."""

import math
from dataclasses import dataclass
from typing import Self

from leadline.draw.estimate import amount
from leadline.draw.mark import Outcome
from leadline.verdict.model import EffectEstimate


@dataclass(frozen=True, slots=True)
class Glyphs:
    """What a terminal can show: marks of the outcomes, and the strokes of the bar."""

    unicode: bool
    marks: dict[Outcome, str]
    band: str
    wide: str
    narrow: str
    zero: str
    margin: str
    left: str
    right: str

    @classmethod
    def for_encoding(cls, encoding: str) -> Self:
        """Box-drawing strokes where the encoding is Unicode, plain ASCII elsewhere."""
        if encoding.lower().replace("-", "").replace("_", "").startswith("utf"):
            marks: dict[Outcome, str] = {"supported": "●", "refuted": "■", "null": "◇", "inconclusive": "○"}
            return cls(True, marks, "░", "─", "━", "│", "┊", "←", "→")
        marks = {"supported": "O", "refuted": "X", "null": "<>", "inconclusive": "?"}
        return cls(False, marks, ".", "-", "=", "|", ":", "<-", "->")


def estimate_bar(
    estimate: EffectEstimate,
    smallest: float | None,
    margin: float | None,
    outcome: Outcome,
    *,
    width: int,
    glyphs: Glyphs,
) -> tuple[str, str, str] | None:
    """(bar, low end, high end) in ``width`` columns; None when the effect is not finite.

    Light shade: effects smaller than d. Thin and thick strokes: wide and narrow interval.
    """
    if not math.isfinite(estimate.effect):
        return None
    wide = _finite(estimate.wide) or (estimate.effect, estimate.effect)
    d = smallest or 0.0
    low, high = min(wide[0], -1.3 * d, 0.0), max(wide[1], 1.3 * d, 0.0)
    pad = 0.04 * (high - low) or 1.0
    low, high = low - pad, high + pad

    def column(x: float) -> int:
        return min(max(round((x - low) / (high - low) * (width - 1)), 0), width - 1)

    cells = [" "] * width
    if smallest is not None:
        _fill(cells, column(-d), column(d), glyphs.band)
    cells[column(0.0)] = glyphs.zero
    if margin:
        cells[column(margin)] = glyphs.margin
    if estimate.wide is not None:
        _fill(cells, column(wide[0]), column(wide[1]), glyphs.wide)
    narrow = _finite(estimate.narrow)
    if narrow is not None:
        _fill(cells, column(narrow[0]), column(narrow[1]), glyphs.narrow)
    cells[column(estimate.effect)] = glyphs.marks[outcome][0]
    return "".join(cells), amount(low, estimate.scale), amount(high, estimate.scale)


def _fill(cells: list[str], first: int, last: int, glyph: str) -> None:
    cells[first : last + 1] = [glyph] * (last + 1 - first)


def _finite(pair: tuple[float, float] | None) -> tuple[float, float] | None:
    return pair if pair is not None and all(map(math.isfinite, pair)) else None
