"""Are the logs whole, unedited, consistent with themselves, and each in its place?"""

from collections.abc import Iterator

from leadline.logs.headers import LogHeader
from leadline.verdict.conformance.context import Context, answered
from leadline.verdict.model import Answer, Check

#: Claims whose recomputation must be possible; others are compared where they can be.
POINT_METRICS = ("accuracy", "mean")


def log_checks(context: Context) -> Iterator[Check]:
    """Every arm has logs, every log an arm; each log finished, unedited and adding up."""
    for arm in context.protocol.arms:
        count = len(context.logs_of(arm))
        answer = answered(count > 0)
        yield Check("arm.logs", answer, "at least one log", f"{count} logs", arm.name)
    for header in context.headers:
        arm_name = context.assignment[header.sha256]
        if arm_name is None:
            found = f"{header.task} on {header.model}"
            yield Check("log.arm", "deviation", "belongs to an arm", found, None, header.log)
        answer = answered(header.status == "success")
        yield Check("log.status", answer, "success", header.status, arm_name, header.log)
        yield from _changed(context, header, arm_name)
        if header.sha256 in context.summary_mismatches:
            count = context.summary_mismatches[header.sha256]
            answer = answered(not count)
            found = f"{count} values differ"
            yield Check("log.summaries", answer, "equal to the samples", found, arm_name, header.log)
    for name, why in context.rivals:
        found = f"another file of one evaluation, with other bytes: {why}"
        yield Check("log.rival", "deviation", "one file for each evaluation", found, None, name)
    yield from _aggregates(context)


def _changed(context: Context, header: LogHeader, arm: str | None) -> Iterator[Check]:
    """Edits of the log or of scores, samples run again in place of an earlier result, settings changed under way."""
    seen = context.seen[header.sha256]
    edits = len(header.log_updates) + seen.edits
    yield Check("log.edits", answered(not edits), "none", f"{edits} edits", arm, header.log)
    refused = context.protocol.data_rules.duplicates == "refuse"
    answer: Answer = "unknown" if seen.replaced and not refused else answered(not seen.replaced)
    note = "an earlier result of the same sample is in the file and does not count" if seen.replaced else ""
    found = f"{seen.replaced} samples run again"
    yield Check("log.replaced", answer, "each sample run once", found, arm, header.log, note)
    retuned = len(header.config_updates)
    yield Check("log.retuned", answered(not retuned), "none", f"{retuned} changes", arm, header.log)


def _aggregates(context: Context) -> Iterator[Check]:
    """What a log claims about itself beside what its samples say."""
    for claim in context.recomputed:
        if claim.sha256 in context.silent:
            continue
        promised = f"{claim.scorer} {claim.metric} {_number(claim.reported)}"
        arm = context.assignment.get(claim.sha256)
        if claim.consistent is None and claim.metric not in POINT_METRICS:
            continue  # a metric of the task's own: listed in the report, and no promise rests on it
        if claim.consistent is None:
            yield Check(
                "log.recomputed", "unknown", promised, "cannot be recomputed", arm, claim.log, claim.note
            )
        else:
            answer = answered(bool(claim.consistent))
            yield Check("log.recomputed", answer, promised, _number(claim.recomputed), arm, claim.log)


def _number(value: float | None) -> str:
    return "none" if value is None else f"{value:.10g}"
