"""A header from what a format does say, with nothing made up for what it does not."""

import hashlib
from dataclasses import replace
from datetime import datetime
from typing import Any

from leadline.logs.headers import Companion, DatasetNote, LogHeader
from leadline.logs.source import Source

_ID_LENGTH = 22


def joined_header(told: LogHeader, own: LogHeader, companion: LogHeader, **known: Any) -> LogHeader:
    """What `told` says of a run, as the header of the file `own` whose samples were read; `companion` told it."""
    fields: dict[str, Any] = {
        "log": own.log,
        "path": own.path,
        "sha256": own.sha256,
        "size": own.size,
        "format": own.format,
        "samples_read": own.samples_read,
        "item_digests": own.item_digests,
        "aggregate_only": False,
        "companions": (
            Companion(companion.log, companion.path, companion.sha256, companion.size, companion.format),
        ),
        "ties": {},
    }
    return replace(told, **(fields | known))


def new_header(
    source: Source,
    *,
    sha256: str,
    format: str,  # noqa: A002
    eval_id: str,
    task: str = "",
    model: str = "",
    created: datetime | None = None,
    **known: Any,
) -> LogHeader:
    """A `LogHeader` of a file, with the named fields and otherwise empty ones.

    `eval_id` is equal for two files exactly if they hold the same evaluation; see `evaluation_id`. An empty task or
    model, and a time of None, mean that the file does not say; conformance then answers "unknown". Raises TypeError
    for a field that headers do not have.
    """
    fields: dict[str, Any] = {
        "log": source.name,
        "path": str(source.path),
        "sha256": sha256,
        "size": source.size,
        "format": format,
        "version": 0,
        "status": "success",
        "eval_id": eval_id,
        "run_id": "",
        "eval_set_id": None,
        "task": task,
        "task_id": "",
        "task_version": "",
        "task_file": None,
        "task_registry_name": None,
        "task_args": {},
        "task_args_passed": {},
        "solver": None,
        "solver_args": None,
        "steps": (),
        "model": model,
        "model_base_url": None,
        "model_args": {},
        "model_roles": {},
        "generate_config": {},
        "model_generate_config": {},
        "plan_config": {},
        "config": {},
        "dataset": DatasetNote(),
        "sandbox": None,
        "scorers": (),
        "tags": (),
        "metadata": {},
        "revision": None,
        "packages": {},
        "created": created,
        "started_at": None,
        "completed_at": None,
        "error": None,
        "results": (),
        "total_samples": None,
        "completed_samples": None,
        "logged_samples": None,
        "invalidated": False,
        "log_updates": (),
        "config_updates": (),
        "model_usage": {},
    } | known
    effective = {"effective_tags": fields["tags"], "effective_metadata": fields["metadata"]}
    return LogHeader(**(effective | fields))


def evaluation_id(*parts: str) -> str:
    """An id for an evaluation that was given none: 22 hex digits of the SHA-256 over what identifies it."""
    digest = hashlib.sha256()
    for part in parts:
        content = part.encode("utf-8", "surrogatepass")
        digest.update(len(content).to_bytes(8, "big") + content)
    return digest.hexdigest()[:_ID_LENGTH]
