"""Putting blobs and taking them down: the rows of table `blob`."""

from dataclasses import dataclass
from io import BytesIO
from typing import BinaryIO

from leadline.errors import NotFoundError, StateError
from leadline.ledger.canon import sha256_hex
from leadline.store.blobs import BlobFolder, check_digest, make_notice
from leadline.store.model import INLINE_LIMIT
from leadline.store.sqlite.record import Record


@dataclass(frozen=True, slots=True)
class Incoming:
    """A blob on its way in: its digest, and its bytes unless they are already in a file."""

    digest: str
    content: bytes | None


def receive(folder: BlobFolder, data: bytes | BinaryIO) -> Incoming:
    """Read the bytes; what is larger than `INLINE_LIMIT` is durable in a file on return."""
    if isinstance(data, bytes) and len(data) <= INLINE_LIMIT:
        return Incoming(sha256_hex(data), data)
    stream = BytesIO(data) if isinstance(data, bytes) else data
    head = b""
    while len(head) <= INLINE_LIMIT and (chunk := stream.read(INLINE_LIMIT + 1 - len(head))):
        head += chunk
    if len(head) <= INLINE_LIMIT:
        return Incoming(sha256_hex(head), head)
    return Incoming(folder.write(head, stream), None)


def add(record: Record, incoming: Incoming) -> None:
    """Write the row; the same bytes again change nothing. StateError when they were taken down."""
    reason = record.taken_down(incoming.digest)
    if reason is not None:
        raise taken_down_again(record, incoming, reason)
    record.db.execute(
        "INSERT INTO blob VALUES (?, ?, NULL) ON CONFLICT DO NOTHING",
        (bytes.fromhex(incoming.digest), incoming.content),
    )


def taken_down_again(record: Record, incoming: Incoming, reason: str) -> StateError:
    """The error for bytes that were taken down before; a file that was made of them is gone."""
    if incoming.content is None:
        record.folder.remove(incoming.digest)
    return StateError(
        f"blob {incoming.digest} was taken down and is not accepted again: {reason}",
        where=record.where,
        remedy="leave it out; its digest stays in the log",
    )


def take_down(record: Record, digest: str, reason: str, *, absent: bool = False) -> None:
    """Empty the row and point it at a notice that names the blob and gives the reason.

    Without a row, NotFoundError; with `absent`, a row is made.
    """
    key = bytes.fromhex(check_digest(digest))
    notice = make_notice(digest, reason)
    row = record.db.execute("SELECT notice FROM blob WHERE sha256 = ?", (key,)).fetchone()
    if row is None and absent:
        record.db.execute("INSERT INTO blob VALUES (?, NULL, NULL)", (key,))
    elif row is None:
        raise NotFoundError(f"no blob {digest} is stored", where=record.where, remedy="check the digest")
    elif row[0] is not None:
        raise StateError(
            f"blob {digest} was taken down already: {record.reason(digest, row[0])}",
            where=record.where,
            remedy="nothing needs to be done",
        )
    add(record, Incoming(sha256_hex(notice), notice))
    record.db.execute(
        "UPDATE blob SET content = NULL, notice = ? WHERE sha256 = ?",
        (bytes.fromhex(sha256_hex(notice)), key),
    )
