"""Projection tables whose new rows are sent many at a time.

A statement costs a round trip and the server's attention; a registration adds some twenty rows in a dozen tables.
Rows added are kept here until a table is read in a way that needs them there, or until there are many. What is read
by its key is answered from here, so that folding entry after entry sees its own changes, and is asked for once: in
their turn, writers are the only ones to change these tables.
"""

# ruff: noqa: S608 -- names in SQL come from this package's own table definitions; values are always bound

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final

from leadline.store.postgres.schema import columns, place
from leadline.store.postgres.session import Session
from leadline.store.postgres.tables import PostgresTables, bound, cast_of, on_conflict
from leadline.store.postgres.words import vector
from leadline.store.projection import Row, Table, TextIndex, Value

#: Rows kept at most, of all tables together, and bytes of documents.
MOST_ROWS: Final = 5_000
MOST_TEXT: Final = 8 << 20
_Key = tuple[Value, ...]


class BufferedTables(PostgresTables):
    """`PostgresTables` inside one write transaction; `flush` before the transaction ends."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._added: dict[Table, dict[_Key, Row]] = {}
        self._put: dict[Table, dict[_Key, Row]] = {}
        self._read: dict[Table, dict[_Key, Row | None]] = {}
        self._texts: dict[TextIndex, dict[int, str]] = {}
        self._rows = self._bytes = 0

    def get(self, table: Table, *key: Value) -> Row | None:
        """The row with this primary key, or None."""
        kept = self._kept(table, key)
        if kept is not None:
            return dict(kept)
        known = self._read.setdefault(table, {})
        if key not in known:
            if len(known) >= MOST_ROWS:
                known.clear()
            known[key] = super().get(table, *key)
        row = known[key]
        return None if row is None else dict(row)

    def select(
        self,
        table: Table,
        where: Mapping[str, Value] | None = None,
        *,
        order: str | None = None,
        descending: bool = False,
        after: Value = None,
        limit: int | None = None,
    ) -> list[Row]:
        """Rows equal to `where`, ordered by `order` (default: the key), strictly past `after`, at most `limit`."""
        self._send(table)
        return super().select(table, where, order=order, descending=descending, after=after, limit=limit)

    def count(self, table: Table, where: Mapping[str, Value] | None = None) -> int:
        """How many rows are equal to `where`."""
        self._send(table)
        return super().count(table, where)

    def select_among(
        self, table: Table, where: str, among: Sequence[int] | Sequence[str], *, limit: int | None = None
    ) -> list[Row]:
        """Rows whose column `where` is one of `among`, ordered by the key, at most `limit`."""
        self._send(table)
        return super().select_among(table, where, among, limit=limit)

    def count_by(
        self,
        table: Table,
        group: Sequence[str],
        *,
        where: str,
        among: Sequence[int] | Sequence[str],
        starting: tuple[str, str] | None = None,
        limit: int | None = None,
    ) -> list[tuple[tuple[Value, ...], int]]:
        """Rows of `table` with `where` in `among`, counted for each combination of `group`; most rows first."""
        self._send(table)
        return super().count_by(table, group, where=where, among=among, starting=starting, limit=limit)

    def insert(self, table: Table, row: Mapping[str, Value]) -> None:
        """Add one row; every column must be given, except nullable ones."""
        whole = _whole(table, row)
        key = tuple(whole[name] for name in table.key)
        if self._kept(table, key) is not None:
            self._send(table)  # the server refuses the second row of this key
        self._added.setdefault(table, {})[key] = whole
        self._note()

    def put(self, table: Table, row: Mapping[str, Value]) -> None:
        """Add one row, or replace the one with the same primary key."""
        whole = _whole(table, row)
        key = tuple(whole[name] for name in table.key)
        added = self._added.get(table, {})
        (added if key in added else self._put.setdefault(table, {}))[key] = whole
        self._note()

    def update(self, table: Table, key: Sequence[Value], changes: Mapping[str, Value]) -> None:
        """Change columns of the row with this primary key; the row must exist."""
        kept = self._kept(table, tuple(key))
        if kept is None or set(changes) & set(table.key) or not set(changes) <= set(table.names):
            self._send(table)
            self._read.pop(table, None)
            super().update(table, key, changes)
        else:
            kept.update(changes)

    def delete(self, table: Table, *key: Value) -> None:
        """Remove the row with this primary key, if it exists."""
        self._added.get(table, {}).pop(key, None)
        self._put.get(table, {}).pop(key, None)
        self._read.pop(table, None)
        super().delete(table, *key)

    def index_text(self, index: TextIndex, rowid: int, texts: Sequence[str]) -> None:
        """Add or replace the document at log index `rowid`."""
        words = vector(index, texts)
        self._texts.setdefault(index, {})[rowid] = words
        self._bytes += len(words)
        self._note()

    def flush(self) -> None:
        """Send everything that is kept."""
        for table in {*self._added, *self._put}:
            self._send(table)
        for index, documents in self._texts.items():
            sql = (
                f"INSERT INTO {place(index.name)} SELECT ix, words::tsvector FROM unnest(%s::bigint[], %s::text[]) "
                "AS d (ix, words) ON CONFLICT (ix) DO UPDATE SET words = excluded.words"
            )
            self.session.run(sql, (list(documents), list(documents.values())))
        self._texts.clear()
        self._rows = self._bytes = 0

    def _kept(self, table: Table, key: _Key) -> Row | None:
        for rows in (self._added.get(table), self._put.get(table)):
            if rows is not None and key in rows:
                return rows[key]
        return None

    def _note(self) -> None:
        self._rows += 1
        if self._rows >= MOST_ROWS or self._bytes >= MOST_TEXT:
            self.flush()

    def _send(self, table: Table) -> None:
        for kept, sql in ((self._added, _insert_sql(table)), (self._put, _put_sql(table))):
            rows = kept.pop(table, None)
            if rows:
                self._read.pop(table, None)
                self.session.run(sql, _columns(table, list(rows.values())))


def _whole(table: Table, row: Mapping[str, Value]) -> Row:
    """The row with all its columns, as it will read back."""
    unknown = row.keys() - set(table.names)
    if unknown:
        raise ValueError(f"table {table.name} has no columns {sorted(unknown)}")
    whole = {name: row.get(name) for name in table.names}
    for column in table.columns:
        value = whole[column.name]
        if column.type == "real" and isinstance(value, int):
            whole[column.name] = float(value)
    return whole


def _columns(table: Table, rows: list[Row]) -> list[list[Any]]:
    return [bound([row[name] for row in rows]) for name in table.names]


@cache
def _insert_sql(table: Table) -> str:
    arrays = ", ".join(f"%s::{cast_of(table, name)}[]" for name in table.names)
    return f"INSERT INTO {place(table.name)} ({columns(table.names)}) SELECT * FROM unnest({arrays})"


@cache
def _put_sql(table: Table) -> str:
    return f"{_insert_sql(table)} {on_conflict(table)}"
