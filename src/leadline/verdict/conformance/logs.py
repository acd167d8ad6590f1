"""Are the logs whole, unedited, consistent with themselves, and each in its place?"""

from collections.abc import Iterator

from leadline.verdict.conformance.context import Context
from leadline.verdict.model import Check

#: Claims whose recomputation must be possible; others are compared where they can be.
POINT_METRICS = ("accuracy", "mean")


def log_checks(context: Context) -> Iterator[Check]:
    """Every arm has logs, every log an arm; each log finished, unedited and adding up."""
    for arm in context.protocol.arms:
        count = len(context.logs_of(arm))
        answer = "pass" if count else "deviation"
        yield Check("arm.logs", answer, "at least one log", f"{count} logs", arm.name)  # type: ignore[arg-type]
    for header in context.headers:
        arm_name = context.assignment[header.sha256]
        if arm_name is None:
            found = f"{header.task} on {header.model}"
            yield Check("log.arm", "deviation", "belongs to an arm", found, None, header.log)
        answer = "pass" if header.status == "success" else "deviation"
        yield Check("log.status", answer, "success", header.status, arm_name, header.log)  # type: ignore[arg-type]
        edits = len(header.log_updates)
        yield Check(
            "log.edits", "deviation" if edits else "pass", "none", f"{edits} edits", arm_name, header.log
        )
        if header.sha256 in context.summary_mismatches:
            count = context.summary_mismatches[header.sha256]
            answer = "deviation" if count else "pass"
            found = f"{count} values differ"
            yield Check("log.summaries", answer, "equal to the samples", found, arm_name, header.log)  # type: ignore[arg-type]
    for name, why in context.rivals:
        found = f"another file of one evaluation, with other bytes: {why}"
        yield Check("log.rival", "deviation", "one file for each evaluation", found, None, name)
    yield from _aggregates(context)


def _aggregates(context: Context) -> Iterator[Check]:
    """What a log claims about itself beside what its samples say."""
    arms = {header.log: context.assignment[header.sha256] for header in context.headers}
    for claim in context.recomputed:
        promised = f"{claim.scorer} {claim.metric} {_number(claim.reported)}"
        arm = arms.get(claim.log)
        if claim.consistent is None and claim.metric not in POINT_METRICS:
            continue  # a metric of the task's own: listed in the report, and no promise rests on it
        if claim.consistent is None:
            yield Check(
                "log.recomputed", "unknown", promised, "cannot be recomputed", arm, claim.log, claim.note
            )
        else:
            answer = "pass" if claim.consistent else "deviation"
            yield Check("log.recomputed", answer, promised, _number(claim.recomputed), arm, claim.log)  # type: ignore[arg-type]


def _number(value: float | None) -> str:
    return "none" if value is None else f"{value:.10g}"
