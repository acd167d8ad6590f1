"""The four record tables, read and written as they are."""

# ruff: noqa: S608 -- names in SQL come from this package's own table definitions; values are always bound

import sqlite3
from collections.abc import Iterator, Sequence
from io import BytesIO
from typing import BinaryIO

from leadline.errors import IntegrityError, NotFoundError
from leadline.ledger import tlog
from leadline.ledger.canon import sha256_hex
from leadline.store.blobs import BlobFolder, check_bytes, check_digest, reason_in, too_long
from leadline.store.model import BlobInfo

_DAMAGED = "run `leadline fsck` to find everything that is wrong, then restore from a backup or a mirror"
_BATCH = 500


class Record:
    """Entries, tree nodes, checkpoints and blobs over one connection and one folder.

    Everything a reader gets was checked on the way: an entry against its leaf hash, a blob against its digest.
    """

    def __init__(self, db: sqlite3.Connection, folder: BlobFolder, *, where: str) -> None:
        self.db = db
        self.folder = folder
        self.where = where

    def size(self) -> int:
        """The number of entries: one more than the highest index."""
        (highest,) = self.db.execute("SELECT max(ix) FROM entry").fetchone()
        return 0 if highest is None else int(highest) + 1

    def entry(self, index: int) -> bytes:
        """The exact envelope at `index`, checked against its leaf hash."""
        row = self.db.execute("SELECT envelope FROM entry WHERE ix = ?", (index,)).fetchone()
        if row is None:
            raise self.missing(index)
        self._check(index, row[0], self.leaf_hash(index))
        return bytes(row[0])

    def entries(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """Envelopes from `start` up to but not including `stop`, each checked, a few hundred at a time."""
        stop = self.size() if stop is None else stop
        while start < stop:
            upto = min(stop, start + _BATCH)
            rows = self.db.execute(
                "SELECT ix, envelope FROM entry WHERE ix >= ? AND ix < ? ORDER BY ix", (start, upto)
            ).fetchall()
            if [index for index, _ in rows] != list(range(start, upto)):
                seen = {index for index, _ in rows}
                raise self.missing(next(i for i in range(start, upto) if i not in seen))
            leaves = self.nodes([tlog.stored_index(0, index) for index in range(start, upto)])
            for (index, envelope), leaf in zip(rows, leaves, strict=True):
                self._check(index, envelope, leaf)
                yield bytes(envelope)
            start = upto

    def _check(self, index: int, envelope: bytes, leaf: bytes) -> None:
        if tlog.leaf_hash(envelope) != leaf:
            raise IntegrityError(
                f"entry {index} was altered: its bytes do not have the leaf hash stored in the tree",
                where=self.where,
                remedy=_DAMAGED,
            )

    def missing(self, index: int) -> NotFoundError:
        """The error for an index at which there is no entry."""
        size = self.size()
        hint = "ask for an index below the size" if index >= size or index < 0 else _DAMAGED
        return NotFoundError(
            f"the log has no entry {index}; its size is {size}", where=self.where, remedy=hint
        )

    def leaf_hash(self, index: int) -> bytes:
        """The leaf hash at `index`."""
        if index < 0 or index >= 1 << 62:
            raise self.missing(index)
        row = self.db.execute("SELECT hash FROM node WHERE ix = ?", (tlog.stored_index(0, index),)).fetchone()
        if row is None:
            raise self.missing(index)
        return bytes(row[0])

    def nodes(self, indexes: Sequence[int]) -> list[bytes]:
        """Stored tree hashes at these storage indexes, in this order: a `tlog.HashReader`."""
        found: dict[int, bytes] = {}
        for start in range(0, len(indexes), _BATCH):
            part = indexes[start : start + _BATCH]
            sql = f"SELECT ix, hash FROM node WHERE ix IN ({','.join('?' * len(part))})"
            found.update(self.db.execute(sql, part))
        try:
            return [found[index] for index in indexes]
        except KeyError as error:
            raise IntegrityError(
                f"tree node {error.args[0]} is missing", where=self.where, remedy=_DAMAGED
            ) from None

    def checkpoint(self, size: int | None = None) -> bytes:
        """The signed checkpoint at exactly `size`, or the newest."""
        if size is None:
            row = self.db.execute("SELECT note FROM checkpoint ORDER BY size DESC LIMIT 1").fetchone()
        else:
            row = self.db.execute("SELECT note FROM checkpoint WHERE size = ?", (size,)).fetchone()
        if row is None:
            what = (
                "nothing has been registered yet"
                if size is None
                else f"no checkpoint was signed at size {size}"
            )
            raise NotFoundError(
                what, where=self.where, remedy="ask for the newest checkpoint after an append"
            )
        return bytes(row[0])

    def checkpoint_covering(self, index: int) -> bytes:
        """The oldest signed checkpoint whose tree contains the entry at `index`."""
        row = self.db.execute(
            "SELECT note FROM checkpoint WHERE size > ? ORDER BY size LIMIT 1", (index,)
        ).fetchone()
        if row is None or index < 0:
            raise self.missing(index)
        return bytes(row[0])

    def add_entry(self, index: int, envelope: bytes, hashes: Sequence[bytes]) -> None:
        """Write one entry and the tree nodes it completes."""
        self.db.execute("INSERT INTO entry VALUES (?, ?)", (index, envelope))
        first = tlog.stored_index(0, index)
        self.db.executemany("INSERT INTO node VALUES (?, ?)", enumerate(hashes, first))

    def add_entries(self, first: int, envelopes: Sequence[bytes], hashes: Sequence[bytes]) -> None:
        """Write entries from index `first` on, and all tree nodes that they complete."""
        self.db.executemany("INSERT INTO entry VALUES (?, ?)", enumerate(envelopes, first))
        self.db.executemany("INSERT INTO node VALUES (?, ?)", enumerate(hashes, tlog.stored_index(0, first)))

    def add_checkpoint(self, size: int, note: bytes) -> None:
        """Write the signed checkpoint of this size."""
        self.db.execute("INSERT INTO checkpoint VALUES (?, ?)", (size, note))

    def has_blob(self, digest: str) -> bool:
        """Whether the bytes are stored and have not been taken down."""
        row = self._blob_row(digest)
        return row is not None and row[1] is None and (row[0] is not None or self.folder.has(digest))

    def blob(self, digest: str, *, limit: int | None = None) -> bytes:
        """All bytes of a blob, checked; StoreError when there are more than `limit`."""
        with self.open_blob(digest) as file:
            data = file.read() if limit is None else file.read(limit + 1)
        if limit is not None and len(data) > limit:
            raise too_long(digest, limit, self.where)
        return data

    def open_blob(self, digest: str) -> BinaryIO:
        """The bytes as a seekable file, after they were checked against the digest."""
        row = self._blob_row(digest)
        if row is None:
            raise NotFoundError(
                f"no blob {digest} is stored",
                where=self.where,
                remedy="check the digest, or add the file with `leadline attach`",
            )
        content, notice = row
        if notice is not None:
            raise NotFoundError(
                f"blob {digest} was taken down: {self.reason(digest, notice)}",
                where=self.where,
                remedy="its digest stays in the log; ask the operator named in the reason",
            )
        if content is None:
            return self.folder.open(digest)
        check_bytes(digest, sha256_hex(content), where=self.where)
        return BytesIO(content)

    def taken_down(self, digest: str) -> str | None:
        """The reason these bytes were taken down, or None."""
        sql, key = "SELECT notice FROM blob WHERE sha256 = ?", bytes.fromhex(check_digest(digest))
        row = self.db.execute(sql, (key,)).fetchone()
        return None if row is None or row[0] is None else self.reason(digest, row[0])

    def reason(self, digest: str, notice: bytes) -> str:
        """The reason in the notice blob, which must name `digest`."""
        row = self._blob_row(notice.hex())
        return reason_in(None if row is None else row[0], notice.hex(), digest, where=self.where)

    def blobs(self) -> Iterator[BlobInfo]:
        """Every blob of the table, in order of digest."""
        sql = "SELECT sha256, content IS NULL, notice FROM blob ORDER BY sha256"
        for digest, absent, notice in self.db.execute(sql).fetchall():
            if notice is not None:
                yield BlobInfo(digest.hex(), "taken_down", self.reason(digest.hex(), notice))
            else:
                yield BlobInfo(digest.hex(), "file" if absent else "inline")

    def _blob_row(self, digest: str) -> tuple[bytes | None, bytes | None] | None:
        key = bytes.fromhex(check_digest(digest))
        row: tuple[bytes | None, bytes | None] | None = self.db.execute(
            "SELECT content, notice FROM blob WHERE sha256 = ?", (key,)
        ).fetchone()
        return row
