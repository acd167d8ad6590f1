"""Decompression of one archive member, bounded by the size the archive declares for it.

Methods: stored (0), deflate (8, RFC 1951), Zstandard (93, RFC 8878). Inspect's writer starts a new zstd
frame every 200 MiB of input, and a one-shot decompressor returns the first frame without complaint, so
length and CRC-32 are compared with the central directory after every call.
"""

import io
import zlib
from collections.abc import Callable
from functools import cache
from typing import Any, Final, NamedTuple

import zstandard

from leadline.errors import LogError

STORED: Final = 0
DEFLATE: Final = 8
ZSTD: Final = 93

#: 128 MiB, the window that zstd's own command line accepts without a flag.
_WINDOW = 1 << 27
_zstd: Any = zstandard.ZstdDecompressor(max_window_size=_WINDOW)


class Engine(NamedTuple):
    """A DEFLATE implementation: decompressor, CRC-32, and the error it raises."""

    decompressor: Callable[[int], Any]
    crc32: Callable[[bytes], int]
    error: type[Exception]


@cache
def engine() -> Engine:
    """isal's implementation where it is installed (about twice as fast), else zlib's."""
    try:
        from isal import isal_zlib
    except ImportError:
        return Engine(zlib.decompressobj, zlib.crc32, zlib.error)
    error: Any = isal_zlib.error  # a class, whatever its stub says
    return Engine(isal_zlib.decompressobj, isal_zlib.crc32, error)


def inflate(data: bytes, *, method: int, size: int, crc: int, where: str) -> bytes:
    """The `size` bytes that `data` compresses.

    `where` names file and member in errors. Raises LogError when the method is unknown, the data is
    damaged, or length or CRC-32 (`crc`) is not what the archive declares. Never holds more than
    `size` + 1 bytes of output.
    """
    try:
        plain = _plain(data, method, size)
    except (zstandard.ZstdError, engine().error, ValueError) as error:
        raise _damaged(f"cannot be decompressed: {error}", where) from error
    if plain is None:
        raise LogError(
            f"compression method {method} is not one that evaluation logs use (0, 8, 93)",
            where=where,
            remedy="write the log again with Inspect, or convert it with `inspect log convert`",
        )
    if len(plain) != size:
        found = f"more than {size:,}" if len(plain) > size else f"{len(plain):,}"
        raise _damaged(f"declares {size:,} bytes and holds {found}", where)
    if engine().crc32(plain) != crc:
        raise _damaged("fails its CRC-32 check", where)
    return plain


def _plain(data: bytes, method: int, size: int) -> bytes | None:
    if method == ZSTD:
        return _unzstd(data, size)
    if method == DEFLATE:
        plain: bytes = engine().decompressor(-15).decompress(data, size + 1)
        return plain
    return data if method == STORED else None


def _unzstd(data: bytes, size: int) -> bytes:
    if size == 0:
        return b""
    # A frame that states its own size makes the one-shot call allocate that much, whatever limit is given.
    stated: int = zstandard.frame_content_size(data)
    if stated > size:
        raise ValueError(f"a frame states {stated:,} bytes where the archive declares {size:,}")
    try:
        plain: bytes = _zstd.decompress(data, max_output_size=size)
    except zstandard.ZstdError:
        plain = b""  # told apart below: a damaged frame fails again, and says why
    if len(plain) == size:
        return plain
    whole: bytes = _zstd.stream_reader(io.BytesIO(data), read_across_frames=True).read(size + 1)
    return whole


def _damaged(what: str, where: str) -> LogError:
    return LogError(
        what, where=where, remedy="copy the log again from where it was written; this copy is damaged"
    )
