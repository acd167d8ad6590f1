"""Projection tables in PostgreSQL: the typed reads and writes that projections and queries are made of.

PostgreSQL's text cannot hold U+0000, which a protocol's text may. Inside this package U+0001 therefore escapes:
U+0000 is stored as U+0001 U+0001 and U+0001 as U+0001 U+0002, which also keeps texts in their order.
"""

# ruff: noqa: S608 -- names in SQL come from this package's own table definitions; values are always bound

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from leadline.errors import IntegrityError
from leadline.store.postgres.schema import columns, place, quoted
from leadline.store.postgres.session import Session
from leadline.store.postgres.words import vector
from leadline.store.projection import Row, Table, TextIndex, Value

_CASTS = {"integer": "bigint", "real": "double precision", "text": "text", "blob": "bytea"}


class PostgresTables:
    """Reads and writes of projection tables over one session, inside the caller's transaction."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def get(self, table: Table, *key: Value) -> Row | None:
        """The row with this primary key, or None."""
        row = self.session.row(_get_sql(table), bound(key))
        return None if row is None else _row(table, row)

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
        sql, values = _filtered(where)
        text = _select_sql(table, sql, order, descending, after is not None, limit is not None)
        values += [] if after is None else [after]
        values += [] if limit is None else [limit]
        return [_row(table, row) for row in self.session.rows(text, bound(values))]

    def count(self, table: Table, where: Mapping[str, Value] | None = None) -> int:
        """How many rows are equal to `where`."""
        sql, values = _filtered(where)
        row = self.session.row(
            f"SELECT count(*) FROM {place(table.name)}{_conditions(table, sql)}", bound(values)
        )
        return int(row[0]) if row else 0

    def select_among(
        self, table: Table, where: str, among: Sequence[int] | Sequence[str], *, limit: int | None = None
    ) -> list[Row]:
        """Rows whose column `where` is one of `among`, ordered by the key, at most `limit`."""
        if not among:
            return []
        found = self.session.rows(_among_sql(table, where), (bound(list(among)), limit))
        return [_row(table, row) for row in found]

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
        sql = _count_by_sql(table, tuple(group), where, column)
        begins = [] if column is None else [escaped(prefix)]
        found = self.session.planned(sql, (bound(list(among)), *begins, limit))
        return [(tuple(map(unescaped, values)), number) for *values, number in found]

    def insert(self, table: Table, row: Mapping[str, Value]) -> None:
        """Add one row; every column must be given, except nullable ones."""
        self.session.run(_insert_sql(table), _values(table, row))

    def put(self, table: Table, row: Mapping[str, Value]) -> None:
        """Add one row, or replace the one with the same primary key."""
        self.session.run(_put_sql(table), _values(table, row))

    def update(self, table: Table, key: Sequence[Value], changes: Mapping[str, Value]) -> None:
        """Change columns of the row with this primary key; the row must exist."""
        done = self.session.row(_update_sql(table, tuple(changes)), bound((*changes.values(), *key)))
        if done is None:
            raise IntegrityError(
                f"projection table {table.name} has no row {tuple(key)!r}",
                remedy="run `leadline rebuild`; if it fails the same way, the log holds a statement about nothing",
            )

    def delete(self, table: Table, *key: Value) -> None:
        """Remove the row with this primary key, if it exists."""
        self.session.run(
            f"DELETE FROM {place(table.name)}{_conditions(table, _given(table.key))}", bound(key)
        )

    def index_text(self, index: TextIndex, rowid: int, texts: Sequence[str]) -> None:
        """Add or replace the document at log index `rowid`."""
        self.session.run(_text_sql(index), (rowid, vector(index, texts)))


#: Columns to compare, each with whether the value is NULL.
_Shape = tuple[tuple[str, bool], ...]


def _given(names: Sequence[str]) -> _Shape:
    return tuple((name, False) for name in names)


def _filtered(where: Mapping[str, Value] | None) -> tuple[_Shape, list[Value]]:
    """The comparisons `where` asks for, and the values to bind: an index serves `=` and `IS NULL` only."""
    where = where or {}
    shape = tuple((name, value is None) for name, value in where.items())
    return shape, [value for value in where.values() if value is not None]


def bound(values: Sequence[Value]) -> list[Any]:
    """Values as PostgreSQL can hold them."""
    return [escaped(value) if isinstance(value, str) else value for value in values]


def escaped(text: str) -> str:
    """The text without U+0000."""
    if "\0" in text or "\1" in text:
        return text.replace("\1", "\1\2").replace("\0", "\1\1")
    return text


def unescaped(value: Value) -> Value:
    """The value as it was before `escaped`."""
    if isinstance(value, str) and "\1" in value:
        return value.replace("\1\1", "\0").replace("\1\2", "\1")
    return value


def _row(table: Table, row: Sequence[Value]) -> Row:
    return dict(zip(table.names, map(unescaped, row), strict=True))


def _conditions(table: Table, shape: _Shape) -> str:
    unknown = {name for name, _ in shape} - set(table.names)
    if unknown:
        raise ValueError(f"table {table.name} has no columns {sorted(unknown)}")
    terms = [
        f"{quoted(name)} IS NULL" if null else f"{quoted(name)} = {_mark(table, name)}"
        for name, null in shape
    ]
    return " WHERE " + " AND ".join(terms) if terms else ""


def _mark(table: Table, name: str) -> str:
    """The placeholder of a value of this column: its type must not depend on the value's size."""
    return f"%s::{cast_of(table, name)}"


