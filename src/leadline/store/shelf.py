"""The shelf: durable values beside the log, for what is neither in the log nor can be computed from it.

Withholdings, outboxes, cosignatures, a witness's memory, time stamps, idempotency keys, quotas, invitations.
`rebuild` never touches it, no export carries it, a backup does. Nothing on it is evidence: what counts is signed
inside the values themselves.
"""

import re
import threading
from typing import Protocol

from leadline.errors import InputError

#: Longest value, in bytes; what is larger is a blob.
MAX_VALUE = 1 << 20
_SPACE = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}", re.ASCII)
_MAX_KEY = 512


class Shelf(Protocol):
    """Values by space and key; every write is durable before it returns.

    A space is a short lower-case name (``cosignatures``); a key is up to 512 characters without control
    characters. Raises InputError for other names and for values above 1 MiB, StoreError when the disk or database
    refuses, StateError inside the build function of `Store.append` and, for writes, inside a snapshot.
    """

    def get(self, space: str, key: str) -> bytes | None:
        """The value, or None."""
        ...

    def items(self, space: str, *, after: str = "", limit: int | None = None) -> list[tuple[str, bytes]]:
        """Keys strictly above `after` and their values, in order of the keys' UTF-8 bytes, at most `limit`."""
        ...

    def put(self, space: str, key: str, value: bytes) -> None:
        """Keep `value`, in place of what was there."""
        ...

    def swap(self, space: str, key: str, expected: bytes | None, value: bytes | None) -> bool:
        """Write `value` if the present value is `expected`, in one atomic step; None means absent.

        Returns whether it was written. Of several callers with the same `expected`, one succeeds.
        """
        ...

    def delete(self, space: str, key: str) -> bool:
        """Remove the value; returns whether there was one."""
        ...

    def spaces(self) -> list[str]:
        """The spaces that hold anything, sorted: what a backup has to carry."""
        ...


class MemoryShelf:
    """A shelf in a dictionary: for tests and pure use; nothing outlives the process."""

    def __init__(self) -> None:
        self._values: dict[tuple[str, str], bytes] = {}
        self._lock = threading.Lock()

    def get(self, space: str, key: str) -> bytes | None:
        """The value, or None."""
        check_name(space, key)
        return self._values.get((space, key))

    def items(self, space: str, *, after: str = "", limit: int | None = None) -> list[tuple[str, bytes]]:
        """Keys strictly above `after` and their values, in order of the keys' UTF-8 bytes, at most `limit`."""
        check_space(space)
        with self._lock:
            found = [(key, value) for (where, key), value in self._values.items() if where == space]
        found = [(key, value) for key, value in found if key.encode() > after.encode()]
        return sorted(found, key=lambda item: item[0].encode())[:limit]

    def put(self, space: str, key: str, value: bytes) -> None:
        """Keep `value`, in place of what was there."""
        check_name(space, key)
        check_value(value)
        with self._lock:
            self._values[space, key] = value

    def swap(self, space: str, key: str, expected: bytes | None, value: bytes | None) -> bool:
        """Write `value` if the present value is `expected`, in one atomic step; None means absent."""
        check_name(space, key)
        with self._lock:
            if self._values.get((space, key)) != expected:
                return False
            if value is None:
                self._values.pop((space, key), None)
            else:
                check_value(value)
                self._values[space, key] = value
            return True

    def delete(self, space: str, key: str) -> bool:
        """Remove the value; returns whether there was one."""
        check_name(space, key)
        with self._lock:
            return self._values.pop((space, key), None) is not None

    def spaces(self) -> list[str]:
        """The spaces that hold anything, sorted."""
        with self._lock:
            return sorted({space for space, _ in self._values})


def check_space(space: str) -> None:
    """InputError unless `space` is a name a shelf accepts."""
    if _SPACE.fullmatch(space) is None:
        raise InputError(
            f"{space[:80]!r} is not the name of a space on the shelf",
            remedy="use up to 64 lower-case letters, digits, dots, hyphens and underscores",
        )


def check_name(space: str, key: str) -> None:
    """InputError unless a shelf accepts this space and key."""
    check_space(space)
    if not 0 < len(key) <= _MAX_KEY or not key.isprintable():
        raise InputError(
            f"{key[:80]!r} is not a key a shelf accepts",
            where=f"space {space}",
            remedy=f"use 1 to {_MAX_KEY} characters, none of them a control character",
        )


def check_value(value: bytes) -> None:
    """InputError unless a shelf accepts a value of this length."""
    if len(value) > MAX_VALUE:
        raise InputError(
            f"a value on the shelf has at most {MAX_VALUE:,} bytes, not {len(value):,}",
            remedy="keep it as a blob, and its digest on the shelf",
        )
