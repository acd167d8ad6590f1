"""Controls: what the pipeline must find, must not find, or must reproduce."""

from collections.abc import Callable, Sequence
from typing import Literal

from leadline.errors import StatisticsError
from leadline.protocol.blocks.claims import Control
from leadline.protocol.model import Protocol
from leadline.verdict.estimate import Question, estimate_effect
from leadline.verdict.integrity import too_much_missing
from leadline.verdict.items import Items
from leadline.verdict.model import ControlResult, Denominator, EffectEstimate
from leadline.verdict.specification import Specification

ItemsOf = Callable[[str, Specification], tuple[Items, Denominator]]
ControlOutcome = Literal["passed", "failed", "unresolved"]


def control_results(protocol: Protocol, items_of: ItemsOf) -> tuple[ControlResult, ...]:
    """Every registered control, judged on the study's own logs."""
    return tuple(_judge(protocol, control, items_of) for control in protocol.controls)


def sensitivity(
    protocol: Protocol, hypothesis: str, results: Sequence[ControlResult]
) -> Literal["passed", "failed", "unresolved", "none"]:
    """Assay sensitivity of a hypothesis, from the positive controls registered for it; the worst counts."""
    mine = {
        c.name
        for c in protocol.controls
        if c.kind == "positive" and (not c.supports or hypothesis in c.supports)
    }
    outcomes = {result.outcome for result in results if result.name in mine}
    if not outcomes:
        return "none"
    if "failed" in outcomes:
        return "failed"
    return "unresolved" if "unresolved" in outcomes else "passed"


def negative_control_failed(protocol: Protocol, hypothesis: str, results: Sequence[ControlResult]) -> bool:
    """Whether the pipeline found an effect where a control for this hypothesis says there is none."""
    mine = {
        c.name
        for c in protocol.controls
        if c.kind == "negative" and (not c.supports or hypothesis in c.supports)
    }
    return any(result.outcome == "failed" for result in results if result.name in mine)


def _judge(protocol: Protocol, control: Control, items_of: ItemsOf) -> ControlResult:
    estimand = control.estimand
    measure = protocol.measure(estimand.measure)
    spec = Specification(measure, protocol.data_rules, estimand.where, measure.cluster, measure.epochs)
    reduced = [items_of(arm, spec) for arm in estimand.arms]
    arms = tuple(items for items, _ in reduced)
    required = _required(control)
    problem = next((items.problem for items in arms if items.problem is not None), None)
    if problem is not None:
        return ControlResult(control.name, control.kind, "unresolved", None, required, problem)
    # A control is read on the estimand's own scale: reference 0 (1 for a ratio), sign as written.
    ask = Question(estimand, 1.0 if estimand.type == "ratio" else 0.0, 1, "auto", measure.unit)
    try:
        estimate = estimate_effect(ask, arms, control.level)
    except StatisticsError as error:
        return ControlResult(control.name, control.kind, "unresolved", None, required, error.message)
    if too_much_missing(protocol, [side for _, side in reduced]):
        # The items that survived are no sample of the promised ones: they neither pass nor fail it.
        return ControlResult(
            control.name, control.kind, "unresolved", estimate, required, "missing_above_cap"
        )
    return ControlResult(
        control.name, control.kind, _outcome(control, estimate), estimate, required, estimate.reason
    )


def _outcome(control: Control, estimate: EffectEstimate) -> ControlOutcome:
    """Baseline: the point lies inside. Others: the wide interval lies inside (passed) or wholly outside (failed)."""
    low = float("-inf") if control.low is None else control.low
    high = float("inf") if control.high is None else control.high
    if control.kind == "baseline":
        return "passed" if low <= estimate.value <= high else "failed"
    if estimate.low is None or estimate.high is None:
        return "unresolved"
    if low <= estimate.low and estimate.high <= high:
        return "passed"
    return "failed" if estimate.high < low or estimate.low > high else "unresolved"


def _required(control: Control) -> str:
    low = "-inf" if control.low is None else f"{control.low:g}"
    high = "inf" if control.high is None else f"{control.high:g}"
    what = "point" if control.kind == "baseline" else "interval"
    return f"{what} within [{low}, {high}]"
