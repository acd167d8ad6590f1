"""The drawing layer: escaping, numbers, determinism."""

import math
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.draw.svg import Picture, el, escape, number, text, visible
from leadline.errors import StatisticsError


@given(st.text())
def test_any_text_survives_as_well_formed_xml(content: str) -> None:
    """Whatever a stranger writes comes back as the same visible text and never as markup."""
    element = el("text", content, title=content)
    parsed = ET.fromstring(element.render())
    assert len(parsed) == 0
    # An XML reader normalises line ends (XML 1.0, section 2.11).
    assert (parsed.text or "") == visible(content).replace("\r\n", "\n").replace("\r", "\n")


def test_marks_that_reorder_text_are_made_visible() -> None:
    """A right-to-left override cannot make a title read backwards."""
    assert visible("abc\u202edef\x1b[31m") == "abc\ufffddef\ufffd[31m"


def test_escape_covers_markup_and_quotes() -> None:
    """All five characters with a meaning in markup are escaped."""
    assert escape("""<a b="c" d='e'>&""") == "&lt;a b=&quot;c&quot; d=&#39;e&#39;&gt;&amp;"


@pytest.mark.parametrize(
    ("x", "shown"), [(0.0, "0"), (-0.001, "0"), (1.0, "1"), (1.005, "1"), (-2.5, "-2.5"), (1 / 3, "0.33")]
)
def test_numbers_are_short_and_never_minus_zero(x: float, shown: str) -> None:
    """Coordinates have at most two decimals and no minus zero."""
    assert number(x) == shown


@pytest.mark.parametrize("x", [math.nan, math.inf, -math.inf])
def test_numbers_that_are_not_finite_are_refused(x: float) -> None:
    """A picture never swallows a NaN."""
    with pytest.raises(StatisticsError, match="not a finite number"):
        number(x)


def test_attribute_names_are_checked() -> None:
    """An attribute name cannot smuggle in markup."""
    with pytest.raises(ValueError, match="attribute name"):
        el("g", **{"onload=x ": "y"})


def test_pictures_differ_in_ids_and_are_labelled() -> None:
    """Title and description are linked by ids that depend on the content alone."""
    one = Picture(10, 10, "First", "Some words", (text(0, 5, "a", ""),))
    two = Picture(10, 10, "Second", "Some words", (text(0, 5, "a", ""),))
    first, second = ET.fromstring(one.inline()), ET.fromstring(two.inline())
    assert one.inline() == Picture(10, 10, "First", "Some words", (text(0, 5, "a", ""),)).inline()
    labels = first.attrib["aria-labelledby"].split()
    assert [first[0].attrib["id"], first[1].attrib["id"]] == labels
    assert first.attrib["aria-labelledby"] != second.attrib["aria-labelledby"]
    assert first.attrib["role"] == "img"


def test_a_standalone_picture_carries_both_themes_and_nothing_else() -> None:
    """A picture in a file needs no page: it holds its stylesheet, and nothing it would have to fetch."""
    whole = Picture(10, 10, "t", "d", ()).standalone()
    ET.fromstring(whole)
    assert "prefers-color-scheme:dark" in whole
    assert "url(" not in whole
    assert "<script" not in whole
    assert whole.count("http") == 1  # the SVG namespace
