"""Making projections anew from the log, and knowing when that is needed."""

import sqlite3
from collections.abc import Sequence

from leadline.store.projection import Projection, stamp
from leadline.store.replay import Folder
from leadline.store.sqlite.buffer import BufferedTables
from leadline.store.sqlite.reads import SqliteView
from leadline.store.sqlite.record import Record
from leadline.store.sqlite.schema import create_projections, drop_projections


def current(db: sqlite3.Connection, projections: Sequence[Projection]) -> bool:
    """Whether the database holds exactly these projections, each of this version and shape."""
    known = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'projection'"
    if db.execute(known).fetchone() is None:
        return False
    return dict(db.execute("SELECT name, stamp FROM projection")) == stamps(projections)


def stamps(projections: Sequence[Projection]) -> dict[str, str]:
    """Name and stamp of each projection."""
    return {projection.name: stamp(projection) for projection in projections}


def rebuild(view: SqliteView, projections: Sequence[Projection]) -> int:
    """Drop all projections and replay the log into new ones, inside the caller's transaction."""
    db = view.record.db
    drop_projections(db)
    create(db, projections)
    return replay(db, projections, view.record)


def replay(db: sqlite3.Connection, projections: Sequence[Projection], record: Record) -> int:
    """Fold all entries of `record` into the empty projections of `db`; returns how many there were."""
    tables = BufferedTables(db)
    entries = Folder(projections, tables, record).replay(record.entries())
    tables.flush()
    return entries


def create(db: sqlite3.Connection, projections: Sequence[Projection]) -> None:
    """Create the projections' tables, empty, and write their stamps."""
    create_projections(db, projections)
    db.executemany("INSERT INTO projection VALUES (?, ?)", stamps(projections).items())
