"""Logs handed over to a study: are they logs, of a run after the freeze, stamped for what they are handed over for?"""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from leadline.errors import InputError, LogError, NotFoundError
from leadline.logs import SampleTable, read_logs
from leadline.logs.headers import LogHeader
from leadline.registry.run import STUDY_STAMP
from leadline.store.projections.attachments import AttachmentRow
from leadline.verdict.conformance.context import ATTEMPT_STAMP


@dataclass(frozen=True, slots=True)
class Handover:
    """What logs are handed over for: a study, and one of its attempts where `attempt` says so.

    `frozen` is when the study was frozen; `tokens` are the tokens of its attempts, by number.
    """

    study: str
    frozen: datetime
    attempt: int | None
    tokens: Mapping[int, str]


def readable_logs(logs: "str | os.PathLike[str] | Sequence[str | os.PathLike[str]]") -> SampleTable:
    """The summaries of log files and folders of them.

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
            remedy="attach Inspect .eval or .json logs",
        )
    for skip in table.accounting.skipped:
        if skip.kind == "unreadable":
            raise LogError(
                f"a log cannot be read: {skip.reason}",
                where=skip.path,
                remedy="attach the others by name if this file is no log of the study",
            )
    return table


def require_fit(headers: Iterable[LogHeader], to: Handover, attached: Iterable[AttachmentRow]) -> None:
    """Raise InputError when a log says of itself that it belongs elsewhere or began too early, naming the log.

    A log without stamps passes: whether it may count is for the report to say. One that began before the freeze
    does not: attached by mistake, it would take the standing of the whole study, and nothing gives it back.
    """
    numbers = {token: number for number, token in to.tokens.items()}
    elsewhere = {row.sha256: row.attempt for row in attached if row.attempt not in (None, to.attempt)}
    for header in headers:
        stamp = header.metadata or {}
        study, token = stamp.get(STUDY_STAMP), stamp.get(ATTEMPT_STAMP)
        if study is not None and study != to.study:
            raise _foreign(header, f"it is stamped for the study {study}", to)
        if token is not None and token not in numbers:
            raise _foreign(header, "its attempt token belongs to no attempt of this study", to)
        if to.attempt is not None and token is not None and numbers[token] != to.attempt:
            raise _foreign(header, f"it is stamped for attempt {numbers[token]}", to)
        if to.attempt is not None and header.sha256 in elsewhere:
            raise _foreign(header, f"it was attached for attempt {elsewhere[header.sha256]}", to)
        if header.begun < to.frozen:
            raise InputError(
                f"this log began {_before(header, to)}",
                where=header.path,
                remedy="leave it out, and attach what was run after the freeze; name what was seen before in a protocol "
                "(`foreknowledge`), or record it with `leadline import`. With --force (in Python force=True) it is "
                "attached all the same",
            )


def _before(header: LogHeader, to: Handover) -> str:
    return (
        f"{header.begun:%Y-%m-%d %H:%M:%S} UTC, before {to.study} was frozen ({to.frozen:%Y-%m-%d %H:%M:%S} UTC): "
        "attached, it makes the study retrospective for good"
    )


def _foreign(header: LogHeader, why: str, to: Handover) -> InputError:
    place = to.study if to.attempt is None else f"attempt {to.attempt} of {to.study}"
    early = f"; it began {_before(header, to)}" if header.begun < to.frozen else ""
    return InputError(
        f"this log does not belong to {place}: {why}{early}",
        where=header.path,
        remedy="attach it where it belongs, or leave it out; with --force (in Python force=True) it is attached all the same,"
        " and the report will say what it is stamped for",
    )
