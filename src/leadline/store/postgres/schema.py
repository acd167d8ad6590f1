"""The schema `leadline`: the record's tables, the shelf, and the DDL of projections.

As in the embedded engine, the record has no column that is not authenticated, and no times. A blob above
`INLINE_LIMIT` has neither content nor notice in `blob`; its bytes are in `blob_chunk`, 1 MiB in a row, so that one
backup of the database holds everything.
"""

# ruff: noqa: S608 -- names in SQL come from this package's own table definitions; values are always bound

from collections.abc import Mapping, Sequence
from typing import Final

from leadline.errors import IntegrityError, NotFoundError, StateError
from leadline.store.postgres.session import Session
from leadline.store.projection import Column, Projection, Table, TextIndex

SCHEMA: Final = "leadline"
APPLICATION: Final = "leadline.dev/store"
#: Raised whenever the kept tables change shape. Projections have stamps of their own.
FORMAT_VERSION: Final = 1
#: Two numbers that nobody else is likely to lock: "LEAD", and what is locked.
WRITERS: Final = (0x4C454144, 1)
CREATION: Final = (0x4C454144, 2)

_KEPT: Final[Mapping[str, str]] = {
    "format": "application text NOT NULL, version integer NOT NULL",
    "blob": "sha256 bytea PRIMARY KEY, content bytea, notice bytea",
    "blob_chunk": "sha256 bytea NOT NULL, n integer NOT NULL, data bytea NOT NULL, PRIMARY KEY (sha256, n)",
    "entry": "ix bigint PRIMARY KEY, envelope bytea NOT NULL",
    "node": "ix bigint PRIMARY KEY, hash bytea NOT NULL",
    "checkpoint": "size bigint PRIMARY KEY, note bytea NOT NULL",
    "shelf": 'space text COLLATE "C" NOT NULL, key text COLLATE "C" NOT NULL, value bytea NOT NULL, '
    "PRIMARY KEY (space, key)",
}
#: Never dropped.
KEPT_TABLES: Final = tuple(_KEPT)
STAMP_TABLE: Final = Table("projection", (Column("name", "text"), Column("stamp", "text")), key=("name",))
TYPES: Final = {
    "integer": "bigint",
    "real": "double precision",
    "text": 'text COLLATE "C"',
    "blob": "bytea",
}


def quoted(name: str) -> str:
    """A name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def place(name: str) -> str:
    """A table of the schema, as written in a statement."""
    return f"{SCHEMA}.{quoted(name)}"


def columns(names: Sequence[str]) -> str:
    """Column names as a list in a statement."""
    return ", ".join(quoted(name) for name in names)


def table_ddl(table: Table) -> list[str]:
    """CREATE statements of one projection table and its indexes."""
    lines = [f"{quoted(c.name)} {TYPES[c.type]}{'' if c.nullable else ' NOT NULL'}" for c in table.columns]
    lines.append(f"PRIMARY KEY ({columns(table.key)})")
    statements = [f"CREATE TABLE {place(table.name)} ({', '.join(lines)})"]
    statements += [f"CREATE INDEX ON {place(table.name)} ({columns(group)})" for group in table.indexes]
    return statements


def text_ddl(index: TextIndex) -> list[str]:
    """Statements that create one full-text index: a vector of stemmed words for each document."""
    return [
        f"CREATE TABLE {place(index.name)} (ix bigint PRIMARY KEY, words tsvector NOT NULL)",
        f"CREATE INDEX ON {place(index.name)} USING gin (words) WITH (fastupdate = off)",
        # How common a word is decides how it is looked for: 3,000 words are counted instead of 1,000.
        f"ALTER TABLE {place(index.name)} ALTER words SET STATISTICS 300",
    ]


def computed_tables(projections: Sequence[Projection]) -> list[str]:
    """Names of the tables of these projections and of their text indexes."""
    tables = [table.name for projection in projections for table in projection.tables]
    return tables + [index.name for projection in projections for index in projection.texts]


def create_projections(session: Session, projections: Sequence[Projection]) -> None:
    """Create the tables of these projections, empty."""
    statements = table_ddl(STAMP_TABLE)
    for projection in projections:
        for table in projection.tables:
            statements += table_ddl(table)
        for index in projection.texts:
            statements += text_ddl(index)
    session.script(*statements)


def drop_projections(session: Session) -> None:
    """Drop every table of the schema that is not kept."""
    for name in tables_present(session):
        if name not in KEPT_TABLES:
            session.script(f"DROP TABLE {place(name)}")


def tables_present(session: Session) -> list[str]:
    """Names of all tables in the schema."""
    found = session.rows(
        "SELECT relname::text FROM pg_class WHERE relnamespace = to_regnamespace(%s) AND relkind IN ('r', 'p', 'f') "
        "ORDER BY 1",
        (SCHEMA,),
    )
    return [name for (name,) in found]


def identify(session: Session, where: str, *, create: bool, read_only: bool) -> None:
    """Refuse a schema that is not a Leadline store of this format; make one where none is, if asked.

    Raises NotFoundError, StateError or IntegrityError.
    """
    if _made(session, where):
        return
    if not create or read_only:
        raise NotFoundError(
            "there is no registry in this database",
            where=where,
            remedy="check the address, or register a first study to create it",
        )
    with session.transaction("BEGIN", f"SELECT pg_advisory_xact_lock({CREATION[0]}, {CREATION[1]})"):
        if not _made(session, where):  # another process may have been first
            _create(session)


def _made(session: Session, where: str) -> bool:
    present = set(tables_present(session))
    if not present:
        return False
    row = session.row(f"SELECT application, version FROM {place('format')}") if "format" in present else None
    if row is None or row[0] != APPLICATION:
        raise StateError(
            f"the schema {SCHEMA} of this database belongs to another program",
            where=where,
            remedy="use another database: a store keeps everything in a schema of this name",
        )
    version = row[1]
    if version > FORMAT_VERSION:
        raise StateError(
            f"the database has format {version}; this version of Leadline reads formats up to {FORMAT_VERSION}",
            where=where,
            remedy="upgrade Leadline (`pip install -U leadline`)",
        )
    if version != FORMAT_VERSION or not present.issuperset(KEPT_TABLES):
        raise IntegrityError(
            f"the database claims format {version}, but does not have its tables",
            where=where,
            remedy="restore the database from a backup or a mirror",
        )
    return True


def _create(session: Session) -> None:
    if session.row("SELECT to_regnamespace(%s)", (SCHEMA,)) == (None,):
        session.script(f"CREATE SCHEMA {SCHEMA}")
    session.script(*(f"CREATE TABLE {place(name)} ({shape})" for name, shape in _KEPT.items()))
    # Most large blobs are logs, which are compressed already.
    session.script(f"ALTER TABLE {place('blob_chunk')} ALTER data SET STORAGE EXTERNAL")
    session.run(f"INSERT INTO {place('format')} VALUES (%s, %s)", (APPLICATION, FORMAT_VERSION))
