"""Computing what a statement claims, over bytes that strangers sent: small things here, the rest apart.

What goes apart runs in a process of its own with limits on memory and time, so that no plan and no log can take
the server down. The functions named there take bytes and return bytes.
"""

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import BoundedSemaphore
from typing import TYPE_CHECKING, Final

from leadline.errors import InputError, ProtocolError, QuotaError, StatementError
from leadline.logs.apart import GIB, MIB, ApartLimits, run_apart
from leadline.protocol.model import Protocol
from leadline.registry.computing import REPORT, question
from leadline.store.blobs import check_digest

if TYPE_CHECKING:
    from leadline.verdict.model import Attempt, Registration

REHEARSAL: Final = ApartLimits(memory=2 * GIB, cpu_seconds=30, wall_seconds=60, output=16 * MIB)
READING: Final = ApartLimits(memory=4 * GIB, cpu_seconds=120, wall_seconds=180, output=64 * MIB)
ANALYSIS: Final = ApartLimits(memory=6 * GIB, cpu_seconds=600, wall_seconds=900, output=256 * MIB)
#: Plans this small are rehearsed in the server's own process: a tenth of a second, a few megabytes.
_SMALL_VALUES, _SMALL_ARMS, _SMALL_CLAIMS = 20_000, 12, 12
#: How many processes compute at once, and how many seconds somebody waits for a place.
_PLACES: Final = BoundedSemaphore(max(2, os.cpu_count() or 2))
_PATIENCE: Final = 20
_HERE: Final = "leadline.registry.intake.work"
_COMPARISON: Final = "leadline/comparison"


@dataclass(frozen=True, slots=True)
class FileSummary:
    """What a log file says of itself, as an attach statement must repeat it."""

    sha256: str
    size: int
    format: str
    eval_id: str | None
    samples: int | None


def apart(function: str, payload: bytes, limits: ApartLimits) -> bytes:
    """As `run_apart`, a few at a time; QuotaError when all places stay taken for a while."""
    if not _PLACES.acquire(timeout=_PATIENCE):
        raise QuotaError(
            "this server is busy computing what others sent",
            retry_after=_PATIENCE,
            remedy=f"send the same request again in {_PATIENCE} seconds; nothing of it was done",
        )
    try:
        return run_apart(function, payload, limits=limits)
    finally:
        _PLACES.release()


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
    apart(f"{_HERE}:rehearse_apart", body, REHEARSAL)


def summaries(folder: Path) -> list[FileSummary]:
    """What the log files in a folder say of themselves, in order of digest; LogError or InputError otherwise."""
    answer = apart(f"{_HERE}:summaries_apart", str(folder).encode(), READING)
    return [FileSummary(**one) for one in json.loads(answer)]


def report_bytes(
    protocol: Protocol,
    paths: Sequence[Path],
    registration: "Registration | None",
    attempts: Sequence["Attempt"],
) -> bytes:
    """The report of the registered analysis.

    Without a registration the report is that of a retrospective record.
    """
    return apart(REPORT, question(protocol, paths, registration, attempts), ANALYSIS)


def named_in_report(body: bytes) -> tuple[str, list[tuple[str, str]]] | None:
    """Digest of the protocol, and (digest, name) of every log, that an imported report names; None for a comparison.

    InputError when it is no report: 256 MiB of JSON can be some gigabytes of values, so it is read apart.
    """
    said = json.loads(apart(f"{_HERE}:named_in_report_apart", body, REHEARSAL))
    return None if said is None else (said["protocol"], [(digest, name) for digest, name in said["logs"]])


# -- run apart ------------------------------------------------------------------------------------


def rehearse_apart(body: bytes) -> bytes:
    """Execute the plan whose bytes these are; nothing to say when it runs."""
    from leadline.verdict.simulation import execute

    execute(Protocol.parse(body, name="protocol.json"))
    return b""


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


def summaries_apart(folder: bytes) -> bytes:
    """Summaries of the logs in the folder of this name, as JSON."""
    from leadline.registry.handover import readable_logs

    table = readable_logs(Path(folder.decode()))
    kept = {log.sha256: log.read for log in table.accounting.logs}
    found = [
        FileSummary(
            header.sha256, header.size, header.format, header.eval_id or None, kept.get(header.sha256)
        )
        for header in sorted(table.headers, key=lambda header: header.sha256)
    ]
    return json.dumps([asdict(one) for one in found]).encode()


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
