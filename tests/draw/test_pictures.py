"""Each kind of picture: what it shows, at which width, and what it refuses."""

import math
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from leadline.draw import (
    Agreement,
    DenominatorRow,
    EstimateAxis,
    EstimateRow,
    Picture,
    Reference,
    TruthRow,
    agreement,
    characteristics,
    curve,
    denominator_bars,
    dumbbell,
    estimate_plot,
    estimate_strip,
    mark_svg,
)
from leadline.draw.mark import MARK_WORDS
from leadline.draw.words import width_of
from leadline.errors import StatisticsError

GOLDEN = Path(__file__).parent / "golden"
SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = '</text><script>alert(1)</script>&"\u202e'

ROW = EstimateRow(
    "claim one",
    0.12,
    (0.02, 0.22),
    (0.04, 0.2),
    smallest=0.05,
    margin=0.02,
    outcome="supported",
    word="Supported",
)
AXIS = EstimateAxis("difference in accuracy: A minus B", "favours B", "favours A")


def plot(layout: Any = "wide", rows: Any = (ROW,), axis: EstimateAxis = AXIS) -> Picture:
    """An estimate plot."""
    return estimate_plot(rows, axis, title="Estimates", layout=layout)


PICTURES: dict[str, Callable[[Any, str], Picture]] = {
    "estimate": lambda layout, name: plot(
        layout, (replace(ROW, label=name, note=name), replace(ROW, outcome="null"))
    ),
    "alone": lambda layout, name: plot(layout, (replace(ROW, label=name, note=name),)),
    "denominator": lambda layout, name: denominator_bars(
        [DenominatorRow(name, 100, 90, ((name, 6), ("limit", 1)), 3)], title="Who left", layout=layout
    ),
    "agreement": lambda layout, name: agreement(
        Agreement(40, 20, 10, 30), name, "B", title="Pairs", layout=layout
    ),
    "dumbbell": lambda layout, name: dumbbell(0.62, 0.55, name, "B", title="Means", layout=layout),
    "curve": lambda layout, name: curve(
        [(0.0, 0.03), (0.05, 0.5), (0.1, 0.97)],
        x_title=name,
        y_title="chance",
        title="Power",
        description="Power rises.",
        references=[Reference(0.8, "80 %", "y"), Reference(0.05, name, "x")],
        layout=layout,
    ),
    "characteristics": lambda layout, name: characteristics(
        [TruthRow(name, {"supported": 0.8, "inconclusive": 0.15, "null": 0.04, "refuted": 0.01})],
        title="Operating characteristics",
        layout=layout,
    ),
}


@pytest.mark.parametrize("layout", ["wide", "compact"])
@pytest.mark.parametrize("kind", PICTURES)
def test_pictures_are_the_ones_recorded(kind: str, layout: str) -> None:
    """Equal inputs give equal bytes, now and after every change that was not meant."""
    drawn = PICTURES[kind](layout, "arm one").inline()
    assert drawn == (GOLDEN / f"{kind}-{layout}.svg").read_text(encoding="utf-8").rstrip("\n")


@pytest.mark.parametrize(("layout", "width"), [("wide", "860"), ("compact", "360")])
@pytest.mark.parametrize("kind", PICTURES)
def test_pictures_are_well_formed_fit_their_width_and_escape(kind: str, layout: str, width: str) -> None:
    """Hostile labels stay text, nothing lies outside the picture, nothing runs or is fetched."""
    picture = PICTURES[kind](layout, HOSTILE).inline()
    root = ET.fromstring(picture)
    assert root.attrib["viewBox"].startswith(f"0 0 {width} ")
    assert root.find(f"{SVG}title") is not None
    assert (root.findtext(f"{SVG}desc") or "").strip()
    assert not list(root.iter(f"{SVG}script"))
    assert all(
        not key.startswith("on") and key not in {"href", "style"} for one in root.iter() for key in one.attrib
    )
    high = float(root.attrib["viewBox"].split()[3])
    for one in root.iter():
        for key, most in (
            ("x", float(width)),
            ("x1", float(width)),
            ("x2", float(width)),
            ("cx", float(width)),
            ("y", high),
        ):
            assert 0 <= float(one.attrib.get(key, 0)) <= most


@pytest.mark.parametrize("outcome", MARK_WORDS)
def test_outcomes_differ_in_shape_not_only_in_colour(outcome: Any) -> None:
    """Every outcome has a mark of its own, also where colours cannot be told apart."""
    others = [mark_svg(other) for other in MARK_WORDS if other != outcome]
    assert mark_svg(outcome) not in others
    assert MARK_WORDS[outcome] in plot(rows=(replace(ROW, outcome=outcome),)).description


def test_the_band_is_as_wide_as_d_and_centred_on_zero() -> None:
    """The shaded band spans (-d, d) on the axis that the interval is drawn on."""
    root = ET.fromstring(plot().inline())
    band = next(one for one in root.iter(f"{SVG}rect") if one.attrib["class"] == "ll-band")
    zero = next(one for one in root.iter(f"{SVG}line") if one.attrib["class"] == "ll-zero")
    wide = next(one for one in root.iter(f"{SVG}line") if one.attrib["class"] == "ll-wide")
    left, extent = float(band.attrib["x"]), float(band.attrib["width"])
    per_unit = (float(wide.attrib["x2"]) - float(wide.attrib["x1"])) / 0.2
    assert float(zero.attrib["x1"]) == pytest.approx(left + extent / 2, abs=0.02)
    assert extent == pytest.approx(0.1 * per_unit, abs=0.05)


