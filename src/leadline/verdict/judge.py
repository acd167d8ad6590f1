"""Verdicts from data: every hypothesis at its family's level, and under every registered alternative."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from leadline.protocol.blocks.claims import Hypothesis, Outcome
from leadline.protocol.model import Protocol
from leadline.verdict.cases import Case, expected_effect, family_levels
from leadline.verdict.consequences import takeaway
from leadline.verdict.controls import negative_control_failed, sensitivity
from leadline.verdict.data import Data, registered
from leadline.verdict.elsewhere import NOTHING, Elsewhere
from leadline.verdict.estimate import question, smallest_and_margin
from leadline.verdict.integrity import failure
from leadline.verdict.model import (
    Check,
    ControlResult,
    EffectEstimate,
    RobustnessResult,
    Standing,
    Verdict,
)
from leadline.verdict.precision import detectable, n_needed
from leadline.verdict.specification import Specification
from leadline.verdict.variants import MOST_COMBINATIONS, variants_of_arm

#: A family is divided among at most so many variants of one hypothesis; at that level nothing is decided anyhow.
_MOST_COUNTED: Final = 4096


def verdicts_of(
    protocol: Protocol,
    data: Data,
    checks: Sequence[Check],
    stand: Standing,
    controls: Sequence[ControlResult],
    elsewhere: Elsewhere = NOTHING,
) -> dict[str, Verdict]:
    """The verdict of every hypothesis, at levels corrected over its family, the variants of its runs and its siblings."""
    cases = {h.id: _cases(protocol, data, h, checks) for h in protocol.hypotheses}
    pooled = {h.id: _case(protocol, data, h, checks) for h in protocol.hypotheses}
    at: dict[str, float] = {}
    for name in dict.fromkeys(h.family for h in protocol.hypotheses):
        at |= family_levels(protocol, name, cases, elsewhere)
    return {
        h.id: _verdict(protocol, h, cases[h.id], pooled[h.id], at, stand, controls, elsewhere.divisor(h.id))
        for h in protocol.hypotheses
    }


def _verdict(
    protocol: Protocol,
    hypothesis: Hypothesis,
    cases: list[Case],
    pooled: Case,
    at: dict[str, float],
    stand: Standing,
    controls: Sequence[ControlResult],
    registrations: int,
) -> Verdict:
    used = [at[f"{hypothesis.id}\x00{k}"] for k in range(len(cases))]
    outcomes = {case.outcome(level) for case, level in zip(cases, used, strict=True)}
    alpha = min(used)
    estimate, reason = pooled.estimate(alpha)
    failures = {case.failure for case in cases}
    reason = pooled.failure or (failures.pop() if len(failures) == 1 else None) or reason
    agreed = len(outcomes) == 1 and not _opposed(cases, used)
    outcome: Outcome = outcomes.pop() if agreed else "inconclusive"
    if outcome == "inconclusive":
        reason = reason or ("variants_disagree" if len(cases) > 1 else "undecided")
    else:
        reason = None
    notes = list(_notes(outcome, estimate))
    if registrations > 1:
        notes.append("weighed_with_siblings")
    if negative_control_failed(protocol, hypothesis.id, controls):
        notes.append("negative_control_failed")
    if outcome == "null":
        shown = sensitivity(protocol, hypothesis.id, controls)
        if shown == "failed":
            outcome, reason = "inconclusive", "positive_control_failed"
        elif shown == "unresolved":
            notes.append("assay_sensitivity_unresolved")
        elif shown == "none":
            notes.append("no_assay_sensitivity")
    smallest, margin = smallest_and_margin(hypothesis)
    needed = None
    if reason == "undecided" and estimate is not None:
        needed = n_needed(hypothesis.kind, estimate, smallest, margin, expected_effect(hypothesis))
    return Verdict(
        hypothesis=hypothesis.id,
        outcome=outcome,
        reason=reason,
        standing=stand,
        estimate=estimate,
        n_needed=needed,
        detectable=None if estimate is None else detectable(estimate),
        notes=tuple(notes),
        takeaway=takeaway(protocol, hypothesis.id, outcome),
    )


def _opposed(cases: list[Case], used: list[float]) -> bool:
    """Whether runs that all show a difference show it in opposite directions."""
    if cases[0].hypothesis.kind != "differs" or len(cases) < 2:
        return False
    estimates = [case.estimate(level)[0] for case, level in zip(cases, used, strict=True)]
    return len({estimate.effect > 0 for estimate in estimates if estimate is not None}) > 1


def _notes(outcome: Outcome, estimate: EffectEstimate | None) -> Sequence[str]:
    if outcome != "null" or estimate is None or estimate.wide is None:
        return ()
    low, high = estimate.wide
    return ("negligible",) if low > 0 or high < 0 else ()


def _cases(protocol: Protocol, data: Data, hypothesis: Hypothesis, checks: Sequence[Check]) -> list[Case]:
    """One case per combination of run variants (runs that differ in what the protocol left open).

    Too many to weigh are as many members of the family, each of which fails: that is no way to an outcome.
    """
    arms = hypothesis.estimand.arms
    choices = [variants_of_arm(protocol, data.logs_of(arm)) or [()] for arm in arms]
    number = math.prod(map(len, choices))
    if number > MOST_COMBINATIONS:
        failed = replace(_case(protocol, data, hypothesis, checks), failure="too_many_variants")
        return [failed] * min(number, _MOST_COUNTED)
    combinations = [dict(zip(arms, choice, strict=True)) for choice in itertools.product(*choices)]
    return [_case(protocol, data, hypothesis, checks, logs) for logs in combinations]


def _case(
    protocol: Protocol,
    data: Data,
    hypothesis: Hypothesis,
    checks: Sequence[Check],
    logs: dict[str, tuple[str, ...]] | None = None,
    spec: Specification | None = None,
) -> Case:
    estimand = hypothesis.estimand
    spec = spec or registered(protocol, estimand.measure, estimand.where)
    reduced = [data.items(arm, spec, (logs or {}).get(arm)) for arm in estimand.arms]
    arms = tuple(items for items, _ in reduced)
    failed = failure(protocol, hypothesis, arms, [side for _, side in reduced], checks)
    return Case(hypothesis, question(hypothesis, spec.measure.unit), arms, failed)


def robustness_of(protocol: Protocol, data: Data, checks: Sequence[Check]) -> tuple[RobustnessResult, ...]:
    """Every hypothesis under every registered alternative, at its registered level, uncorrected."""
    results = []
    for alternative in protocol.robustness:
        change = alternative.change
        for hypothesis in protocol.hypotheses:
            spec = registered(
                protocol, hypothesis.estimand.measure, change.where or hypothesis.estimand.where
            )
            spec = replace(
                spec,
                rules=change.data_rules or spec.rules,
                cluster=None if change.cluster == "item" else change.cluster or spec.cluster,
                epochs=change.epochs or spec.epochs,
            )
            case = _case(protocol, data, hypothesis, checks, spec=spec)
            case = replace(case, ask=question(hypothesis, spec.measure.unit, change.method))
            estimate, reason = case.estimate(hypothesis.level)
            outcome = case.outcome(hypothesis.level)
            why = (case.failure or reason or "undecided") if outcome == "inconclusive" else None
            results.append(RobustnessResult(alternative.name, hypothesis.id, outcome, why, estimate))
    return tuple(results)
