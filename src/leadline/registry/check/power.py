"""Rules that read the simulated operating characteristics."""

import math
from collections.abc import Iterator

from leadline.registry.check.model import Finding, Rule, View, finding
from leadline.verdict.simulation.model import HypothesisCharacteristics, TruthResult

#: Share of refused intervals, at a truth the claim is about, above which a plan is too sparse.
_REFUSED = 0.05
_NULLABLE = ("greater", "at_least", "differs")


def tables(view: View) -> Iterator[tuple[str, HypothesisCharacteristics]]:
    """Each hypothesis' path and its table; nothing when there was no simulation."""
    if view.characteristics is None:
        return
    for i, hypothesis in enumerate(view.plan.hypotheses):
        yield f"hypotheses[{i}]", view.characteristics.of(hypothesis.id)


def power(view: View) -> Iterator[Finding]:
    """Power where the claim is true, beside the power wanted."""
    wanted = view.plan.sample_size.power
    for where, table in tables(view):
        assert view.characteristics is not None
        had = view.characteristics.power(table.hypothesis)
        if had is None:
            continue
        text = f"P(supported) = {had.value:.3f} (Monte Carlo SE {had.standard_error:.3f}) at a true effect of {had.effect:.4g}"
        if had.value + 2 * had.standard_error < wanted:
            yield finding(
                "S101", where, f"{text}; {wanted:g} is wanted", "plan more items, or a larger smallest effect"
            )
        else:
            yield finding("S100", where, text, "nothing; it is frozen with the plan")


def false_support(view: View) -> Iterator[Finding]:
    """Support where the claim is false stays within the level."""
    for where, table in tables(view):
        bound = table.level if table.kind in ("equivalent", "differs") else table.level / 2
        rows = {row.effect: row for row in table.labelled("boundary")}
        if table.kind in ("greater", "at_least"):
            rows |= {row.effect: row for row in table.labelled("zero")}
        for row in rows.values():
            if _exceeds(row, "supported", bound):
                yield finding(
                    "S102",
                    where,
                    f"P(supported) = {row.share('supported'):.3f} at a true effect of {row.effect:.4g}, above {bound:g}",
                    "use method `auto` or `cr2`, register the clusters, or plan more of them",
                )


def false_null(view: View) -> Iterator[Finding]:
    """A null where the effect is of interest stays within the level; a smaller truth often reads null."""
    for where, table in tables(view):
        if table.kind not in _NULLABLE:
            continue
        at = table.truth("smallest")
        if _exceeds(at, "null", table.level):
            yield finding(
                "S103",
                where,
                f"P(null) = {at.share('null'):.3f} at the smallest effect of interest, above {table.level:g}",
                "use method `auto` or `cr2`, register the clusters, or plan more of them",
            )
        half = table.truth("half")
        if half.impossible is None and half.share("null") > 0:
            yield finding(
                "S104",
                where,
                f"a true effect of half the smallest one ({half.effect:.4g}) reads null in {half.share('null'):.0%} of studies",
                "lower `smallest` if such an effect would matter",
            )


def feasibility(view: View) -> Iterator[Finding]:
    """Studies can decide, intervals can be given, truths can exist."""
    for where, table in tables(view):
        possible = [row for row in table.truths if row.impossible is None]
        if possible and all(row.counts["inconclusive"] == row.replicates for row in possible):
            reasons = ", ".join(sorted({reason for row in possible for reason in row.reasons}))
            yield finding(
                "S002",
                where,
                f"every simulated study ended inconclusive ({reasons})",
                "plan more items, or another method",
            )
        else:
            worst = max(possible, key=lambda row: row.refused, default=None)
            if worst is not None and worst.refused > _REFUSED:
                yield finding(
                    "S106",
                    where,
                    f"no interval in {worst.refused:.0%} of studies at a true effect of {worst.effect:.4g} ({_main(worst)})",
                    "plan more items, or a measure that is less often at its floor or ceiling",
                )
        for row in table.truths:
            if row.impossible is not None:
                yield finding(
                    "S105",
                    where,
                    f"the truth {'/'.join(row.labels)} ({row.effect:.4g}) cannot exist: {row.impossible}",
                    "nothing, if the baseline is right; it was not simulated",
                )
        for note in dict.fromkeys(note for row in possible for note in row.notes):
            yield finding("S107", where, note, "correct `sample_size.assumptions.correlation`")


def _main(row: TruthResult) -> str:
    reasons = {reason: count for reason, count in row.reasons.items() if reason != "undecided"}
    return max(sorted(reasons), key=lambda reason: reasons[reason])


def _exceeds(row: TruthResult, outcome: str, bound: float) -> bool:
    """Above the bound by more than two Monte Carlo standard errors of a share that equals it."""
    if row.impossible is not None:
        return False
    error = math.sqrt(bound * (1 - bound) / row.replicates)
    return row.share(outcome) > bound + 2 * error  # type: ignore[arg-type]


RULES: tuple[Rule, ...] = (power, false_support, false_null, feasibility)
