"""Attaching evaluation logs to a study: the bytes first, durably; then the statement that names them."""

import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from leadline.errors import StateError
from leadline.logs.binding import with_mapping
from leadline.registry.handover import HandedLog, Handover, require_fit
from leadline.registry.publication import require_live
from leadline.registry.running import require_open, say
from leadline.store import ReadView
from leadline.store.projection import TableReader

if TYPE_CHECKING:
    from leadline.logs.mapping import MappingLike
    from leadline.registry.study import Study

#: A statement names at most this many logs (its entry must stay under 65,535 bytes).
LOGS_PER_STATEMENT: Final = 50


def attach(
    study: "Study",
    logs: "str | os.PathLike[str] | Sequence[str | os.PathLike[str]]",
    *,
    attempt: int | None,
    force: bool,
    mapping: "MappingLike | None" = None,
) -> tuple[str, ...]:
    """Keep the logs and log the statement; see `Study.attach`."""
    with with_mapping(logs, mapping) as paths:
        return _attached(study, paths, attempt=attempt, force=force)


def _attached(
    study: "Study", logs: "Sequence[str | os.PathLike[str]]", *, attempt: int | None, force: bool
) -> tuple[str, ...]:
    store = study.registry.store
    with store.snapshot() as view:
        _require_attachable(view, study.id, attempt)
    handed = study.registry.computing.handed_over(logs)
    tokens = {row.number: store.leaf_hash(row.opened).hex() for row in study.attempt_rows}
    if not force:
        require_fit(
            handed, Handover(study.id, study.registration.created, attempt, tokens), study.attachments
        )
    known = {row.sha256 for row in study.attachments if attempt is None or row.attempt == attempt}
    files = _keep(study, sorted((log for log in handed if log.sha256 not in known), key=_digest))
    for first in range(0, len(files), LOGS_PER_STATEMENT):
        say(study, "attach", _attaching(study.id, attempt, files[first : first + LOGS_PER_STATEMENT]))
    return tuple(map(_digest, handed))


def _digest(log: HandedLog) -> str:
    return log.sha256


def _keep(study: "Study", logs: Iterable[HandedLog]) -> list[dict[str, Any]]:
    """Store each file, and return what the statement says of it."""
    files = []
    for log in logs:
        with Path(log.path).open("rb") as source:
            digest = study.registry.store.put_blob(source)
        if digest != log.sha256:
            raise StateError(
                "the log changed while it was being attached",
                where=log.path,
                remedy="attach it when its run has ended",
            )
        files.append(log.said())
    return files


def _attaching(
    study: str, attempt: int | None, files: list[dict[str, Any]]
) -> Callable[[ReadView], dict[str, Any]]:
    def said(view: ReadView) -> dict[str, Any]:
        _require_attachable(view, study, attempt)
        return {"attempt": attempt, "logs": files}

    return said


def _require_attachable(view: TableReader, study: str, attempt: int | None) -> None:
    require_live(view, study, "no further log can be attached")
    if attempt is not None:
        require_open(view, study, attempt)
