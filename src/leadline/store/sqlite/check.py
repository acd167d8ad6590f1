"""`fsck` of a SQLite store: the file, the record, the remembered checkpoint, and every projection."""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from leadline.errors import Explained
from leadline.ledger import fsck as ledger_fsck
from leadline.ledger import keys, tlog
from leadline.ledger.fsck import Problem
from leadline.ledger.keys import VerifyKey
from leadline.ledger.tlog.checkpoint import open_checkpoint
from leadline.store.memory import RememberedCheckpoint
from leadline.store.projection import Projection
from leadline.store.sqlite.compare import projection_problems, text_problems
from leadline.store.sqlite.errors import DATABASE_ERRORS, explain
from leadline.store.sqlite.header import HEADER_SIZE, header_faults
from leadline.store.sqlite.raw import RESTORE, RawRecord, database_problems
from leadline.store.sqlite.reads import SqliteView
from leadline.store.sqlite.schema import (
    APPLICATION_ID,
    FORMAT_VERSION,
    RECORD_DDL,
    projection_ddl,
    schema_rows,
)

Verify = Callable[[bytes, bytes, bytes], None]


def check_view(
    view: SqliteView,
    projections: Sequence[Projection],
    *,
    log_keys: Sequence[VerifyKey],
    origin: str,
    processes: int = 1,
    verify: Verify = keys.verify,
) -> Iterator[Problem]:
    """All problems of the database behind `view`, whose transaction the caller holds.

    Projections are compared only with a sound record: replaying a damaged one would blame them for its faults.
    """
    own = database_problems(view.record.db, expected_schema(tuple(projections)))
    reader = RawRecord(view.record, own)
    sound = True
    try:
        for problem in ledger_fsck.fsck(
            reader, log_keys=log_keys, origin=origin, processes=processes, verify=verify
        ):
            sound = False
            yield problem
        if sound:
            yield from projection_problems(view, projections)
    except DATABASE_ERRORS as error:
        yield _unreadable(explain(error, view.where, "checking"))
    except Explained as error:
        yield _unreadable(error)


def check_text(db: sqlite3.Connection, projections: Sequence[Projection]) -> Iterator[Problem]:
    """Problems of the text indexes, found in a short write transaction that is undone before they are told."""
    try:
        db.execute("BEGIN IMMEDIATE")
        problems = list(text_problems(db, projections))
    except DATABASE_ERRORS as error:
        problems = [_unreadable(explain(error, "text indexes", "checking"))]
    finally:
        with suppress(sqlite3.Error):
            db.execute("ROLLBACK")
    yield from problems


def check_file(path: Path) -> Iterator[Problem]:
    """Problems of the file header, read from the file and not through SQLite."""
    try:
        with path.open("rb") as file:
            header = file.read(HEADER_SIZE)
    except OSError as error:
        yield Problem("file-unreadable", str(path), str(error.strerror or error), RESTORE)
        return
    for fault in header_faults(header, APPLICATION_ID, FORMAT_VERSION):
        yield Problem("file-header", str(path), fault, RESTORE)


def check_remembered(
    view: SqliteView, remembered: RememberedCheckpoint, *, log_keys: Sequence[VerifyKey], origin: str
) -> Iterator[Problem]:
    """A remembered checkpoint that the log did not sign, or that the tree does not extend."""
    try:
        note = remembered.read()
        if note is not None:
            open_checkpoint(note, log_keys, origin=origin)
            remembered.check(view.record.size(), lambda size: tlog.tree_hash(size, view.record.nodes))
    except Explained as error:
        where = error.where or str(remembered.path)
        yield Problem("remembered-checkpoint", where, error.message, error.remedy() or RESTORE)


@lru_cache(maxsize=8)
def expected_schema(projections: tuple[Projection, ...]) -> tuple[tuple[str, str, str, str | None], ...]:
    """The schema rows that this version creates, from an empty database in memory."""
    db = sqlite3.connect(":memory:")
    try:
        for statement in (*RECORD_DDL, *projection_ddl(projections)):
            db.execute(statement)
        return tuple(schema_rows(db))
    finally:
        db.close()


def _unreadable(error: Explained) -> Problem:
    return Problem("unreadable", error.where or "database", error.message, error.remedy() or RESTORE)
