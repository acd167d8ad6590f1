"""The registered analysis: a pure function from (protocol, samples, ledger facts) to a Report."""

import itertools
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from leadline.errors import StatisticsError
from leadline.logs import SampleTable
from leadline.logs.accounting import Accounting
from leadline.logs.headers import LogHeader
from leadline.logs.recompute import recomputed as recompute
from leadline.protocol.blocks.claims import Hypothesis, Outcome
from leadline.protocol.model import Protocol
from leadline.verdict.arms import assign
from leadline.verdict.conformance import Context, conformance, standing
from leadline.verdict.conformance.context import ATTEMPT_STAMP, Seen
from leadline.verdict.consequences import conceptual_results, score_forecasts, takeaway
from leadline.verdict.controls import control_results, sensitivity
from leadline.verdict.decide import decide, levels
from leadline.verdict.estimate import Question, estimate_effect, question, smallest_and_margin
from leadline.verdict.integrity import failure
from leadline.verdict.items import Items, Promise, Specification, items_of_arm
from leadline.verdict.model import (
    Attempt,
    Check,
    Denominator,
    EffectEstimate,
    Registration,
    RobustnessResult,
    Standing,
    Verdict,
)
from leadline.verdict.needs import required_columns
from leadline.verdict.precision import detectable, n_needed
from leadline.verdict.report import LogUsed, Recomputed, Report
from leadline.verdict.variants import variants_of_arm


def analyze(
    protocol: Protocol,
    samples: SampleTable,
    *,
    registration: Registration | None = None,
    attempts: Sequence[Attempt] = (),
) -> Report:
    """Run the registered analysis on the samples of a study's logs.

    ``samples`` comes from `leadline.read_logs(paths, tier="sample", columns=required_columns(protocol))`.
    Without a registration the standing is retrospective. Pure: same inputs, same Report, same bytes.

    Raises InputError when the table lacks a column the protocol needs; never for what the data say.
    """
    from leadline import __version__

    data = Data.of(protocol, samples)
    claims = _claims(samples)
    denominators = _all_denominators(protocol, data)
    context = _context(protocol, registration, tuple(attempts), samples, data, denominators, claims)
    checks = conformance(context)
    stand = standing(checks, context)
    controls = control_results(protocol, data.items)
    verdicts = _verdicts(protocol, data, checks, stand, controls)
    return Report(
        protocol=protocol,
        registration=registration,
        engine=f"leadline {__version__}",
        standing=stand,
        verdicts=verdicts,
        conformance=checks,
        denominators=denominators,
        controls=controls,
        robustness=_robustness(protocol, data, checks),
        forecasts=score_forecasts(protocol, verdicts),
        conceptual=conceptual_results(protocol, verdicts),
        logs=_logs(context),
        attempts=tuple(sorted(attempts, key=lambda attempt: attempt.number)),
        recomputed=claims,
        left_open=left_open(protocol),
        reading=reading(samples.accounting),
    )


def _claims(samples: SampleTable) -> tuple[Recomputed, ...]:
    """What the logs claim about themselves, beside what their samples say."""
    return tuple(
        Recomputed(
            log=one.log,
            scorer=one.score,
            metric=one.metric if one.reducer in (None, "mean") else f"{one.metric} ({one.reducer})",
            reported=one.reported,
            recomputed=one.recomputed,
            n=one.n,
            consistent=one.consistent,
            note=one.reason or "",
        )
        for one in recompute(samples)
    )


# -- the data of a study, by arm ----------------------------------------------------------------


@dataclass
class Data:
    """Rows by arm, reduced to items on demand and remembered."""

    protocol: Protocol
    headers: tuple[LogHeader, ...]
    assignment: dict[str, str | None]
    rows: dict[str, pa.Table]
    memo: dict[tuple[object, ...], tuple[Items, Denominator]]

    @classmethod
    def of(cls, protocol: Protocol, samples: SampleTable) -> "Data":
        """Assign logs to arms and split the rows."""
        table = samples.to_arrow()
        _require_columns(protocol, table)
        headers = tuple(sorted(samples.headers, key=lambda header: header.sha256))
        assignment = assign(protocol, headers)
        digests = table["sha256"].cast(pa.string())
        rows = {}
        for arm in protocol.arms:
            mine = pa.array([sha for sha, name in assignment.items() if name == arm.name], type=pa.string())
            rows[arm.name] = table.filter(pc.is_in(digests, value_set=mine))
        return cls(protocol, headers, assignment, rows, {})

    def items(
        self, arm: str, spec: Specification, logs: tuple[str, ...] | None = None
    ) -> tuple[Items, Denominator]:
        """Items and denominator of one arm, from all its logs or only those named by sha256."""
        key = (arm, spec.key, logs)
        if key not in self.memo:
            rows = self.rows[arm]
            if logs is not None:
                rows = rows.filter(
                    pc.is_in(rows["sha256"].cast(pa.string()), value_set=pa.array(logs, type=pa.string()))
                )
            self.memo[key] = items_of_arm(rows, arm, promise_of(self.protocol, arm), spec)
        return self.memo[key]

    def logs_of(self, arm: str) -> tuple[LogHeader, ...]:
        """The arm's logs."""
        return tuple(header for header in self.headers if self.assignment[header.sha256] == arm)


