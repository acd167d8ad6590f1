"""Opening the database file: who may, what it must be, and how durable it is."""

import os
import sqlite3
from pathlib import Path

from leadline.errors import IntegrityError, NotFoundError, StateError, StoreError
from leadline.store.sqlite.errors import explain, explained
from leadline.store.sqlite.schema import APPLICATION_ID, FORMAT_VERSION, add_shelf, create_record

#: Page cache in KiB: the tree's right edge, the leaf index and the text index stay in memory while appending.
CACHE_KIB = 64 * 1024
_PRAGMAS = (
    "foreign_keys = ON",
    "trusted_schema = OFF",
    "cell_size_check = ON",
    "secure_delete = ON",  # what is taken down must not stay readable in free pages
    f"cache_size = -{CACHE_KIB}",
    "temp_store = MEMORY",
)


def connect(path: Path, *, timeout: float, read_only: bool) -> sqlite3.Connection:
    """A connection in autocommit mode with durable commits (WAL, synchronous FULL); the file must exist."""
    mode = "ro" if read_only else "rw"
    if read_only and not os.access(path.parent, os.W_OK) and not _has_pending_log(path):
        mode += "&immutable=1"  # without it SQLite wants to create files beside a database in WAL mode
    with explained(path, "opening"):
        db = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode={mode}",
            uri=True,
            timeout=timeout,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=256,
        )
    try:
        for pragma in (*_PRAGMAS, f"query_only = {int(read_only)}"):
            db.execute(f"PRAGMA {pragma}")
        if not read_only:
            _set_durability(db, path)
    except sqlite3.Error as error:
        db.close()
        raise explain(error, path, "opening") from error
    except BaseException:
        db.close()
        raise
    return db


def _has_pending_log(path: Path) -> bool:
    log = path.with_name(path.name + "-wal")
    return log.exists() and log.stat().st_size > 0


def _set_durability(db: sqlite3.Connection, path: Path) -> None:
    (journal,) = db.execute("PRAGMA journal_mode = WAL").fetchone()
    db.execute("PRAGMA synchronous = FULL")
    if journal != "wal":
        raise StoreError(
            f"the database cannot use a write-ahead log here (journal mode stays {journal!r})",
            where=str(path),
            remedy="keep the database on a local disk; network file systems cannot hold it",
        )


def prepare(path: Path, *, create: bool, read_only: bool) -> None:
    """Check the path before SQLite sees it; create an empty file where none is and one is wanted."""
    if path.is_dir():
        raise StoreError(
            "a folder is not a database", where=str(path), remedy="name a file inside it, such as registry.db"
        )
    if not path.exists():
        if not create or read_only:
            raise NotFoundError(
                "there is no registry here",
                where=str(path),
                remedy="check the path, or register a first study to create it",
            )
        _create_file(path)
        return
    needed = os.R_OK if read_only else os.R_OK | os.W_OK
    if not os.access(path, needed):
        raise StoreError(
            "you may not read this database" if read_only else "you may not write this database",
            where=str(path),
            remedy="change the file's permissions, or open it for reading only",
        )


def _create_file(path: Path) -> None:
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise StoreError(
            f"the database cannot be created ({error.strerror})",
            where=str(path),
            remedy="create the folder first, and check that you may write there",
        ) from error


def identify(db: sqlite3.Connection, path: Path) -> None:
    """Refuse a file that is not a Leadline store of this format; make an empty database into one."""
    with explained(path, "opening"):
        db.execute("BEGIN IMMEDIATE" if not db_read_only(db) else "BEGIN")
        try:
            created = _identify(db, path)
        except BaseException:
            db.execute("ROLLBACK")
            raise
        db.execute("COMMIT")
        if created:  # so that the file itself, and not only its log, says what it is
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def db_read_only(db: sqlite3.Connection) -> bool:
    """Whether the connection was opened for reading only."""
    return bool(db.execute("PRAGMA query_only").fetchone()[0])


def _identify(db: sqlite3.Connection, path: Path) -> bool:
    (application,) = db.execute("PRAGMA application_id").fetchone()
    (version,) = db.execute("PRAGMA user_version").fetchone()
    (objects,) = db.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if application == 0 and version == 0 and objects == 0 and not db_read_only(db):
        create_record(db)
        return True
    if application != APPLICATION_ID:
        raise StateError(
            "this is a database of another program, or an empty file",
            where=str(path),
            remedy="name the file of a Leadline registry, or a path where none exists yet",
        )
    if version > FORMAT_VERSION:
        raise StateError(
            f"the database has format {version}; this version of Leadline reads formats up to {FORMAT_VERSION}",
            where=str(path),
            remedy="upgrade Leadline (`pip install -U leadline`)",
        )
    if version == 1:
        if db_read_only(db):
            raise StateError(
                "the database has format 1, which an earlier version of Leadline made",
                where=str(path),
                remedy="open it once for writing (`leadline rebuild`): that brings it to the present format",
            )
        add_shelf(db)
        return True
    if version != FORMAT_VERSION:
        raise IntegrityError(
            f"the database claims format {version}, which never existed",
            where=str(path),
            remedy="restore the file from a backup or a mirror",
        )
    return False
