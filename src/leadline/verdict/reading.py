"""A published report, read back from its JSON: what a page shows is what was recorded, computed once.

The bytes come from whoever published them, so their form is checked whole before anything is shown.
"""

from datetime import datetime
from typing import Any, Literal, NotRequired, cast

import msgspec
from typing_extensions import TypedDict

from leadline.errors import InputError
from leadline.protocol.model import Protocol
from leadline.verdict import form
from leadline.verdict.elsewhere import Elsewhere
from leadline.verdict.model import (
    Attempt,
    Check,
    ConceptualResult,
    ControlResult,
    Denominator,
    EffectEstimate,
    ForecastScore,
    LeftOut,
    Registration,
    RobustnessResult,
    Verdict,
)
from leadline.verdict.report import LogUsed, Recomputed, Report

#: A report longer than this is offered as a file, not shown.
MAX_BYTES = 16 << 20


class _Head(TypedDict):
    kind: Literal["leadline/report"]
    format: Literal[1]


class _Around(TypedDict):
    elsewhere: NotRequired[form.ElsewhereForm]


def read_report(data: bytes, protocol: Protocol) -> Report:
    """The report in canonical JSON as an object, beside the protocol it judged by.

    Numbers that the JSON leaves out because they were not finite come back as absent: an estimate without a
    value is None. Raises InputError for another form, another format, or a report of another protocol.
    """
    if len(data) > MAX_BYTES:
        raise InputError(
            f"the report has {len(data):,} bytes, more than {MAX_BYTES:,}",
            remedy="download it and read it there",
        )
    try:
        msgspec.json.decode(data, type=_Head)
        said = msgspec.json.decode(data, type=form.ReportForm)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise _foreign(f"this report is not of the form this version reads ({error})") from error
    if said["protocol"]["digest"] != protocol.digest:
        raise _foreign("this report judges by another protocol")
    known = {hypothesis.id for hypothesis in protocol.hypotheses}
    named = {*said["verdicts"], *(one["hypothesis"] for one in said["robustness"])}
    if not named <= known or any(one["hypothesis"] not in said["verdicts"] for one in said["robustness"]):
        raise _foreign("this report names hypotheses that its protocol does not have")
    try:
        return _report(said, protocol)
    except ValueError as error:
        raise _foreign(f"this report is not of the form this version reads ({error})") from error


def elsewhere_in(data: bytes) -> Elsewhere:
    """What a report in JSON says the record held of its authors besides the study; InputError for another form."""
    try:
        said = msgspec.json.decode(data, type=_Around)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise _foreign(f"this report is not of the form this version reads ({error})") from error
    return _elsewhere(said.get("elsewhere"))


def _elsewhere(said: form.ElsewhereForm | None) -> Elsewhere:
    return Elsewhere.of(cast("dict[str, Any] | None", said))


def _foreign(message: str) -> InputError:
    return InputError(message, remedy="download it; `leadline verify` says whether it can be computed again")


def _report(said: form.ReportForm, protocol: Protocol) -> Report:
    return Report(
        protocol=protocol,
        registration=_registration(said["registration"]),
        engine=said["engine"],
        standing=said["standing"],
        verdicts={name: _verdict(name, one) for name, one in said["verdicts"].items()},
        conformance=tuple(Check(**one) for one in said["conformance"]),
        denominators=tuple(_denominator(one) for one in said["denominators"]),
        controls=tuple(_control(one) for one in said["controls"]),
        robustness=tuple(_robustness(one) for one in said["robustness"]),
        forecasts=tuple(found for one in said["forecasts"] if (found := _forecast(one)) is not None),
        conceptual=tuple(
            ConceptualResult(
                one["id"],
                one["claim"],
                one["outcome"],
                tuple((o["hypothesis"], o["predicted"], o["observed"]) for o in one["observations"]),
            )
            for one in said["conceptual"]
        ),
        logs=tuple(LogUsed(**one) for one in said["logs"]),
        attempts=tuple(_attempt(one) for one in said["attempts"]),
        recomputed=tuple(Recomputed(**one) for one in said["recomputed"]),
        left_open=tuple(said["left_open"]),
        reading=dict(said["reading"]),
        elsewhere=_elsewhere(said.get("elsewhere")),
    )


def _verdict(name: str, one: form.VerdictForm) -> Verdict:
    return Verdict(
        hypothesis=name,
        outcome=one["outcome"],
        reason=one["reason"],
        standing=one["standing"],
        estimate=_estimate(one["estimate"]),
        n_needed=one["n_needed"],
        detectable=one["detectable"],
        notes=tuple(one["notes"]),
        takeaway=one["takeaway"],
    )


def _estimate(one: form.EstimateForm | None) -> EffectEstimate | None:
    if one is None or one["value"] is None or one["effect"] is None or one["alpha"] is None:
        return None
    return EffectEstimate(
        value=one["value"],
        low=one["low"],
        high=one["high"],
        effect=one["effect"],
        se=one["se"],
        wide=_pair(one["wide"]),
        narrow=_pair(one["narrow"]),
        alpha=one["alpha"],
        df=one["df"],
        n=one["n"],
        clusters=one["clusters"],
        method=one["method"],
        scale=one["scale"],
        unit=one["unit"],
        reason=one["reason"],
        warnings=tuple(one["warnings"]),
    )


def _pair(ends: form.Ends | None) -> tuple[float, float] | None:
    if ends is None or ends[0] is None or ends[1] is None:
        return None
    return ends[0], ends[1]


def _left_out(one: form.LeftOutForm) -> LeftOut:
    return LeftOut(one["reason"], one["count"], tuple(one["samples"]))


def _denominator(one: form.DenominatorForm) -> Denominator:
    return Denominator(
        one["arm"],
        one["measure"],
        one["promised"],
        one["read"],
        one["kept"],
        one["items"],
        tuple(_left_out(left) for left in one["left_out"]),
        None if one["missing"] is None else _left_out(one["missing"]),
        None if one["unpromised"] is None else _left_out(one["unpromised"]),
    )


def _control(one: form.ControlForm) -> ControlResult:
    return ControlResult(
        one["name"], one["kind"], one["outcome"], _estimate(one["estimate"]), one["required"], one["reason"]
    )


def _robustness(one: form.RobustnessForm) -> RobustnessResult:
    return RobustnessResult(
        one["specification"], one["hypothesis"], one["outcome"], one["reason"], _estimate(one["estimate"])
    )


def _forecast(one: form.ForecastForm) -> ForecastScore | None:
    if one["probability"] is None or one["log_score"] is None or one["brier"] is None:
        return None
    return ForecastScore(
        one["by"], one["hypothesis"], one["probability"], one["log_score"], one["brier"], one["interval_hit"]
    )


def _attempt(one: form.AttemptForm) -> Attempt:
    return Attempt(
        one["number"],
        one["token"],
        one["opened_index"],
        _time(one["opened"]),
        one["status"],
        tuple(one["logs"]),
        one["note"],
    )


def _registration(one: form.RegistrationForm | None) -> Registration | None:
    if one is None:
        return None
    return Registration(
        one["study"],
        one["digest"],
        one["index"],
        bytes.fromhex(one["leaf_hash"]),
        _time(one["created"]),
        tuple(one["amended"]),
    )


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))
