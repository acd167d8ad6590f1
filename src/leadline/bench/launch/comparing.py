"""What a task is about to run with, against what was promised: the checks of the report, as far as they can be made now.

What only the samples can show (their content, who answered, how many were scored) is left to the report.
"""

from typing import Any, cast

from leadline.bench.launch.berth import Difference, Order
from leadline.logs.header_build import build_header
from leadline.logs.headers import LogHeader
from leadline.logs.source import Source
from leadline.protocol.model import Protocol
from leadline.registry.run import STUDY_STAMP
from leadline.verdict.arms import closest
from leadline.verdict.conformance.context import ATTEMPT_STAMP, INTENT_STAMP, Context, Seen
from leadline.verdict.conformance.dataset import dataset_checks
from leadline.verdict.conformance.registration import not_before_checks
from leadline.verdict.conformance.settings import setting_checks

#: Name under which the header of a task that has no log yet is compared.
_NAME = "this task"


class _Unwritten:
    """The place of a log that is not there yet, for `build_header`."""

    path = name = _NAME
    size = 0


def header_of(spec: dict[str, Any], plan: dict[str, Any]) -> LogHeader:
    """The header that the log of this task will have: `spec` and `plan` as JSON values, as Inspect will write them."""
    document = {"version": 2, "status": "started", "eval": spec, "plan": plan}
    return build_header(document, cast("Source", _Unwritten()), sha256="", format="eval")


def compare(protocol: Protocol, order: Order, header: LogHeader) -> tuple[str | None, list[Difference]]:
    """The arm this task belongs to (None where that is not clear), and how it differs from its promises."""
    nearest = closest(protocol, header) if order.arm is None else [order.arm]
    differences = list(_stamps(order, header))
    if not nearest:
        found = f"{header.task} on {header.model}"
        return None, [*differences, Difference("arm", "a task and model of the protocol", found)]
    if len(nearest) > 1:
        note = "name the arm with --arm"
        return None, [
            *differences,
            Difference("arm", "one arm", f"as near to {' as to '.join(nearest)}", note),
        ]
    context = Context(
        protocol=protocol,
        registration=order.promised(),
        attempts=(),
        headers=(header,),
        assignment={header.sha256: nearest[0]},
        denominators=(),
        seen={header.sha256: _as_if_run(header)},
        recomputed=(),
        summary_mismatches={},
    )
    checks = [*setting_checks(context), *dataset_checks(context), *not_before_checks(context, header)]
    differences += [
        Difference(check.id, check.promised, check.found, check.note)
        for check in checks
        if check.answer == "deviation" and check.id != "epochs.run"  # said of `epochs` already
    ]
    return nearest[0], differences


def _stamps(order: Order, header: LogHeader) -> list[Difference]:
    """What ties the log to the attempt; a script must pass it on itself."""
    note = "in a script: eval(..., metadata=leadline.bench.launch.stamps.stamp())"
    wanted = {
        key: order.stamp[key] for key in (STUDY_STAMP, ATTEMPT_STAMP, INTENT_STAMP) if key in order.stamp
    }
    return [
        Difference(f"metadata.{key}", str(value), str(header.metadata.get(key, "absent")), note)
        for key, value in wanted.items()
        if header.metadata.get(key) != value
    ]


def _as_if_run(header: LogHeader) -> Seen:
    """The items and epochs that the task is going to run."""
    ids = tuple(sorted({str(sample) for sample in header.dataset.sample_ids or ()}))
    return Seen(
        samples=ids,
        epochs=header.epochs,
        results=len(ids) * header.epochs,
        started=None,
        fallbacks=0,
        edits=0,
        replaced=0,
        dataset_sha256=None,
    )
