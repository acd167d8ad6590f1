"""The record's tables, read and written as they are."""

from collections.abc import Iterator, Sequence
from hashlib import sha256
from io import BytesIO
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, Final, cast

from leadline.errors import IntegrityError, NotFoundError
from leadline.ledger import tlog
from leadline.ledger.canon import sha256_hex
from leadline.store.blobs import check_bytes, check_digest, reason_in, too_long
from leadline.store.model import BlobInfo
from leadline.store.postgres.session import Session

DAMAGED: Final = (
    "run `leadline fsck` to find everything that is wrong, then restore from a backup or a mirror"
)
#: Entries read in one statement.
BATCH: Final = 500
#: Bytes of a large blob in one row.
CHUNK: Final = 1 << 20
#: A large blob is read into memory up to this many bytes, beyond that into a temporary file.
SPOOL: Final = 8 << 20
_MOST: Final = 1 << 62


class Record:
    """Entries, tree nodes, checkpoints and blobs over one session.

    Everything a reader gets was checked on the way: an entry against its leaf hash, a blob against its digest.
    """

    def __init__(self, session: Session, *, where: str) -> None:
        self.session = session
        self.where = where

    def size(self) -> int:
        """The number of entries: one more than the highest index."""
        row = self.session.row("SELECT coalesce(max(ix) + 1, 0) FROM leadline.entry")
        return int(row[0]) if row else 0

    def entry(self, index: int) -> bytes:
        """The exact envelope at `index`, checked against its leaf hash."""
        if not 0 <= index < _MOST:
            raise self.missing(index)
        for envelope in self.batch(index, index + 1):
            return envelope
        raise self.missing(index)

    def batch(self, start: int, stop: int) -> list[bytes]:
        """Envelopes from `start` up to but not including `stop`, each checked; NotFoundError where one is missing."""
        rows = self.session.rows(
            "SELECT ix, envelope FROM leadline.entry WHERE ix >= %s AND ix < %s ORDER BY ix", (start, stop)
        )
        if [index for index, _ in rows] != list(range(start, stop)):
            seen = {index for index, _ in rows}
            raise self.missing(next(i for i in range(start, stop) if i not in seen))
        leaves = self.nodes([tlog.stored_index(0, index) for index in range(start, stop)])
        for (index, envelope), leaf in zip(rows, leaves, strict=True):
            if tlog.leaf_hash(envelope) != leaf:
                raise IntegrityError(
                    f"entry {index} was altered: its bytes do not have the leaf hash stored in the tree",
                    where=self.where,
                    remedy=DAMAGED,
                )
        return [envelope for _, envelope in rows]

    def entries(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """Envelopes from `start` up to but not including `stop`, a few hundred at a time."""
        stop = self.size() if stop is None else stop
        while start < stop:
            upto = min(stop, start + BATCH)
            yield from self.batch(start, upto)
            start = upto

    def missing(self, index: int) -> NotFoundError:
        """The error for an index at which there is no entry."""
        size = self.size()
        hint = "ask for an index below the size" if index >= size or index < 0 else DAMAGED
        return NotFoundError(
            f"the log has no entry {index}; its size is {size}", where=self.where, remedy=hint
        )

    def leaf_hash(self, index: int) -> bytes:
        """The leaf hash at `index`."""
        row = None
        if 0 <= index < _MOST:
            at = tlog.stored_index(0, index)
            row = self.session.row("SELECT hash FROM leadline.node WHERE ix = %s", (at,))
        if row is None:
            raise self.missing(index)
        return bytes(row[0])

    def nodes(self, indexes: Sequence[int]) -> list[bytes]:
        """Stored tree hashes at these storage indexes, in this order: a `tlog.HashReader`."""
        found: dict[int, bytes] = dict(
            self.session.rows(
                "SELECT ix, hash FROM leadline.node WHERE ix = ANY(%s::bigint[])", (list(indexes),)
            )
        )
        try:
            return [found[index] for index in indexes]
        except KeyError as error:
            raise IntegrityError(
                f"tree node {error.args[0]} is missing", where=self.where, remedy=DAMAGED
            ) from None

    def checkpoint(self, size: int | None = None) -> bytes:
        """The signed checkpoint at exactly `size`, or the newest."""
        if size is None:
            row = self.session.row("SELECT note FROM leadline.checkpoint ORDER BY size DESC LIMIT 1")
            what = "nothing has been registered yet"
        else:
            known = 0 <= size < _MOST
            row = self.session.row(
                "SELECT note FROM leadline.checkpoint WHERE size = %s", (size if known else -1,)
            )
            what = f"no checkpoint was signed at size {size}"
        if row is None:
            raise NotFoundError(
                what, where=self.where, remedy="ask for the newest checkpoint after an append"
            )
        return bytes(row[0])

    def checkpoint_covering(self, index: int) -> bytes:
        """The oldest signed checkpoint whose tree contains the entry at `index`."""
        row = None
        if 0 <= index < _MOST:
            row = self.session.row(
                "SELECT note FROM leadline.checkpoint WHERE size > %s ORDER BY size LIMIT 1", (index,)
            )
        if row is None:
            raise self.missing(index)
        return bytes(row[0])

    def add_entries(self, start: int, envelopes: Sequence[bytes], hashes: Sequence[bytes]) -> None:
        """Write entries from index `start` on, and the tree nodes they complete."""
        sql = "INSERT INTO leadline.{} SELECT %s + n - 1, item FROM unnest(%s::bytea[]) WITH ORDINALITY AS t (item, n)"
        self.session.run(sql.format("entry"), (start, list(envelopes)))
        self.session.run(sql.format("node"), (tlog.stored_index(0, start), list(hashes)))

    def add_checkpoint(self, size: int, note: bytes) -> None:
        """Write the signed checkpoint of this size."""
        self.session.run("INSERT INTO leadline.checkpoint VALUES (%s, %s)", (size, note))

    def has_blob(self, digest: str) -> bool:
        """Whether the bytes are stored and have not been taken down."""
        key = bytes.fromhex(check_digest(digest))
        sql = "SELECT 1 FROM leadline.blob WHERE sha256 = %s AND notice IS NULL"
        return self.session.row(sql, (key,)) is not None

    def blob(self, digest: str, *, limit: int | None = None) -> bytes:
        """All bytes of a blob, checked; StoreError when there are more than `limit`."""
        data, seen = [], 0
        for chunk in self.stored(digest):
            seen += len(chunk)
            if limit is not None and seen > limit:
                raise too_long(digest, limit, self.where)
            data.append(chunk)
        whole = b"".join(data)
        check_bytes(digest, sha256_hex(whole), where=self.where)
        return whole

    def stored(self, digest: str) -> Iterator[bytes]:
        """The bytes as they are stored, unchecked, in pieces; NotFoundError where there are none."""
        content = self._content(digest)
        if content is None:
            yield from self._chunks(digest)
        else:
            yield content

    def open_blob(self, digest: str) -> BinaryIO:
        """The bytes as a seekable file of the caller's own, after they were checked against the digest."""
        content = self._content(digest)
        if content is not None:
            check_bytes(digest, sha256_hex(content), where=self.where)
            return BytesIO(content)
        seen = sha256()
        file = cast("BinaryIO", SpooledTemporaryFile(max_size=SPOOL))  # noqa: SIM115 -- the caller closes it
        try:
            for chunk in self._chunks(digest):
                seen.update(chunk)
                file.write(chunk)
            check_bytes(digest, seen.hexdigest(), where=self.where)
            file.seek(0)
        except BaseException:
            file.close()
            raise
        return file

    def _content(self, digest: str) -> bytes | None:
        """The bytes of a small blob, None for a large one; NotFoundError where there are none."""
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
        return content

    def _chunks(self, digest: str) -> Iterator[bytes]:
        """The rows of a large blob, one at a time; the caller's transaction keeps them together."""
        key, n = bytes.fromhex(digest), 0
        sql = "SELECT data FROM leadline.blob_chunk WHERE sha256 = %s AND n = %s"
        while (row := self.session.row(sql, (key, n))) is not None:
            yield bytes(row[0])
            n += 1

    def taken_down(self, digest: str) -> str | None:
        """The reason these bytes were taken down, or None."""
        row = self._blob_row(digest)
        return None if row is None or row[1] is None else self.reason(digest, row[1])

    def reason(self, digest: str, notice: bytes) -> str:
        """The reason in the notice blob, which must name `digest`."""
        row = self._blob_row(notice.hex())
        return reason_in(None if row is None else row[0], notice.hex(), digest, where=self.where)

    def blobs(self) -> Iterator[BlobInfo]:
        """Every blob of the table, in order of digest."""
        sql = "SELECT sha256, notice FROM leadline.blob ORDER BY sha256"
        for digest, notice in self.session.rows(sql):
            if notice is not None:
                yield BlobInfo(digest.hex(), "taken_down", self.reason(digest.hex(), notice))
            else:
                yield BlobInfo(digest.hex(), "inline")

    def _blob_row(self, digest: str) -> tuple[bytes | None, bytes | None] | None:
        key = bytes.fromhex(check_digest(digest))
        row = self.session.row("SELECT content, notice FROM leadline.blob WHERE sha256 = %s", (key,))
        return None if row is None else (row[0], row[1])
