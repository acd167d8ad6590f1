"""The four tables of the record, the shelf, the header of the file, and the DDL of projections.

The record has no column that is not authenticated. `entry.envelope` is hashed into the tree and signed;
`node.hash` is recomputed from the entries; `checkpoint.note` is signed and its root recomputed;
`checkpoint.size` is stated inside the note; `blob.content` hashes to `blob.sha256`; and `blob.notice` is the
digest of another blob, which names this one and says why its bytes were taken down. Indexes (`ix`) are positions
in the tree. There are no times: a time that matters is inside a signed statement. `shelf` is no part of the
record (see `leadline.store.shelf`), but like the record it cannot be computed again.
"""

# ruff: noqa: S608 -- names in SQL come from this package's own table definitions; values are always bound

import sqlite3
from collections.abc import Sequence

from leadline.store.projection import Projection, Table, TextIndex

#: "LEAD" in ASCII, in the file header where `file(1)` looks for an application.
APPLICATION_ID = 0x4C454144
#: Raised whenever the kept tables change shape. Projections have stamps of their own.
#: Format 1 had no shelf; opening it for writing adds one.
FORMAT_VERSION = 2

#: Never dropped.
KEPT_TABLES = ("blob", "entry", "node", "checkpoint", "shelf")
SHELF_DDL = (
    "CREATE TABLE shelf (space TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL, PRIMARY KEY (space, key)) "
    "STRICT, WITHOUT ROWID"
)
RECORD_DDL = (
    "CREATE TABLE blob (sha256 BLOB PRIMARY KEY, content BLOB, notice BLOB) STRICT, WITHOUT ROWID",
    "CREATE TABLE entry (ix INTEGER PRIMARY KEY, envelope BLOB NOT NULL) STRICT",
    "CREATE TABLE node (ix INTEGER PRIMARY KEY, hash BLOB NOT NULL) STRICT",
    "CREATE TABLE checkpoint (size INTEGER PRIMARY KEY, note BLOB NOT NULL) STRICT",
    SHELF_DDL,
)
STAMP_DDL = "CREATE TABLE projection (name TEXT PRIMARY KEY, stamp TEXT NOT NULL) STRICT, WITHOUT ROWID"

TOKENIZER = "porter unicode61 remove_diacritics 2"


def table_ddl(table: Table) -> list[str]:
    """CREATE statements of one projection table and its indexes."""
    columns = [f"{c.name} {c.type.upper()}{'' if c.nullable else ' NOT NULL'}" for c in table.columns]
    types = {column.name: column.type for column in table.columns}
    rowid_key = len(table.key) == 1 and types[table.key[0]] == "integer"
    if rowid_key:
        columns = [
            f"{c.name} INTEGER PRIMARY KEY" if c.name == table.key[0] else text
            for c, text in zip(table.columns, columns, strict=True)
        ]
    else:
        columns.append(f"PRIMARY KEY ({', '.join(table.key)})")
    options = "STRICT" if rowid_key else "STRICT, WITHOUT ROWID"
    statements = [f"CREATE TABLE {table.name} ({', '.join(columns)}) {options}"]
    for group in table.indexes:
        name = "_".join((table.name, *group))
        statements.append(f"CREATE INDEX {name} ON {table.name} ({', '.join(group)})")
    return statements


def text_ddl(index: TextIndex) -> list[str]:
    """Statements that create one full-text index and fix its ranking weights."""
    weights = ", ".join(str(float(weight)) for weight in index.weights)
    return [
        f"CREATE VIRTUAL TABLE {index.name} USING fts5({', '.join(index.columns)}, tokenize='{TOKENIZER}')",
        f"INSERT INTO {index.name}({index.name}, rank) VALUES ('rank', 'bm25({weights})')",
    ]


def projection_ddl(projections: Sequence[Projection]) -> list[str]:
    """Every statement that creates the tables of these projections, in order."""
    statements = [STAMP_DDL]
    for projection in projections:
        for table in projection.tables:
            statements += table_ddl(table)
        for index in projection.texts:
            statements += text_ddl(index)
    return statements


def create_record(db: sqlite3.Connection) -> None:
    """Create the kept tables and mark the file as a Leadline store of this format."""
    db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    db.execute(f"PRAGMA user_version = {FORMAT_VERSION}")
    for statement in RECORD_DDL:
        db.execute(statement)


def add_shelf(db: sqlite3.Connection) -> None:
    """Bring a store of format 1 to this format."""
    db.execute(SHELF_DDL)
    db.execute(f"PRAGMA user_version = {FORMAT_VERSION}")


def create_projections(db: sqlite3.Connection, projections: Sequence[Projection]) -> None:
    """Create the tables of these projections, empty."""
    for statement in projection_ddl(projections):
        db.execute(statement)


def drop_projections(db: sqlite3.Connection) -> None:
    """Drop every table that is not kept; virtual tables first, with their shadow tables."""
    virtual = "SELECT name FROM sqlite_schema WHERE type = 'table' AND sql LIKE 'CREATE VIRTUAL%'"
    for (name,) in db.execute(virtual).fetchall():
        db.execute(f"DROP TABLE {quoted(name)}")
    for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall():
        if name not in KEPT_TABLES and not name.startswith("sqlite_"):
            db.execute(f"DROP TABLE {quoted(name)}")


def quoted(name: str) -> str:
    """A name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def schema_rows(db: sqlite3.Connection) -> list[tuple[str, str, str, str | None]]:
    """(type, name, table, sql) of everything in the schema, ordered by type and name."""
    return db.execute("SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name").fetchall()
