"""The lines of a recording: canonical JSON, each with a digest over itself and everything before it.

A line is ``{"row":ROW,"sha256":"DIGEST"}`` and a line end, where ROW is canonical JSON (RFC 8785) and DIGEST is the
SHA-256 of the previous line's digest (32 bytes; `START` for the first line) followed by the bytes of ROW. So a line
that was changed, moved, taken out or put in is noticed at that line. Whoever makes the whole chain anew is not
noticed by it: that is what the digest of the file is for, which the attempt closes with.
"""

import hashlib
import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from leadline.errors import LogError
from leadline.logs.source import Source

#: What the first line is chained to.
START: Final = hashlib.sha256(b"leadline recording, version 1").digest()
#: Longest line, its end included, in bytes.
LONGEST_LINE: Final = 1 << 20
#: Most lines of one file.
MOST_LINES: Final = 5_000_000

_FRONT: Final = b'{"row":'
_BACK: Final = re.compile(rb',"sha256":"([0-9a-f]{64})"\}\Z')
_BACK_LENGTH: Final = len(b',"sha256":""}') + 64
_BLOCK: Final = 1 << 20


class Line(NamedTuple):
    """A line that holds: its number from 1, its row (canonical JSON), and the digest it leaves for the next."""

    number: int
    row: bytes
    digest: bytes


def chained(previous: bytes, row: bytes) -> tuple[bytes, bytes]:
    """The line of a row that follows the digest `previous` (32 bytes), and its own digest."""
    digest = hashlib.sha256(previous + row).digest()
    return b'%b%b,"sha256":"%b"}\n' % (_FRONT, row, digest.hex().encode()), digest


def lines(source: Source) -> Iterator[Line]:
    """Every complete line in order, each checked before it is given; what follows the last line end is not given.

    Raises LogError at the first line that is not what was written there, and for one too long or one too many.
    """
    digest = START
    for number, raw in enumerate(_split(source), start=1):
        back = _BACK.search(raw, max(0, len(raw) - _BACK_LENGTH))
        row = raw[len(_FRONT) : -_BACK_LENGTH]
        expected = hashlib.sha256(digest + row).digest()
        if back is None or not raw.startswith(_FRONT) or expected.hex().encode() != back[1]:
            raise LogError(
                f"the chain of this recording breaks at line {number:,}: the line, or one before it, is not what was "
                "written there",
                where=str(source.path),
                remedy="take the file the recorder wrote; one that was edited or damaged in copying cannot be used",
            )
        digest = expected
        yield Line(number, row, digest)


def torn(source: Source) -> int:
    """How many bytes follow the last line end: the beginning of a line whose writing was cut short, else 0."""
    tail = min(source.size, LONGEST_LINE)
    return tail - 1 - source.read(source.size - tail, tail).rfind(b"\n")


def _split(source: Source) -> Iterator[bytes]:
    """The complete lines without their ends."""
    rest, found = b"", 0
    for offset in range(0, source.size, _BLOCK):
        *whole, rest = (rest + source.read(offset, min(_BLOCK, source.size - offset))).split(b"\n")
        found += len(whole)
        if found > MOST_LINES:
            raise _refused(source, f"it has more than {MOST_LINES:,} lines")
        for line in whole:
            if len(line) >= LONGEST_LINE:
                raise _refused(source, f"a line is longer than {LONGEST_LINE:,} bytes")
            yield line
        if len(rest) >= LONGEST_LINE:
            raise _refused(source, f"a line is longer than {LONGEST_LINE:,} bytes")


def _refused(source: Source, why: str) -> LogError:
    return LogError(
        f"refused: {why}",
        where=str(source.path),
        remedy="record less in one row, or the run in several attempts",
    )
