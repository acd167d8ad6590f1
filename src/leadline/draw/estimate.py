"""The estimate plot: one row per hypothesis, on the axis of the signed effect.

Each row shows the band (-d, d) of effects too small to matter, the line of no effect, the registered
margin, the wide interval as a thin line, the narrow one as a thick line, and the point as the mark of
its outcome. Rows share one axis, so they can be compared; `layout` chooses widths for a desk or a phone.
A single row has the whole width to itself, with its numbers above its point.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from leadline.draw.mark import MARK_WORDS, Outcome, mark
from leadline.draw.scale import Factor, Linear, decimals_for, decimals_of, format_factor, format_number
from leadline.draw.svg import Element, Picture, el, group, line, number, rect, text
from leadline.draw.words import width_of, wrap
from leadline.errors import StatisticsError

Pair = tuple[float, float]


@dataclass(frozen=True, slots=True)
class EstimateRow:
    """One row: numbers in the effect's unit (natural logarithms when the plot's scale is ``log``).

    ``label`` is short, ``note`` a second line. ``wide`` or ``narrow`` None leaves that line out; with
    both None, ``missing`` is printed instead. ``smallest`` None draws no band, ``margin`` no line.
    ``outcome`` None (no decision was asked for) draws a plain filled point.
    """

    label: str
    effect: float
    wide: Pair | None
    narrow: Pair | None
    smallest: float | None = None
    margin: float | None = None
    outcome: Outcome | None = None
    word: str = ""
    note: str = ""
    missing: str = "no interval"


@dataclass(frozen=True, slots=True)
class EstimateAxis:
    """What the axis measures: its title with the unit, and what lies to either side of zero."""

    title: str
    left: str = ""
    right: str = ""
    scale: Literal["identity", "log"] = "identity"


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where things go, in user units."""

    width: float
    top: float
    plot: Pair
    numbers: float
    row: float
    strip: float
    label_room: float
    ticks: int
    style: Literal["beside", "above", "alone"]


_BESIDE = _Layout(860, 30, (262, 640), numbers=664, row=66, strip=33, label_room=240, ticks=6, style="beside")
_ABOVE = _Layout(360, 4, (6, 354), numbers=0, row=116, strip=72, label_room=352, ticks=4, style="above")
_ALONE = _Layout(860, 26, (6, 854), numbers=0, row=104, strip=66, label_room=240, ticks=8, style="alone")
#: How far band, margin and zero line reach above and below the point of a row.
_REACH = {"beside": (33.0, 33.0), "above": (22.0, 22.0), "alone": (66.0, 38.0)}


def estimate_plot(
    rows: Sequence[EstimateRow],
    axis: EstimateAxis,
    *,
    title: str,
    layout: Literal["wide", "compact"] = "wide",
) -> Picture:
    """Draw ``rows`` on one axis.

    Raises StatisticsError when there is no row, or a number is not finite.
    """
    if not rows:
        raise StatisticsError("an estimate plot needs at least one row", remedy="draw nothing instead")
    place = _ABOVE if layout == "compact" else _ALONE if len(rows) == 1 else _BESIDE
    low, high = domain_of(rows)
    scale = (Factor if axis.scale == "log" else Linear)(low, high, *place.plot)
    foot = place.top + place.row * len(rows)
    body: list[Element] = [_ticks(scale, place, foot)]
    alone = layout == "compact" or len({row.smallest for row in rows}) > 1
    for i, row in enumerate(rows):
        under = _under(row, axis, alone)
        body.append(_row(row, scale, place, place.top + i * place.row, (numbers_of(row, axis.scale), under)))
    body.append(_zero(rows, scale, place, foot))
    for i, row in enumerate(rows):
        body.append(drawn(row, scale, place.top + i * place.row + place.strip))
    if layout == "wide":
        body.append(_band_label(rows, scale, place, axis))
    body.append(_axis_words(axis, place, foot))
    height = foot + (64 if axis.left or axis.right else 46)
    return Picture(place.width, height, title, describe(rows, axis), tuple(body))


def describe(rows: Sequence[EstimateRow], axis: EstimateAxis) -> str:
    """The plot in words, for people who cannot see it."""
    sentences = [f"Axis: {axis.title}."]
    for row in rows:
        said = f"{row.label}: {numbers_of(row, axis.scale)}"
        if row.smallest is not None:
            said += f", smallest effect of interest {amount(row.smallest, axis.scale)}"
        if row.outcome is not None:
            said += f", {row.word or row.outcome} ({MARK_WORDS[row.outcome]})"
        sentences.append(said + ".")
    return " ".join(sentences)


