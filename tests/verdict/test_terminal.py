"""Reports on a terminal: any width, any encoding, no colour needed, no escape sequence let through."""

import io
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from leadline.verdict.bar import Glyphs, estimate_bar
from leadline.verdict.terminal import print_comparison, print_report
from verdict import sample_reports


def printed(thing: Any, width: int = 80, encoding: str = "utf-8", **options: Any) -> str:
    """What a console of that width and encoding receives."""
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    console = Console(file=stream, width=width, **options)
    (print_report if hasattr(thing, "verdicts") else print_comparison)(thing, console)
    stream.flush()
    return stream.buffer.getvalue().decode(encoding)  # type: ignore[attr-defined]


THINGS = {
    **sample_reports.every(),
    **{f"compare-{name}": one for name, one in sample_reports.comparisons().items()},
}


@pytest.mark.parametrize("width", [40, 80, 200])
@pytest.mark.parametrize("name", THINGS)
def test_no_line_is_wider_than_the_terminal(name: str, width: int) -> None:
    """Long words are folded, bars are scaled."""
    assert max(cell_len(line) for line in printed(THINGS[name], width).splitlines()) <= width


@pytest.mark.parametrize("options", [{}, {"force_terminal": True, "color_system": None}])
@pytest.mark.parametrize("name", THINGS)
def test_no_line_ends_in_blanks(name: str, options: dict[str, Any]) -> None:
    """What is piped into a file, or copied from a terminal, has no padding; the lines are otherwise the same."""
    lines = printed(THINGS[name], 60, **options).splitlines()
    plain = [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in lines]
    assert plain == [line.rstrip() for line in plain]
    assert plain == printed(THINGS[name], 60).splitlines()


@pytest.mark.parametrize("name", THINGS)
def test_a_terminal_without_unicode_gets_ascii(name: str) -> None:
    """Nothing fails to encode, and the words are all there."""
    text = printed(THINGS[name], encoding="ascii")
    assert text.isascii()
    assert "Check it yourself" in text or "Who left, and why" in text


@pytest.mark.parametrize("name", ["hostile", "compare-hostile"])
def test_strangers_cannot_drive_the_terminal(name: str) -> None:
    """Escape sequences and reordering marks are replaced; square brackets are not read as markup."""
    text = printed(THINGS[name], force_terminal=False)
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "[31m" in text


def test_markup_in_a_title_is_printed_as_it_is() -> None:
    """A title that looks like the console's own markup is text."""
    report = sample_reports.report(protocol=sample_reports.protocol(title="[bold red]not markup[/bold red]"))
    assert "[bold red]not markup[/bold red]" in printed(report)


def test_no_color_is_respected(monkeypatch: pytest.MonkeyPatch) -> None:
    """With NO_COLOR a terminal receives no colour code."""
    monkeypatch.setenv("NO_COLOR", "1")
    text = printed(sample_reports.report(), force_terminal=True, color_system="truecolor")
    assert "\x1b[3" not in text
    assert "\x1b[38" not in text


def test_the_outcome_is_a_word_beside_its_mark() -> None:
    """Every outcome is spelt out; an outcome that is not headlined says so."""
    text = printed(sample_reports.report())
    for line in (
        "● SUPPORTED  catches-more",
        "■ REFUTED  no-less-useful",
        "◇ NULL  long-files",
        "○ INCONCLUSIVE  order-effects",
    ):
        assert line in text
    assert "not headlined: exploratory" in printed(sample_reports.exploratory()).lower()


def test_broken_promises_and_losses_are_printed() -> None:
    """Deviations, unknowns, who left and the way to recompute are on the screen."""
    text = " ".join(printed(sample_reports.exploratory(), 100).split())
    for piece in (
        "Promises: 2 deviations, 1 unknown, 7 kept",
        "DEVIATION generate.temperature: promised 0, found 0.7",
        "3 error, 1 refusal",
        "leadline verify ./LL-7H2K-Q9",
        "The interval excludes zero: there is an effect, and it is negligible.",
    ):
        assert piece in text


def test_a_comparison_prints_what_the_door_promises() -> None:
    """Interval, word, who left and why, and what this n could have found."""
    text = " ".join(printed(sample_reports.comparison(), 100).split())
    for piece in (
        "● SUPPORTED",
        "A minus B [95 % interval] 0.127 [0.075, 0.179]",
        "2 A: error",
        "smallest difference findable (80 % power) 0.073",
        "both solved 219 · only A 74 · only B 24 · neither 79",
    ):
        assert piece in text


def test_the_bar_shows_band_zero_and_intervals_to_scale() -> None:
    """One line holds band, zero, thin and thick line and the mark, in their places."""
    drawn = estimate_bar(
        sample_reports.estimate(0.5, 0.25),
        0.25,
        None,
        "supported",
        width=41,
        glyphs=Glyphs.for_encoding("ascii"),
    )
    assert drawn is not None
    bar = drawn[0]
    assert len(bar) == 41
    assert re.fullmatch(r" +\.+\|\.+-+=+O=+-+ *", bar)
    band, left, right = bar.rindex("."), bar.index("-"), bar.rindex("-")
    assert left == band + 1  # the interval's lower end is d
    assert abs((right - bar.index("O")) - (bar.index("O") - left)) <= 1


@given(
    value=st.floats(-1e9, 1e9),
    half=st.floats(0, 1e9),
    d=st.none() | st.floats(1e-6, 1e9),
    width=st.integers(20, 120),
)
def test_any_estimate_has_a_bar_of_the_width_asked(
    value: float, half: float, d: float | None, width: int
) -> None:
    """Bars never overflow, whatever the numbers."""
    glyphs = Glyphs.for_encoding("utf-8")
    drawn = estimate_bar(sample_reports.estimate(value, half), d, None, "null", width=width, glyphs=glyphs)
    assert drawn is not None
    assert len(drawn[0]) == width
    assert drawn[0].count("◇") == 1


def test_an_effect_that_is_no_number_has_no_bar() -> None:
    """Nothing is drawn from a NaN."""
    broken = sample_reports.estimate(float("nan"), 0.1)
    assert (
        estimate_bar(broken, 0.1, None, "inconclusive", width=40, glyphs=Glyphs.for_encoding("utf-8")) is None
    )
