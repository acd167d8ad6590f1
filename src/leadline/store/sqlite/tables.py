"""Projection tables in SQLite: the typed reads and writes that projections and queries are made of."""

# ruff: noqa: S608 -- names in SQL come from this package's own table definitions; values are always bound

import json
import sqlite3
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache

from leadline.errors import IntegrityError
from leadline.store.projection import Row, Table, TextIndex, Value


class SqliteTables:
    """Reads and writes of projection tables over one connection, inside the caller's transaction."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def get(self, table: Table, *key: Value) -> Row | None:
        """The row with this primary key, or None."""
        row = self._db.execute(_get_sql(table), key).fetchone()
        return None if row is None else dict(zip(table.names, row, strict=True))

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
        where = where or {}
        sql = _select_sql(table, tuple(where), order, descending, after is not None)
        bound = (*where.values(), *(() if after is None else (after,)), -1 if limit is None else limit)
        return [dict(zip(table.names, row, strict=True)) for row in self._db.execute(sql, bound)]

    def count(self, table: Table, where: Mapping[str, Value] | None = None) -> int:
        """How many rows are equal to `where`."""
        where = where or {}
        sql = f"SELECT count(*) FROM {table.name}{_conditions(table, tuple(where))}"
        (number,) = self._db.execute(sql, tuple(where.values())).fetchone()
        return int(number)

    def select_among(
        self, table: Table, where: str, among: Sequence[int] | Sequence[str], *, limit: int | None = None
    ) -> list[Row]:
        """Rows whose column `where` is one of `among`, ordered by the key, at most `limit`."""
        members, bound = _members(among)
        sql = _among_sql(table, where, members)
        found = self._db.execute(sql, (*bound, -1 if limit is None else limit))
        return [dict(zip(table.names, row, strict=True)) for row in found]

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
        column, prefix = starting or (None, "")
        members, bound = _members(among)
        sql = _count_by_sql(table, tuple(group), where, members, column)
        past = (prefix, prefix[:-1] + chr(ord(prefix[-1]) + 1)) if prefix else ()
        found = self._db.execute(sql, (*bound, *past, -1 if limit is None else limit))
        return [(tuple(values), number) for *values, number in found]

    def insert(self, table: Table, row: Mapping[str, Value]) -> None:
        """Add one row; every column must be given, except nullable ones."""
        self._db.execute(insert_sql(table, "INSERT"), row_values(table, row))

    def put(self, table: Table, row: Mapping[str, Value]) -> None:
        """Add one row, or replace the one with the same primary key."""
        self._db.execute(insert_sql(table, "INSERT OR REPLACE"), row_values(table, row))

    def update(self, table: Table, key: Sequence[Value], changes: Mapping[str, Value]) -> None:
        """Change columns of the row with this primary key; the row must exist."""
        done = self._db.execute(_update_sql(table, tuple(changes)), (*changes.values(), *key))
        if done.rowcount != 1:
            raise IntegrityError(
                f"projection table {table.name} has no row {tuple(key)!r}",
                remedy="run `leadline rebuild`; if it fails the same way, the log holds a statement about nothing",
            )

    def delete(self, table: Table, *key: Value) -> None:
        """Remove the row with this primary key, if it exists."""
        self._db.execute(f"DELETE FROM {table.name}{_conditions(table, table.key)}", key)

    def index_text(self, index: TextIndex, rowid: int, texts: Sequence[str]) -> None:
        """Add or replace the document at log index `rowid`."""
        self._db.execute(f"DELETE FROM {index.name} WHERE rowid = ?", (rowid,))
        self._db.execute(text_sql(index), (rowid, *texts))


def _conditions(table: Table, columns: tuple[str, ...]) -> str:
    unknown = set(columns) - set(table.names)
    if unknown:
        raise ValueError(f"table {table.name} has no columns {sorted(unknown)}")
    return " WHERE " + " AND ".join(f"{name} IS ?" for name in columns) if columns else ""


def row_values(table: Table, row: Mapping[str, Value]) -> list[Value]:
    """The row's values in the order of the table's columns, None where one is not given."""
    values = [row.get(name) for name in table.names]
    if not row.keys() <= _names(table):
        raise ValueError(f"table {table.name} has no columns {sorted(row.keys() - _names(table))}")
    return values


@cache
def _names(table: Table) -> frozenset[str]:
    return frozenset(table.names)


@cache
def _get_sql(table: Table) -> str:
    return f"SELECT {', '.join(table.names)} FROM {table.name}{_conditions(table, table.key)}"


def _members(among: Sequence[int] | Sequence[str]) -> tuple[str, tuple[Value, ...]]:
    """A set as SQL, and what is bound in it: one list, which SQLite's JSON cuts short at U+0000, or each by itself."""
    if any(isinstance(value, str) and "\0" in value for value in among):
        return ", ".join("?" * len(among)), tuple(among)
    return "SELECT value FROM json_each(?)", (json.dumps(list(among)),)


@lru_cache(maxsize=256)
def _among_sql(table: Table, where: str, members: str) -> str:
    _conditions(table, (where,))
    return (
        f"SELECT {', '.join(table.names)} FROM {table.name} WHERE {where} IN ({members}) "
        f"ORDER BY {', '.join(table.key)} LIMIT ?"
    )


@lru_cache(maxsize=256)
def _count_by_sql(
    table: Table, group: tuple[str, ...], where: str, members: str, starting: str | None
) -> str:
    _conditions(table, (*group, where, *((starting,) if starting else ())))
    columns = ", ".join(group)
    begins = f"AND {starting} >= ? AND {starting} < ? " if starting else ""
    return (
        f"SELECT {columns}, count(*) AS n FROM {table.name} WHERE {where} IN ({members}) "
        f"{begins}GROUP BY {columns} ORDER BY n DESC, {columns} LIMIT ?"
    )


@cache
def insert_sql(table: Table, verb: str) -> str:
    """The statement that adds one row; `verb` is INSERT, or INSERT OR REPLACE."""
    return f"{verb} INTO {table.name} VALUES ({', '.join('?' * len(table.names))})"


@cache
def text_sql(index: TextIndex) -> str:
    """The statement that adds one document: log index, then the texts."""
    columns = ", ".join(("rowid", *index.columns))
    return f"INSERT INTO {index.name}({columns}) VALUES ({', '.join('?' * (len(index.columns) + 1))})"


@cache
def _update_sql(table: Table, columns: tuple[str, ...]) -> str:
    _conditions(table, columns)
    changes = ", ".join(f"{name} = ?" for name in columns)
    return f"UPDATE {table.name} SET {changes}{_conditions(table, table.key)}"


@cache
def _select_sql(table: Table, where: tuple[str, ...], order: str | None, descending: bool, past: bool) -> str:
    conditions = _conditions(table, where)
    if order is not None:
        _conditions(table, (order,))
    direction = " DESC" if descending else ""
    keys = (order, *(name for name in table.key if name != order)) if order else table.key
    if past:
        joiner = " AND" if conditions else " WHERE"
        conditions += f"{joiner} {keys[0]} {'<' if descending else '>'} ?"
    ordering = ", ".join(f"{name}{direction}" for name in keys)
    return f"SELECT {', '.join(table.names)} FROM {table.name}{conditions} ORDER BY {ordering} LIMIT ?"
