"""Comparing projections with a fresh replay of the log, row by row."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import zip_longest

from leadline.ledger.fsck import Problem
from leadline.store.projection import Projection, TextIndex
from leadline.store.sqlite.errors import DATABASE_ERRORS, explained
from leadline.store.sqlite.reads import SqliteView
from leadline.store.sqlite.rebuild import create, replay

# ruff: noqa: S608 -- names in SQL come from this package's own table definitions

_REMEDY = "run `leadline rebuild`: the record itself is sound, only what was computed from it is not"


def projection_problems(view: SqliteView, projections: Sequence[Projection]) -> Iterator[Problem]:
    """Every projection table that is not what replaying the log gives; needs a temporary database for that."""
    fresh = sqlite3.connect(
        "", isolation_level=None
    )  # an empty name: on disk where it grows, deleted at close
    try:
        with explained("temporary database", "replaying"):
            fresh.execute("PRAGMA journal_mode = OFF")
            fresh.execute("BEGIN")
            create(fresh, projections)
            replay(fresh, projections, view.record)
            fresh.execute("COMMIT")  # a text index writes its totals when it commits
        with _postings(view.record.db, projections), _postings(fresh, projections):
            for label, sql in _readings(projections):
                problem = _difference(view.record.db, fresh, label, sql)
                if problem is not None:
                    yield problem
    finally:
        fresh.close()


@contextmanager
def _postings(db: sqlite3.Connection, projections: Sequence[Projection]) -> Iterator[None]:
    """Make every posting of every text index readable as a row, through temporary virtual tables."""
    names = [index.name for projection in projections for index in projection.texts]
    (read_only,) = db.execute("PRAGMA query_only").fetchone()
    db.execute(
        "PRAGMA query_only = OFF"
    )  # temporary tables count as writes; the file stays read-only regardless
    try:
        with explained("text indexes", "checking"):
            for name in names:
                db.execute(
                    f"CREATE VIRTUAL TABLE temp.{name}_postings USING fts5vocab(main, {name}, instance)"
                )
        yield
    finally:
        with suppress(sqlite3.Error):
            for name in names:
                db.execute(f"DROP TABLE IF EXISTS temp.{name}_postings")
        db.execute(f"PRAGMA query_only = {read_only}")


def text_problems(db: sqlite3.Connection, projections: Sequence[Projection]) -> Iterator[Problem]:
    """Text indexes that do not index their own documents; writes nothing, but needs the write lock."""
    for projection in projections:
        for index in projection.texts:
            try:
                db.execute(f"INSERT INTO {index.name}({index.name}) VALUES ('integrity-check')")
            except DATABASE_ERRORS as error:
                yield Problem("text-index", f"text index {index.name}", str(error), _REMEDY)


def _readings(projections: Sequence[Projection]) -> Iterator[tuple[str, str]]:
    yield "projection", "SELECT name, stamp FROM projection ORDER BY name"
    for projection in projections:
        for table in projection.tables:
            yield (
                table.name,
                f"SELECT {', '.join(table.names)} FROM {table.name} ORDER BY {', '.join(table.key)}",
            )
        for index in projection.texts:
            yield from text_readings(index)


def text_readings(index: TextIndex) -> Iterator[tuple[str, str]]:
    """Queries over all that a text index stores, except where it files its postings.

    FTS5's own integrity check looks at the filing; of the postings it compares only a weak checksum.
    """
    name = index.name
    yield name, f"SELECT rowid, {', '.join(index.columns)} FROM {name} ORDER BY rowid"
    yield f"{name}_docsize", f"SELECT id, sz FROM {name}_docsize ORDER BY id"
    yield f"{name}_config", f"SELECT k, v FROM {name}_config ORDER BY k"
    yield f"{name}_data", f"SELECT id, block FROM {name}_data WHERE id = 1"
    yield f"{name}_postings", f"SELECT term, doc, col, offset FROM temp.{name}_postings"


def _difference(live: sqlite3.Connection, fresh: sqlite3.Connection, label: str, sql: str) -> Problem | None:
    try:
        for stored, replayed in zip_longest(live.execute(sql), fresh.execute(sql)):
            if stored != replayed:
                row = (replayed or stored)[0]
                what = "it is not what replaying the log gives"
                return Problem("projection-row", f"table {label}, row {row!r:.80}", what, _REMEDY)
    except DATABASE_ERRORS as error:
        return Problem("projection-damaged", f"table {label}", str(error), _REMEDY)
    return None
