"""Comparing projections with a fresh replay of the log, row by row.

The replay goes into a temporary SQLite database on this side: it needs no right to create anything on the server,
and two engines that must agree on every row check each other.
"""

# ruff: noqa: S608 -- names in SQL come from this package's own table definitions; values are always bound

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import zip_longest
from typing import Any, Final

from leadline.ledger.fsck import Problem
from leadline.store.postgres.reads import Handle
from leadline.store.postgres.rebuild import stamps
from leadline.store.postgres.schema import columns, place
from leadline.store.postgres.tables import unescaped
from leadline.store.postgres.words import vector
from leadline.store.projection import Projection, Table, TextIndex
from leadline.store.replay import Folder
from leadline.store.sqlite.schema import table_ddl
from leadline.store.sqlite.tables import SqliteTables

_REMEDY: Final = "run `leadline rebuild`: the record itself is sound, only what was computed from it is not"
_BATCH: Final = 500


class _Scratch(SqliteTables):
    """Projection tables in SQLite, with each document kept as the vector it has in PostgreSQL."""

    def __init__(self, db: sqlite3.Connection) -> None:
        super().__init__(db)
        self.db = db

    def index_text(self, index: TextIndex, rowid: int, texts: Sequence[str]) -> None:
        """Keep the document's vector."""
        self.db.execute(f"INSERT OR REPLACE INTO {index.name} VALUES (?, ?)", (rowid, vector(index, texts)))


def projection_problems(at: Handle, projections: Sequence[Projection]) -> Iterator[Problem]:
    """Every projection table that is not what replaying the log gives."""
    with closing(sqlite3.connect("", isolation_level=None)) as db:  # on disk where it grows, deleted at close
        db.execute("PRAGMA journal_mode = OFF")
        for projection in projections:
            for table in projection.tables:
                for statement in table_ddl(table):
                    db.execute(statement)
            for index in projection.texts:
                db.execute(f"CREATE TABLE {index.name} (ix INTEGER PRIMARY KEY, words TEXT)")
        db.execute("BEGIN")
        Folder(projections, _Scratch(db), at.record).replay(at.record.entries())
        stored: dict[str, str] = dict(at.session.rows("SELECT name, stamp FROM leadline.projection"))
        if stored != stamps(projections):
            yield _problem("projection", "its stamps")
        for projection in projections:
            for table in projection.tables:
                yield from _rows_differ(at, db, table)
            for index in projection.texts:
                yield from _documents_differ(at, db, index)


def _rows_differ(at: Handle, db: sqlite3.Connection, table: Table) -> Iterator[Problem]:
    names, key = ", ".join(table.names), ", ".join(table.key)
    fresh = db.execute(f"SELECT {names} FROM {table.name} ORDER BY {key}")
    with at.session.streamed(
        f"SELECT {columns(table.names)} FROM {place(table.name)} ORDER BY {columns(table.key)}"
    ) as live:
        for stored, replayed in zip_longest(map(_plain, live), fresh):
            if stored != replayed:
                row = (replayed or stored)[0]
                yield _problem(f"table {table.name}", f"row {row!r:.80}")
                return


def _plain(row: Sequence[Any]) -> tuple[Any, ...]:
    return tuple(map(unescaped, row))


def _documents_differ(at: Handle, db: sqlite3.Connection, index: TextIndex) -> Iterator[Problem]:
    """The server compares, a few hundred documents at a time, since only it knows how it writes a vector."""
    last = -1
    fresh = db.execute(f"SELECT ix, words FROM {index.name} ORDER BY ix")
    while True:
        batch = fresh.fetchmany(_BATCH)
        upto = batch[-1][0] if len(batch) == _BATCH else (1 << 63) - 1
        sql = (
            f"SELECT coalesce(d.ix, e.ix) FROM (SELECT * FROM {place(index.name)} WHERE ix > %s AND ix <= %s) AS d "
            "FULL JOIN unnest(%s::bigint[], %s::text[]) AS e (ix, words) ON d.ix = e.ix "
            "WHERE d.words IS DISTINCT FROM e.words::tsvector ORDER BY 1 LIMIT 1"
        )
        values = (last, upto, [ix for ix, _ in batch], [words for _, words in batch])
        for (row,) in at.session.planned(sql, values):
            yield _problem(f"table {index.name}", f"row {row}")
            return
        if len(batch) < _BATCH:
            return
        last = upto


def _problem(where: str, row: str) -> Problem:
    return Problem("projection-row", f"{where}, {row}", "it is not what replaying the log gives", _REMEDY)
