"""From verdicts to pictures: chooses what is drawn on which axis; `leadline.draw` draws it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from leadline.draw import (
    DenominatorRow,
    EstimateAxis,
    EstimateRow,
    Picture,
    Reference,
    curve,
    denominator_bars,
    estimate_plot,
    estimate_strip,
)
from leadline.draw.estimate import amount
from leadline.protocol.blocks.claims import Hypothesis, Outcome
from leadline.verdict.model import Denominator, EffectEstimate
from leadline.verdict.report import Report
from leadline.verdict.words import OUTCOMES, axis_words, direction_words, headline, reason_words

Layout = Literal["wide", "compact"]


@dataclass(frozen=True, slots=True)
class Figure:
    """One picture in the two layouts a page switches between."""

    wide: Picture
    compact: Picture


def estimate_figures(report: Report) -> tuple[Figure, ...]:
    """One figure per axis (scale, unit, measure): hypotheses that can be compared share it."""
    panels: dict[tuple[str, str, str, str], list[Hypothesis]] = {}
    for hypothesis in report.protocol.hypotheses:
        verdict = report.verdicts.get(hypothesis.id)
        if verdict is None or verdict.estimate is None or not math.isfinite(verdict.estimate.effect):
            continue
        shape = "one arm" if len(hypothesis.estimand.arms) == 1 else "two arms"
        key = (verdict.estimate.scale, verdict.estimate.unit, hypothesis.estimand.measure, shape)
        panels.setdefault(key, []).append(hypothesis)
    return tuple(_estimate_figure(report, members) for members in panels.values())


def denominator_figure(report: Report) -> Figure | None:
    """Promised beside kept, left out and missing, per arm and measure; None when nothing was counted."""
    if not report.denominators:
        return None
    several = len({one.measure for one in report.denominators}) > 1
    rows = [_denominator_row(one, several) for one in report.denominators]
    title = "Results promised, kept, left out and missing, per arm"
    wide, compact = (denominator_bars(rows, title=title, layout=layout) for layout in ("wide", "compact"))
    return Figure(wide, compact)


def power_figure(report: Report) -> Figure | None:
    """Chance that this sample would have supported the leading claim, against the true effect."""
    for hypothesis in headline(report):
        verdict = report.verdicts[hypothesis.id]
        if verdict.estimate is None or hypothesis.kind == "equivalent":
            continue
        smallest, margin = effect_bounds(hypothesis)
        bound = {"greater": margin, "at_least": smallest, "no_worse": -smallest}.get(hypothesis.kind, 0.0)
        unit = verdict.estimate.unit
        found = power_curve(verdict.estimate, smallest, bound, f"true effect{f' ({unit})' if unit else ''}")
        if found is not None:
            return found
    return None


def power_curve(
    estimate: EffectEstimate,
    smallest: float | None,
    bound: float,
    x_title: str,
    y_title: str = "chance of support",
) -> Figure | None:
    """Power of ``wide low > bound`` by the normal approximation at the standard error had; None without one."""
    from scipy.special import ndtr, ndtri

    from leadline.verdict.precision import POWER, detectable, standard_error

    se, found = standard_error(estimate), detectable(estimate)
    if se is None or found is None or not se > 0 or not math.isfinite(found):
        return None
    reach = max(1.5 * (found + max(bound, 0.0)), 1.25 * (smallest or 0.0))
    z = float(ndtri(1 - estimate.alpha / 2))
    grid = [reach * i / 60 for i in range(61)]
    points = [(x, float(ndtr((x - bound) / se - z))) for x in grid]
    references = [Reference(POWER, "80 %", "y")]
    if smallest is not None:
        references.append(
            Reference(smallest, f"smallest effect of interest {amount(smallest, estimate.scale)}", "x")
        )
    at = (
        f" At the smallest effect of interest it is {float(ndtr((smallest - bound) / se - z)):.0%}."
        if smallest
        else ""
    )
    description = (
        f"Power rises with the true effect and reaches 80 % at {amount(bound + found, estimate.scale)}.{at}"
    )
    if estimate.scale == "log":
        x_title += ", natural logarithm"

    def draw(layout: Layout) -> Picture:
        return curve(
            points,
            x_title=x_title,
            y_title=y_title,
            title="What this sample could have found",
            description=description,
            references=references,
            layout=layout,
        )

    return Figure(draw("wide"), draw("compact"))


def effect_bounds(hypothesis: Hypothesis) -> tuple[float, float]:
    """(d, m) on the effect's scale; see `leadline.verdict.estimate.smallest_and_margin`."""
    from leadline.verdict.estimate import smallest_and_margin

    return smallest_and_margin(hypothesis)


