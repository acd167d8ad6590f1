"""Was it promised before it was run, and is every run accounted for?"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from leadline.logs.headers import LogHeader
from leadline.verdict.conformance.context import ATTEMPT_STAMP, INTENT_STAMP, Context, answered
from leadline.verdict.model import Answer, Attempt, Check, Registration

#: Clocks of the registry and of the machine that ran may differ by this much.
CLOCK_SKEW = timedelta(minutes=5)


def registration_checks(context: Context) -> Iterator[Check]:
    """Freeze, attempts and the order of both against the logs."""
    yield _frozen(context)
    yield from _attempts(context)
    yield from _elsewhere(context)
    for header in context.headers:
        yield _after_freeze(context, header)
        yield from not_before_checks(context, header)


def _frozen(context: Context) -> Check:
    digest = context.protocol.digest
    if context.registration is None:
        return Check("protocol.frozen", "unknown", digest, "never registered")
    frozen = context.registration.digest
    note = ""
    if frozen != digest and digest in context.registration.amended:
        note = "this is an amended protocol; the first freeze stays the one compared with"
    return Check("protocol.frozen", answered(frozen == digest), frozen, digest, note=note)


def _attempts(context: Context) -> Iterator[Check]:
    if context.registration is None:
        return
    if not context.attempts:
        note = "runs that nobody reported are not excluded"
        yield Check(
            "attempts.accounted", "unknown", "every run opened beforehand", "no attempt opened", note=note
        )
        return
    beside = {one.sha256 for header in context.headers for one in header.companions}
    here = {header.sha256 for header in context.headers} | beside | context.silent
    for attempt in context.attempts:
        yield _attempt(attempt, here, context.silent)
    most = context.protocol.attempts.max
    if most is not None:
        answer = answered(len(context.attempts) <= most)
        yield Check("attempts.max", answer, f"at most {most}", str(len(context.attempts)))


def _elsewhere(context: Context) -> Iterator[Check]:
    """Runs of the registered dataset that turned up in another study of the same authors.

    One that nobody announced, of this study's task and model, is a run of this study that was not declared. Others may
    be: another task or model by name, or a run announced for a study that promised no such content.
    """
    tasks = {task.task for task in context.protocol.tasks} | {header.task for header in context.headers}
    models = {model.id for model in context.protocol.models} | {header.model for header in context.headers}
    for run in context.runs_elsewhere:
        same = run.task in tasks and run.model in models
        answer: Answer = "deviation" if same and not run.announced else "unknown"
        how = "announced there" if run.announced else "announced nowhere"
        found = f"a log attached to {run.study} ran it: {run.task} on {run.model}, {how}"
        promised = "every run of the registered dataset declared"
        yield Check("attempts.undeclared", answer, promised, found, None, run.name, f"sha256 {run.sha256}")


def _attempt(attempt: Attempt, here: set[str] | frozenset[str], silent: frozenset[str]) -> Check:
    promised = f"attempt {attempt.number} closed, its logs attached"
    if attempt.status == "open":
        return Check("attempts.accounted", "deviation", promised, "still open: its result is not disclosed")
    if attempt.status == "abandoned":
        note = attempt.note or "no reason given"
        return Check("attempts.accounted", "deviation", promised, "abandoned", note=note)
    if not attempt.logs:
        found = "closed without a log: its result is not disclosed"
        return Check("attempts.accounted", "deviation", promised, found, note=attempt.note)
    absent = [sha for sha in attempt.logs if sha not in here]
    if absent:
        return Check(
            "attempts.accounted", "deviation", promised, f"{len(absent)} of its logs absent: {absent[0]}"
        )
    if silent.issuperset(attempt.logs):
        found = f"closed with {len(attempt.logs)} logs that scored nothing: listed, not counted"
        return Check("attempts.accounted", "pass", promised, found, note=attempt.note)
    return Check("attempts.accounted", "pass", promised, f"closed with {len(attempt.logs)} logs")


def _after_freeze(context: Context, header: LogHeader) -> Check:
    """Token of an attempt opened after the freeze, and times that do not contradict it."""
    check_id, promised = "run.after_freeze", "begun after the freeze"
    arm, begun, registration = context.assignment[header.sha256], context.begun(header), context.registration
    if registration is None:
        return Check(check_id, "unknown", promised, "never registered", arm, header.log)
    if begun is None:
        return Check(check_id, "unknown", promised, "the log names no time", arm, header.log)
    if begun < registration.created:
        found = f"log says {begun.isoformat()}, freeze {registration.created.isoformat()}"
        return Check(check_id, "deviation", promised, found, arm, header.log)
    attempt = context.attempt_of(header)
    if attempt is None:
        metadata = header.metadata or {}
        token = metadata.get(ATTEMPT_STAMP)
        if token is not None:
            found = "its attempt token belongs to no attempt of this study"
        elif INTENT_STAMP in metadata:
            found = "run offline: its attempt was announced only afterwards"
        else:
            found = "no attempt token in the log"
        note = "log times are self-reported"
        return Check(
            check_id, "unknown" if token is None else "deviation", promised, found, arm, header.log, note
        )
    return _against_attempt(registration, attempt, header, begun, arm)


def not_before_checks(context: Context, header: LogHeader) -> Iterator[Check]:
    """The first day (in UTC) on which a run may begin."""
    first, begun = context.protocol.timeline.not_before, context.begun(header)
    if first is not None:
        answer = "unknown" if begun is None else answered(begun.date() >= first)
        found = "the log names no time" if begun is None else begun.date().isoformat()
        arm = context.assignment[header.sha256]
        yield Check("run.not_before", answer, f"{first}", found, arm, header.log)


def _against_attempt(
    registration: Registration, attempt: Attempt, header: LogHeader, begun: datetime, arm: str | None
) -> Check:
    check_id, promised = "run.after_freeze", "begun after the freeze"
    if attempt.opened_index <= registration.index:
        return Check(check_id, "deviation", promised, "its attempt precedes the freeze", arm, header.log)
    if header.sha256 not in attempt.logs:
        found = f"carries the token of attempt {attempt.number}, which did not close with this file"
        return Check(check_id, "deviation", promised, found, arm, header.log)
    if begun < attempt.opened - CLOCK_SKEW:
        found = f"log says {begun.isoformat()}, attempt {attempt.number} opened {attempt.opened.isoformat()}"
        return Check(check_id, "deviation", promised, found, arm, header.log)
    found = f"attempt {attempt.number}, log index {attempt.opened_index} after freeze {registration.index}"
    return Check(check_id, "pass", promised, found, arm, header.log)
