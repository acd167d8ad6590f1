"""A dress rehearsal: the whole plan, executed once on simulated data before it may be registered."""

from collections.abc import Iterator, Sequence

from leadline.errors import InputError, ProtocolError
from leadline.logs.headers import LogHeader
from leadline.protocol.blocks.claims import Hypothesis, IntervalMethod
from leadline.protocol.consistency import METHODS
from leadline.protocol.model import Protocol
from leadline.verdict.analysis import analyze
from leadline.verdict.arms import assign
from leadline.verdict.cases import Case
from leadline.verdict.estimate import question
from leadline.verdict.items import NOT_ANALYSABLE
from leadline.verdict.report import Report
from leadline.verdict.simulation.generate import Generator
from leadline.verdict.simulation.logs import simulated_table
from leadline.verdict.simulation.run import require_fixed
from leadline.verdict.simulation.truths import effects, truth


def execute(protocol: Protocol) -> Report:
    """Run every part of the plan once on simulated data; a plan that does not execute cannot be registered.

    The stopping design, the assumptions, every hypothesis under its registered method and under every
    robustness specification's, every expression, the matching of logs to arms, controls, and the report,
    which is returned: that of a study that never took place.
    Raises ProtocolError naming the part that fails and what to do.
    """
    require_fixed(protocol)
    for i, hypothesis in enumerate(protocol.hypotheses):
        _estimable(protocol, i, hypothesis)
    resolved = resolve_rules(protocol)
    table = simulated_table(resolved)
    _arms_told_apart(resolved, table.headers)
    try:
        report = analyze(resolved, table)
        report.to_json()
    except InputError as error:
        raise ProtocolError(
            f"the registered analysis does not run: {error.message}", where=error.where, remedy=error.remedy()
        ) from error
    _analysable(report)
    return report


def _analysable(report: Report) -> None:
    """Data no expression can be applied to end a real study inconclusive; in a rehearsal they are the plan's fault."""
    asked = [(f"hypotheses.{name}", verdict.reason) for name, verdict in report.verdicts.items()]
    asked += [(f"controls.{result.name}", result.reason) for result in report.controls]
    asked += [(f"robustness.{result.specification}", result.reason) for result in report.robustness]
    for where, reason in asked:
        if reason is not None and reason.startswith(NOT_ANALYSABLE):
            raise ProtocolError(
                f"the registered analysis does not run: {reason.partition(': ')[2]}",
                where=where,
                remedy="correct the expressions of the measure, the data rules or `where`",
            )


def resolve_rules(protocol: Protocol) -> Protocol:
    """The protocol with a stand-in id for every model that is so far only a rule."""
    if all(model.id is not None for model in protocol.models):
        return protocol
    models = tuple(
        model
        if model.id is not None
        else model.model_copy(update={"id": f"unresolved/{model.name}", "rule": None})
        for model in protocol.models
    )
    return protocol.model_copy(update={"models": models})


def _estimable(protocol: Protocol, i: int, hypothesis: Hypothesis) -> None:
    """Every interval method asked of the hypothesis gives an answer, or a refusal the report can name."""
    generator = Generator.of(protocol, hypothesis)
    grid = [truth(protocol, hypothesis, effect) for effect in effects(hypothesis).values()]
    possible = [true for true in grid if true.impossible is None]
    if not possible:
        raise ProtocolError(
            f"no truth of the hypothesis {hypothesis.id!r} can exist: {grid[0].impossible}",
            where=f"hypotheses[{i}]",
            remedy="correct the baseline, the reference or the smallest effect",
        )
    true = possible[0]
    values = generator.values(true, generator.latent(true), generator.normals(b"rehearsal", 0, 1))
    arms = next(iter(generator.replicates(values, 1)))
    for where, method in _methods(protocol, i, hypothesis):
        _, reason = Case(hypothesis, question(hypothesis, method=method), arms, None).estimate(
            hypothesis.level
        )
        if reason is not None and reason.startswith("not_estimable"):
            raise ProtocolError(
                f"the method {method or hypothesis.method!r} cannot answer the hypothesis {hypothesis.id!r}:"
                f" {reason.removeprefix('not_estimable: ')}",
                where=where,
                remedy="choose another method or estimand, or map the scores to what it needs",
            )


def _methods(
    protocol: Protocol, i: int, hypothesis: Hypothesis
) -> Iterator[tuple[str, IntervalMethod | None]]:
    """Where each method that this hypothesis will meet is written."""
    yield f"hypotheses[{i}].method", None
    for j, alternative in enumerate(protocol.robustness):
        if alternative.change.method is not None and suits(hypothesis, alternative.change.method):
            yield f"robustness[{j}].change.method", alternative.change.method


def suits(hypothesis: Hypothesis, method: IntervalMethod) -> bool:
    """Whether a robustness method is one this estimand has; others leave the hypothesis out of the specification."""
    return method in METHODS[hypothesis.estimand.type]


def _arms_told_apart(protocol: Protocol, headers: Sequence[LogHeader]) -> None:
    """A log made for an arm must be recognised as that arm's; headers are in the order of the arms."""
    found = assign(protocol, headers)
    for index, (arm, header) in enumerate(zip(protocol.arms, headers, strict=True)):
        taken = found[header.sha256]
        if taken != arm.name:
            what = f"would be taken for the arm {taken!r}" if taken else "fits another arm as well"
            raise ProtocolError(
                f"a log of the arm {arm.name!r} {what}",
                where=f"arms[{index}]",
                remedy="let the arms differ in model, task, `task_args`, `generate` or `metadata`",
            )
