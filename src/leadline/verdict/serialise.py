"""From a report to canonical JSON: the same inputs give the same bytes on any machine.

Numbers are rounded to ten significant digits, so that the last bits of a sum (which depend on the
order a processor adds in) never reach the bytes. Keys and their meaning: `leadline.verdict.form`.
"""

from collections.abc import Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, cast

from leadline.protocol.blocks.claims import Hypothesis
from leadline.verdict import form
from leadline.verdict.elsewhere import Elsewhere
from leadline.verdict.model import (
    Attempt,
    Check,
    ConceptualResult,
    ControlResult,
    Denominator,
    EffectEstimate,
    LeftOut,
    Registration,
    Verdict,
)
from leadline.verdict.plain import canonical, instant, plain, rounded
from leadline.verdict.report import FORMAT, Report

if TYPE_CHECKING:
    from leadline.verdict.comparison import Comparison, Side


def report_to_dict(report: Report) -> dict[str, Any]:
    """The report as plain JSON values in the form `leadline.verdict.form.ReportForm`."""
    return cast("dict[str, Any]", plain(_report(report)))


def report_to_json(report: Report) -> bytes:
    """The report as canonical JSON (RFC 8785), UTF-8, no trailing newline."""
    return canonical(report_to_dict(report))


def comparison_to_dict(comparison: "Comparison") -> dict[str, Any]:
    """The comparison as plain JSON values in the form `leadline.verdict.form.ComparisonForm`."""
    return cast("dict[str, Any]", plain(_comparison(comparison)))


def comparison_to_json(comparison: "Comparison") -> bytes:
    """The comparison as canonical JSON (RFC 8785), UTF-8, no trailing newline."""
    return canonical(comparison_to_dict(comparison))


# -- the parts ---------------------------------------------------------------------------------


def _report(report: Report) -> form.ReportForm:
    protocol = report.protocol
    said: form.ReportForm = {
        "kind": "leadline/report",
        "format": cast("Any", FORMAT),
        "engine": report.engine,
        "protocol": {
            "title": protocol.title,
            "authors": [author.name for author in protocol.authors],
            "status": protocol.status,
            "digest": protocol.digest,
            "foreknowledge": {
                "level": protocol.foreknowledge.level,
                "pilots": sorted(protocol.foreknowledge.pilots),
                "note": protocol.foreknowledge.note,
            },
        },
        "registration": _registration(report.registration),
        "standing": report.standing,
        "verdicts": {
            name: _verdict(verdict, protocol.hypothesis(name))
            for name, verdict in sorted(report.verdicts.items())
        },
        "conformance": [_check(check) for check in sorted(report.conformance, key=_check_key)],
        "denominators": [
            _denominator(one) for one in sorted(report.denominators, key=lambda one: (one.arm, one.measure))
        ],
        "controls": [_control(one) for one in sorted(report.controls, key=lambda one: one.name)],
        "robustness": [
            {
                "specification": one.specification,
                "hypothesis": one.hypothesis,
                "outcome": one.outcome,
                "reason": one.reason,
                "estimate": estimate_form(one.estimate),
            }
            for one in sorted(report.robustness, key=lambda one: (one.hypothesis, one.specification))
        ],
        "forecasts": [
            {
                "by": one.by,
                "hypothesis": one.hypothesis,
                "probability": rounded(one.probability),
                "log_score": rounded(one.log_score),
                "brier": rounded(one.brier),
                "interval_hit": one.interval_hit,
            }
            for one in sorted(report.forecasts, key=lambda one: (one.hypothesis, one.by, one.probability))
        ],
        "conceptual": [_conceptual(one) for one in sorted(report.conceptual, key=lambda one: one.id)],
        "logs": [
            {
                "name": one.name,
                "sha256": one.sha256,
                "eval_id": one.eval_id,
                "task": one.task,
                "model": one.model,
                "arm": one.arm,
                "attempt": one.attempt,
                "created": one.created,
                "results": one.results,
                "note": one.note,
            }
            for one in sorted(report.logs, key=lambda one: (one.sha256, one.name, one.arm or ""))
        ],
        "attempts": [
            _attempt(one) for one in sorted(report.attempts, key=lambda one: (one.number, one.token))
        ],
        "recomputed": [
            {
                "log": one.log,
                "scorer": one.scorer,
                "metric": one.metric,
                "reported": rounded(one.reported),
                "recomputed": rounded(one.recomputed),
                "n": one.n,
                "consistent": one.consistent,
                "note": one.note,
            }
            for one in sorted(report.recomputed, key=lambda one: (one.log, one.scorer, one.metric))
        ],
        "left_open": sorted(report.left_open),
        "reading": dict(report.reading),
    }
    if report.elsewhere:  # a study alone has the same bytes whether or not anybody looked for siblings
        said["elsewhere"] = _elsewhere(report.elsewhere)
    return said


def _elsewhere(one: Elsewhere) -> form.ElsewhereForm:
    return {
        "siblings": [
            {
                "study": sibling.study,
                "index": sibling.index,
                "state": sibling.state,
                "weighs": sorted(sibling.weighs),
            }
            for sibling in one.siblings
        ],
        "runs": [cast("form.RunElsewhereForm", asdict(run)) for run in one.runs],
    }