def numbers_of(row: EstimateRow, scale: Literal["identity", "log"] = "identity") -> str:
    """The row's estimate and wide interval as text, with the digits that its width leaves room for."""
    if row.wide is None:
        point = amount(row.effect, scale, sign=True)
        return f"{point}, {row.missing}"
    if scale == "log":
        low, high = (format_factor(end).removeprefix("×") for end in row.wide)
        return f"{format_factor(row.effect)} [{low}, {high}]"
    decimals = decimals_of(*row.wide)
    shown = [format_number(x, decimals, sign=True) for x in (row.effect, *row.wide)]
    return f"{shown[0]} [{shown[1]}, {shown[2]}]"


def amount(x: float, scale: Literal["identity", "log"] = "identity", *, sign: bool = False) -> str:
    """One number on the effect's scale: a factor for logarithms, else up to four significant digits."""
    if scale == "log":
        return format_factor(x)
    decimals = decimals_for(x, 3)
    shown = format_number(x, decimals, sign=sign)
    return shown.rstrip("0").rstrip(".") if "." in shown and "e" not in shown else shown


def _require_finite(row: EstimateRow) -> None:
    numbers = [row.effect, *(row.wide or ()), *(row.narrow or ()), row.smallest or 0.0, row.margin or 0.0]
    if not all(math.isfinite(x) for x in numbers):
        raise StatisticsError(
            f"row {row.label!r} holds a number that is not finite",
            remedy="leave the interval out and say why",
        )


def domain_of(rows: Sequence[EstimateRow]) -> Pair:
    """Ends of the axis: everything that matters, but no interval may squeeze the rest to nothing.

    Raises StatisticsError when a number is not finite.
    """
    for row in rows:
        _require_finite(row)
    core = [x for row in rows for x in (row.effect, *(row.narrow or ()), row.margin or 0.0, 0.0)]
    core += [side * (row.smallest or 0.0) * 1.35 for row in rows for side in (-1, 1)]
    low, high = min(core), max(core)
    room = (high - low) or 1.0
    ends = [x for row in rows for x in (row.wide or ())]
    low = max(min([low, *ends]), low - 1.5 * room)
    high = min(max([high, *ends]), high + 1.5 * room)
    pad = 0.06 * (high - low or 1.0)
    return low - pad, high + pad


def _ticks(scale: Linear | Factor, place: _Layout, foot: float) -> Element:
    left, right = place.plot
    parts = [line(left, foot, right, foot, "ll-axis")]
    for tick in scale.ticks(place.ticks):
        x = scale(tick.value)
        parts.append(line(x, foot, x, foot + 5, "ll-axis"))
        parts.append(text(x, foot + 20, tick.label, "ll-soft ll-small", "middle"))
    return group(*parts)


def _row(
    row: EstimateRow, scale: Linear | Factor, place: _Layout, top: float, said: tuple[str, str]
) -> Element:
    """Band, margin, label and numbers: all that lies under the estimate."""
    parts: list[Element] = []
    middle = top + place.strip
    above, below = _REACH[place.style]
    if row.smallest is not None:
        x1, x2 = scale(-row.smallest), scale(row.smallest)
        parts.append(rect(x1, middle - above, x2 - x1, above + below, "ll-band"))
        parts += [line(x, middle - above, x, middle + below, "ll-edge") for x in (x1, x2)]
    if row.margin:
        x = scale(row.margin)
        reach = 20 if place.style != "alone" else below
        parts.append(line(x, middle - reach, x, middle + reach, "ll-margin"))
    match place.style:
        case "beside":
            parts += _wide_label(row, place, middle, said)
        case "above":
            parts += _compact_label(row, place, top, said)
        case "alone":
            parts += _lone_label(row, scale, place, middle, said[0])
    return group(*parts)


def _under(row: EstimateRow, axis: EstimateAxis, alone: bool) -> str:
    """The outcome's word, and d where the band's own label cannot say it."""
    d = f"d = {amount(row.smallest, axis.scale)}" if alone and row.smallest is not None else ""
    return ", ".join(filter(None, (row.word, d)))


def _wide_label(row: EstimateRow, place: _Layout, middle: float, said: tuple[str, str]) -> list[Element]:
    lines = wrap(row.label, place.label_room, 13, 1 if row.note else 2)
    notes = wrap(row.note, place.label_room, 11.5, 2) if row.note else ()
    total = 17.0 * len(lines) + 15.0 * len(notes)
    y = middle - total / 2 + 13
    parts: list[Element] = []
    for words in lines:
        parts.append(text(0, y, words, "ll-strong"))
        y += 17
    for words in notes:
        parts.append(text(0, y - 1, words, "ll-soft ll-small"))
        y += 15
    numbers, under = said
    parts.append(text(place.numbers, middle - (2 if under else -4), numbers, ""))
    if under:
        parts.append(text(place.numbers, middle + 16, under, "ll-soft ll-small"))
    return parts


