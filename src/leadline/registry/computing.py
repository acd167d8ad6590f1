"""The registered analysis over files, as a question that another process can answer: bytes in, bytes out."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from leadline.protocol.model import Protocol

if TYPE_CHECKING:
    from leadline.verdict.model import Attempt, Registration

#: The function that answers, as `leadline.logs.apart` names it.
REPORT: Final = f"{__name__}:report"


def question(
    protocol: Protocol,
    paths: Sequence[Path],
    registration: "Registration | None",
    attempts: Sequence["Attempt"],
) -> bytes:
    """What `report` needs to know; without a registration the report is that of a retrospective record."""
    asked = {
        "protocol": protocol.canonical_bytes().decode(),
        "paths": [str(path) for path in paths],
        "registration": None
        if registration is None
        else {**asdict(registration), "leaf_hash": registration.leaf_hash.hex()},
        "attempts": [asdict(attempt) for attempt in attempts],
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
    return analyze(protocol, samples, registration=registration, attempts=attempts).to_json()


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