def promise_of(protocol: Protocol, arm: str) -> Promise:
    """Which results the arm owes."""
    task = protocol.task(protocol.arm(arm).task)
    samples = task.dataset.samples
    items = len(samples) if samples else task.dataset.n or protocol.sample_size.items
    return Promise(samples, items, task.epochs)


def registered(protocol: Protocol, measure: str, where: str | None) -> Specification:
    """How results of a measure become items, as registered."""
    value = protocol.measure(measure)
    return Specification(value, protocol.data_rules, where, value.cluster, value.epochs)


def _require_columns(protocol: Protocol, table: pa.Table) -> None:
    absent = [name for name in required_columns(protocol) if name not in table.column_names]
    if absent:
        raise StatisticsError(
            f"the sample table has no column {absent[0]!r}, which the protocol uses",
            remedy="read the logs with `read_logs(paths, tier='sample', columns=required_columns(protocol))`",
        )


# -- verdicts -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Case:
    """One hypothesis on one choice of runs, ready to be decided at any level."""

    hypothesis: Hypothesis
    ask: Question
    arms: tuple[Items, ...]
    failure: str | None

    def estimate(self, alpha: float) -> tuple[EffectEstimate | None, str | None]:
        """(estimate, reason): no estimate, or no interval, comes with a reason code."""
        if not self.arms or any(len(arm) == 0 for arm in self.arms):
            return None, "no_data"
        try:
            estimate = estimate_effect(self.ask, self.arms, alpha)
        except StatisticsError as error:
            return None, f"not_estimable: {error.message}"
        return estimate, estimate.reason

    def outcome(self, alpha: float) -> Outcome:
        """The decision table at this level; any failure is inconclusive."""
        estimate, reason = self.estimate(alpha)
        if self.failure or reason or estimate is None or estimate.wide is None or estimate.narrow is None:
            return "inconclusive"
        smallest, margin = smallest_and_margin(self.hypothesis)
        return decide(self.hypothesis.kind, estimate.wide, estimate.narrow, smallest, margin)


def _verdicts(
    protocol: Protocol, data: Data, checks: Sequence[Check], stand: Standing, controls: Sequence[Any]
) -> dict[str, Verdict]:
    cases = {h.id: _cases(protocol, data, h, checks) for h in protocol.hypotheses}
    pooled = {h.id: _case(protocol, data, h, checks) for h in protocol.hypotheses}
    at: dict[str, float] = {}
    for name in dict.fromkeys(h.family for h in protocol.hypotheses):
        at |= family_levels(protocol, name, cases)
    return {
        h.id: _verdict(protocol, h, cases[h.id], pooled[h.id], at, stand, controls)
        for h in protocol.hypotheses
    }


def family_levels(protocol: Protocol, family: str, cases: dict[str, list[Case]]) -> dict[str, float]:
    """Level of each (hypothesis, run variant) of a family; variants are members like hypotheses."""
    members = {
        f"{h.id}\x00{k}": (h, case)
        for h in protocol.hypotheses
        if h.family == family
        for k, case in enumerate(cases[h.id])
    }
    return levels(
        list(members),
        {name: h.level for name, (h, _) in members.items()},
        lambda name, level: members[name][1].outcome(level),
        protocol.family(family).correction,
    )


def _verdict(
    protocol: Protocol,
    hypothesis: Hypothesis,
    cases: list[Case],
    pooled: Case,
    at: dict[str, float],
    stand: Standing,
    controls: Sequence[Any],
) -> Verdict:
    used = [at[f"{hypothesis.id}\x00{k}"] for k in range(len(cases))]
    outcomes = {case.outcome(level) for case, level in zip(cases, used, strict=True)}
    alpha = min(used)
    estimate, reason = pooled.estimate(alpha)
    reason = pooled.failure or reason
    outcome: Outcome = outcomes.pop() if len(outcomes) == 1 else "inconclusive"
    if outcome == "inconclusive":
        reason = reason or ("variants_disagree" if len(cases) > 1 else "undecided")
    else:
        reason = None
    notes = list(_notes(outcome, estimate))
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
    if outcome == "inconclusive" and estimate is not None:
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


def expected_effect(hypothesis: Hypothesis) -> float | None:
    """The registered expected effect on the effect's scale."""
    import math

    if hypothesis.expected is None or hypothesis.estimand.type != "ratio":
        return hypothesis.expected
    return math.log(hypothesis.expected)


def _notes(outcome: Outcome, estimate: EffectEstimate | None) -> Sequence[str]:
    if outcome != "null" or estimate is None or estimate.wide is None:
        return ()
    low, high = estimate.wide
    return ("negligible",) if low > 0 or high < 0 else ()


