"""What a report page shows, worked out before any template sees it: words, cells and figures.

Templates only place things. Whatever is user text stays a plain string until the template escapes it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from markupsafe import Markup

from leadline.draw import mark_svg
from leadline.draw.estimate import amount
from leadline.draw.scale import decimals_for, format_number
from leadline.protocol.blocks.claims import Hypothesis, Outcome
from leadline.verdict import promises, words
from leadline.verdict.model import Check, Denominator, EffectEstimate, Verdict
from leadline.verdict.plain import plain
from leadline.verdict.report import Report

#: Rows of one table on a page; the JSON holds all of them.
SHOWN = 400
#: Rows of what was broken that a page shows without a click.
IN_THE_OPEN = 12


@dataclass(frozen=True, slots=True)
class Cell:
    """A table cell that is more than text: a sign or a mark before it, code, a second line."""

    text: str
    sign: str = ""
    mark: Markup | None = None
    code: bool = False
    under: str = ""


Row = tuple[Cell | str | None, ...]


@dataclass(frozen=True, slots=True)
class VerdictView:
    """One hypothesis as the page tells it."""

    id: str
    claim: str
    mark: Markup
    outcome: str
    chips: tuple[str, ...]
    finding: str
    facts: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SampleGroup:
    """Samples listed under one heading."""

    title: str
    samples: str


SIGNS = {"pass": "✓", "deviation": "✕", "unknown": "?"}
ANSWERS = {"pass": "kept", "deviation": "deviation", "unknown": "unknown"}
CONTROL_SIGNS = {"passed": "✓", "failed": "✕", "unresolved": "?"}


def outcome_mark(outcome: Outcome) -> Markup:
    """The mark of an outcome, safe to place in a page."""
    return Markup(mark_svg(outcome))  # noqa: S704 (built by the drawing layer, which escapes)


def verdict_view(report: Report, hypothesis: Hypothesis, *, leads: bool = True) -> VerdictView:
    """What the page says of one hypothesis; only those that lead repeat the study's standing."""
    verdict = report.verdicts[hypothesis.id]
    unit = unit_of(report, hypothesis)
    chips = (
        *((verdict.standing,) if leads or verdict.standing not in words.HEADLINED else ()),
        *(("negligible",) if "negligible" in verdict.notes else ()),
    )
    return VerdictView(
        id=hypothesis.id,
        claim=hypothesis.claim,
        mark=outcome_mark(verdict.outcome),
        outcome=words.OUTCOMES[verdict.outcome],
        chips=chips,
        finding=words.finding(verdict, hypothesis, unit),
        facts=tuple(_facts(verdict, hypothesis, unit)),
        notes=tuple(words.note_words(note) for note in words.notes_of(verdict)),
    )


def unit_of(report: Report, hypothesis: Hypothesis) -> str:
    """Unit of the hypothesis' estimand; a ratio has none."""
    return (
        ""
        if hypothesis.estimand.type == "ratio"
        else report.protocol.measure(hypothesis.estimand.measure).unit
    )


def _facts(verdict: Verdict, hypothesis: Hypothesis, unit: str) -> Iterable[tuple[str, str]]:
    estimate = verdict.estimate
    if estimate is not None:
        label = (
            f"estimate [{words.percent(estimate.alpha)} interval]" if estimate.low is not None else "estimate"
        )
        yield label, words.value_words(estimate)
        yield "data", words.sample_words(estimate)
    yield (
        "registered as",
        words.registered_as(hypothesis, unit),
    )
    if verdict.outcome == "inconclusive" and verdict.n_needed is not None:
        yield (
            "items that would have decided",
            f"about {verdict.n_needed:,}".replace(",", "\N{NARROW NO-BREAK SPACE}"),
        )
    if verdict.detectable is not None and estimate is not None:
        yield "smallest effect findable", words.with_unit(amount(verdict.detectable, estimate.scale), unit)
    if verdict.takeaway:
        licensed = verdict.standing in words.HEADLINED
        yield "entitled to say" if licensed else "would have been entitled to say", verdict.takeaway


def estimate_rows(report: Report) -> tuple[Row, ...]:
    """The numbers behind the estimate plot."""
    rows: list[Row] = []
    for hypothesis in report.protocol.hypotheses:
        verdict = report.verdicts.get(hypothesis.id)
        if verdict is None:
            continue
        estimate = verdict.estimate
        rows.append(
            (
                Cell(hypothesis.id, under=hypothesis.role),
                Cell(words.OUTCOMES[verdict.outcome], mark=outcome_mark(verdict.outcome)),
                _number(estimate, "value"),
                _interval(estimate, "wide"),
                _interval(estimate, "narrow"),
                words.effect_size(hypothesis, hypothesis.smallest, unit_of(report, hypothesis)),
                None if estimate is None else f"{estimate.alpha:.4g}",
                None if estimate is None else words.sample_words(estimate),
                None
                if estimate is None
                else Cell(estimate.method, under=" ".join(map(words.note_words, estimate.warnings))),
            )
        )
    return tuple(rows)