def _compact_label(row: EstimateRow, place: _Layout, top: float, said: tuple[str, str]) -> list[Element]:
    return [
        text(
            place.numbers,
            top + 14,
            wrap(row.label, place.label_room, 13, 1)[0] if row.label else "",
            "ll-strong",
        ),
        text(place.numbers, top + 32, " · ".join(filter(None, said)), "ll-soft ll-small"),
    ]


def _lone_label(
    row: EstimateRow, scale: Linear | Factor, place: _Layout, middle: float, numbers: str
) -> list[Element]:
    """The numbers above the point and inside the picture; the margin by its name below."""
    half = width_of(numbers, 15) / 2
    left, right = place.plot
    x = min(max(scale(row.effect), left + half), right - half)
    parts = [text(x, middle - 20, numbers, "ll-strong ll-large", "middle")]
    if row.margin:
        late = scale(row.margin) > (left + right) / 2
        at = scale(row.margin) + (-6 if late else 6)
        parts.append(text(at, middle + 34, "margin", "ll-soft ll-small ll-halo", "end" if late else "start"))
    return parts


def drawn(row: EstimateRow, scale: Linear | Factor, y: float, radius: float = 7.0) -> Element:
    """The intervals of a row as lines at height `y`, and its point as the mark of its outcome."""
    parts: list[Element] = []
    if row.wide is not None:
        parts.append(line(scale(row.wide[0]), y, scale(row.wide[1]), y, "ll-wide"))
        parts += _ends(row.wide, scale, y)
    if row.narrow is not None:
        parts.append(line(scale(row.narrow[0]), y, scale(row.narrow[1]), y, "ll-narrow"))
    x = scale(row.effect)
    if row.outcome is None:
        parts.append(el("circle", class_="ll-full", cx=x, cy=y, r=radius - 1))
    else:
        parts.append(mark(row.outcome, x, y, radius))
    return group(*parts)


def _ends(wide: Pair, scale: Linear | Factor, y: float) -> list[Element]:
    """A tick at an end that is on the axis, an arrowhead at one that is beyond it."""
    parts: list[Element] = []
    for end, side in ((wide[0], -1), (wide[1], 1)):
        x = scale(end)
        if scale.low <= end <= scale.high:
            parts.append(line(x, y - 4, x, y + 4, "ll-wide"))
        else:
            corners = f"{number(x - side * 8)},{number(y - 5)} {number(x)},{number(y)} {number(x - side * 8)},{number(y + 5)}"
            parts.append(el("polygon", class_="ll-full", points=corners))
    return parts


def _zero(rows: Sequence[EstimateRow], scale: Linear | Factor, place: _Layout, foot: float) -> Element:
    x = scale(0.0)
    if place.style != "above":
        return line(x, place.top, x, foot, "ll-zero")
    starts = [place.top + i * place.row for i in range(len(rows))]
    return group(*(line(x, top + place.strip - 26, x, top + place.strip + 26, "ll-zero") for top in starts))


def _band_label(
    rows: Sequence[EstimateRow], scale: Linear | Factor, place: _Layout, axis: EstimateAxis
) -> Element:
    """What the shaded band means; the number only where all rows share it."""
    sizes = {row.smallest for row in rows if row.smallest is not None}
    if not sizes:
        return group()
    words = f"smaller than {amount(next(iter(sizes)), axis.scale)}" if len(sizes) == 1 else "smaller than d"
    half = 3.4 * len(words)
    x = min(max(scale(0.0), place.plot[0] + half), place.plot[1] - half)
    return text(x, place.top - 12, words, "ll-soft ll-small", "middle")


def _axis_words(axis: EstimateAxis, place: _Layout, foot: float) -> Element:
    left, right = place.plot
    parts = [
        text((left + right) / 2, foot + 38, wrap(axis.title, right - left, 11.5, 1)[0], "ll-small", "middle")
    ]
    room = (right - left) / 2 - 8
    if axis.left:
        parts.append(text(left, foot + 57, wrap(f"← {axis.left}", room, 11.5, 1)[0], "ll-soft ll-small"))
    if axis.right:
        parts.append(
            text(right, foot + 57, wrap(f"{axis.right} →", room, 11.5, 1)[0], "ll-soft ll-small", "end")
        )
    return group(*parts)