def _cases(protocol: Protocol, data: Data, hypothesis: Hypothesis, checks: Sequence[Check]) -> list[Case]:
    """One case per combination of run variants (runs that differ in what the protocol left open)."""
    arms = hypothesis.estimand.arms
    choices = [variants_of_arm(protocol, data.logs_of(arm)) or [()] for arm in arms]
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


def _robustness(protocol: Protocol, data: Data, checks: Sequence[Check]) -> tuple[RobustnessResult, ...]:
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


def reading(accounting: Accounting) -> dict[str, Any]:
    """How the logs were read, without paths of this machine: tier, counts, fallbacks, files skipped."""
    return {
        "logs": [
            {
                "log": log.log,
                "sha256": log.sha256,
                "tier": log.tier,
                "read": log.read,
                "kept": log.kept,
                "claimed": log.claimed,
                "left_out": [{"reason": left.reason, "count": left.count} for left in log.left_out],
                "fallbacks": [asdict(fallback) for fallback in log.fallbacks],
                "notes": list(log.notes),
            }
            for log in sorted(accounting.logs, key=lambda log: log.sha256)
        ],
        "skipped": sorted({(skip.kind, skip.reason) for skip in accounting.skipped}),
    }


# -- the account --------------------------------------------------------------------------------


def _all_denominators(protocol: Protocol, data: Data) -> tuple[Denominator, ...]:
    """One per arm and measure that a hypothesis or control uses, unrestricted by `where`."""
    estimands = [h.estimand for h in protocol.hypotheses] + [c.estimand for c in protocol.controls]
    wanted = dict.fromkeys((arm, estimand.measure) for estimand in estimands for arm in estimand.arms)
    return tuple(data.items(arm, registered(protocol, measure, None))[1] for arm, measure in wanted)


def _context(
    protocol: Protocol,
    registration: Registration | None,
    attempts: tuple[Attempt, ...],
    samples: SampleTable,
    data: Data,
    denominators: tuple[Denominator, ...],
    claims: tuple[Recomputed, ...],
) -> Context:
    return Context(
        protocol=protocol,
        registration=registration,
        attempts=attempts,
        headers=data.headers,
        assignment=data.assignment,
        denominators=denominators,
        seen=_seen(samples, data.headers),
        recomputed=claims,
        summary_mismatches={
            log.sha256: len(log.mismatches) for log in samples.accounting.logs if log.tier == "sample"
        },
        rivals=_rivals(samples),
    )


def _rivals(samples: SampleTable) -> tuple[tuple[str, str], ...]:
    """Files that were set aside because another file holds the same evaluation; copies are not among them."""
    used = {header.sha256 for header in samples.headers}
    return tuple(
        sorted(
            (log.log, "; ".join(left.reason for left in log.left_out))
            for log in samples.accounting.logs
            if log.sha256 not in used
        )
    )


def _seen(samples: SampleTable, headers: Sequence[LogHeader]) -> dict[str, Seen]:
    table = samples.to_arrow()
    digests = table["sha256"].cast(pa.string())
    found = {}
    for header in headers:
        rows = table.filter(pc.equal(digests, header.sha256))
        ids = tuple(sorted(set(rows["sample_id"].cast(pa.string()).to_pylist())))
        started = pc.min(rows["started_at"]).as_py() if rows.num_rows else None
        epochs = pc.max(rows["epoch"]).as_py() if rows.num_rows else 0
        other = (
            rows.filter(pc.is_valid(rows["model_fallback"]))
            if "model_fallback" in rows.column_names
            else rows.slice(0, 0)
        )
        fallbacks = len(
            {(s, e) for s, e in zip(other["sample_id"].to_pylist(), other["epoch"].to_pylist(), strict=True)}
        )
        found[header.sha256] = Seen(ids, int(epochs or 0), started, fallbacks, header.dataset_sha256)
    return found


def _logs(context: Context) -> tuple[LogUsed, ...]:
    used = []
    for header in context.headers:
        stamp = (header.metadata or {}).get(ATTEMPT_STAMP)
        attempt = next(
            (a.number for a in context.attempts if a.token == stamp or header.sha256 in a.logs), None
        )
        seen = context.seen[header.sha256]
        used.append(
            LogUsed(
                name=header.log,
                sha256=header.sha256,
                eval_id=header.eval_id,
                task=header.task,
                model=header.model,
                arm=context.assignment[header.sha256],
                attempt=attempt,
                created=None if header.created is None else header.created.isoformat(),
                results=len(seen.samples),
            )
        )
    return tuple(used)


def left_open(protocol: Protocol) -> tuple[str, ...]:
    """What the protocol promises nothing about: each is a degree of freedom a reader should know."""
    phrases = []
    for task in protocol.tasks:
        if task.dataset.sha256 is None:
            phrases.append(f"{task.name}: the content of the dataset")
        if task.dataset.samples is None:
            phrases.append(f"{task.name}: which samples")
        if task.solver is None:
            phrases.append(f"{task.name}: solver and prompts")
        if not task.scorers:
            phrases.append(f"{task.name}: parameters of the scorer")
        if task.version is None:
            phrases.append(f"{task.name}: version of the task")
    return tuple(phrases)
