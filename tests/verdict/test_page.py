"""Report pages: self-contained, honest in words, safe with strangers' text."""

import base64
import hashlib
import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest

from leadline.draw.estimate import EstimateRow, numbers_of
from leadline.verdict import promises, words
from leadline.verdict.model import Check
from leadline.verdict.page import comparison_page, notebook_frame, report_page
from leadline.verdict.view import IN_THE_OPEN
from leadline.verdict.words import HEADLINED
from verdict import sample_reports

VOID = {"meta", "br", "link", "img", "input", "hr"}


class Page(HTMLParser):
    """Collects tags, attributes and text, and checks that elements close in order."""

    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._open: list[str] = []
        self._style = False
        self.feed(source)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Remember the tag and that it must close."""
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Remember a tag that closes itself."""
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        """Elements close in the order they opened."""
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Collect what a reader sees."""
        if self._open and self._open[-1] != "style":
            self.text += " " + data

    @property
    def words(self) -> str:
        """The visible text on one line."""
        return " ".join(self.text.split())


def pages() -> dict[str, str]:
    """Every sample page."""
    reports = {f"report {name}": report_page(one) for name, one in sample_reports.every().items()}
    return reports | {
        f"comparison {name}": comparison_page(one) for name, one in sample_reports.comparisons().items()
    }


@pytest.mark.parametrize("name", pages())
def test_pages_are_whole_and_fetch_nothing(name: str) -> None:
    """No script, no handler, no inline style, nothing loaded, and every element closes."""
    page = Page(pages()[name])
    tags = {tag for tag, _ in page.tags}
    assert not tags & {"script", "link", "img", "iframe", "object", "embed", "form", "base", "video", "audio"}
    for tag, attributes in page.tags:
        assert not [
            key for key in attributes if key.startswith("on") or key in {"style", "src", "srcset", "action"}
        ]
        if "href" in attributes:
            assert tag == "a"
            assert (attributes["href"] or "").startswith("#")


@pytest.mark.parametrize("name", pages())
def test_the_policy_allows_this_stylesheet_and_nothing_else(name: str) -> None:
    """The policy names the stylesheet by digest; the stylesheet itself refers to nothing outside."""
    source = pages()[name]
    page = Page(source)
    policy = next(
        a["content"]
        for tag, a in page.tags
        if tag == "meta" and a.get("http-equiv") == "Content-Security-Policy"
    )
    style = re.findall(r"<style>(.*?)</style>", source, re.DOTALL)
    assert len(style) == 1
    digest = base64.b64encode(hashlib.sha256(style[0].encode()).digest()).decode()
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    assert "url(" not in style[0]
    assert "@import" not in style[0]


@pytest.mark.parametrize("name", [name for name in pages() if "hostile" in name])
def test_what_strangers_wrote_stays_text(name: str) -> None:
    """Markup is shown as text; characters that reorder or control are replaced by a visible mark."""
    source = pages()[name]
    assert "<script" not in source
    assert "\u202e" not in source
    assert "\x1b" not in source
    assert '<script>alert("x")</script>&\ufffd\ufffd[31m' in Page(source).words


@pytest.mark.parametrize("name", pages())
def test_pages_work_in_both_themes_on_a_phone_and_on_paper(name: str) -> None:
    """Theme, width and print are handled by the one stylesheet, and the viewport is declared."""
    source = pages()[name]
    for query in ("prefers-color-scheme:dark", "max-width:40rem", "@media print"):
        assert query in source
    assert 'content="width=device-width, initial-scale=1"' in source


@pytest.mark.parametrize("name", pages())
def test_ids_are_unique_and_pictures_are_labelled(name: str) -> None:
    """Every reference from a picture to its title and description finds exactly one target."""
    page = Page(pages()[name])
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    for tag, attributes in page.tags:
        if tag == "svg" and attributes.get("role") == "img":
            assert set((attributes["aria-labelledby"] or "").split()) <= set(ids)


@pytest.mark.parametrize("name", pages())
def test_no_page_claims_that_there_is_no_effect(name: str) -> None:
    """A null reads "smaller than d"; the words "no effect" never appear."""
    assert "no effect" not in Page(pages()[name]).words.lower()


def test_the_order_of_a_paper() -> None:
    """Title, claim, verdict word, picture, promises, who left: in this order."""
    words = Page(report_page(sample_reports.report())).words
    report = sample_reports.report()
    places = [
        words.index(piece, len(report.protocol.title))
        for piece in (
            report.protocol.title,
            report.protocol.hypotheses[0].claim,
            "Supported",
            "difference in caught",
            "What was promised, and what was done",
            "Who left, and why",
            "Could it have found an effect?",
            "Check it yourself",
        )
    ]
    assert places == sorted(places)


def test_every_part_of_the_report_is_on_the_page() -> None:
    """Estimates, checks, samples that left, controls, alternatives, forecasts, runs, digests, command."""
    report = sample_reports.exploratory()
    words = Page(report_page(report, certificate="CERTIFICATE TEXT")).words
    assert report.registration is not None
    for piece in (
        "0.127 [0.075, 0.179]",
        "396 items in 41 clusters",
        "generate.temperature",
        "runs that nobody reported are not excluded",
        "repo-11/f2#1",
        "repo-8/f1#1",
        "planted",
        "refusals-count",
        "a refusal is a miss",
        "probe-agent",
        "Weak monitors are limited by working memory more than by knowledge. Contradicted.",
        "Attempt 1",
        report.logs[0].sha256,
        report.registration.leaf_hash.hex(),
        report.protocol.digest,
        f"leadline verify ./{report.registration.study}",
        "CERTIFICATE TEXT",
        "leadline 0.1.0",
        "scratchpad raises caught compared with plain",
    ):
        assert piece in words, piece


def test_deviations_come_first_and_kept_promises_are_folded() -> None:
    """Readers see what was broken without opening anything; what was kept is one click away."""
    source = report_page(sample_reports.exploratory())
    section = source[source.index('id="promised"') : source.index('id="others"')]
    assert (
        section.index("generate.temperature")
        < section.index("attempts.accounted")
        < section.index("<details>")
    )
    assert section.index("<details>") < section.index("model.id")


def test_very_many_deviations_begin_in_the_open() -> None:
    """A dozen is seen without a click, the others are one click away, and none is lost."""
    broken = tuple(
        Check("attempts.accounted", "deviation", f"attempt {n} closed", "still open") for n in range(40)
    )
    source = report_page(sample_reports.report(standing="exploratory", conformance=broken))
    section = source[source.index('id="promised"') : source.index('id="others"')]
    opened, folded = section.split("<details>", 1)
    assert opened.count("still open") == IN_THE_OPEN
    assert folded.count("still open") == 40 - IN_THE_OPEN and "28 more deviations" in folded
    assert "<b>40</b>deviations" in opened


def test_what_is_folded_is_counted_in_promises_not_in_rows() -> None:
    """Arms that read the same share a row, and the words beside the fold count what stands in it."""
    broken = tuple(
        Check(f"task.args.x{n}", "deviation", "1", "2", arm=f"arm {arm}", log="a")
        for n in range(14)
        for arm in "abc"
    )
    source = report_page(sample_reports.report(standing="exploratory", conformance=broken))
    assert "<b>42</b>deviations" in source and "6 more deviations" in source


def test_what_is_cut_is_said_and_nothing_is_said_to_be_cut_that_is_not() -> None:
    """500 kept promises of one kind are one row; 500 deviations of as many kinds are the first 400 rows."""
    kept = tuple(Check("model.id", "pass", "m", "m", arm=f"arm {n}", log="a") for n in range(500))
    source = report_page(sample_reports.report(conformance=kept))
    assert "500 promises kept" in source and "the first 400" not in source
    broken = tuple(Check(f"task.args.x{n}", "deviation", "1", "2") for n in range(500))
    source = report_page(sample_reports.report(standing="exploratory", conformance=broken))
    assert "488 more deviations" in source and "the JSON holds all" in source


def test_announced_runs_stand_in_order_of_their_numbers() -> None:
    """The JSON sorts them as text, 10 before 2; a page counts as people do."""
    checks = [
        Check("attempts.accounted", "deviation", f"attempt {n} closed", "still open") for n in (1, 10, 11, 2)
    ]
    others = [Check("model.id", "deviation", "m", "x")]
    report = sample_reports.report(standing="exploratory", conformance=(*others, *checks))
    assert [one.first.promised for one in promises.lines(report.checks("deviation"))] == [
        *(f"attempt {n} closed" for n in (1, 2, 10, 11)),
        "m",
    ]
    endless = Check("attempts.accounted", "deviation", "attempt " + "9" * 5_000, "still open")
    report = sample_reports.report(standing="exploratory", conformance=(endless, *checks))
    assert promises.lines(report.checks("deviation"))[-1].first == endless


@pytest.mark.parametrize(
    ("value", "low", "high", "said"),
    [
        (0.1272, 0.0749, 0.1793, "0.127 [0.075, 0.179]"),
        (0.25, 0.004, 0.61, "0.250 [0.004, 0.610]"),
        (-0.2, -0.4, -0.0001, "−0.2000 [−0.4000, −0.0001]"),
        (1234.4, 1111.0, 1357.0, "1234 [1111, 1357]"),
        (0.5, 0.5, 0.5, "0.500 [0.500, 0.500]"),
    ],
)
def test_an_interval_has_the_digits_its_width_leaves_room_for(
    value: float, low: float, high: float, said: str
) -> None:
    """As beside the picture; and an end that keeps away from 0 does not read as 0."""
    made = replace(sample_reports.estimate(0.1, 0.02), value=value, effect=value, wide=(low, high))
    made = replace(made, low=low, high=high)
    assert words.value_words(made) == said
    if low < high:
        row = EstimateRow("h", value, (low, high), None)
        assert numbers_of(row).replace("+", "") == said


@pytest.mark.parametrize("standing", ["confirmatory", "qualified", "exploratory", "retrospective"])
def test_only_a_registered_and_kept_promise_is_headlined(standing: Any) -> None:
    """With a deviation, or without registration, the standing is the headline and the outcome is not."""
    report = sample_reports.report(standing=standing, verdicts=sample_reports.verdicts(standing))
    source = report_page(report)
    first = re.search(r'<p class="word"><span class="outcome">(.*?)</p>', source, re.DOTALL)
    assert first is not None
    assert ("Supported" in first[1]) == (standing in HEADLINED)
    assert (standing.capitalize() in first[1]) == (standing not in HEADLINED)
    assert ("would have been entitled to say" in source) == (standing not in HEADLINED)


def test_a_null_that_excludes_zero_says_negligible() -> None:
    """A small effect that is surely there is called negligible, and smaller than d."""
    words = Page(report_page(sample_reports.report())).words
    assert "The effect is smaller than 0.08 in either direction." in words
    assert "negligible" in words


def test_an_estimate_without_an_interval_says_why() -> None:
    """Degenerate data leave a reason on the page instead of a line."""
    flat = sample_reports.estimate(
        0.0, 0.1, low=None, high=None, wide=None, narrow=None, se=None, reason="degenerate"
    )
    verdict = replace(
        sample_reports.report().verdicts["catches-more"],
        outcome="inconclusive",
        reason="degenerate",
        estimate=flat,
        detectable=None,
    )
    words = Page(
        report_page(
            sample_reports.report(
                verdicts={"catches-more": verdict}, robustness=(), forecasts=(), conceptual=()
            )
        )
    ).words
    assert "These data do not decide: the data hardly vary" in words
    assert "no interval: the data hardly vary" in words


def test_a_report_without_data_is_still_a_page() -> None:
    """Nothing to draw, nothing registered, no control: the page says each of these."""
    words = Page(report_page(sample_reports.bare())).words
    for piece in (
        "never registered",
        "no result is left to analyse",
        "No control was registered",
        "No attempt was opened",
    ):
        assert piece in words


def test_pages_are_the_same_every_time() -> None:
    """The page is a function of the report alone."""
    assert report_page(sample_reports.exploratory()) == report_page(sample_reports.exploratory())


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("supported", "They differ: A scores higher than B."),
        ("null", "The difference is smaller than 0.05 in either direction."),
        ("graded", "These logs do not decide: the interval reaches across"),
        ("empty", "These logs do not decide: no result is left to analyse."),
    ],
)
def test_comparisons_say_what_was_found(name: str, sentence: str) -> None:
    """The finding is one sentence, and the page says that it is not a confirmation."""
    words = Page(comparison_page(sample_reports.comparisons()[name])).words
    assert sentence in words
    assert "not registered" in words


def test_a_comparison_names_who_left_and_what_differs() -> None:
    """Reasons with counts, the samples themselves, and the settings that differ are on the page."""
    words = Page(comparison_page(sample_reports.comparison())).words
    for piece in (
        "B: no partner in the other log",
        "repo-17/f9#1",
        "task_args.scratchpad",
        "219 (55 %)",
        "396 in 41 clusters",
    ):
        assert piece in words


def test_a_notebook_frame_keeps_styles_in() -> None:
    """The frame is sandboxed, and its document cannot break out of the attribute."""
    frame = notebook_frame(report_page(sample_reports.hostile()))
    assert frame.startswith('<iframe sandbox srcdoc="&lt;!DOCTYPE html&gt;')
    assert frame.count("<") == 2


def test_the_page_names_a_registry_that_its_readers_can_reach() -> None:
    """The command that checks the report asks that registry."""
    source = report_page(sample_reports.report(), registry="--store https://registry.example.org")
    study = sample_reports.report().registration.study  # type: ignore[union-attr]
    assert (
        f"leadline export {study} --store https://registry.example.org &amp;&amp; leadline verify" in source
    )
