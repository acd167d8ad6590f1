"""SQLite's refusals in the words of the error tree."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from leadline.errors import IntegrityError, StoreError

_FULL = {sqlite3.SQLITE_FULL}
_LOCKED = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_ALTERED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_READ_ONLY = {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_AUTH}


#: What reading a damaged database may raise: stored text that is not UTF-8 is no sqlite3 error.
DATABASE_ERRORS = (sqlite3.Error, UnicodeDecodeError)


@contextmanager
def explained(path: Path | str, doing: str) -> Iterator[None]:
    """Turn any database error inside the block into a StoreError or IntegrityError that says what to do."""
    try:
        yield
    except DATABASE_ERRORS as error:
        raise explain(error, path, doing) from error


def explain(error: Exception, path: Path | str, doing: str) -> StoreError | IntegrityError:
    """The error to raise instead of `error`, which happened at `path` while `doing` something."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if isinstance(error, UnicodeDecodeError) or "Could not decode to UTF-8" in str(error):
        code = sqlite3.SQLITE_CORRUPT
    where = str(path)
    if code in _FULL:
        return StoreError(
            f"the disk is full ({doing}); nothing was acknowledged",
            where=where,
            remedy="free space and submit the same statement again; what was acknowledged before is safe",
        )
    if code in _LOCKED:
        return StoreError(
            f"another process holds the database ({doing}); nothing was acknowledged",
            where=where,
            remedy="try again; if it stays so, find the process that writes (`fuser FILE`) and let it finish",
        )
    if code in _ALTERED:
        return IntegrityError(
            f"the database is damaged or not a database ({doing}): {error}",
            where=where,
            remedy="run `leadline fsck` to see what is wrong, then restore the file from a backup or a mirror",
        )
    if code in _READ_ONLY:
        return StoreError(
            f"the database cannot be opened or written ({doing}): {error}",
            where=where,
            remedy="check that the folder exists and that you may write the file and its folder",
        )
    if code == sqlite3.SQLITE_IOERR:
        return StoreError(
            f"the disk refused ({doing}): {error}; nothing was acknowledged",
            where=where,
            remedy="check disk space, file size limits and the disk itself, then submit the statement again",
        )
    return StoreError(
        f"the database refused ({doing}): {error}; nothing was acknowledged",
        where=where,
        remedy="run `leadline fsck`; if it finds nothing, report this with the message above",
    )
