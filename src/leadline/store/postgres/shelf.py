"""The shelf in PostgreSQL: one table beside the record."""

from collections.abc import Callable
from contextlib import AbstractContextManager

from leadline.store.postgres.session import Session
from leadline.store.shelf import check_name, check_space, check_value

_GET = "SELECT value FROM leadline.shelf WHERE space = %s AND key = %s"
_ITEMS = "SELECT key, value FROM leadline.shelf WHERE space = %s AND key > %s ORDER BY key LIMIT %s::bigint"
_PUT = "INSERT INTO leadline.shelf VALUES (%s, %s, %s) ON CONFLICT (space, key) DO UPDATE SET value = excluded.value"
_ADD = "INSERT INTO leadline.shelf VALUES (%s, %s, %s) ON CONFLICT DO NOTHING"
_CHANGE = "UPDATE leadline.shelf SET value = %s WHERE space = %s AND key = %s AND value = %s"
_DELETE = "DELETE FROM leadline.shelf WHERE space = %s AND key = %s"

#: A session for one call; with True for a call that writes.
Opener = Callable[[bool], AbstractContextManager[Session]]


class PostgresShelf:
    """A `Shelf` whose every call is one statement, durable when it returns."""

    def __init__(self, opened: Opener) -> None:
        self._opened = opened

    def get(self, space: str, key: str) -> bytes | None:
        """The value, or None."""
        check_name(space, key)
        with self._opened(False) as session:
            row = session.row(_GET, (space, key))
        return None if row is None else bytes(row[0])

    def items(self, space: str, *, after: str = "", limit: int | None = None) -> list[tuple[str, bytes]]:
        """Keys strictly above `after` and their values, in order of the keys' UTF-8 bytes, at most `limit`."""
        check_space(space)
        with self._opened(False) as session:
            return [(key, value) for key, value in session.rows(_ITEMS, (space, after, limit))]

    def put(self, space: str, key: str, value: bytes) -> None:
        """Keep `value`, in place of what was there."""
        check_name(space, key)
        check_value(value)
        with self._opened(True) as session:
            session.run(_PUT, (space, key, value))

    def swap(self, space: str, key: str, expected: bytes | None, value: bytes | None) -> bool:
        """Write `value` if the present value is `expected`, in one atomic step; None means absent."""
        check_name(space, key)
        check_value(value or b"")
        if expected is None and value is None:
            return self.get(space, key) is None
        with self._opened(True) as session:
            if expected is None:
                done = session.run(_ADD, (space, key, value))
            elif value is None:
                done = session.run(f"{_DELETE} AND value = %s", (space, key, expected))
            else:
                done = session.run(_CHANGE, (value, space, key, expected))
            return done.rowcount == 1

    def delete(self, space: str, key: str) -> bool:
        """Remove the value; returns whether there was one."""
        check_name(space, key)
        with self._opened(True) as session:
            return session.run(_DELETE, (space, key)).rowcount == 1

    def spaces(self) -> list[str]:
        """The spaces that hold anything, sorted."""
        with self._opened(False) as session:
            return [
                name for (name,) in session.rows("SELECT DISTINCT space FROM leadline.shelf ORDER BY space")
            ]
