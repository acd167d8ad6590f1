"""Attempts: every run that was opened, whether or not anybody reported it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from leadline.ledger.predicates import Attempt
from leadline.store.projection import (
    BlobReader,
    Column,
    LogEntry,
    Row,
    Table,
    TableReader,
    TableWriter,
    TextIndex,
)
from leadline.store.projections.rows import typed
from leadline.store.protocol import ReadView

ATTEMPT = Table(
    "attempt",
    (
        Column("study", "text"),
        Column("number", "integer"),
        Column("state", "text"),
        Column("status", "text"),
        Column("opened", "integer"),
        Column("ended", "integer", nullable=True),
        Column("keyid", "text"),
        Column("note", "text", nullable=True),
        Column("opened_at", "text"),
        Column("ended_at", "text", nullable=True),
    ),
    key=("study", "number"),
)
ATTEMPT_LOG = Table(
    "attempt_log",
    (Column("study", "text"), Column("number", "integer"), Column("sha256", "text")),
    key=("study", "number", "sha256"),
    indexes=(("sha256",),),
)


@dataclass(frozen=True, slots=True)
class AttemptRow:
    """An attempt: log indexes at which it was opened and ended, and the times its author claimed."""

    study: str
    number: int
    state: Literal["open", "closed", "abandoned"]
    status: Literal["started", "completed", "failed", "cancelled", "unknown"]
    opened: int
    ended: int | None
    keyid: str
    note: str | None
    opened_at: str
    ended_at: str | None


class Attempts:
    """One row per attempt, and one per log digest it ended with."""

    name = "attempts"
    version = 1
    tables: tuple[Table, ...] = (ATTEMPT, ATTEMPT_LOG)
    texts: tuple[TextIndex, ...] = ()

    def apply(self, tables: TableWriter, entry: LogEntry, blobs: BlobReader) -> None:  # noqa: ARG002
        """Open an attempt under the next number, or end one that is open."""
        said = entry.statement.predicate
        if not isinstance(said, Attempt):
            return
        if said.action == "open":
            _open(tables, entry, said)
        else:
            _end(tables, entry, said)
        for digest in sorted(set(said.logs)):
            if tables.get(ATTEMPT_LOG, said.study, said.number, digest) is None:
                tables.insert(ATTEMPT_LOG, {"study": said.study, "number": said.number, "sha256": digest})


def _open(tables: TableWriter, entry: LogEntry, said: Attempt) -> None:
    tables.insert(
        ATTEMPT,
        {
            "study": said.study,
            "number": said.number,
            "state": "open",
            "status": said.status,
            "opened": entry.index,
            "keyid": entry.keyid,
            "note": said.note,
            "opened_at": said.created,
        },
    )


def _end(tables: TableWriter, entry: LogEntry, said: Attempt) -> None:
    changes: Row = {
        "state": "closed" if said.action == "close" else "abandoned",
        "status": said.status,
        "ended": entry.index,
        "ended_at": said.created,
    }
    if said.note is not None:
        changes["note"] = said.note
    tables.update(ATTEMPT, (said.study, said.number), changes)


def next_number(view: TableReader, study: str) -> int:
    """The number the next attempt of a study must have; attempts count from 1 without gaps."""
    return view.count(ATTEMPT, {"study": study}) + 1


def attempts(view: TableReader, study: str) -> list[AttemptRow]:
    """All attempts of a study in order of number."""
    return [typed(AttemptRow, row) for row in view.select(ATTEMPT, {"study": study})]


def attempts_among(view: ReadView, studies: Sequence[str]) -> dict[str, set[str]]:
    """Digests of the logs that attempts of these studies ended with, by study; one without attempts is left out."""
    ended: dict[str, set[str]] = {
        str(row["study"]): set() for row in view.select_among(ATTEMPT, "study", studies)
    }
    for row in view.select_among(ATTEMPT_LOG, "study", studies):
        ended[str(row["study"])].add(str(row["sha256"]))
    return ended


def attempt_logs(view: TableReader, study: str, number: int) -> list[str]:
    """Digests of the logs an attempt ended with, sorted."""
    return [str(row["sha256"]) for row in view.select(ATTEMPT_LOG, {"study": study, "number": number})]
