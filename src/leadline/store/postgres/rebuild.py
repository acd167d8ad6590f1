"""Making projections anew from the log, and knowing when that is needed."""

# ruff: noqa: S608 -- names in SQL come from this package's own table definitions; values are always bound

from collections.abc import Sequence

from leadline.store.postgres.buffer import BufferedTables
from leadline.store.postgres.reads import Handle
from leadline.store.postgres.schema import (
    STAMP_TABLE,
    computed_tables,
    create_projections,
    drop_projections,
    place,
    tables_present,
)
from leadline.store.postgres.session import Session
from leadline.store.projection import Projection, stamp
from leadline.store.replay import Folder


def stamps(projections: Sequence[Projection]) -> dict[str, str]:
    """Name and stamp of each projection."""
    return {projection.name: stamp(projection) for projection in projections}


def current(session: Session, projections: Sequence[Projection]) -> bool:
    """Whether the database holds exactly these projections, each of this version and shape."""
    if STAMP_TABLE.name not in tables_present(session):
        return False
    return dict(session.rows(f"SELECT name, stamp FROM {place(STAMP_TABLE.name)}")) == stamps(projections)


def rebuild(at: Handle, projections: Sequence[Projection]) -> int:
    """Empty all projections and replay the log into them, inside the caller's transaction.

    Tables of the right shape are emptied, not dropped: snapshots of others go on seeing the rows they had, and need
    not end first.
    """
    if not current(at.session, projections):
        drop_projections(at.session)
        create(at.session, projections)
    else:
        at.session.script(*(f"DELETE FROM {place(name)}" for name in computed_tables(projections)))
    with at.session.db.pipeline():
        tables = BufferedTables(at.session)
        count = Folder(projections, tables, at.record).replay(at.record.entries())
        tables.flush()
    at.session.script(
        *(f"ANALYZE {place(name)}" for name in computed_tables(projections))
    )  # so that plans fit from the start
    return count


def create(session: Session, projections: Sequence[Projection]) -> None:
    """Create the projections' tables, empty, and write their stamps."""
    create_projections(session, projections)
    sql = f"INSERT INTO {place(STAMP_TABLE.name)} VALUES (%s, %s)"
    session.many(sql, list(stamps(projections).items()))