def estimate_form(estimate: EffectEstimate | None) -> form.EstimateForm | None:
    """An estimate in its JSON form; names in ``undefined`` whatever was not finite."""
    if estimate is None:
        return None
    ends = {"value": estimate.value, "low": estimate.low, "high": estimate.high, "effect": estimate.effect}
    ends |= {"se": estimate.se, "alpha": estimate.alpha, "df": estimate.df}
    undefined = [name for name, x in ends.items() if x is not None and rounded(x) is None]
    for name, pair in (("wide", estimate.wide), ("narrow", estimate.narrow)):
        if pair is not None and None in (rounded(pair[0]), rounded(pair[1])):
            undefined.append(name)
    return {
        "value": rounded(estimate.value),
        "low": rounded(estimate.low),
        "high": rounded(estimate.high),
        "effect": rounded(estimate.effect),
        "se": rounded(estimate.se),
        "wide": _pair(estimate.wide),
        "narrow": _pair(estimate.narrow),
        "alpha": rounded(estimate.alpha),
        "df": rounded(estimate.df),
        "n": estimate.n,
        "clusters": estimate.clusters,
        "method": estimate.method,
        "scale": estimate.scale,
        "unit": estimate.unit,
        "reason": estimate.reason,
        "warnings": list(estimate.warnings),
        "undefined": sorted(undefined),
    }


def left_out_form(left: LeftOut) -> form.LeftOutForm:
    """One reason for leaving, its count and its samples, sorted."""
    return {"reason": left.reason, "count": left.count, "samples": sorted(left.samples)}


def left_outs(items: Iterable[LeftOut]) -> list[form.LeftOutForm]:
    """Reasons for leaving, sorted."""
    return [left_out_form(item) for item in sorted(items, key=lambda item: (item.reason, item.samples))]


def _pair(pair: tuple[float, float] | None) -> form.Ends | None:
    return None if pair is None else (rounded(pair[0]), rounded(pair[1]))


def _verdict(verdict: Verdict, hypothesis: Hypothesis) -> form.VerdictForm:
    return {
        "registered": {
            "claim": hypothesis.claim,
            "kind": hypothesis.kind,
            "estimand": hypothesis.estimand.type,
            "measure": hypothesis.estimand.measure,
            "arms": list(hypothesis.estimand.arms),
            "prediction": hypothesis.prediction,
            "reference": rounded(hypothesis.reference),
            "smallest": rounded(hypothesis.smallest),
            "margin": rounded(hypothesis.margin),
            "level": rounded(hypothesis.level),
            "role": hypothesis.role,
            "family": hypothesis.family,
        },
        "outcome": verdict.outcome,
        "reason": verdict.reason,
        "standing": verdict.standing,
        "estimate": estimate_form(verdict.estimate),
        "n_needed": verdict.n_needed,
        "detectable": rounded(verdict.detectable),
        "notes": sorted(verdict.notes),
        "takeaway": verdict.takeaway,
    }


def _check_key(check: Check) -> tuple[str, str, str, str]:
    return (check.id, check.arm or "", check.log or "", check.promised)


def _check(check: Check) -> form.CheckForm:
    return {
        "id": check.id,
        "answer": check.answer,
        "promised": check.promised,
        "found": check.found,
        "arm": check.arm,
        "log": check.log,
        "note": check.note,
    }


def _denominator(one: Denominator) -> form.DenominatorForm:
    return {
        "arm": one.arm,
        "measure": one.measure,
        "promised": one.promised,
        "read": one.read,
        "kept": one.kept,
        "items": one.items,
        "left_out": left_outs(one.left_out),
        "missing": None if one.missing is None else left_out_form(one.missing),
        "unpromised": None if one.unpromised is None else left_out_form(one.unpromised),
        "missing_share": rounded(one.missing_share),
    }


def _control(one: ControlResult) -> form.ControlForm:
    return {
        "name": one.name,
        "kind": one.kind,
        "outcome": one.outcome,
        "required": one.required,
        "reason": one.reason,
        "estimate": estimate_form(one.estimate),
    }


def _conceptual(one: ConceptualResult) -> form.ConceptualForm:
    return {
        "id": one.id,
        "claim": one.claim,
        "outcome": one.outcome,
        "observations": [
            {"hypothesis": hypothesis, "predicted": predicted, "observed": observed}
            for hypothesis, predicted, observed in one.observations
        ],
    }


def _attempt(one: Attempt) -> form.AttemptForm:
    return {
        "number": one.number,
        "token": one.token,
        "opened_index": one.opened_index,
        "opened": instant(one.opened),
        "status": one.status,
        "logs": sorted(one.logs),
        "note": one.note,
    }


def _registration(one: Registration | None) -> form.RegistrationForm | None:
    if one is None:
        return None
    return {
        "study": one.study,
        "digest": one.digest,
        "index": one.index,
        "leaf_hash": one.leaf_hash.hex(),
        "created": instant(one.created),
        "amended": list(one.amended),
    }


def _comparison(one: "Comparison") -> form.ComparisonForm:
    return {
        "kind": "leadline/comparison",
        "format": cast("Any", FORMAT),
        "a": _side(one.a),
        "b": _side(one.b),
        "score": one.score,
        "estimate": estimate_form(one.estimate),
        "outcome": one.outcome,
        "reason": one.reason,
        "smallest": rounded(one.smallest),
        "detectable": rounded(one.detectable),
        "pairs": one.pairs,
        "clusters": one.clusters,
        "cluster_by": one.cluster_by,
        "both": one.both,
        "only_a": one.only_a,
        "only_b": one.only_b,
        "neither": one.neither,
        "left_out": left_outs(one.left_out),
        "same_items": one.same_items,
        "differences": sorted(one.differences),
        "notes": sorted(one.notes),
    }


def _side(side: "Side") -> form.SideForm:
    return {
        "name": side.name,
        "model": side.model,
        "task": side.task,
        "mean": rounded(side.mean),
        "n": side.n,
        "logs": sorted(side.logs),
    }


__all__ = [
    "canonical",
    "comparison_to_dict",
    "comparison_to_json",
    "estimate_form",
    "left_out_form",
    "left_outs",
    "report_to_dict",
    "report_to_json",
    "rounded",
]
