"""Rules about hypotheses, the gap to the target, takeaways and forecasts."""

from collections.abc import Iterator

from leadline.landscape import axes
from leadline.protocol.blocks.claims import Hypothesis
from leadline.protocol.expression import OUTCOME_COLUMNS
from leadline.protocol.expression import compile as compile_expression
from leadline.protocol.takeaway import OUTCOMES, allowed_level, exceeds, parse
from leadline.registry.check.model import Finding, Rule, View, finding

#: Outcome columns that say how a sample scored, not merely whether it ran.
_RESULTS = frozenset({"value", "value_json", "answer", "explanation", "score_metadata", "unscored_reason"})


def smallest_effects(view: View) -> Iterator[Finding]:
    """Every smallest effect has a reason, every `at_least` an expected effect."""
    for i, hypothesis in enumerate(view.plan.hypotheses):
        if not hypothesis.why_smallest.strip():
            yield finding(
                "H101",
                f"hypotheses[{i}].why_smallest",
                f"why {hypothesis.smallest:g} is the smallest effect of interest is not said",
                "say what would be done differently above it",
            )
        if hypothesis.kind == "at_least" and hypothesis.expected is None:
            yield finding(
                "H102",
                f"hypotheses[{i}].expected",
                f"a claim of at least {hypothesis.smallest:g} states no expected effect above it",
                "add `expected`, the effect at which power is computed",
            )


def corrections(view: View) -> Iterator[Finding]:
    """Claims of one family are corrected for their number."""
    families: dict[str, list[Hypothesis]] = {}
    for hypothesis in view.plan.hypotheses:
        families.setdefault(hypothesis.family, []).append(hypothesis)
    for name, members in families.items():
        tested = [h for h in members if h.role != "exploratory"]
        if len(tested) > 1 and view.plan.family(name).correction == "none":
            worst = 1 - (1 - max(h.level for h in tested)) ** len(tested)
            yield finding(
                "H103",
                "families",
                f"{len(tested)} hypotheses of the family {name!r} are uncorrected: up to {worst:.0%} chance of a false one",
                "use `correction: holm`, or call the others exploratory",
            )


def exclusions(view: View) -> Iterator[Finding]:
    """Samples are not dropped by how they came out."""
    sets = [("data_rules", view.plan.data_rules)]
    sets += [
        (f"robustness[{i}].change.data_rules", entry.change.data_rules)
        for i, entry in enumerate(view.plan.robustness)
        if entry.change.data_rules is not None
    ]
    for path, rules in sets:
        for i, exclusion in enumerate(rules.exclusions):
            used = sorted(set(compile_expression(exclusion.when).columns) & OUTCOME_COLUMNS & _RESULTS)
            if used:
                yield finding(
                    "H104",
                    f"{path}.exclusions[{i}].when",
                    f"{exclusion.id!r} drops samples by {', '.join(used)}",
                    "count them with a value instead of excluding them, or use what was known before the run",
                )


def gap(view: View) -> Iterator[Finding]:
    """Every axis of the gap is judged."""
    unknown = [axis.id for axis in axes() if getattr(view.plan.gap, axis.id).distance == "unknown"]
    if unknown:
        yield finding(
            "G101",
            "gap",
            f"the distance to the target is unknown on {len(unknown)} of {len(axes())} axes: {', '.join(unknown)}",
            "judge each as same, near or far, with a word of why",
        )


def takeaways(view: View) -> Iterator[Finding]:
    """No takeaway says more than the gap allows, and every hypothesis has one."""
    allowed = allowed_level(view.plan.gap)
    stated = {entry.hypothesis for entry in view.plan.takeaways}
    for i, hypothesis in enumerate(view.plan.hypotheses):
        if hypothesis.id not in stated:
            yield finding(
                "G103",
                f"hypotheses[{i}]",
                f"what {hypothesis.id!r} will entitle to say is not stated",
                "add an entry to `takeaways`, outcome by outcome",
            )
    for i, entry in enumerate(view.plan.takeaways):
        for outcome in OUTCOMES:
            said = parse(getattr(entry, outcome), view.plan)
            where = f"takeaways[{i}].{outcome}"
            if outcome == "inconclusive" and said.level != "none":
                yield finding(
                    "G105", where, "an inconclusive outcome is followed by a statement", "write `no update`"
                )
            elif exceeds(said.level, allowed):
                yield finding(
                    "G102",
                    where,
                    f"a statement of {said.level}, where the gap allows at most {allowed}",
                    f"weaken it to {allowed}, or bring evidence that the differing axes do not matter",
                )


def forecasts(view: View) -> Iterator[Finding]:
    """Somebody said beforehand what they expect."""
    for i, hypothesis in enumerate(view.plan.hypotheses):
        if not any(forecast.hypothesis == hypothesis.id for forecast in view.plan.forecasts):
            yield finding(
                "G104",
                f"hypotheses[{i}]",
                f"nobody forecast {hypothesis.id!r}",
                "add a probability for each outcome",
            )


RULES: tuple[Rule, ...] = (smallest_effects, corrections, exclusions, gap, takeaways, forecasts)
