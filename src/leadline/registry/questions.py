"""What another process is asked to compute, and the functions with which it answers: bytes in, bytes out.

Each function is named, as `leadline.logs.apart` names one, beside its own question and what becomes of its answer.
"""

import json
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from leadline.protocol.model import Protocol
from leadline.registry.handover import HandedLog, handed_over
from leadline.verdict.elsewhere import NOTHING, Elsewhere

if TYPE_CHECKING:
    from leadline.registry.check.model import Finding
    from leadline.registry.scan import Scan
    from leadline.verdict.model import Attempt, Registration


def prepare() -> None:
    """Import what the functions below import when they are called, in the process that will be forked for them."""
    from leadline.logs import read_logs  # noqa: F401
    from leadline.registry.check import check  # noqa: F401
    from leadline.registry.scan import scan_logs  # noqa: F401
    from leadline.verdict.analysis import analyze  # noqa: F401
    from leadline.verdict.needs import required_columns  # noqa: F401
    from leadline.verdict.simulation import operating_characteristics  # noqa: F401

    with suppress(ImportError):  # pyarrow imports it, where it is installed, when it first looks at an array
        import pandas  # noqa: F401, ICN001


# -- plans ----------------------------------------------------------------------------------------

PLAN: Final = f"{__name__}:plan"
REHEARSAL: Final = f"{__name__}:rehearsal"
CHARACTERISTICS: Final = f"{__name__}:characteristics"
FINDINGS: Final = f"{__name__}:findings"


def plan(text: bytes) -> bytes:
    """The canonical bytes of the plan that somebody wrote as YAML or JSON."""
    return Protocol.parse(text).canonical_bytes()


def plan_of(answer: bytes) -> Protocol:
    """The plan that `plan` read: of bytes known to be a plan's, so nothing but the model looks at them."""
    return Protocol.model_validate_json(answer, strict=True)


def rehearsal(body: bytes) -> bytes:
    """Execute the plan whose bytes these are; nothing to say when it runs."""
    from leadline.verdict.simulation import execute

    execute(Protocol.parse(body, name="protocol.json"))
    return b""


def characteristics(body: bytes) -> bytes:
    """The JSON of the operating characteristics, as registered, of the plan whose bytes these are."""
    from leadline.verdict.simulation import operating_characteristics

    return operating_characteristics(Protocol.parse(body, name="protocol.json")).to_json()


def findings_question(protocol: Protocol, replicates: int | None, today: date | None) -> bytes:
    """What `findings` needs to know."""
    asked = {"replicates": replicates, "today": None if today is None else today.isoformat()}
    return json.dumps(asked).encode() + b"\n" + protocol.canonical_bytes()


def findings(payload: bytes) -> bytes:
    """Findings of the critical reader on a plan, those left out that need a registry, as JSON."""
    from leadline.registry.check import check

    head, _, body = payload.partition(b"\n")
    asked = json.loads(head)
    today = None if asked["today"] is None else date.fromisoformat(asked["today"])
    found = check(Protocol.parse(body, name="protocol.json"), replicates=asked["replicates"], today=today)
    return json.dumps([one.to_dict() for one in found]).encode()


def findings_of(answer: bytes) -> "list[Finding]":
    """The findings back from JSON."""
    from leadline.registry.check.model import Finding

    return [Finding(**one) for one in json.loads(answer)]


# -- logs -----------------------------------------------------------------------------------------

HANDED: Final = f"{__name__}:handed"
SCAN: Final = f"{__name__}:scan"


def paths_question(paths: "Sequence[str | os.PathLike[str]]") -> bytes:
    """What `handed` and `scan` need to know."""
    return json.dumps([os.fspath(path) for path in paths]).encode()


def handed(payload: bytes) -> bytes:
    """What the logs among these files and folders say of themselves, as JSON."""
    logs = handed_over(json.loads(payload))
    return json.dumps(
        [{**asdict(log), "begun": log.begun and log.begun.isoformat()} for log in logs]
    ).encode()


def handed_of(answer: bytes) -> list[HandedLog]:
    """The logs back from JSON."""
    return [
        HandedLog(**{**one, "begun": one["begun"] and datetime.fromisoformat(one["begun"])})
        for one in json.loads(answer)
    ]


def scan(payload: bytes) -> bytes:
    """What the logs among these files and folders should not carry into a public record, as JSON."""
    from leadline.registry.scan import scan_logs

    return json.dumps(asdict(scan_logs(json.loads(payload)))).encode()


def scan_of(answer: bytes) -> "Scan":
    """The scan back from JSON."""
    from leadline.registry.scan import Finding, Scan

    said = json.loads(answer)
    return Scan(tuple(Finding(**one) for one in said["findings"]), said["totals"], said["files"])


# -- reports --------------------------------------------------------------------------------------

#: The registered analysis over files.
REPORT: Final = f"{__name__}:report"


def question(
    protocol: Protocol,
    paths: Sequence[Path],
    registration: "Registration | None",
    attempts: Sequence["Attempt"],
    elsewhere: Elsewhere = NOTHING,
) -> bytes:
    """What `report` needs to know; without a registration the report is that of a retrospective record."""
    asked = {
        "protocol": protocol.canonical_bytes().decode(),
        "paths": [str(path) for path in paths],
        "registration": None
        if registration is None
        else {**asdict(registration), "leaf_hash": registration.leaf_hash.hex()},
        "attempts": [asdict(attempt) for attempt in attempts],
        "elsewhere": asdict(elsewhere),
    }
    return json.dumps(asked, default=_plain).encode()


def report(payload: bytes) -> bytes:
    """The JSON of the report that a question asks for."""
    from leadline.logs import read_logs
    from leadline.verdict.analysis import analyze
    from leadline.verdict.model import Attempt, Registration
    from leadline.verdict.needs import closed_with, required_columns

    asked = json.loads(payload)
    protocol = Protocol.parse(asked["protocol"].encode(), name="protocol.json")
    attempts = [_typed(Attempt, one) for one in asked["attempts"]]
    registration = None if asked["registration"] is None else _typed(Registration, asked["registration"])
    samples = read_logs(
        [Path(path) for path in asked["paths"]],
        tier="sample",
        columns=list(required_columns(protocol)) or None,
        prefer=closed_with(attempts),
    )
    elsewhere = Elsewhere.of(asked["elsewhere"])
    return analyze(
        protocol, samples, registration=registration, attempts=attempts, elsewhere=elsewhere
    ).to_json()


def _typed(kind: Any, fields: dict[str, Any]) -> Any:
    """A record of the ledger's facts back from JSON: its times, tuples and hashes as they were."""
    read = {
        name: tuple(value)
        if isinstance(value, list)
        else bytes.fromhex(value)
        if name == "leaf_hash"
        else datetime.fromisoformat(value["time"])
        if isinstance(value, dict)
        else value
        for name, value in fields.items()
    }
    return kind(**read)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return {"time": value.isoformat()}
    raise TypeError(f"{type(value).__name__} is not carried to another process")