def estimate_row(
    label: str,
    estimate: EffectEstimate,
    outcome: Outcome,
    smallest: float | None,
    margin: float | None = None,
    note: str = "",
) -> EstimateRow:
    """A row of the estimate plot; intervals that are not finite are left out and their reason shown."""
    return EstimateRow(
        label=label,
        effect=estimate.effect,
        wide=finite(estimate.wide),
        narrow=finite(estimate.narrow),
        smallest=smallest,
        margin=margin or None,
        outcome=outcome,
        word=OUTCOMES[outcome],
        note=note,
        missing=f"no interval: {reason_words(estimate.reason)}" if estimate.reason else "no interval",
    )


def finite(pair: tuple[float, float] | None) -> tuple[float, float] | None:
    """The interval, or None when an end is not finite."""
    return pair if pair is not None and all(map(math.isfinite, pair)) else None


def _estimate_figure(report: Report, members: Sequence[Hypothesis]) -> Figure:
    rows = [_row_of(report, hypothesis) for hypothesis in members]
    axis = _axis(report, members)
    title = f"Estimates of {members[0].estimand.measure}"
    return Figure(
        estimate_plot(rows, axis, title=title, layout="wide"),
        estimate_plot(rows, axis, title=title, layout="compact"),
    )


def estimate_strip_of(report: Report, hypothesis: Hypothesis) -> Picture | None:
    """The estimate of one hypothesis as a line of a list; None where there is none to draw."""
    verdict = report.verdicts.get(hypothesis.id)
    if verdict is None or verdict.estimate is None or not math.isfinite(verdict.estimate.effect):
        return None
    return estimate_strip(_row_of(report, hypothesis), _axis(report, (hypothesis,)))


def _row_of(report: Report, hypothesis: Hypothesis) -> EstimateRow:
    verdict = report.verdicts[hypothesis.id]
    assert verdict.estimate is not None  # only hypotheses that have one are drawn
    smallest, margin = effect_bounds(hypothesis)
    return estimate_row(hypothesis.id, verdict.estimate, verdict.outcome, smallest, margin, hypothesis.claim)


def _axis(report: Report, members: Sequence[Hypothesis]) -> EstimateAxis:
    """Exact words where all rows agree on them, general ones where they do not."""
    first = report.verdicts[members[0].id].estimate
    assert first is not None  # estimate_figures keeps only hypotheses that have one
    measure = report.protocol.measure(members[0].estimand.measure)
    titles = {axis_words(h, first.unit) for h in members}
    sides = {direction_words(h, measure.direction) for h in members}
    unit = f" ({first.unit})" if first.unit else ""
    title = (
        titles.pop() if len(titles) == 1 else f"effect on {measure.name}{unit}, the prediction to the right"
    )
    left, right = sides.pop() if len(sides) == 1 else ("against the prediction", "as predicted")
    return EstimateAxis(title, left, right, first.scale)


def _denominator_row(one: Denominator, several: bool) -> DenominatorRow:
    left = tuple((item.reason, item.count) for item in one.left_out)
    label = f"{one.arm} · {one.measure}" if several else one.arm
    return DenominatorRow(label, one.promised, one.kept, left, one.missing.count if one.missing else 0)
