"""Shares of a whole: every part by its own fill, empty parts left out."""

from xml.etree import ElementTree as ET

import pytest

from leadline.draw.share import Share, share_bar, swatch
from leadline.errors import StatisticsError


def test_parts_fill_the_bar_in_proportion() -> None:
    """Widths add up to the whole and follow the counts."""
    picture = share_bar([Share("a", 3, "full"), Share("none", 0, "tint"), Share("b", 1, "hatch")], title="T")
    root = ET.fromstring(picture.inline())
    rects = list(root.iter("{http://www.w3.org/2000/svg}rect"))
    widths = [float(node.attrib["width"]) for node in rects]
    assert len(widths) == 2
    assert widths[0] == pytest.approx(3 * widths[1], abs=0.05)
    assert sum(widths) == pytest.approx(picture.width - 2, abs=0.05)


def test_the_description_says_what_the_picture_shows() -> None:
    """Counts stand in words, for whoever cannot see it."""
    picture = share_bar([Share("kept", 2, "full"), Share("<late>", 1, "hatch")], title="T")
    assert picture.description == "Of 3: kept 2, <late> 1."
    assert "<late>" not in picture.inline()


def test_a_whole_of_nothing_is_an_error() -> None:
    """There is nothing to draw."""
    with pytest.raises(StatisticsError):
        share_bar([Share("a", 0, "full")], title="T")


@pytest.mark.parametrize("fill", ["full", "tint", "open", "outline", "hatch", "dashed", "cross"])
def test_every_fill_has_a_swatch(fill: str) -> None:
    """A legend can show each fill as a small well-formed picture."""
    ET.fromstring(swatch(fill))  # type: ignore[arg-type]
