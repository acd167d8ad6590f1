"""The cursor of a search: where the next page begins, as opaque text that fits into a URL."""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256

from leadline.errors import InputError

MAX_TEXT = 8_000
_VERSION = 1
_CAPPED, _RELAXED, _BEFORE = 1, 2, 4


@dataclass(frozen=True, slots=True)
class Cursor:
    """The log size a search is answered as of, and the position after the pages already shown.

    `before` belongs to newest-first listings; `rest` are the log indexes still to show of a ranked one.
    """

    as_of: int
    before: int | None = None
    rest: tuple[int, ...] = ()
    capped: bool = False
    relaxed: bool = False

    def encode(self, query: object) -> str:
        """The cursor as text, bound to `query` (anything with a stable repr)."""
        flags = self.capped * _CAPPED | self.relaxed * _RELAXED | (self.before is not None) * _BEFORE
        numbers = [self.as_of, *([] if self.before is None else [self.before]), *self.rest]
        data = bytes([_VERSION, flags]) + _binding(query) + b"".join(map(_varint, numbers))
        return urlsafe_b64encode(data).rstrip(b"=").decode()

    @classmethod
    def decode(cls, text: str, query: object) -> "Cursor":
        """The inverse of `encode`; InputError for other text, or a cursor of another query."""
        try:
            if len(text) > MAX_TEXT:
                raise ValueError
            data = urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
            version, flags = data[0], data[1]
            numbers = list(_varints(data[6:]))
            as_of = numbers.pop(0)
            before = numbers.pop(0) if flags & _BEFORE else None
        except (ValueError, IndexError, binascii.Error):
            raise _bad("the cursor is not one this registry gave out") from None
        if version != _VERSION or data[2:6] != _binding(query):
            raise _bad("the cursor belongs to another search")
        return cls(as_of, before, tuple(numbers), bool(flags & _CAPPED), bool(flags & _RELAXED))


def _binding(query: object) -> bytes:
    return sha256(repr(query).encode()).digest()[:4]


def _varint(number: int) -> bytes:
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def _varints(data: bytes) -> Iterator[int]:
    number = shift = 0
    for byte in data:
        number |= (byte & 0x7F) << shift
        shift += 7
        if number >= 1 << 63 or shift > 70:
            raise ValueError
        if not byte & 0x80:
            yield number
            number = shift = 0
    if shift:
        raise ValueError


def _bad(message: str) -> InputError:
    return InputError(message, remedy="start the search again without a cursor")
