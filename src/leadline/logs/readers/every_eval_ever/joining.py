"""Instances completed by the aggregate record that speaks of them: by checksum, else by the evaluation's id."""

from collections.abc import Sequence
from dataclasses import replace

from leadline.logs.headers import LogHeader
from leadline.logs.headers_new import joined_header
from leadline.logs.readers.base import Joined, ReadLog
from leadline.logs.readers.every_eval_ever import aggregate, instances


def join(logs: Sequence[ReadLog]) -> Joined:
    """Every file of instances with what its record says; records that are left are background."""
    placed: list[ReadLog | None] = list(logs)
    why = [""] * len(logs)
    records = [at for at, log in enumerate(logs) if log.header.format == aggregate.NAME and log.header.ties]
    free = set(records)
    for at, log in enumerate(logs):
        if log.header.format != instances.NAME or not log.header.ties:
            continue
        fitting = [place for place in sorted(free) if _summed(log.header, logs[place].header)]
        fitting = fitting or [place for place in sorted(free) if _named(log.header, logs[place].header)]
        if len(fitting) == 1:
            free.discard(fitting[0])
            placed[at] = _completed(log, logs[fitting[0]].header)
            placed[fitting[0]], why[fitting[0]] = (
                None,
                f"the aggregate record of {log.header.log}, read with it",
            )
        else:
            note = "no aggregate record of these instances is here: the time of the run is not known"
            placed[at] = _loose(log, note)
    for at in free:
        note = "an aggregate record: its results are claims, and no verdict is computed from them"
        placed[at] = _loose(logs[at], note)
    return Joined(placed, (), why)


def _summed(own: LogHeader, record: LogHeader) -> bool:
    sums = own.ties["checksums"]
    return (
        record.ties["checksum"] is not None and sums.get(record.ties["algorithm"]) == record.ties["checksum"]
    )


def _named(own: LogHeader, record: LogHeader) -> bool:
    return bool(own.ties["evaluation_id"] == record.ties["evaluation_id"] and own.model == record.model)


def _completed(log: ReadLog, record: LogHeader) -> ReadLog:
    own, total = log.header, record.ties["total_rows"]
    notes = list(log.account.notes)
    if not _summed(own, record):
        stated = (
            "states no checksum of them" if record.ties["checksum"] is None else "states another checksum"
        )
        notes.append(f"joined with {record.log} by the evaluation's id; it {stated}")
    if total is not None and total != own.ties["rows"]:
        notes.append(f"the record speaks of {total:,} rows and {own.ties['rows']:,} are here")
    contradicted = record.ties["checksum"] is not None and not _summed(own, record)
    header = joined_header(
        record,
        own,
        record,
        eval_id=own.eval_id,
        task=own.task,
        total_samples=own.samples_read + max(0, (total or 0) - own.ties["rows"]),
        dataset_sha256=None if contradicted else own.dataset_sha256,
        dataset_problem="the checksum in the aggregate record is of other instances"
        if contradicted
        else own.dataset_problem,
    )
    account = replace(log.account, claimed=header.total_samples, notes=tuple(notes))
    return ReadLog(header, account)


def _loose(log: ReadLog, note: str) -> ReadLog:
    account = replace(log.account, notes=(*log.account.notes, note))
    return ReadLog(replace(log.header, ties={}), account)
