"""The record as it is stored, for `ledger.fsck`: nothing cached, nothing recomputed, nothing trusted."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from leadline.errors import Explained, IntegrityError
from leadline.ledger.fsck import Problem, StoredBlob
from leadline.store.blobs import CHUNK
from leadline.store.sqlite.errors import explained
from leadline.store.sqlite.record import Record

RESTORE: Final = "restore the database from a backup or a mirror"


def _raising(error: Explained) -> Iterator[bytes]:
    """Bytes that cannot be read: the error comes when somebody tries, so that other blobs are still checked."""
    yield from ()
    raise error


class RawRecord:
    """A `ledger.fsck.RecordReader` over the record tables of one connection."""

    def __init__(self, record: Record, own: Iterator[Problem]) -> None:
        self._record = record
        self._own = own

    def entries(self) -> Iterator[tuple[int, bytes]]:
        """Stored index and bytes of every entry, in order of index."""
        yield from self._rows("SELECT ix, envelope FROM entry ORDER BY ix", "entry")

    def nodes(self) -> Iterator[tuple[int, bytes]]:
        """Storage index and hash of every tree node, in order of index."""
        yield from self._rows("SELECT ix, hash FROM node ORDER BY ix", "node")

    def checkpoints(self) -> Iterator[tuple[int, bytes]]:
        """Tree size and note of every checkpoint, in order of size."""
        yield from self._rows("SELECT size, note FROM checkpoint ORDER BY size", "checkpoint")

    def node_hashes(self, indexes: Sequence[int]) -> Sequence[bytes]:
        """Stored hashes at these storage indexes."""
        with explained(self._record.where, "checking"):
            return self._record.nodes(indexes)

    def blobs(self) -> Iterator[StoredBlob]:
        """Every row of table `blob`, with its bytes from wherever they are."""
        with explained(self._record.where, "checking"):
            rows = self._record.db.execute("SELECT sha256, content, notice FROM blob ORDER BY sha256")
            for digest, content, notice in rows:
                name = digest.hex() if isinstance(digest, bytes) else repr(digest)
                try:
                    yield self._blob(name, content, notice)
                except Explained as error:
                    yield StoredBlob(name, _raising(error))

    def own_problems(self) -> Iterator[Problem]:
        """What only this engine can check: file header, schema, b-trees."""
        return self._own

    def _blob(self, digest: str, content: object, notice: object) -> StoredBlob:
        if notice is not None:
            if content is not None or not isinstance(notice, bytes):
                raise self._fault(f"blob {digest}", "it has bytes and a notice that they were taken down")
            if self._record.folder.has(digest):
                remedy = "take it down once more: that removes the file"
                raise IntegrityError("it was taken down, but its file is still there", remedy=remedy)
            return StoredBlob(digest, taken_down=self._record.reason(digest, notice))
        if content is None:
            return StoredBlob(digest, self._file(digest))
        if not isinstance(content, bytes):
            raise self._fault(f"blob {digest}", "its content is not stored as bytes")
        return StoredBlob(digest, (content,))

    def _file(self, digest: str) -> Iterator[bytes]:
        with self._record.folder.open(digest) as file:
            while chunk := file.read(CHUNK):
                yield chunk

    def _rows(self, sql: str, what: str) -> Iterator[tuple[int, bytes]]:
        with explained(self._record.where, "checking"):
            for number, value in self._record.db.execute(sql):
                if not isinstance(number, int) or not isinstance(value, bytes):
                    raise self._fault(f"{what} {number!r:.40}", "its value is not stored as bytes")
                yield number, value

    def _fault(self, where: str, what: str) -> IntegrityError:
        return IntegrityError(what, where=where, remedy=RESTORE)


@contextmanager
def _any_text(db: sqlite3.Connection) -> Iterator[None]:
    """Let damaged text be read, without loss, so that it can be reported."""
    before = db.text_factory
    db.text_factory = lambda data: data.decode("utf-8", "surrogateescape")
    try:
        yield
    finally:
        db.text_factory = before


def database_problems(
    db: sqlite3.Connection, expected_schema: Sequence[tuple[str, str, str, str | None]]
) -> Iterator[Problem]:
    """Damage of the b-trees, and a schema that is not the one this version writes."""
    with explained("database", "checking"), _any_text(db):
        for (line,) in db.execute("PRAGMA integrity_check(20)"):
            if line != "ok":
                yield Problem("database-damaged", "database", ascii(line), RESTORE)
        found = db.execute(
            "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name"
        ).fetchall()
    expected, stored = set(expected_schema), set(found)
    for kind, name, _, _ in sorted(stored - expected, key=repr):
        what = "it is not what this version of Leadline creates"
        yield Problem("schema-unknown", f"{kind!a:.20} {name!a:.80}", what, _SCHEMA)
    for kind, name, _, _ in sorted(expected - stored, key=repr):
        yield Problem("schema-missing", f"{kind} {name}", "it is missing or altered", _SCHEMA)


_SCHEMA = "run `leadline rebuild` if only computed tables are concerned; otherwise " + RESTORE
