"""The ZIP container of `.eval` logs, read from its central directory alone.

An `.eval` file is append-only: a sample that ran again is appended again under the same name, and **the
last central-directory entry wins**; the bytes it replaces stay in the file. So local headers are never
scanned, and sizes come from the directory. ZIP64 is handled (PKWARE APPNOTE 6.3.10, sections 4.3 and 4.5.3).
"""

import struct
from typing import NamedTuple

from leadline.errors import LogError
from leadline.logs.inflate import inflate
from leadline.logs.limits import DEFAULT, Limits
from leadline.logs.source import Source

_END = struct.Struct("<4s4H2IH")
_END64_LOCATOR = struct.Struct("<4sIQI")
_END64 = struct.Struct("<4sQ2H2I4Q")
_ENTRY = struct.Struct("<4s4x2H4x3I3H8xI")
_LOCAL = struct.Struct("<4s5H3I2H")
_FULL32 = 0xFFFFFFFF
_FULL16 = 0xFFFF
_ENCRYPTED = 0x1
_UTF8 = 0x800
_LOCAL_EXTRA_GUESS = 64


class Member(NamedTuple):
    """One live or superseded entry of the archive; sizes and offset in bytes."""

    name: str
    method: int
    crc: int
    packed: int
    size: int
    offset: int


class Archive:
    """The members of one ZIP file.

    `members` maps names to live entries in directory order; `superseded` lists entries that a later one of
    the same name replaced. Raises LogError when the directory is missing, damaged, or declares more than
    `limits` allows.
    """

    __slots__ = ("members", "source", "superseded")

    def __init__(self, source: Source, limits: Limits = DEFAULT) -> None:
        self.source = source
        self.members: dict[str, Member] = {}
        self.superseded: list[Member] = []
        count, size, offset = _locate(source)
        if count > limits.members:
            raise _refused(source, f"declares {count:,} members; at most {limits.members:,} are read")
        self._index(source.read(offset, size), count)
        self._check_sizes(limits)

    def _index(self, directory: bytes, count: int) -> None:
        at, end, members, unpack = 0, len(directory), self.members, _ENTRY.unpack_from
        for number in range(count):
            if at + _ENTRY.size > end:
                raise _damaged(self.source, "its central directory is cut short")
            mark, flags, method, crc, packed, size, name_size, extra_size, comment_size, offset = unpack(
                directory, at
            )
            if mark != b"PK\x01\x02":
                raise _damaged(self.source, f"entry {number + 1} of its central directory is damaged")
            name_at = at + _ENTRY.size
            extra_at = name_at + name_size
            at = extra_at + extra_size + comment_size
            name = _name(directory[name_at:extra_at], flags)
            if flags & _ENCRYPTED:
                raise _refused(self.source, f"member {name!r} is encrypted")
            if packed == _FULL32 or size == _FULL32 or offset == _FULL32:
                extra = directory[extra_at : extra_at + extra_size]
                size, packed, offset = _wide(extra, size, packed, offset, self._where(name))
            if name in members:
                self.superseded.append(members.pop(name))
            members[name] = Member(name, method, crc, packed, size, offset)

    def _check_sizes(self, limits: Limits) -> None:
        total, end, most = 0, self.source.size, limits.member
        for name, _, _, packed, size, offset in self.members.values():
            total += size
            if size > most:
                raise _refused(
                    self.source, f"member {name!r} declares {size:,} bytes; at most {most:,} are read"
                )
            if offset + packed > end:
                raise _damaged(self.source, f"member {name!r} lies beyond the end of the file")
        if total > limits.total or total > limits.ratio * self.source.size + limits.total_free:
            raise _refused(self.source, f"{self.source.size:,} bytes that declare {total:,}")

    def read(self, member: Member | str) -> bytes:
        """The content of a member, its length and CRC-32 checked; LogError names the member."""
        if isinstance(member, str):
            member = self.members[member]
        where = self._where(member.name)
        guess = _LOCAL.size + len(member.name.encode()) + _LOCAL_EXTRA_GUESS + member.packed
        block = self.source.read(member.offset, min(guess, self.source.size - member.offset))
        try:
            header = _LOCAL.unpack_from(block)
        except struct.error:
            header = (b"",)
        if header[0] != b"PK\x03\x04":
            raise LogError("its local header is damaged", where=where, remedy=_COPY)
        start = _LOCAL.size + header[9] + header[10]
        packed = block[start : start + member.packed]
        if len(packed) < member.packed:
            packed = self.source.read(member.offset + start, member.packed)
        return inflate(packed, method=member.method, size=member.size, crc=member.crc, where=where)

    def _where(self, name: str) -> str:
        return f"{self.source.path}, member {name}"


def _name(encoded: bytes, flags: int) -> str:
    """A member's name; ASCII is the same in both encodings that ZIP knows, and far quicker to decode."""
    try:
        return encoded.decode("ascii")
    except UnicodeDecodeError:
        return encoded.decode("utf-8" if flags & _UTF8 else "cp437", "replace")


def _locate(source: Source) -> tuple[int, int, int]:
    """Count, size and offset of the central directory."""
    tail_at = max(0, source.size - _END.size - _FULL16)
    tail = source.read(tail_at, source.size - tail_at)
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or at + _END.size > len(tail):
        raise LogError(
            "has no end-of-central-directory record: the file was cut short or is still being written",
            where=str(source.path),
            remedy="wait until the run has finished, or copy the log again; "
            "`inspect log recover` can rebuild a log whose run crashed",
        )
    _, _, _, _, count, size, offset, _ = _END.unpack_from(tail, at)
    end = tail_at + at
    locator_at = end - _END64_LOCATOR.size
    if locator_at >= 0 and (count == _FULL16 or _FULL32 in (size, offset)):
        mark, _, end64, _ = _END64_LOCATOR.unpack(source.read(locator_at, _END64_LOCATOR.size))
        if mark == b"PK\x06\x07":
            if end64 + _END64.size > locator_at:
                raise _damaged(source, "its ZIP64 end record lies outside the file")
            record = _END64.unpack(source.read(end64, _END64.size))
            if record[0] != b"PK\x06\x06":
                raise _damaged(source, "its ZIP64 end record is damaged")
            count, size, offset, end = record[7], record[8], record[9], end64
    if offset + size > end or count * _ENTRY.size > size:
        raise _damaged(source, "its central directory does not fit into the file")
    return count, size, offset


def _wide(extra: bytes, size: int, packed: int, offset: int, where: str) -> tuple[int, int, int]:
    """Sizes and offset with the ZIP64 extra field (id 1) put in where 32 bits were too few."""
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, at)
        if kind == 1:
            body = extra[at + 4 : at + 4 + length]
            wide = [value for (value,) in struct.iter_unpack("<Q", body[: len(body) // 8 * 8])]
            found = [wide.pop(0) if value == _FULL32 and wide else value for value in (size, packed, offset)]
            return found[0], found[1], found[2]
        at += 4 + length
    raise LogError("needs a ZIP64 record that is not there", where=where, remedy=_COPY)


_COPY = "copy the log again from where it was written; this copy is damaged"


def _damaged(source: Source, what: str) -> LogError:
    return LogError(what, where=str(source.path), remedy=_COPY)


def _refused(source: Source, what: str) -> LogError:
    return LogError(
        f"refused: {what}",
        where=str(source.path),
        remedy="if this log is known to be honest, pass read_logs(..., limits=Limits(...)) with room for it",
    )
