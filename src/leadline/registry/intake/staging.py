"""Where uploaded bytes wait for the statement that names them: on the shelf, in pieces, per uploader.

Nothing here is public and nothing is shared: two authors who upload the same bytes hold two copies, so that
neither learns of the other's. What no statement takes up within a day is swept away.
"""

import io
import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from leadline.errors import InputError, NotFoundError
from leadline.store.blobs import check_digest
from leadline.store.shelf import MAX_VALUE, Shelf

if TYPE_CHECKING:
    from leadline.registry.registry import Registry

#: How long an upload waits for its statement.
KEPT: Final = timedelta(hours=24)
PIECE: Final = MAX_VALUE
_DONE, _OPEN, _BYTES = "upload", "upload.open", "upload.bytes"
_MISMATCH = "upload the exact bytes the request was signed for"


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A complete upload: the name of its pieces, how many there are, how many bytes, since when."""

    upload: str
    pieces: int
    size: int
    at: datetime


class Staging:
    """Uploads that wait, by uploader (key fingerprint) and digest."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    def begin(self, keyid: str, digest: str, size: int, now: datetime) -> "Upload":
        """Start to receive `size` bytes with this digest from the holder of a key."""
        name = secrets.token_hex(16)
        self._shelf.put(_OPEN, name, _packed({"at": now.isoformat()}))
        return Upload(self._shelf, name, f"{keyid}/{check_digest(digest)}", size, now)

    def has(self, keyid: str, digest: str) -> bool:
        """Whether the holder of this key has uploaded these bytes, completely."""
        return self._shelf.get(_DONE, f"{keyid}/{digest}") is not None

    def open(self, keyid: str, digest: str) -> BinaryIO:
        """The uploaded bytes as a file; NotFoundError where this key has uploaded none."""
        waiting = self._waiting(keyid, digest)
        return io.BufferedReader(_Pieces(self._pieces(waiting)), buffer_size=PIECE)

    def size(self, keyid: str, digest: str) -> int:
        """How many bytes wait; NotFoundError where this key has uploaded none."""
        return self._waiting(keyid, digest).size

    def drop(self, keyid: str, digest: str) -> None:
        """Forget an upload: its statement is in the log and the store holds the bytes."""
        key = f"{keyid}/{digest}"
        stored = self._shelf.get(_DONE, key)
        if stored is not None:
            self._forget(key, stored)

    def sweep(self, now: datetime) -> int:
        """Forget every upload, complete or not, that is older than a day; how many these were."""
        swept = 0
        for key, stored in list(_all(self._shelf, _DONE)):
            if _read(stored).at + KEPT <= now:
                swept += self._forget(key, stored)
        for name, stored in list(_all(self._shelf, _OPEN)):
            if datetime.fromisoformat(json.loads(stored)["at"]) + KEPT <= now:
                _delete_pieces(self._shelf, name)
                self._shelf.delete(_OPEN, name)
                swept += 1
        return swept

    def _forget(self, key: str, stored: bytes) -> bool:
        """Forget one upload, unless a newer one of the same bytes has taken its place."""
        forgotten = self._shelf.swap(_DONE, key, stored, None)
        if forgotten:
            _delete_pieces(self._shelf, _read(stored).upload)
        return forgotten

    def _waiting(self, keyid: str, digest: str) -> _Waiting:
        stored = self._shelf.get(_DONE, f"{keyid}/{digest}")
        if stored is None:
            raise NotFoundError("these bytes were not uploaded under this key", remedy="upload them first")
        return _read(stored)

    def _pieces(self, waiting: _Waiting) -> Iterator[bytes]:
        for number in range(waiting.pieces):
            piece = self._shelf.get(_BYTES, f"{waiting.upload}/{number:07d}")
            if piece is None:
                raise NotFoundError("the upload was swept away meanwhile", remedy="upload the bytes again")
            yield piece


class Upload:
    """Bytes that are arriving. `write` what comes, then `finish`; `abandon` on any error."""

    def __init__(self, shelf: Shelf, name: str, key: str, size: int, now: datetime) -> None:
        self._shelf, self._name, self._key, self._size, self._now = shelf, name, key, size, now
        self._hash = sha256()
        self._buffer = bytearray()
        self._pieces = self._seen = 0

    def write(self, data: bytes) -> None:
        """Take in the next bytes; InputError as soon as there are more than were announced."""
        self._seen += len(data)
        if self._seen > self._size:
            raise InputError(f"more bytes came than the {self._size:,} that were announced", remedy=_MISMATCH)
        self._hash.update(data)
        self._buffer += data
        while len(self._buffer) >= PIECE:
            self._put(bytes(self._buffer[:PIECE]))
            del self._buffer[:PIECE]

    def finish(self) -> None:
        """Everything came: keep it. InputError when it is not what was announced; nothing is kept then."""
        if self._seen != self._size:
            raise InputError(
                f"{self._seen:,} bytes came instead of the {self._size:,} that were announced",
                remedy=_MISMATCH,
            )
        if self._hash.hexdigest() != self._key.partition("/")[2]:
            raise InputError("the bytes have another SHA-256 than the one announced", remedy=_MISMATCH)
        if self._buffer:
            self._put(bytes(self._buffer))
        said = {"upload": self._name, "pieces": self._pieces, "size": self._size, "at": self._now.isoformat()}
        while (
            True
        ):  # each copy that is replaced is somebody's to delete, whoever else uploads the same bytes now
            before = self._shelf.get(_DONE, self._key)
            if self._shelf.swap(_DONE, self._key, before, _packed(said)):
                break
        self._shelf.delete(_OPEN, self._name)
        if before is not None:  # the same bytes were sent again: the later copy is the one that waits longer
            _delete_pieces(self._shelf, _read(before).upload)

    def abandon(self) -> None:
        """Forget what came so far."""
        _delete_pieces(self._shelf, self._name)
        self._shelf.delete(_OPEN, self._name)

    def _put(self, piece: bytes) -> None:
        self._shelf.put(_BYTES, f"{self._name}/{self._pieces:07d}", piece)
        self._pieces += 1


def sweep(registry: "Registry", now: datetime) -> int:
    """Forget uploads and answers to repeated requests that are older than a day; how many these were."""
    from leadline.registry.intake.replay import forget_answers

    shelf = registry.store.shelf
    return Staging(shelf).sweep(now) + forget_answers(shelf, now)


class _Pieces(io.RawIOBase):
    """The pieces of an upload, one after another, as a raw file."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._source = pieces
        self._left = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._left:
            piece = next(self._source, None)
            if piece is None:
                return 0
            self._left = memoryview(piece)
        count = min(len(buffer), len(self._left))
        buffer[:count] = self._left[:count]
        self._left = self._left[count:]
        return count


def _delete_pieces(shelf: Shelf, name: str) -> None:
    number = 0
    while shelf.delete(_BYTES, f"{name}/{number:07d}"):
        number += 1


def _all(shelf: Shelf, space: str) -> Iterator[tuple[str, bytes]]:
    after = ""
    while page := shelf.items(space, after=after, limit=500):
        yield from page
        after = page[-1][0]


def _read(stored: bytes) -> _Waiting:
    said = json.loads(stored)
    return _Waiting(said["upload"], said["pieces"], said["size"], datetime.fromisoformat(said["at"]))


def _packed(value: dict[str, Any]) -> bytes:
    return json.dumps(value, sort_keys=True).encode()
