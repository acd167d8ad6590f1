"""Computing what a statement claims, over bytes that strangers sent: small things here, the rest apart.

What goes apart runs in a process of its own with limits on memory and time, so that no plan and no log can take
the server down. The functions named there take bytes and return bytes.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from leadline.errors import InputError, ProtocolError, StatementError
from leadline.logs.apart import GIB, MIB, ApartLimits
from leadline.protocol.model import Protocol
from leadline.registry import questions
from leadline.registry.handover import HandedLog
from leadline.registry.intake.places import apart
from leadline.store.blobs import check_digest
from leadline.verdict.elsewhere import NOTHING, Elsewhere

if TYPE_CHECKING:
    from leadline.registry.scan import Finding
    from leadline.verdict.model import Attempt, Registration

REHEARSAL: Final = ApartLimits(memory=2 * GIB, cpu_seconds=30, wall_seconds=60, output=16 * MIB)
READING: Final = ApartLimits(memory=4 * GIB, cpu_seconds=120, wall_seconds=180, output=64 * MIB)
ANALYSIS: Final = ApartLimits(memory=6 * GIB, cpu_seconds=600, wall_seconds=900, output=256 * MIB)
#: Plans this small are rehearsed in the server's own process: a tenth of a second, a few megabytes.
_SMALL_VALUES, _SMALL_ARMS, _SMALL_CLAIMS = 20_000, 12, 12
_HERE: Final = "leadline.registry.intake.work"
_COMPARISON: Final = "leadline/comparison"


def read_protocol(body: bytes, *, where: str) -> Protocol:
    """The protocol whose canonical bytes these are; ProtocolError or StatementError for any others."""
    protocol = Protocol.parse(body, name=where)
    if protocol.canonical_bytes() != body:
        raise StatementError(
            "these are not the canonical bytes of the protocol they hold",
            where=where,
            remedy="freeze the bytes that `Protocol.canonical_bytes()` gives",
        )
    return protocol


def rehearse(protocol: Protocol, body: bytes) -> None:
    """Execute the plan once on simulated data; ProtocolError when it does not run, or asks for too much."""
    from leadline.verdict.simulation import execute

    if _is_small(protocol):
        execute(protocol)
        return
    apart(questions.REHEARSAL, body, REHEARSAL)


def summaries(folder: Path) -> list[HandedLog]:
    """What the log files in a folder say of themselves; LogError or InputError otherwise."""
    return questions.handed_of(apart(questions.HANDED, questions.paths_question([folder]), READING))


def secrets(folder: Path) -> "list[Finding]":
    """The secrets in the log files in a folder: the `Scan` of a server."""
    return questions.scan_of(apart(questions.SCAN, questions.paths_question([folder]), READING)).secrets


def report_bytes(
    protocol: Protocol,
    paths: Sequence[Path],
    registration: "Registration | None",
    attempts: Sequence["Attempt"],
    elsewhere: Elsewhere = NOTHING,
) -> bytes:
    """The report of the registered analysis.

    Without a registration the report is that of a retrospective record.
    """
    asked = questions.question(protocol, paths, registration, attempts, elsewhere)
    return apart(questions.REPORT, asked, ANALYSIS)


def named_in_report(body: bytes) -> tuple[str, list[tuple[str, str]]] | None:
    """Digest of the protocol, and (digest, name) of every log, that an imported report names; None for a comparison.

    InputError when it is no report: 256 MiB of JSON can be some gigabytes of values, so it is read apart.
    """
    said = json.loads(apart(f"{_HERE}:named_in_report_apart", body, REHEARSAL))
    return None if said is None else (said["protocol"], [(digest, name) for digest, name in said["logs"]])


# -- run apart ------------------------------------------------------------------------------------


def named_in_report_apart(body: bytes) -> bytes:
    """What `named_in_report` answers, as JSON."""
    try:
        document = json.loads(body)
        if document["kind"] == _COMPARISON:
            return b"null"
        digest = check_digest(str(document["protocol"]["digest"]))
        logs = [(check_digest(str(log["sha256"])), str(log["name"])) for log in document["logs"]]
    except (ValueError, KeyError, TypeError, RecursionError, InputError):
        raise InputError(
            "the imported report is no report of Leadline",
            where="import statement",
            remedy="import logs with `leadline import`, which computes the report",
        ) from None
    return json.dumps({"protocol": digest, "logs": logs}).encode()


def _is_small(protocol: Protocol) -> bool:
    from leadline.verdict.simulation.layout import values_per_arm

    try:
        values = max((values_per_arm(protocol, one) for one in protocol.hypotheses), default=0)
    except ProtocolError:
        return False
    return (
        values <= _SMALL_VALUES
        and len(protocol.arms) <= _SMALL_ARMS
        and len(protocol.hypotheses) + len(protocol.robustness) + len(protocol.controls) <= _SMALL_CLAIMS
    )
