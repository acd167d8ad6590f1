"""One opened file: bounded reads by position, and the digest of the whole."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path

from leadline.errors import LogError

_HEAD = 4096
_BLOCK = 1 << 18
#: A file up to this size is read at once and kept while it is open: what is hashed is then what is decoded.
_KEPT = 8 << 20


class Source:
    """A file opened for reading at any position.

    Small files are read once, for the digest and everything else. Of larger ones each read copies what is
    asked for. Nothing is mapped, so that memory stays flat however large the file is and a file cut short
    while it is being read is an error and not a crash.

    Parameters
    ----------
    path: the file as the caller named it.
    handle: the file, opened in binary mode without a buffer; whoever opened it closes it.
    """

    __slots__ = ("_handle", "_whole", "head", "modified", "path", "size")

    def __init__(self, path: Path, handle: FileIO) -> None:
        self.path = path
        self._handle = handle
        status = os.fstat(handle.fileno())
        self.size = status.st_size
        self.modified = status.st_mtime_ns
        self.head = handle.read(_HEAD)
        self._whole: bytes | None = None

    @property
    def name(self) -> str:
        """The file name without its folder, as shown in the table."""
        return self.path.name

    def read(self, offset: int, length: int) -> bytes:
        """Exactly `length` bytes from `offset`; LogError when the file ends before."""
        if self._whole is not None and offset + length <= self.size:
            return self._whole[offset : offset + length]
        handle = self._handle
        handle.seek(offset)
        data = handle.read(length)
        if len(data) == length:
            return data
        parts = [data]
        got = len(data)
        while got < length:  # one read is limited to about 2 GiB on Linux
            data = handle.read(length - got)
            if not data:
                raise LogError(
                    f"the file ends at byte {offset + got:,}, {length - got:,} bytes too early",
                    where=str(self.path),
                    remedy="copy the log again from where it was written; this copy is incomplete",
                )
            parts.append(data)
            got += len(data)
        return b"".join(parts)

    def whole(self) -> bytes:
        """All bytes, read once; the caller has looked at `size`."""
        if self._whole is None:
            self._whole = self.read(0, self.size)
        return self._whole

    def sha256(self) -> str:
        """Lower-case hex SHA-256 of the whole file."""
        if self._whole is not None or self.size <= _KEPT:
            return hashlib.sha256(self.whole()).hexdigest()
        digest = hashlib.sha256()
        block = memoryview(bytearray(_BLOCK))
        self._handle.seek(0)
        while got := self._handle.readinto(block):
            digest.update(block[:got])
        return digest.hexdigest()

    def check_unchanged(self) -> None:
        """LogError when the file was written to since it was opened: its digest would describe other bytes."""
        status = os.fstat(self._handle.fileno())
        if (status.st_size, status.st_mtime_ns) != (self.size, self.modified):
            raise LogError(
                "the file was changed while it was being read",
                where=str(self.path),
                remedy="wait until the run has finished, or read a copy",
            )


@contextmanager
def opened(path: Path) -> Iterator[Source]:
    """Open a file as a `Source`; LogError when the system refuses."""
    try:
        handle = FileIO(path)
    except OSError as error:
        raise LogError(
            f"cannot be opened: {error.strerror or error}",
            where=str(path),
            remedy="check the path and its permissions",
        ) from error
    with handle:
        yield Source(path, handle)
