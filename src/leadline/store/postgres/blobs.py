"""Putting blobs and taking them down: the rows of tables `blob` and `blob_chunk`."""

from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from io import BytesIO
from tempfile import SpooledTemporaryFile
from typing import IO, BinaryIO

from leadline.errors import NotFoundError, StateError, StoreError
from leadline.ledger.canon import sha256_hex
from leadline.store.blobs import check_digest, make_notice
from leadline.store.model import INLINE_LIMIT
from leadline.store.postgres.record import CHUNK, SPOOL, Record


class Incoming:
    """A blob on its way in: its digest, and its bytes, in memory when they are few."""

    def __init__(self, digest: str, content: bytes | None, file: IO[bytes] | None) -> None:
        self.digest = digest
        self.content = content
        self.file = file


@contextmanager
def receive(data: bytes | BinaryIO, where: str) -> Iterator[Incoming]:
    """Read the bytes before any transaction begins; many of them wait in a temporary file, gone after the block."""
    stream = BytesIO(data) if isinstance(data, bytes) else data
    head = b""
    while len(head) <= INLINE_LIMIT and (chunk := stream.read(INLINE_LIMIT + 1 - len(head))):
        head += chunk
    if len(head) <= INLINE_LIMIT:
        yield Incoming(sha256_hex(head), head, None)
        return
    with SpooledTemporaryFile(max_size=SPOOL) as file:
        try:
            digest = sha256(head)
            file.write(head)
            while chunk := stream.read(CHUNK):
                digest.update(chunk)
                file.write(chunk)
        except OSError as error:
            raise StoreError(
                f"the blob could not be received ({error.strerror or error}); nothing was acknowledged",
                where=where,
                remedy="free space in the folder for temporary files ($TMPDIR), then submit the same bytes again",
            ) from error
        yield Incoming(digest.hexdigest(), None, file)


def add(record: Record, incoming: Incoming) -> None:
    """Write the rows; the same bytes again change nothing. StateError when they were taken down."""
    key = bytes.fromhex(incoming.digest)
    sql = "INSERT INTO leadline.blob VALUES (%s, %s, NULL) ON CONFLICT DO NOTHING RETURNING 1"
    if record.session.row(sql, (key, incoming.content)) is None:
        reason = record.taken_down(incoming.digest)
        if reason is not None:
            raise StateError(
                f"blob {incoming.digest} was taken down and is not accepted again: {reason}",
                where=record.where,
                remedy="leave it out; its digest stays in the log",
            )
        return
    if incoming.file is None:
        return
    incoming.file.seek(0)
    n = 0
    while chunk := incoming.file.read(CHUNK):
        record.session.run("INSERT INTO leadline.blob_chunk VALUES (%s, %s, %s)", (key, n, chunk))
        n += 1


def take_down(record: Record, digest: str, reason: str, *, absent: bool = False) -> None:
    """Empty the row and point it at a notice that names the blob and gives the reason.

    Without a row, NotFoundError; with `absent`, a row is made.
    """
    key = bytes.fromhex(check_digest(digest))
    notice = make_notice(digest, reason)
    row = record.session.row("SELECT notice FROM leadline.blob WHERE sha256 = %s FOR UPDATE", (key,))
    if row is None and absent:
        record.session.run("INSERT INTO leadline.blob VALUES (%s, NULL, NULL)", (key,))
    elif row is None:
        raise NotFoundError(f"no blob {digest} is stored", where=record.where, remedy="check the digest")
    elif row[0] is not None:
        raise StateError(
            f"blob {digest} was taken down already: {record.reason(digest, row[0])}",
            where=record.where,
            remedy="nothing needs to be done",
        )
    add(record, Incoming(sha256_hex(notice), notice, None))
    record.session.run(
        "UPDATE leadline.blob SET content = NULL, notice = %s WHERE sha256 = %s",
        (bytes.fromhex(sha256_hex(notice)), key),
    )
    record.session.run("DELETE FROM leadline.blob_chunk WHERE sha256 = %s", (key,))