def cast_of(table: Table, name: str) -> str:
    """The SQL type of a column, to cast a value to."""
    return _CASTS[table.columns[table.names.index(name)].type]


def _values(table: Table, row: Mapping[str, Value]) -> list[Any]:
    unknown = row.keys() - set(table.names)
    if unknown:
        raise ValueError(f"table {table.name} has no columns {sorted(unknown)}")
    return bound([row.get(name) for name in table.names])


@cache
def _get_sql(table: Table) -> str:
    return f"SELECT {columns(table.names)} FROM {place(table.name)}{_conditions(table, _given(table.key))}"


@cache
def _insert_sql(table: Table) -> str:
    marks = ", ".join(_mark(table, name) for name in table.names)
    return f"INSERT INTO {place(table.name)} ({columns(table.names)}) VALUES ({marks})"


@cache
def _put_sql(table: Table) -> str:
    return f"{_insert_sql(table)} {on_conflict(table)}"


def on_conflict(table: Table) -> str:
    """The clause that replaces the row with the same primary key."""
    others = [name for name in table.names if name not in table.key]
    changes = ", ".join(f"{quoted(name)} = excluded.{quoted(name)}" for name in others)
    action = f"DO UPDATE SET {changes}" if changes else "DO NOTHING"
    return f"ON CONFLICT ({columns(table.key)}) {action}"


@cache
def _text_sql(index: TextIndex) -> str:
    return (
        f"INSERT INTO {place(index.name)} VALUES (%s::bigint, %s::tsvector) "
        "ON CONFLICT (ix) DO UPDATE SET words = excluded.words"
    )


@cache
def _update_sql(table: Table, names: tuple[str, ...]) -> str:
    _conditions(table, _given(names))
    changes = ", ".join(f"{quoted(name)} = {_mark(table, name)}" for name in names)
    return f"UPDATE {place(table.name)} SET {changes}{_conditions(table, _given(table.key))} RETURNING 1"


@cache
def _select_sql(
    table: Table, shape: _Shape, order: str | None, descending: bool, past: bool, limited: bool
) -> str:
    conditions = _conditions(table, shape)
    if order is not None:
        _conditions(table, _given((order,)))
    keys = (order, *(name for name in table.key if name != order)) if order else table.key
    if past:
        joiner = " AND" if conditions else " WHERE"
        conditions += f"{joiner} {quoted(keys[0])} {'<' if descending else '>'} {_mark(table, keys[0])}"
    nullable = {column.name for column in table.columns if column.nullable}
    ordering = ", ".join(_direction(name, descending, name in nullable) for name in keys)
    end = " LIMIT %s::bigint" if limited else ""
    return f"SELECT {columns(table.names)} FROM {place(table.name)}{conditions} ORDER BY {ordering}{end}"


def _direction(name: str, descending: bool, nullable: bool) -> str:
    """NULLs stand before all values, as in SQLite."""
    nulls = (" NULLS LAST" if descending else " NULLS FIRST") if nullable else ""
    return f"{quoted(name)}{' DESC' if descending else ''}{nulls}"


@cache
def _among_sql(table: Table, where: str) -> str:
    _conditions(table, _given((where,)))
    return (
        f"SELECT {columns(table.names)} FROM {place(table.name)} "
        f"WHERE {quoted(where)} = ANY(%s::{cast_of(table, where)}[]) "
        f"ORDER BY {columns(table.key)} LIMIT %s::bigint"
    )


@cache
def _count_by_sql(table: Table, group: tuple[str, ...], where: str, starting: str | None) -> str:
    _conditions(table, _given((*group, where, *((starting,) if starting else ()))))
    nullable = {column.name for column in table.columns if column.nullable}
    ties = ", ".join(_direction(name, False, name in nullable) for name in group)
    begins = f"AND starts_with({quoted(starting)}, %s::text) " if starting else ""
    return (
        f"SELECT {columns(group)}, count(*) FROM {place(table.name)} "
        f"WHERE {quoted(where)} = ANY(%s::{cast_of(table, where)}[]) {begins}"
        f"GROUP BY {columns(group)} ORDER BY count(*) DESC, {ties} LIMIT %s::bigint"
    )
