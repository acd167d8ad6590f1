"""What lies where in a backup, and the files themselves: private, durable, bounded when read."""

import json
import os
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from stat import S_ISREG
from typing import Any, BinaryIO, Final

from leadline.errors import InputError, NotFoundError

Progress = Callable[[int, int], None]
FORMAT: Final = "leadline-backup/1"
LISTS: Final = ("checkpoint", "checkpoints.jsonl", "blobs.jsonl", "shelf.jsonl")
CHUNK = 1 << 20
MOST_LINE = 1 << 21
MOST_BUNDLE = 1 << 25
REMEDY = "this backup is damaged or was changed: use another one"


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup holds: entries, blobs with bytes, values on the shelf, and digests of its lists."""

    format: str
    origin: str
    size: int
    root: str
    blobs: int
    taken_down: int
    shelf: int
    files: dict[str, str]


def text(data: bytes) -> str:
    """Bytes as JSON carries them."""
    return b64encode(data).decode()


def private(path: Path) -> BinaryIO:
    """A new file that its owner alone can read, open for writing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def flush(file: BinaryIO) -> None:
    """Have what was written on the disk."""
    file.flush()
    os.fsync(file.fileno())


def sync(folder: Path) -> None:
    """Have the folder's names on the disk."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def opened(path: Path) -> BinaryIO:
    """A file of the backup; NotFoundError when it cannot be read, InputError when it is no file at all."""
    try:
        if not S_ISREG(path.stat().st_mode):  # a device or a pipe would be read for ever
            raise InputError("a part of the backup is not a plain file", where=str(path), remedy=REMEDY)
        return path.open("rb")
    except OSError as error:
        raise NotFoundError(
            f"a file of the backup cannot be read: {error.strerror}", where=str(path), remedy=REMEDY
        ) from error


def read(path: Path, limit: int) -> bytes:
    """A whole small file; InputError above `limit` bytes."""
    with opened(path) as file:
        data = file.read(limit + 1)
    if len(data) > limit:
        raise InputError("a file of the backup is too long for what it is", where=str(path), remedy=REMEDY)
    return data


def digest_of(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    digest = sha256()
    with opened(path) as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def lines_of(path: Path) -> Iterator[dict[str, Any]]:
    """The values in a file of JSON lines, one by one."""
    with opened(path) as file:
        while line := file.readline(MOST_LINE):
            try:
                found = json.loads(line)
            except (ValueError, RecursionError):
                raise InputError("a line of it is not JSON", where=str(path), remedy=REMEDY) from None
            yield found


def blob_path(folder: Path, digest: str) -> Path:
    """Where a backup keeps a blob; InputError for what is no digest."""
    if len(digest) != 64 or not set(digest) <= set("0123456789abcdef"):
        raise InputError(f"{digest[:80]!r} is no digest", where=str(folder), remedy=REMEDY)
    return folder / "blobs" / digest[:2] / digest[2:]
