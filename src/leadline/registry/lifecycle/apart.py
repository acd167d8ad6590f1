"""A study's analysis in a process of its own, with limits: hostile logs end that process and nothing else."""

import json
import tempfile
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from leadline.logs.apart import ApartLimits, run_apart

if TYPE_CHECKING:
    from leadline.registry.study import Study
    from leadline.verdict.model import Attempt, Registration

#: What one study's analysis may cost the machine that tends the registry.
LIMITS: Final = ApartLimits(memory=6 << 30, cpu_seconds=600, wall_seconds=900.0)


def analysis_apart(study: "Study", *, limits: ApartLimits = LIMITS) -> bytes:
    """The JSON of the registered analysis over the attached logs, the same bytes as ``study.analyze().to_json()``.

    Raises what the analysis raises, and InputError where it meets a limit.
    """
    with tempfile.TemporaryDirectory(prefix="leadline-") as folder:
        paths = study.lay_out(Path(folder))
        payload = {
            "protocol": study.registry.store.blob(study.row.protocol).decode(),
            "logs": [str(path) for path in paths],
            "registration": _registration_form(study.registration),
            "attempts": [_attempt_form(attempt) for attempt in study.attempts],
        }
        return run_apart(f"{__name__}:compute", json.dumps(payload).encode(), limits=limits)


def compute(payload: bytes) -> bytes:
    """Inside the process: the report of the study that `payload` describes."""
    from leadline.logs import read_logs
    from leadline.protocol.model import Protocol
    from leadline.verdict.analysis import analyze
    from leadline.verdict.needs import closed_with, required_columns

    said = json.loads(payload)
    protocol = Protocol.parse(said["protocol"].encode(), name="protocol.json")
    attempts = [_attempt(form) for form in said["attempts"]]
    samples = read_logs(
        said["logs"],
        tier="sample",
        columns=list(required_columns(protocol)) or None,
        prefer=closed_with(attempts),
    )
    registration = _registration(said["registration"])
    return analyze(protocol, samples, registration=registration, attempts=attempts).to_json()


def _registration_form(found: "Registration") -> dict[str, Any]:
    return {
        "study": found.study,
        "digest": found.digest,
        "index": found.index,
        "leaf_hash": found.leaf_hash.hex(),
        "created": found.created.isoformat(),
        "amended": list(found.amended),
    }


def _registration(form: dict[str, Any]) -> "Registration":
    from leadline.verdict.model import Registration

    return Registration(
        study=form["study"],
        digest=form["digest"],
        index=form["index"],
        leaf_hash=bytes.fromhex(form["leaf_hash"]),
        created=datetime.fromisoformat(form["created"]),
        amended=tuple(form["amended"]),
    )


def _attempt_form(found: "Attempt") -> dict[str, Any]:
    return {
        "number": found.number,
        "token": found.token,
        "opened_index": found.opened_index,
        "opened": found.opened.isoformat(),
        "status": found.status,
        "logs": list(found.logs),
        "note": found.note,
    }


def _attempt(form: dict[str, Any]) -> "Attempt":
    from leadline.verdict.model import Attempt

    return Attempt(**{**form, "opened": datetime.fromisoformat(form["opened"]), "logs": tuple(form["logs"])})
