"""Attaching evaluation logs to a study: the bytes first, durably; then the statement that names them."""

import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from leadline.errors import StateError
from leadline.logs.headers import LogHeader
from leadline.registry.handover import Handover, readable_logs, require_fit
from leadline.registry.publication import require_live
from leadline.registry.running import require_open, say
from leadline.store import ReadView
from leadline.store.projection import TableReader

if TYPE_CHECKING:
    from leadline.registry.study import Study

#: A statement names at most this many logs (its entry must stay under 65,535 bytes).
LOGS_PER_STATEMENT: Final = 100


def attach(
    study: "Study",
    logs: "str | os.PathLike[str] | Sequence[str | os.PathLike[str]]",
    *,
    attempt: int | None,
    force: bool,
) -> tuple[str, ...]:
    """Keep the logs and log the statement; see `Study.attach`."""
    store = study.registry.store
    with store.snapshot() as view:
        _require_attachable(view, study.id, attempt)
    table = readable_logs(logs)
    tokens = {row.number: store.leaf_hash(row.opened).hex() for row in study.attempt_rows}
    if not force:
        require_fit(
            table.headers, Handover(study.id, study.registration.created, attempt, tokens), study.attachments
        )
    known = {row.sha256 for row in study.attachments if attempt is None or row.attempt == attempt}
    kept = {log.sha256: log.read for log in table.accounting.logs}
    fresh = (header for header in table.headers if header.sha256 not in known)
    files = _keep(study, sorted(fresh, key=lambda header: header.sha256), kept)
    for first in range(0, len(files), LOGS_PER_STATEMENT):
        say(study, "attach", _attaching(study.id, attempt, files[first : first + LOGS_PER_STATEMENT]))
    return tuple(header.sha256 for header in table.headers)


def _keep(study: "Study", headers: Iterable[LogHeader], kept: dict[str, int]) -> list[dict[str, Any]]:
    """Store each file, and return what the statement says of it."""
    files = []
    for header in headers:
        with Path(header.path).open("rb") as source:
            digest = study.registry.store.put_blob(source)
        if digest != header.sha256:
            raise StateError(
                "the log changed while it was being attached",
                where=header.path,
                remedy="attach it when its run has ended",
            )
        files.append(
            {
                "sha256": digest,
                "name": header.log[:500],
                "size": header.size,
                "format": header.format,
                "eval_id": header.eval_id or None,
                "samples": kept.get(digest),
            }
        )
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
