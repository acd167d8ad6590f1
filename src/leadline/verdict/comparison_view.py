"""What the page and the terminal say of a comparison of two logs."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from leadline.draw import Agreement, EstimateAxis, agreement, dumbbell, estimate_plot
from leadline.draw.estimate import amount
from leadline.draw.scale import decimals_for, format_number
from leadline.verdict import words
from leadline.verdict.pictures import Figure, estimate_row, power_curve
from leadline.verdict.precision import POWER
from leadline.verdict.sides import is_telling, rank
from leadline.verdict.view import Row, SampleGroup, outcome_mark

if TYPE_CHECKING:
    from leadline.verdict.comparison import Comparison, Side

_POWER = f"{100 * POWER:g}"


@dataclass(frozen=True, slots=True)
class ComparisonView:
    """A comparison as it is shown: sentences, rows and figures."""

    heading: "Heading"
    sides: tuple[tuple[str, "Side"], ...]
    mark: Markup
    outcome: str
    finding: str
    facts: tuple[tuple[str, str], ...]
    explained: tuple[str, ...]
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
    return ComparisonView(
        heading=heading(one),
        sides=(("A", one.a), ("B", one.b)),
        mark=outcome_mark(one.outcome),
        outcome=words.OUTCOMES[one.outcome],
        finding=comparison_finding(one),
        facts=comparison_facts(one),
        explained=explanations(one),
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


@dataclass(frozen=True, slots=True)
class Heading:
    """What is compared: two models, or one model under the setting that differs, and on what."""

    heads: tuple[str, ...]
    """The two models, or the one setting that leads."""
    subject: str
    """What the sides share, as `model on task`, `task` or `model`; empty when they share neither."""
    alike: bool
    """Whether both sides are one model on one task."""
    more: int = 0
    """Settings that differ and are not in the heads."""

    @property
    def title(self) -> str:
        """The heading as one line."""
        return ", ".join(filter(None, (" against ".join(self.heads), self.subject)))


def heading(one: "Comparison") -> Heading:
    """The heading of a comparison: models where they differ, else the difference that says most."""
    task = one.a.task if one.a.task == one.b.task else ""
    telling = [line for line in one.differences if is_telling(line.partition(":")[0])]
    if one.a.model != one.b.model:
        others = [line for line in telling if not line.startswith("model:")]
        return Heading((one.a.model, one.b.model), task, alike=False, more=len(others))
    subject = f"{one.a.model} on {task}" if task else one.a.model
    if not telling:
        return Heading(("two runs of one setup",), subject, alike=bool(task))
    first = min(telling, key=lambda line: rank(line.partition(":")[0]))
    return Heading((first,), subject, alike=bool(task), more=len(telling) - 1)


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
        if has:
            facts.append(("interval", words.method_words(one.estimate.method)))
    facts.append(
        (
            "paired samples",
            f"{one.pairs}" if one.clusters is None else f"{one.pairs} in {one.clusters} clusters",
        )
    )
    if one.smallest is not None:
        facts.append(("smallest difference of interest (d)", amount(one.smallest)))
    if one.detectable is not None:
        findable = "none" if _beyond_reach(one) else amount(one.detectable)
        facts.append((f"smallest difference findable ({_POWER} % power)", findable))
    return tuple(facts)


def _beyond_reach(one: "Comparison") -> bool:
    """Whether even the largest difference 0/1 scores can have would be missed too often."""
    return one.both is not None and one.detectable is not None and one.detectable >= 1


def explanations(one: "Comparison") -> tuple[str, ...]:
    """What d and the smallest difference findable mean, a sentence each."""
    sentences = []
    if one.smallest is not None:
        samples = f" ({amount(100 * one.smallest)} samples in 100)" if one.both is not None else ""
        sentences.append(
            f"d = {amount(one.smallest)}{samples}: a smaller difference counts as too small to matter."
        )
    if one.outcome == "null" and _wide_leaves_band(one):
        sentences.append(_why_null(one))
    if _beyond_reach(one):
        sentences.append("So few samples show no difference reliably, not even that between all and none.")
    elif one.detectable is not None:
        sentences.append(
            f"A true difference of {amount(one.detectable)} would show in {_POWER} of 100 comparisons as large"
            " and as noisy as this one; a smaller one would be missed more often."
        )
    return tuple(sentences)


def _wide_leaves_band(one: "Comparison") -> bool:
    """Whether the interval that is printed reaches past d, so that "null" beside it looks like a mistake."""
    if one.estimate is None or one.estimate.wide is None or one.smallest is None:
        return False
    return max(map(abs, one.estimate.wide)) >= one.smallest


def _why_null(one: "Comparison") -> str:
    assert one.estimate is not None, "asked only of what has an interval"
    assert one.estimate.narrow is not None, "nothing is null without it"
    places = max(decimals_for(end, 2) for end in one.estimate.narrow)
    low, high = (format_number(end, places) for end in one.estimate.narrow)
    narrow, wide = words.percent(2 * one.estimate.alpha), words.percent(one.estimate.alpha)
    return (
        f"Whether it is smaller than d is asked of the {narrow} interval, [{low}, {high}] (two one-sided tests);"
        f" whether there is a difference, of the {wide} one."
    )


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
