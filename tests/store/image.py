"""Database files as bytes in memory, opened without touching a disk, so that thousands can be damaged and checked."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path

from leadline.errors import SignatureError
from leadline.ledger import keys
from leadline.ledger.fsck import Problem
from leadline.store.blobs import BlobFolder
from leadline.store.projections import BUILT_IN
from leadline.store.sqlite.check import check_view
from leadline.store.sqlite.compare import text_problems, text_readings
from leadline.store.sqlite.header import header_faults
from leadline.store.sqlite.reads import SqliteView
from leadline.store.sqlite.schema import APPLICATION_ID, FORMAT_VERSION
from store.factory import ORIGIN, Lab

LAB = Lab()
RECORD_COLUMNS = {
    "blob": ("sha256", "content", "notice"),
    "entry": ("ix", "envelope"),
    "node": ("ix", "hash"),
    "checkpoint": ("size", "note"),
}
NO_FOLDER = BlobFolder(Path("/nonexistent"))


@cache
def _verified(public: bytes, message: bytes, signature: bytes) -> str | None:
    try:
        keys.verify(public, message, signature)
    except SignatureError as error:
        return error.message
    return None


def remembering_verify(public: bytes, message: bytes, signature: bytes) -> None:
    """`keys.verify`, remembering answers: bytes not seen before reach the real verifier."""
    message_ = _verified(public, message, signature)
    if message_ is not None:
        raise SignatureError(message_)


@contextmanager
def opened(image: bytes) -> Iterator[SqliteView]:
    """The image as a database in memory, which has no write-ahead log: two header bytes must say so."""
    data = bytearray(image)
    if data[18:20] == b"\x02\x02":
        data[18:20] = b"\x01\x01"
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
        db.deserialize(bytes(data))
        db.execute("PRAGMA cell_size_check = ON")
        yield SqliteView(db, NO_FOLDER, "image")


def header_problems(image: bytes) -> list[str]:
    """What the header check says of an image."""
    return list(header_faults(image[:100], APPLICATION_ID, FORMAT_VERSION))


def problems(view: SqliteView) -> Iterator[Problem]:
    """Everything fsck finds through SQLite, signatures of known bytes taken from memory."""
    yield from check_view(view, BUILT_IN, log_keys=[LAB.log.public], origin=ORIGIN, verify=remembering_verify)
    yield from text_problems(view.record.db, BUILT_IN)


def contents(db: sqlite3.Connection) -> list[object]:
    """Every value of the record, of the projections and of the text indexes' postings, and the schema."""
    found: list[object] = []
    for table, columns in RECORD_COLUMNS.items():
        found.append(db.execute(f"SELECT {', '.join(columns)} FROM {table} ORDER BY 1").fetchall())
    for projection in BUILT_IN:
        for table in projection.tables:
            key = ", ".join(table.key)
            found.append(
                db.execute(f"SELECT {', '.join(table.names)} FROM {table.name} ORDER BY {key}").fetchall()
            )
        for index in projection.texts:
            vocabulary = f"temp.{index.name}_postings"
            db.execute(f"CREATE VIRTUAL TABLE {vocabulary} USING fts5vocab(main, {index.name}, instance)")
            found.extend(db.execute(sql).fetchall() for _, sql in text_readings(index))
            db.execute(f"DROP TABLE {vocabulary}")
    found.append(db.execute("SELECT name, stamp FROM projection ORDER BY 1").fetchall())
    found.append(db.execute("SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY 1, 2").fetchall())
    return found
