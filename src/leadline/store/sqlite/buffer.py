"""Projection tables whose new rows are written many at a time.

A statement of SQL costs more than a row, and a registration adds some twenty rows in a dozen tables. Rows added are
kept here until a table is read in a way that needs them there, or until there are many. What is read by its key is
answered from here, so that folding entry after entry sees its own changes, and is asked for once: inside a write
transaction nobody else changes these tables.
"""

# ruff: noqa: S608 -- names in SQL come from this package's own table definitions; values are always bound

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Final

from leadline.store.projection import Row, Table, TextIndex, Value
from leadline.store.sqlite.tables import SqliteTables, insert_sql, row_values, text_sql

#: Rows and documents kept at most, all together, and characters of documents.
MOST_ROWS: Final = 5_000
MOST_TEXT: Final = 8 << 20
_Key = tuple[Value, ...]


class _Kept:
    """What is kept of one table: rows that are new, rows that replace, and what was read."""

    __slots__ = ("added", "begins", "keys", "put", "read", "reals", "table")

    def __init__(self, table: Table) -> None:
        self.table = table
        self.added: dict[_Key, list[Value]] = {}
        self.put: dict[_Key, list[Value]] = {}
        #: First values of the keys of kept rows: a look-up by another one need not wait for them.
        self.begins: set[Value] = set()
        self.read: dict[_Key, Row | None] = {}
        self.keys = [table.names.index(name) for name in table.key]
        self.reals = [at for at, column in enumerate(table.columns) if column.type == "real"]

    def whole(self, row: Mapping[str, Value]) -> tuple[_Key, list[Value]]:
        """Key and values of a row, as they will read back."""
        values = list(row.values()) if tuple(row) == self.table.names else row_values(self.table, row)
        if self.reals:
            self.as_read(values)
        return tuple([values[at] for at in self.keys]), values

    def as_read(self, values: list[Value]) -> None:
        """Make a whole number in a real column the float that it will be there."""
        for at in self.reals:
            value = values[at]
            if isinstance(value, int):
                values[at] = float(value)

    def row(self, key: _Key) -> list[Value] | None:
        """The kept row with this primary key, or None."""
        found = self.added.get(key)
        return self.put.get(key) if found is None else found


class BufferedTables(SqliteTables):
    """`SqliteTables` inside one write transaction; `flush` before the transaction ends."""

    def __init__(self, db: sqlite3.Connection) -> None:
        super().__init__(db)
        self._tables: dict[str, _Kept] = {}
        self._texts: dict[str, tuple[TextIndex, dict[int, Sequence[str]]]] = {}
        self._rows = self._characters = 0

    def get(self, table: Table, *key: Value) -> Row | None:
        """The row with this primary key, or None."""
        kept = self._of(table)
        new = kept.row(key)
        if new is not None:
            return dict(zip(table.names, new, strict=True))
        if key not in kept.read:
            if len(kept.read) >= MOST_ROWS:
                kept.read.clear()
            kept.read[key] = super().get(table, *key)
        row = kept.read[key]
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
        self._settle(table, where)
        return super().select(table, where, order=order, descending=descending, after=after, limit=limit)

    def count(self, table: Table, where: Mapping[str, Value] | None = None) -> int:
        """How many rows are equal to `where`."""
        self._settle(table, where)
        return super().count(table, where)

    def select_among(
        self, table: Table, where: str, among: Sequence[int] | Sequence[str], *, limit: int | None = None
    ) -> list[Row]:
        """Rows whose column `where` is one of `among`, ordered by the key, at most `limit`."""
        self._send(self._of(table))
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
        self._send(self._of(table))
        return super().count_by(table, group, where=where, among=among, starting=starting, limit=limit)

    def insert(self, table: Table, row: Mapping[str, Value]) -> None:
        """Add one row; every column must be given, except nullable ones."""
        kept = self._of(table)
        key, values = kept.whole(row)
        if key in kept.added or key in kept.put:
            self._send(kept)  # the database refuses the second row of this key
        kept.added[key] = values
        kept.begins.add(key[0])
        self._note()

    def put(self, table: Table, row: Mapping[str, Value]) -> None:
        """Add one row, or replace the one with the same primary key."""
        kept = self._of(table)
        key, values = kept.whole(row)
        (kept.added if key in kept.added else kept.put)[key] = values
        kept.begins.add(key[0])
        self._note()

    def update(self, table: Table, key: Sequence[Value], changes: Mapping[str, Value]) -> None:
        """Change columns of the row with this primary key; the row must exist."""
        kept = self._of(table)
        new = kept.row(tuple(key))
        if new is None or not changes.keys() <= set(table.names) - set(table.key):
            self._send(kept)
            super().update(table, key, changes)
            kept.read.clear()
            return
        for name, value in changes.items():
            new[table.names.index(name)] = value
        kept.as_read(new)

    def delete(self, table: Table, *key: Value) -> None:
        """Remove the row with this primary key, if it exists."""
        kept = self._of(table)
        kept.added.pop(key, None)
        kept.put.pop(key, None)
        kept.read.pop(key, None)
        super().delete(table, *key)

    def index_text(self, index: TextIndex, rowid: int, texts: Sequence[str]) -> None:
        """Add or replace the document at log index `rowid`."""
        self._texts.setdefault(index.name, (index, {}))[1][rowid] = texts
        self._characters += sum(map(len, texts))
        self._note()

    def flush(self) -> None:
        """Write everything that is kept."""
        for kept in self._tables.values():
            self._send(kept)
        for index, documents in self._texts.values():
            self._write_texts(index, documents)
            documents.clear()
        self._rows = self._characters = 0

    def _of(self, table: Table) -> _Kept:
        found = self._tables.get(table.name)
        if found is None:
            found = self._tables[table.name] = _Kept(table)
        return found

    def _note(self) -> None:
        self._rows += 1
        if self._rows >= MOST_ROWS or self._characters >= MOST_TEXT:
            self.flush()

    def _settle(self, table: Table, where: Mapping[str, Value] | None) -> None:
        """Write the table's kept rows, unless none of them can be among those asked for."""
        kept, first = self._of(table), table.key[0]
        if where is None or first not in where or where[first] in kept.begins:
            self._send(kept)

    def _send(self, kept: _Kept) -> None:
        for rows, verb in ((kept.added, "INSERT"), (kept.put, "INSERT OR REPLACE")):
            if rows:
                self._db.executemany(insert_sql(kept.table, verb), rows.values())
                rows.clear()
                kept.read.clear()
        kept.begins.clear()

    def _write_texts(self, index: TextIndex, documents: Mapping[int, Sequence[str]]) -> None:
        if not documents:
            return
        newest = f"SELECT rowid FROM {index.name} ORDER BY rowid DESC LIMIT 1"
        row = self._db.execute(newest).fetchone()
        # Documents behind the newest one replace nothing; to ask for each would cost as much as to add it.
        old = [] if row is None else [(rowid,) for rowid in documents if rowid <= row[0]]
        self._db.executemany(f"DELETE FROM {index.name} WHERE rowid = ?", old)
        self._db.executemany(text_sql(index), ((rowid, *texts) for rowid, texts in documents.items()))
