"""Logs handed over to a study: are they logs, of a run after the freeze, stamped for what they are handed over for?"""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from leadline.errors import InputError, LeadlineError, LogError, NotFoundError
from leadline.logs import read_logs
from leadline.logs.dataset import probe
from leadline.logs.headers import Companion, LogHeader
from leadline.registry.run import STUDY_STAMP
from leadline.store.projections.attachments import AttachmentRow
from leadline.verdict.conformance.context import ATTEMPT_STAMP

#: Longest name of a log in a statement.
LONGEST_NAME: Final = 300
#: What a statement says of a log besides its name and digest: each of it follows from the bytes.
SAID: Final = ("size", "format", "eval_id", "samples", "task", "model", "dataset", "items")
_LONGEST_STAMP: Final = 200
_LONGEST_LINE: Final = 120


@dataclass(frozen=True, slots=True)
class HandedLog:
    """A log file that is handed over: where it is, what a statement says of it, and what it is stamped for.

    `begun` is when it says that its run began, None where it does not say; `samples` how many it holds where they were
    counted; `study` and `token` are its stamps as text; `dataset` and `items` the digest and the probe of its samples,
    None where they cannot be had.
    """

    path: str
    name: str
    sha256: str
    size: int
    begun: datetime | None
    format: str
    eval_id: str | None
    samples: int | None
    study: str | None = None
    token: str | None = None
    task: str | None = None
    model: str | None = None
    dataset: str | None = None
    items: str | None = None

    def said(self) -> dict[str, Any]:
        """What an attach statement says of the file."""
        told = {field: getattr(self, field) for field in ("sha256", *SAID)}
        return {"name": self.name[:LONGEST_NAME], **told}


@dataclass(frozen=True, slots=True)
class Handover:
    """What logs are handed over for: a study, and one of its attempts where `attempt` says so.

    `frozen` is when the study was frozen; `tokens` are the tokens of its attempts, by number.
    """

    study: str
    frozen: datetime
    attempt: int | None
    tokens: Mapping[int, str]


def handed_over(logs: "str | os.PathLike[str] | Sequence[str | os.PathLike[str]]") -> list[HandedLog]:
    """The log files among these files and folders, with what they say of themselves.

    Raises NotFoundError for a path that leads nowhere, InputError when no file is an evaluation log, LogError
    for a log that cannot be read: left behind in silence, it could hide a run.
    """
    paths = [logs] if isinstance(logs, str | os.PathLike) else list(logs)
    for path in paths:
        if not Path(path).exists():
            raise NotFoundError(
                "there is no such log or folder", where=os.fspath(path), remedy="check the path"
            )
    table = read_logs(paths, tier="summary")
    if not table.headers:
        reasons = "; ".join(f"{skip.path}: {skip.reason}" for skip in table.accounting.skipped[:3])
        raise InputError(
            f"none of these files is an evaluation log: {reasons or 'the folder is empty'}",
            remedy="attach logs of a format that is read (docs/log-formats.md); a table needs a mapping",
        )
    for skip in table.accounting.skipped:
        if skip.kind == "unreadable":
            raise LogError(
                f"a log cannot be read: {skip.reason}",
                where=skip.path,
                remedy="attach the others by name if this file is no log of the study",
            )
    kept = {log.sha256: log.read for log in table.accounting.logs}
    handed = [_handed(header, kept.get(header.sha256)) for header in table.headers]
    found = [*handed, *(_beside(one, header) for header in table.headers for one in header.companions)]
    return list({log.sha256: log for log in reversed(found)}.values())[::-1]


def _beside(companion: Companion, header: LogHeader) -> HandedLog:
    """A file that a log was read with: attached as well, so that the log reads the same for everybody."""
    named = (companion.path, companion.name, companion.sha256, companion.size)
    return HandedLog(*named, header.begun, companion.format, None, None)


def _handed(header: LogHeader, samples: int | None) -> HandedLog:
    stamps = header.metadata or {}
    dataset, items = _content(header)
    return HandedLog(
        header.path,
        header.log,
        header.sha256,
        header.size,
        header.begun,
        header.format,
        None if header.aggregate_only else header.eval_id or None,
        None if header.aggregate_only else samples,
        _stamp(stamps.get(STUDY_STAMP)),
        _stamp(stamps.get(ATTEMPT_STAMP)),
        _line(header.task),
        _line(header.model),
        dataset,
        items,
    )


def _content(header: LogHeader) -> tuple[str | None, str | None]:
    """Digest and probe of a log's samples; the report tells what keeps a log from being read."""
    try:
        read = read_logs([header.path, *(one.path for one in header.companions)], tier="sample").headers
    except LeadlineError:
        return None, None
    whole = next((one for one in read if one.sha256 == header.sha256), None)
    return (
        (None, None) if whole is None else (whole.dataset_sha256, probe(whole.item_digests.values()) or None)
    )


def _line(text: str) -> str | None:
    """A name as a line of a statement; a log may hold anything in its place."""
    return "".join(mark for mark in text if mark.isprintable())[:_LONGEST_LINE].strip() or None


def _stamp(value: object) -> str | None:
    """A stamp as text; a log may hold anything in its place, and then it is stamped for nothing that exists."""
    return None if value is None else str(value)[:_LONGEST_STAMP]


def require_fit(logs: Iterable[HandedLog], to: Handover, attached: Iterable[AttachmentRow]) -> None:
    """Raise InputError when a log says of itself that it belongs elsewhere or began too early, naming the log.

    A log without stamps passes: whether it may count is for the report to say. One that began before the freeze
    does not: attached by mistake, it would take the standing of the whole study, and nothing gives it back.
    """
    numbers = {token: number for number, token in to.tokens.items()}
    elsewhere = {row.sha256: row.attempt for row in attached if row.attempt not in (None, to.attempt)}
    for log in logs:
        if log.study is not None and log.study != to.study:
            raise _foreign(log, f"it is stamped for the study {log.study}", to)
        if log.token is not None and log.token not in numbers:
            raise _foreign(log, "its attempt token belongs to no attempt of this study", to)
        if to.attempt is not None and log.token is not None and numbers[log.token] != to.attempt:
            raise _foreign(log, f"it is stamped for attempt {numbers[log.token]}", to)
        if to.attempt is not None and log.sha256 in elsewhere:
            raise _foreign(log, f"it was attached for attempt {elsewhere[log.sha256]}", to)
        if log.begun is not None and log.begun < to.frozen:
            raise InputError(
                f"this log began {_before(log.begun, to)}",
                where=log.path,
                remedy="leave it out, and attach what was run after the freeze; name what was seen before in a protocol "
                "(`foreknowledge`), or record it with `leadline import`. With --force (in Python force=True) it is "
                "attached all the same",
            )


def _before(begun: datetime, to: Handover) -> str:
    return (
        f"{begun:%Y-%m-%d %H:%M:%S} UTC, before {to.study} was frozen ({to.frozen:%Y-%m-%d %H:%M:%S} UTC): "
        "attached, it makes the study retrospective for good"
    )


def _foreign(log: HandedLog, why: str, to: Handover) -> InputError:
    place = to.study if to.attempt is None else f"attempt {to.attempt} of {to.study}"
    early = f"; it began {_before(log.begun, to)}" if log.begun is not None and log.begun < to.frozen else ""
    return InputError(
        f"this log does not belong to {place}: {why}{early}",
        where=log.path,
        remedy="attach it where it belongs, or leave it out; with --force (in Python force=True) it is attached all the same,"
        " and the report will say what it is stamped for",
    )
