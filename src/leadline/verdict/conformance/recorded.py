"""Is what the author recorded a recording that was promised, made for this protocol?"""

from collections.abc import Iterator

from leadline.logs.recording.shapes import FORMAT, PROTOCOL_STAMP
from leadline.verdict.conformance.context import Context, answered
from leadline.verdict.model import Check


def recorded_checks(context: Context) -> Iterator[Check]:
    """Recordings where they were promised and only there, each opened for the protocol that was frozen.

    Rows that an author's own code records prove less than what a harness logs: who promised a harness owes its logs.
    """
    for arm, task, header in context.pairs():
        recorded = header.format == FORMAT
        if task.harness != "recorded" and not recorded:
            continue
        promised = "a recording" if task.harness == "recorded" else "a harness's log"
        found = "a recording" if recorded else f"a log of the format {header.format}"
        answer = answered((task.harness == "recorded") == recorded)
        yield Check("task.harness", answer, promised, found, arm.name, header.log)
    if context.registration is None:
        return
    for header in context.headers:
        if header.format == FORMAT:
            found = str((header.metadata or {}).get(PROTOCOL_STAMP, "none"))[:64]
            made_for = {context.registration.digest, *context.registration.amended}
            arm_name = context.assignment[header.sha256]
            frozen = context.registration.digest
            yield Check(
                "recording.protocol", answered(found in made_for), frozen, found, arm_name, header.log
            )
