"""Checkpoints: what a log says its tree is, as a signed note (C2SP tlog-checkpoint)."""

from collections.abc import Sequence
from dataclasses import dataclass

from leadline.errors import SignatureError
from leadline.ledger.encoding import UINT64_MAX, b64decode, b64encode, parse_uint64
from leadline.ledger.keys import SigningKey, VerifyKey
from leadline.ledger.tlog.note import open_note, sign_note
from leadline.ledger.tlog.tree import HASH_SIZE


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A log's `origin` (its identity), tree `size` and `root` (32 bytes)."""

    origin: str
    size: int
    root: bytes

    def body(self) -> bytes:
        """The note text: origin, size and base64 root, a line each, and no extension lines."""
        check_origin(self.origin)
        if not 0 <= self.size <= UINT64_MAX or len(self.root) != HASH_SIZE:
            raise _malformed("a checkpoint has a size below 2^64 and a root of 32 bytes")
        return f"{self.origin}\n{self.size}\n{b64encode(self.root)}\n".encode()


@dataclass(frozen=True, slots=True)
class SignedCheckpoint:
    """A checkpoint that `key` is proven to have signed, with the note's exact bytes."""

    checkpoint: Checkpoint
    key: VerifyKey
    note: bytes


def split_body(body: bytes) -> tuple[bytes, int, bytes, list[bytes]]:
    """Origin, size, root bytes and extension lines by line structure alone; `SignatureError` otherwise.

    `parse_body` adds what the specification demands of a real log: a root of 32 bytes and no empty lines.
    """
    lines = body.split(b"\n")
    if len(lines) < 4 or lines.pop() != b"":
        raise _malformed("a checkpoint is at least three lines, each ending in a newline")
    origin, size, root, *extensions = lines
    if not origin:
        raise _malformed("its origin line is empty")
    try:
        return origin, parse_uint64(size), b64decode(root), extensions
    except ValueError as error:
        raise _malformed(str(error)) from None


def parse_body(body: bytes) -> Checkpoint:
    """The checkpoint in a note's text; `SignatureError` unless it is formed as the specification says.

    Extension lines are legal and ignored: nobody can audit them.
    """
    origin_line, size, root, extensions = split_body(body)
    if len(root) != HASH_SIZE:
        raise _malformed(f"its root has {len(root)} bytes instead of {HASH_SIZE}")
    if b"" in extensions:
        raise _malformed("it has an empty line")
    try:
        origin = origin_line.decode("utf-8", "strict")
    except UnicodeDecodeError:
        raise _malformed("its origin is not UTF-8") from None
    return Checkpoint(origin, size, root)


def sign_checkpoint(checkpoint: Checkpoint, key: SigningKey) -> bytes:
    """The checkpoint as a note signed by the log's key; `SignatureError` for a key of another role."""
    if key.role != "log":
        raise SignatureError(
            f"the key {key.name} has the role {key.role}; only a log key signs checkpoints",
            remedy="sign with the log's own key, which signs nothing else",
        )
    return sign_note(checkpoint.body(), [key])


def open_checkpoint(note: bytes, keys: Sequence[VerifyKey], *, origin: str | None = None) -> SignedCheckpoint:
    """The checkpoint in `note`, proven to be signed by one of the log's `keys`.

    `origin`, where given, is the log that is meant; a key's name need not equal it. Raises `SignatureError`.
    """
    opened = open_note(note, keys)
    checkpoint = parse_body(opened.text)
    check_same_log(checkpoint, origin)
    return SignedCheckpoint(checkpoint, opened.verified[0], note)


def check_same_log(checkpoint: Checkpoint, origin: str | None) -> None:
    """Refuse a checkpoint of another log than the one that is meant (None: any)."""
    if origin is not None and checkpoint.origin != origin:
        raise SignatureError(
            f"this is a checkpoint of {checkpoint.origin[:200]!r}, not of {origin!r}",
            remedy="fetch the checkpoint of the log you mean, or name the log it came from",
        )


def check_origin(origin: str) -> None:
    """Refuse an origin that a checkpoint cannot carry on its first line."""
    if not origin or len(origin) > 500 or not origin.isprintable():
        raise _malformed("an origin is one line of 1 to 500 printable characters, such as example.org/log")


def _malformed(why: str) -> SignatureError:
    return SignatureError(f"malformed checkpoint: {why}", remedy="fetch the checkpoint again from the log")