def _number(estimate: EffectEstimate | None, which: Literal["value", "effect"]) -> str | None:
    if estimate is None:
        return None
    x = estimate.value if which == "value" else estimate.effect
    resolution = x if estimate.wide is None else (estimate.wide[1] - estimate.wide[0]) / 2
    return words.with_unit(format_number(x, decimals_for(resolution, 3)), estimate.unit)


def _interval(estimate: EffectEstimate | None, which: Literal["wide", "narrow"]) -> str | None:
    pair = None if estimate is None else getattr(estimate, which)
    if estimate is None or pair is None:
        return None
    decimals = decimals_for((pair[1] - pair[0]) / 2, 3)
    return f"[{format_number(pair[0], decimals, sign=True)}, {format_number(pair[1], decimals, sign=True)}]"


def check_rows(lines: Sequence[promises.Line]) -> tuple[Row, ...]:
    """Promises as rows: promise, answer, promised, found, where; at most `SHOWN`."""
    return tuple(
        (
            _promise(one.first.id),
            Cell(ANSWERS[one.first.answer], sign=SIGNS[one.first.answer]),
            promises.readable(one.first.promised),
            Cell(promises.readable(one.first.found), under=one.first.note),
            Cell(one.where, under=one.files),
        )
        for one in lines[:SHOWN]
    )


def hidden(lines: Sequence[promises.Line]) -> int:
    """How many promises stand behind the first rows, which share what reads the same."""
    return sum(one.count for one in lines[IN_THE_OPEN:])


def _promise(check_id: str) -> Cell:
    """A promise by its name, with its id beneath where that differs."""
    name = promises.name_of(check_id)
    return Cell(name, under="" if name == check_id else check_id)


def subject_rows(checks: Iterable[Check]) -> tuple[Row, ...]:
    """What was promised of each subject beside what came of it."""
    return tuple((one.title, one.promised, _came(one)) for one in promises.subjects(checks))


def _came(one: promises.Subject) -> Cell:
    """The gravest answer of a subject with its sign, and the others beneath."""
    found = (("deviation", one.deviations), ("unknown", one.unknown), ("pass", one.kept))
    counted = [(answer, _counted(answer, count)) for answer, count in found if count]
    (answer, first), *rest = counted
    return Cell(first, sign=SIGNS[answer], under=", ".join(words for _, words in rest))


def _counted(answer: str, count: int) -> str:
    if answer == "deviation":
        return f"{count} deviation{'' if count == 1 else 's'}"
    return f"{count} {ANSWERS[answer]}"


def denominator_rows(denominators: Iterable[Denominator]) -> tuple[Row, ...]:
    """Counts per arm and measure."""
    return tuple(
        (
            Cell(one.arm, under=one.measure),
            str(one.promised),
            str(one.read),
            str(one.kept),
            str(one.items),
            ", ".join(f"{item.count} {item.reason}" for item in one.left_out),
            str(one.missing.count) if one.missing else "0",
            str(one.unpromised.count) if one.unpromised else "0",
        )
        for one in denominators
    )


def stayed_words(denominators: Sequence[Denominator]) -> str:
    """How many results were kept where every promised one was; empty where anything was lost or added."""
    if any(one.kept != one.promised or one.left_out or one.unpromised for one in denominators):
        return ""
    arms = len({one.arm for one in denominators})
    each = {one.promised for one in denominators}
    if len(each) != 1:
        return f"every promised result of {arms} arms was read and kept."
    results = f"{each.pop():,}".replace(",", "\N{NARROW NO-BREAK SPACE}")
    where = "the one arm" if arms == 1 else "both arms" if arms == 2 else f"each of the {arms} arms"
    return f"all {results} promised results of {where} were read and kept."


def sample_groups(denominators: Iterable[Denominator]) -> tuple[SampleGroup, ...]:
    """Ids of the samples that left, per arm and reason."""
    groups: list[SampleGroup] = []
    for one in denominators:
        for left in (*one.left_out, *filter(None, (one.missing, one.unpromised))):
            if left.samples:
                more = left.count - len(left.samples)
                listed = ", ".join(left.samples) + (f" and {more} more" if more > 0 else "")
                groups.append(SampleGroup(f"{one.arm} · {one.measure}: {left.reason} ({left.count})", listed))
    return tuple(groups)


def control_rows(report: Report) -> tuple[Row, ...]:
    """Registered controls and how they came out."""
    return tuple(
        (
            Cell(
                one.name, under=f"{one.kind} control" if one.kind != "baseline" else "baseline to reproduce"
            ),
            Cell(one.outcome, sign=CONTROL_SIGNS[one.outcome], under=words.reason_words(one.reason)),
            one.required.replace("inf]", "∞)").replace("[-inf", "(−∞"),
            None if one.estimate is None else words.value_words(one.estimate),
        )
        for one in report.controls
    )


