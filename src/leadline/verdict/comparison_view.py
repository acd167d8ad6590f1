"""What the page and the terminal say of a comparison of two logs."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from leadline.draw import Agreement, EstimateAxis, agreement, dumbbell, estimate_plot
from leadline.draw.estimate import amount
from leadline.draw.scale import decimals_for, format_number
from leadline.verdict import words
from leadline.verdict.pictures import Figure, estimate_row, power_curve
from leadline.verdict.view import Row, SampleGroup, outcome_mark

if TYPE_CHECKING:
    from leadline.verdict.comparison import Comparison, Side


@dataclass(frozen=True, slots=True)
class ComparisonView:
    """A comparison as it is shown: sentences, rows and figures."""

    title: str
    heads: tuple[str, str]
    sides: tuple[tuple[str, "Side"], ...]
    mark: Markup
    outcome: str
    finding: str
    facts: tuple[tuple[str, str], ...]
    same_items: str
    left_out: tuple[Row, ...]
    samples: tuple[SampleGroup, ...]
    differences: tuple[str, ...]
    notes: tuple[str, ...]
    estimate: Figure | None
    pairs: Figure | None
    power: Figure | None
    counted: bool
    """Whether `pairs` counts who solved what; otherwise it shows two means."""
    banded: bool
    """Whether a smallest difference of interest is shaded."""


def comparison_view(one: "Comparison") -> ComparisonView:
    """Work out everything that is shown of a comparison."""
    same_model = one.a.model == one.b.model
    heads = (one.a.name, one.b.name) if same_model else (one.a.model, one.b.model)
    return ComparisonView(
        title=f"{heads[0]} against {heads[1]}",
        heads=heads,
        sides=(("A", one.a), ("B", one.b)),
        mark=outcome_mark(one.outcome),
        outcome=words.OUTCOMES[one.outcome],
        finding=comparison_finding(one),
        facts=comparison_facts(one),
        same_items=SAME_ITEMS[one.same_items],
        left_out=tuple((item.reason, str(item.count)) for item in one.left_out),
        samples=tuple(_group(item.reason, item.count, item.samples) for item in one.left_out if item.samples),
        differences=one.differences,
        notes=tuple(words.note_words(note) for note in one.notes),
        estimate=_estimate_figure(one),
        pairs=_pairs_figure(one),
        power=_power_figure(one),
        counted=one.both is not None,
        banded=one.smallest is not None,
    )


SAME_ITEMS = {
    True: "Every shared sample has the same content in both logs.",
    False: "Some shared samples differ in content between the logs: the same id does not mean the same question.",
    None: "Whether shared samples have the same content could not be checked.",
}


def comparison_finding(one: "Comparison") -> str:
    """What the outcome says, in one sentence."""
    if one.outcome == "null" and one.smallest is not None:
        return f"The difference is smaller than {amount(one.smallest)} in either direction."
    if one.outcome == "inconclusive" or one.estimate is None:
        return f"These logs do not decide: {words.reason_words(one.reason) or 'no reason was recorded'}."
    higher, lower = ("A", "B") if one.estimate.effect > 0 else ("B", "A")
    return f"They differ: {higher} scores higher than {lower}."


def comparison_facts(one: "Comparison") -> tuple[tuple[str, str], ...]:
    """The numbers, as (label, value)."""
    facts: list[tuple[str, str]] = []
    if one.estimate is not None:
        has = one.estimate.wide is not None
        label = f"A minus B [{words.percent(one.estimate.alpha)} interval]" if has else "A minus B"
        facts.append((label, words.value_words(one.estimate)))
    facts.append(
        (
            "paired samples",
            f"{one.pairs}" if one.clusters is None else f"{one.pairs} in {one.clusters} clusters",
        )
    )
    if one.smallest is not None:
        facts.append(("smallest difference of interest", amount(one.smallest)))
    if one.detectable is not None:
        facts.append(("smallest difference findable", amount(one.detectable)))
    return tuple(facts)


def mean_words(side: "Side") -> str:
    """The side's mean, or a dash."""
    return "–" if side.mean is None else format_number(side.mean, decimals_for(side.mean, 3))


def _group(reason: str, count: int, samples: tuple[str, ...]) -> SampleGroup:
    more = count - len(samples)
    return SampleGroup(f"{reason} ({count})", ", ".join(samples) + (f" and {more} more" if more > 0 else ""))


def _estimate_figure(one: "Comparison") -> Figure | None:
    if one.estimate is None:
        return None
    row = estimate_row(
        "A minus B", one.estimate, one.outcome, one.smallest, note=f"{one.score}, {one.pairs} pairs"
    )
    axis = EstimateAxis(f"difference in {one.score}: A minus B", "B higher", "A higher")
    title = "The difference between the two logs"
    return Figure(
        estimate_plot([row], axis, title=title, layout="wide"),
        estimate_plot([row], axis, title=title, layout="compact"),
    )


def _pairs_figure(one: "Comparison") -> Figure | None:
    if one.both is not None and one.only_a is not None and one.only_b is not None and one.neither is not None:
        counts = Agreement(one.both, one.only_a, one.only_b, one.neither)
        if counts.total == 0:
            return None
        title = "Which samples each log solved"
        return Figure(
            agreement(counts, "A", "B", title=title, layout="wide"),
            agreement(counts, "A", "B", title=title, layout="compact"),
        )
    if one.a.mean is None or one.b.mean is None:
        return None
    title = "Means of the two logs"
    return Figure(
        dumbbell(one.a.mean, one.b.mean, "A", "B", title=title, layout="wide"),
        dumbbell(one.a.mean, one.b.mean, "A", "B", title=title, layout="compact"),
    )


def _power_figure(one: "Comparison") -> Figure | None:
    return (
        None
        if one.estimate is None
        else power_curve(one.estimate, one.smallest, 0.0, "true difference", "chance of showing a difference")
    )
