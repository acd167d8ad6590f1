"""Reports and comparisons on a terminal: words first, one bar per estimate, any width, no colour needed."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from leadline.draw.mark import Outcome
from leadline.draw.svg import visible
from leadline.verdict import words
from leadline.verdict.bar import Glyphs, estimate_bar
from leadline.verdict.model import Check, EffectEstimate
from leadline.verdict.pictures import effect_bounds
from leadline.verdict.report import Report

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from leadline.protocol.blocks.claims import Hypothesis
    from leadline.verdict.comparison import Comparison

_WIDEST = 100
#: Rows of one list; the page and the JSON hold the rest.
_SHOWN = 20


def print_report(report: Report, console: "Console", registry: str = "") -> None:
    """Print verdicts, broken promises, who left, controls and how to recompute.

    `registry` is the option that names the study's registry, as it is typed (``--store ADDRESS``).
    """
    out = _Writer(console)
    out.line(report.protocol.title, "bold")
    study = report.registration.study if report.registration else "never registered"
    out.line(f"{study} · {report.standing} · {words.STANDINGS[report.standing]}", "dim")
    headlined = report.standing in words.HEADLINED
    for hypothesis in report.protocol.hypotheses:
        if hypothesis.id in report.verdicts:
            _verdict(report, hypothesis, headlined, out)
    _promises(report, out)
    _siblings(report, out)
    _denominators(report, out)
    _controls(report, out)
    if report.forecasts:
        out.head("What was expected (scores: lower is better)")
        heads = ("by", "hypothesis", "chance given", "log", "Brier")
        rows = [
            (
                one.by,
                one.hypothesis,
                f"{100 * one.probability:.3g} %",
                f"{one.log_score:.3f}",
                f"{one.brier:.3f}",
            )
            for one in report.forecasts
        ]
        out.table(heads, rows)
    if known := words.foreknowledge(report.protocol):
        out.head("What had been seen before")
        out.line(known, indent=2)
    out.head("Check it yourself")
    for command in words.recompute_commands(report, registry):
        # An address is there to be copied, however long it is.
        (out.verbatim if registry else out.line)(command, indent=2)
    out.line(f"{report.engine} · protocol {report.protocol.digest}", "dim", indent=2)


def print_comparison(comparison: "Comparison", console: "Console") -> None:
    """Print the difference between two logs, who left, and what this many samples could have found."""
    from leadline.verdict.comparison_view import (
        SAME_ITEMS,
        comparison_facts,
        comparison_finding,
        explanations,
        heading,
        mean_words,
    )

    out = _Writer(console)
    out.line(heading(comparison).title, "bold")
    for name, side in (("A", comparison.a), ("B", comparison.b)):
        out.line(f"{name}  {side.name} · {side.model} · {side.task} · mean {mean_words(side)}, n {side.n}")
    out.gap()
    out.outcome(comparison.outcome, words.OUTCOMES[comparison.outcome])
    out.line(comparison_finding(comparison), indent=2)
    if comparison.estimate is not None:
        out.bar(comparison.estimate, comparison.smallest, None, comparison.outcome, ("B higher", "A higher"))
    out.facts(comparison_facts(comparison))
    if comparison.both is not None:
        out.facts(
            (
                ("both solved", str(comparison.both)),
                ("only A", str(comparison.only_a)),
                ("only B", str(comparison.only_b)),
                ("neither", str(comparison.neither)),
            )
        )
    for sentence in explanations(comparison):
        out.line(sentence, "dim", indent=2)
    out.head("Who left, and why")
    for item in comparison.left_out[:_SHOWN]:
        out.line(f"{item.count} {item.reason}", indent=2)
    if not comparison.left_out:
        out.line("nobody: every sample of both logs is in the comparison", indent=2)
    out.line(SAME_ITEMS[comparison.same_items], indent=2)
    if comparison.differences:
        out.head("What differs between the two (A | B)")
        out.listed(comparison.differences)
    if comparison.notes:
        out.head("Read it with this in mind")
        out.listed(words.note_words(note) for note in comparison.notes)


def _verdict(report: Report, hypothesis: "Hypothesis", headlined: bool, out: "_Writer") -> None:
    verdict = report.verdicts[hypothesis.id]
    measure = report.protocol.measure(hypothesis.estimand.measure)
    unit = "" if hypothesis.estimand.type == "ratio" else measure.unit
    out.gap()
    word = words.OUTCOMES[verdict.outcome]
    out.outcome(
        verdict.outcome, word if headlined else f"{word} (not headlined: {report.standing})", hypothesis.id
    )
    out.line(hypothesis.claim, indent=2)
    out.line(words.finding(verdict, hypothesis, unit), indent=2)
    estimate = verdict.estimate
    if estimate is not None:
        smallest, margin = effect_bounds(hypothesis)
        out.bar(
            estimate, smallest, margin, verdict.outcome, words.direction_words(hypothesis, measure.direction)
        )
        facts = [
            (f"estimate [{words.percent(estimate.alpha)}]", words.value_words(estimate)),
            ("data", words.sample_words(estimate)),
            ("d", words.effect_size(hypothesis, hypothesis.smallest, unit)),
        ]
        if verdict.outcome == "inconclusive" and verdict.n_needed is not None:
            facts.append(("would have decided", f"about {verdict.n_needed} items"))
        out.facts(facts)
    for note in words.notes_of(verdict):
        out.line(words.note_words(note), indent=2)
    if verdict.takeaway:
        out.line(
            f"{'entitled' if headlined else 'would have been entitled'} to say: {verdict.takeaway}", indent=2
        )


def _promises(report: Report, out: "_Writer") -> None:
    broken, unknown = report.checks("deviation"), report.checks("unknown")
    kept = len(report.checks("pass"))
    out.head(f"Promises: {_count(len(broken), 'deviation')}, {len(unknown)} unknown, {kept} kept")
    for check in (*broken, *unknown)[:_SHOWN]:
        out.line(_check(check), indent=2)
    more = len(broken) + len(unknown) - _SHOWN
    if more > 0:
        out.line(f"and {more} more on the report page", "dim", indent=2)


def _siblings(report: Report, out: "_Writer") -> None:
    siblings = report.elsewhere.siblings
    if not siblings:
        return
    out.head(f"Siblings by the same authors: {len(siblings)}")
    for name in sorted({name for one in siblings for name in one.weighs}):
        shared = report.elsewhere.divisor(name)
        out.line(f"{name} shares its error level with {shared - 1} of them", indent=2)


def _check(check: Check) -> str:
    where = " · ".join(filter(None, (check.arm, check.log)))
    note = f" ({check.note})" if check.note else ""
    answer = check.answer.upper() if check.answer == "deviation" else check.answer
    return f"{answer}  {check.id}: promised {words.short_digest(check.promised)}, found {words.short_digest(check.found)}{note}{f'  [{where}]' if where else ''}"


def _denominators(report: Report, out: "_Writer") -> None:
    if not report.denominators:
        return
    out.head("Who left, and why")
    rows = []
    for one in report.denominators:
        left = ", ".join(f"{item.count} {item.reason}" for item in one.left_out) or "nobody"
        missing = str(one.missing.count) if one.missing else "0"
        rows.append((one.arm, one.measure, f"{one.kept} of {one.promised}", missing, left))
    out.table(("arm", "measure", "kept", "missing", "left out"), rows)


def _controls(report: Report, out: "_Writer") -> None:
    out.head("Controls and other specifications")
    for control in report.controls:
        value = "" if control.estimate is None else f": {words.value_words(control.estimate)}"
        out.line(
            f"{control.outcome}  {control.kind} control {control.name}{value}; required {control.required}",
            indent=2,
        )
    if not report.controls:
        out.line(
            "no control was registered: nothing shows that the pipeline could have found an effect", indent=2
        )
    for one in report.robustness:
        value = "" if one.estimate is None else f": {words.value_words(one.estimate)}"
        why = f" ({words.reason_words(one.reason)})" if one.reason else ""
        out.line(
            f"{words.OUTCOMES[one.outcome].lower()}  {one.hypothesis} under {one.specification}{value}{why}",
            indent=2,
        )


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}{'' if n == 1 else 's'}"


class _Writer:
    """Writes cleaned text: nothing a stranger wrote can move the cursor, colour the line or be read as markup."""

    def __init__(self, console: "Console") -> None:
        self.console = console
        self.width = min(console.width, _WIDEST)
        self.glyphs = Glyphs.for_encoding(console.encoding)

    def line(self, content: str, style: str = "", indent: int = 0) -> None:
        self.raw(self._clean(content), style, indent)

    def raw(self, content: str, style: str = "", indent: int = 0) -> None:
        from rich.padding import Padding
        from rich.text import Text

        text = Text(content, style=style, overflow="fold")
        self._print(Padding(text, (0, 0, 0, indent)))

    def verbatim(self, content: str, indent: int = 0) -> None:
        """Something to be copied, never folded."""
        from rich.text import Text

        self.console.print(Text(" " * indent + self._clean(content)), soft_wrap=True)

    def gap(self) -> None:
        self.console.print()

    def head(self, content: str) -> None:
        self.gap()
        self.line(content, "bold")

    def outcome(self, outcome: Outcome, word: str, name: str = "") -> None:
        from rich.text import Text

        text = Text(f"{self.glyphs.marks[outcome]} ")
        text.append(self._clean(word.upper()), style="bold")
        if name:
            text.append(f"  {self._clean(name)}", style="dim")
        self._print(text)

    def listed(self, lines: Iterable[str]) -> None:
        for content in list(lines)[:_SHOWN]:
            self.line(f"- {content}", indent=2)

    def facts(self, pairs: Iterable[tuple[str, str]]) -> None:
        self.line(" · ".join(f"{label} {value}" for label, value in pairs), indent=2)

    def bar(
        self,
        estimate: EffectEstimate,
        smallest: float | None,
        margin: float | None,
        outcome: Outcome,
        sides: tuple[str, str],
    ) -> None:
        drawn = estimate_bar(
            estimate, smallest, margin, outcome, width=max(self.width - 4, 20), glyphs=self.glyphs
        )
        if drawn is None:
            return
        bar, low, high = drawn[0], self._clean(drawn[1]), self._clean(drawn[2])
        self.raw(bar.rstrip(), indent=2)
        ends = (
            f"{low} {self.glyphs.left} {self._clean(sides[0])}",
            f"{self._clean(sides[1])} {self.glyphs.right} {high}",
        )
        room = len(bar) - len(ends[0]) - len(ends[1])
        self.raw(ends[0] + " " * room + ends[1] if room > 0 else f"{low} to {high}", "dim", indent=2)

    def table(self, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        from rich import box
        from rich.table import Table
        from rich.text import Text

        plain = box.SIMPLE_HEAD if self.glyphs.unicode else box.ASCII2
        table = Table(box=plain, pad_edge=False, header_style="dim", show_edge=False)
        for head in heads:
            table.add_column(head, overflow="fold")
        for row in list(rows)[:_SHOWN]:
            table.add_row(*(Text(self._clean(cell)) for cell in row))
        self._print(table)

    def _print(self, content: "RenderableType") -> None:
        """Print without the blanks that fill lines up: in a pipe, or copied from a terminal, they are only in the way."""
        from rich.text import Text

        options = self.console.options.update(width=self.width)
        for segments in self.console.render_lines(content, options, pad=False):
            text = Text.assemble(*((one.text, one.style or "") for one in segments))
            text.rstrip()
            self.console.print(text, soft_wrap=True)

    def _clean(self, content: str) -> str:
        plain = " ".join(visible(content).split())
        if self.glyphs.unicode:
            return plain
        for fancy, simple in _ASCII.items():
            plain = plain.replace(fancy, simple)
        return plain.encode("ascii", "replace").decode("ascii")


_ASCII = {
    "·": "-",
    "×": "x",
    "−": "-",
    "\N{NO-BREAK SPACE}": " ",
    "\N{NARROW NO-BREAK SPACE}": " ",
    "…": "...",
    "–": "-",
}

__all__ = ["print_comparison", "print_report"]
