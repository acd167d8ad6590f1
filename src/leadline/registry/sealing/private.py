"""Private files beside the author's key: readable by their owner only, written whole or not at all."""

import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path
from typing import Final

from leadline.errors import KeyFileError, NotFoundError, StateError, StoreError
from leadline.ledger.sealing import age

#: Name of an author's age identity in $LEADLINE_HOME, and of an installation's in its folder of keys.
AUTHOR, INSTALLATION = "author.age", "installation.age"
_COMMENT: Final = "# leadline.dev: private, keep it secret; public recipient: "
_MAX_IDENTITY: Final = 4096


def make_identity(path: Path) -> str:
    """A new age identity in a new file with mode 0600, in the form `age -i` reads; returns its recipient.

    Raises StateError when there is a file already, StoreError when the disk refuses, MissingExtraError without the
    extra ``seal``.
    """
    identity = age.generate()
    recipient = age.recipient_of(identity)
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise _refused(path, error) from error
    write(path, f"{_COMMENT}{recipient}\n{identity}\n".encode(), new=True)
    return recipient


def load_identity(path: Path) -> str:
    """The age identity in a file: the one line that is no comment.

    Raises NotFoundError when there is none, KeyFileError for a file others may read or that holds something else.
    """
    try:
        data = read(path, _MAX_IDENTITY)
    except NotFoundError:
        raise NotFoundError(
            "there is no age identity here", where=str(path), remedy="make one with `leadline key seal`"
        ) from None
    lines = [
        line for line in data.decode("utf-8", "replace").splitlines() if line and not line.startswith("#")
    ]
    if len(lines) != 1 or not lines[0].startswith(age.SECRET_PREFIX.upper()):
        raise KeyFileError(
            "this is not an age identity file",
            where=str(path),
            remedy="name the file that `leadline key seal` or age-keygen wrote",
        )
    age.secret_of(lines[0])
    return lines[0]


def write(path: Path, data: bytes, *, new: bool = False) -> None:
    """Write a private file durably and atomically; with `new`, StateError when there is one already."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        try:
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            if new:
                os.link(temporary, path)  # fails where the name is taken, which a rename would not
            else:
                temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
        with suppress(OSError):  # some file systems cannot sync a folder
            folder = os.open(path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
    except FileExistsError:
        raise StateError(
            "there is a file already, and a private file is never overwritten",
            where=str(path),
            remedy="name another path, or move this one away first",
        ) from None
    except OSError as error:
        raise _refused(path, error) from error


def read(path: Path, limit: int) -> bytes:
    """A private file; NotFoundError, or KeyFileError when others may access it or it is longer than `limit`."""
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    except FileNotFoundError:
        raise NotFoundError("there is no such file", where=str(path), remedy="check the path") from None
    except OSError as error:
        raise KeyFileError(
            f"the file cannot be read: {error.strerror}", where=str(path), remedy="fix its permissions"
        ) from error
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or (os.name == "posix" and status.st_mode & 0o077):
            raise KeyFileError(
                "this private file can be accessed by others, or is no file",
                where=str(path),
                remedy=f"chmod 600 {path}",
            )
        data = file.read(limit + 1)
    if len(data) > limit:
        raise KeyFileError(
            "this file is too long for what it is", where=str(path), remedy="name the right file"
        )
    return data


def _refused(path: Path, error: OSError) -> StoreError:
    return StoreError(
        f"the private file cannot be written: {error.strerror}",
        where=str(path),
        remedy="check that the folder is writable and has space left",
    )
