"""The registered analysis: a pure function from (protocol, samples, ledger facts) to a Report."""

from collections.abc import Sequence
from dataclasses import replace

from leadline.logs import SampleTable
from leadline.protocol.model import Protocol
from leadline.verdict.account import (
    claims_of,
    left_open,
    logs_used,
    reading,
    rivals,
    runs_of,
    seen_in,
    silent_logs,
)
from leadline.verdict.conformance import Context, conformance, standing
from leadline.verdict.consequences import conceptual_results, score_forecasts
from leadline.verdict.controls import control_results
from leadline.verdict.data import Data, registered
from leadline.verdict.elsewhere import NOTHING, Elsewhere
from leadline.verdict.judge import robustness_of, verdicts_of
from leadline.verdict.model import Attempt, Denominator, Registration
from leadline.verdict.report import Recomputed, Report


def analyze(
    protocol: Protocol,
    samples: SampleTable,
    *,
    registration: Registration | None = None,
    attempts: Sequence[Attempt] = (),
    elsewhere: Elsewhere = NOTHING,
) -> Report:
    """Run the registered analysis on the samples of a study's logs.

    ``samples`` comes from `leadline.read_logs(paths, tier="sample", columns=required_columns(protocol))`.
    Without a registration the standing is retrospective. ``elsewhere`` is what the record holds of the same authors
    besides the study (`leadline.registry.elsewhere`). Pure: same inputs, same Report, same bytes.

    Raises InputError when the table lacks a column the protocol needs; never for what the data say.
    """
    from leadline import __version__

    samples = samples.measured()
    data = Data.of(protocol, samples, attempts)
    claims = claims_of(samples)
    denominators = _denominators(protocol, data)
    context = _context(
        protocol, registration, tuple(attempts), samples, data, denominators, claims, elsewhere
    )
    checks = conformance(context)
    stand = standing(checks, context)
    controls = control_results(protocol, data.items)
    verdicts = verdicts_of(protocol, data, checks, stand, controls, elsewhere)
    return Report(
        protocol=protocol,
        registration=registration,
        engine=f"leadline {__version__}",
        standing=stand,
        verdicts=verdicts,
        conformance=checks,
        denominators=denominators,
        controls=controls,
        robustness=robustness_of(protocol, data, checks),
        forecasts=score_forecasts(protocol, verdicts),
        conceptual=conceptual_results(protocol, verdicts),
        logs=(*logs_used(context), *silent_logs(context, data.silent)),
        attempts=tuple(sorted(attempts, key=lambda attempt: attempt.number)),
        recomputed=claims,
        left_open=left_open(protocol),
        reading=reading(samples.accounting),
        elsewhere=replace(elsewhere, runs=context.runs_elsewhere),
    )


def _denominators(protocol: Protocol, data: Data) -> tuple[Denominator, ...]:
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
    elsewhere: Elsewhere,
) -> Context:
    return Context(
        protocol=protocol,
        registration=registration,
        attempts=attempts,
        headers=data.headers,
        assignment=data.assignment,
        denominators=denominators,
        seen=seen_in(samples, data.headers),
        recomputed=claims,
        summary_mismatches={
            log.sha256: len(log.mismatches) for log in samples.accounting.logs if log.tier == "sample"
        },
        rivals=rivals(samples),
        silent=frozenset(
            digest
            for header in data.silent
            for digest in (header.sha256, *(one.sha256 for one in header.companions))
        ),
        runs_elsewhere=runs_of(protocol, samples.headers, elsewhere),
    )