@pytest.mark.parametrize("effect", [-0.9, 0.0, 0.12, 40.0])
def test_the_numbers_of_a_lone_estimate_stay_inside_the_picture(effect: float) -> None:
    """They stand above the point, but never run over an edge."""
    drawn = ET.fromstring(plot(rows=(replace(ROW, effect=effect, wide=(effect, effect + 1)),)).inline())
    numbers = next(one for one in drawn.iter(f"{SVG}text") if "ll-large" in one.attrib["class"])
    half = width_of(numbers.text or "", 15) / 2
    assert half <= float(numbers.attrib["x"]) <= 860 - half


def test_a_strip_shows_what_the_plot_shows() -> None:
    """Band around zero, interval and mark; its numbers are said for whoever cannot see them."""
    root = ET.fromstring(estimate_strip(ROW, AXIS).inline())
    band = next(one for one in root.iter(f"{SVG}rect") if one.attrib["class"] == "ll-band")
    zero = next(one for one in root.iter(f"{SVG}line") if one.attrib["class"] == "ll-zero")
    half = float(band.attrib["width"]) / 2
    assert float(zero.attrib["x1"]) == pytest.approx(float(band.attrib["x"]) + half, abs=0.02)
    point = next(one for one in root.iter(f"{SVG}circle"))
    assert float(point.attrib["cx"]) > float(band.attrib["x"]) + 2 * half
    assert "+0.12 [+0.02, +0.22]" in (root.findtext(f"{SVG}desc") or "")
    assert not list(root.iter(f"{SVG}text"))


def test_an_interval_beyond_the_axis_ends_in_an_arrowhead() -> None:
    """One hopeless interval does not squeeze the others, and is seen to go on."""
    wild = replace(ROW, label="wild", wide=(-40.0, 40.0), narrow=(-0.3, 0.3))
    drawn = plot(rows=(ROW, wild)).inline()
    assert drawn.count('<polygon class="ll-full"') == 2
    assert "[−40, +40]" in drawn


def test_a_row_without_an_interval_says_why() -> None:
    """The reason stands where the interval would."""
    bare = replace(ROW, wide=None, narrow=None, missing="no interval: degenerate")
    drawn = plot(rows=(bare,)).inline()
    assert "no interval: degenerate" in drawn
    assert "ll-wide" not in drawn


def test_a_ratio_is_shown_as_a_factor() -> None:
    """Logarithms stay inside; people read factors."""
    row = replace(
        ROW,
        effect=math.log(2),
        wide=(math.log(1.5), math.log(2.5)),
        narrow=None,
        smallest=math.log(1.2),
        margin=None,
    )
    drawn = plot(rows=(row,), axis=replace(AXIS, scale="log")).inline()
    assert "×2 [1.5, 2.5]" in drawn
    assert "smaller than ×1.2" in drawn


finite = st.floats(-1e12, 1e12)


@given(
    effect=finite,
    ends=st.tuples(finite, finite).map(sorted),
    d=st.none() | st.floats(1e-9, 1e9),
    scale=st.sampled_from(["identity", "log"]),
)
@example(effect=0.0, ends=[0.0, 5e-324], d=None, scale="identity")
@example(effect=0.0, ends=[-2e-309, 3e-308], d=None, scale="log")
def test_any_finite_estimate_can_be_drawn(
    effect: float, ends: list[float], d: float | None, scale: Any
) -> None:
    """No finite number breaks the plot, however large, small or equal."""
    row = EstimateRow("x", effect, (ends[0], ends[1]), None, smallest=d)
    for layout in ("wide", "compact"):
        ET.fromstring(plot(layout, (row,), replace(AXIS, scale=scale)).inline())


@pytest.mark.parametrize(
    "draw",
    [
        lambda: plot(rows=()),
        lambda: plot(rows=(replace(ROW, effect=math.nan),)),
        lambda: estimate_strip(replace(ROW, effect=math.nan), AXIS),
        lambda: plot(rows=(replace(ROW, wide=(0.0, math.inf)),)),
        lambda: denominator_bars([], title="t"),
        lambda: denominator_bars([DenominatorRow("a", 3, -1)], title="t"),
        lambda: agreement(Agreement(0, 0, 0, 0), "a", "b", title="t"),
        lambda: agreement(Agreement(1, -1, 0, 0), "a", "b", title="t"),
        lambda: curve([(0, 1)], x_title="", y_title="", title="", description=""),
        lambda: curve([(0, 1), (1, math.nan)], x_title="", y_title="", title="", description=""),
        lambda: characteristics([], title="t"),
        lambda: characteristics([TruthRow("d", {"supported": 0.5})], title="t"),
    ],
)
def test_what_cannot_be_drawn_is_refused_with_a_remedy(draw: Callable[[], Picture]) -> None:
    """Inputs that make no sense raise, and say what to do."""
    with pytest.raises(StatisticsError) as caught:
        draw()
    assert caught.value.remedy()


def test_one_lost_sample_in_many_is_still_seen() -> None:
    """A segment that holds anything is at least three units wide, and the bar does not overflow."""
    drawn = denominator_bars([DenominatorRow("a", 100_000, 99_998, (("error", 1),), 1)], title="t").inline()
    bars = list(ET.fromstring(drawn).iter(f"{SVG}rect"))
    assert [round(float(one.attrib["width"])) for one in bars[1:]] == [3, 3]
    assert sum(float(one.attrib["width"]) for one in bars) == pytest.approx(858, abs=0.1)


def test_unequal_arms_share_one_scale() -> None:
    """An arm half as large is drawn half as long."""
    drawn = denominator_bars(
        [DenominatorRow("a", 200, 200), DenominatorRow("b", 100, 100)], title="t"
    ).inline()
    first, second = (float(one.attrib["width"]) for one in ET.fromstring(drawn).iter(f"{SVG}rect"))
    assert second == pytest.approx(first / 2, abs=0.1)