def robustness_rows(report: Report) -> tuple[Row, ...]:
    """Every hypothesis under every registered alternative specification."""
    why = {one.name: one.why for one in report.protocol.robustness}
    return tuple(
        (
            Cell(one.specification, under=why.get(one.specification, "")),
            one.hypothesis,
            Cell(
                words.OUTCOMES[one.outcome],
                mark=outcome_mark(one.outcome),
                under=words.reason_words(one.reason),
            ),
            None if one.estimate is None else words.value_words(one.estimate),
            "same" if one.outcome == report.verdicts[one.hypothesis].outcome else "differs",
        )
        for one in report.robustness
    )


def forecast_rows(report: Report) -> tuple[Row, ...]:
    """Forecasts and their scores."""
    hits = {True: "inside", False: "outside", None: None}
    return tuple(
        (
            one.by,
            one.hypothesis,
            f"{100 * one.probability:.3g} %",
            f"{one.log_score:.3f}",
            f"{one.brier:.3f}",
            hits[one.interval_hit],
        )
        for one in report.forecasts
    )


def attempt_rows(report: Report) -> tuple[Row, ...]:
    """Runs the registry was told of before they began."""
    return tuple(
        (
            Cell(f"Attempt {one.number}", under=one.note),
            one.status,
            one.opened.strftime("%Y-%m-%d %H:%M UTC"),
            str(one.opened_index),
            f"{len(one.logs)} log{'' if len(one.logs) == 1 else 's'}",
        )
        for one in report.attempts
    )


def sibling_rows(report: Report) -> tuple[Row, ...]:
    """Registrations by the same authors that look at the same, as they were when the report was computed."""
    return tuple(
        (
            Cell(one.study, code=True),
            one.state,
            str(one.index),
            ", ".join(one.weighs) or "none",
        )
        for one in report.elsewhere.siblings[:SHOWN]
    )


def log_rows(report: Report) -> tuple[Row, ...]:
    """Logs with digests."""
    return tuple(
        (
            Cell(one.name, under=one.note),
            one.arm or "no arm",
            Cell(one.model, under=one.task),
            str(one.results),
            None if one.attempt is None else str(one.attempt),
            Cell(one.sha256, code=True, under=_written(one.created)),
        )
        for one in report.logs[:SHOWN]
    )


def _written(created: str | None) -> str:
    """When a log says it was made, as a reader writes it."""
    return (created or "").replace("T", " ").replace("+00:00", " UTC")


def recomputed_rows(report: Report) -> tuple[Row, ...]:
    """Aggregates the logs claim, beside what their samples give."""
    answer = {True: ("✓", "agrees"), False: ("✕", "differs"), None: ("?", "cannot be recomputed")}
    return tuple(
        (
            Cell(f"{one.scorer} {one.metric}", under=one.log),
            Cell(answer[one.consistent][1], sign=answer[one.consistent][0], under=one.note),
            None if one.reported is None else f"{one.reported:.6g}",
            None if one.recomputed is None else f"{one.recomputed:.6g}",
            str(one.n),
        )
        for one in report.recomputed[:SHOWN]
    )


def conceptual_rows(report: Report) -> tuple[tuple[str, str, tuple[Row, ...]], ...]:
    """(claim, outcome, predicted observations) of each conceptual claim."""
    said = {"borne_out": "borne out", "contradicted": "contradicted", "open": "open"}
    return tuple(
        (
            one.claim,
            said[one.outcome],
            tuple((h, predicted, observed) for h, predicted, observed in one.observations),
        )
        for one in report.conceptual
    )


def reading_lines(reading: dict[str, object], limit: int = 40) -> tuple[tuple[str, str], ...]:
    """How the logs were read, as (what, in words): each log under its name, nested tables cut to one line."""
    lines: list[tuple[str, str]] = []
    for key in sorted(reading):
        value = plain(reading[key])
        if key == "logs" and isinstance(value, list) and all(isinstance(one, dict) for one in value):
            lines += [(str(one.get("log", key)), _said(_without(one, "log", "sha256"))) for one in value]
        elif value not in (None, "", [], {}):
            lines.append((key.replace("_", " "), _said(value)))
    return tuple(lines[:limit])


def _without(table: dict[str, Any], *names: str) -> dict[str, Any]:
    """A table without these fields and without empty ones, its names as words."""
    return {
        key.replace("_", " "): value
        for key, value in table.items()
        if key not in names and value not in (None, "", [], {})
    }


def _said(value: Any) -> str:
    text = promises.said(value)
    return text if len(text) <= 600 else f"{text[:600]}…"
