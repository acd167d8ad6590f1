"""The shelf in SQLite: one table beside the record."""

import sqlite3
from collections.abc import Callable
from contextlib import AbstractContextManager

from leadline.store.shelf import check_name, check_space, check_value

_GET = "SELECT value FROM shelf WHERE space = ? AND key = ?"
_ITEMS = "SELECT key, value FROM shelf WHERE space = ? AND key > ? ORDER BY key LIMIT ?"
_PUT = "INSERT INTO shelf VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value"
_DELETE = "DELETE FROM shelf WHERE space = ? AND key = ?"

#: Opens a connection for reading, or one write transaction, for the length of a block.
Opener = Callable[[], AbstractContextManager[sqlite3.Connection]]


class SqliteShelf:
    """A `Shelf` whose every call is a read, or a write transaction of its own."""

    def __init__(self, reading: Opener, writing: Opener) -> None:
        self._reading = reading
        self._writing = writing

    def get(self, space: str, key: str) -> bytes | None:
        """The value, or None."""
        check_name(space, key)
        with self._reading() as db:
            return _get(db, space, key)

    def items(self, space: str, *, after: str = "", limit: int | None = None) -> list[tuple[str, bytes]]:
        """Keys strictly above `after` and their values, in order of the keys' UTF-8 bytes, at most `limit`."""
        check_space(space)
        with self._reading() as db:
            return db.execute(_ITEMS, (space, after, -1 if limit is None else limit)).fetchall()

    def put(self, space: str, key: str, value: bytes) -> None:
        """Keep `value`, in place of what was there."""
        check_name(space, key)
        check_value(value)
        with self._writing() as db:
            db.execute(_PUT, (space, key, value))

    def swap(self, space: str, key: str, expected: bytes | None, value: bytes | None) -> bool:
        """Write `value` if the present value is `expected`, in one atomic step; None means absent."""
        check_name(space, key)
        check_value(value or b"")
        with self._writing() as db:
            if _get(db, space, key) != expected:
                return False
            if value is None:
                db.execute(_DELETE, (space, key))
            else:
                db.execute(_PUT, (space, key, value))
            return True

    def delete(self, space: str, key: str) -> bool:
        """Remove the value; returns whether there was one."""
        check_name(space, key)
        with self._writing() as db:
            return db.execute(_DELETE, (space, key)).rowcount == 1

    def spaces(self) -> list[str]:
        """The spaces that hold anything, sorted."""
        with self._reading() as db:
            return [name for (name,) in db.execute("SELECT DISTINCT space FROM shelf ORDER BY space")]


def _get(db: sqlite3.Connection, space: str, key: str) -> bytes | None:
    row = db.execute(_GET, (space, key)).fetchone()
    return None if row is None else bytes(row[0])
