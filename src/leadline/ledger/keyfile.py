"""Private keys in files: readable by their owner only, written whole or not at all."""

import contextlib
import os
import secrets
import stat
from pathlib import Path

from leadline.errors import Explained, KeyFileError, NotFoundError, StateError, StoreError
from leadline.ledger.encoding import b64decode, b64encode
from leadline.ledger.keys import ROLES, SigningKey

HEADER = "leadline.dev/signing-key@v1: private, keep it secret"
_MAX_SIZE = 4096
_FIELDS = ("role", "name", "vkey", "seed")


def save(key: SigningKey, path: Path) -> None:
    """Write `key` to a new file with mode 0600, durably and atomically.

    Raises `StateError` when `path` exists (a key is never overwritten) and `StoreError` when the disk
    refuses; in both cases nothing is left behind.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        try:
            _write_new(temporary, format_key(key))
            # A hard link fails where the name is taken, which a rename would not.
            os.link(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
        _sync_folder(path.parent)
    except FileExistsError:
        raise StateError(
            "there is a file already, and a key is never overwritten",
            where=str(path),
            remedy="choose another path, or move the old key away first",
        ) from None
    except OSError as error:
        raise StoreError(
            f"the key file cannot be written: {error.strerror}",
            where=str(path),
            remedy="check that the folder exists, is writable and has space left; no key was saved",
        ) from error


def load(path: Path) -> SigningKey:
    """The key in a file that `save` wrote.

    Raises `KeyFileError` for a file that group or others may access, or whose content is not exactly
    that of a key file, and `NotFoundError` when there is no file.
    """
    try:
        data = _read_private(path)
    except FileNotFoundError:
        raise NotFoundError(
            "there is no key file here",
            where=str(path),
            remedy="make one with `leadline key new`, or name its path",
        ) from None
    except OSError as error:
        raise KeyFileError(
            f"the key file cannot be read: {error.strerror}",
            where=str(path),
            remedy="check the path and who owns the file",
        ) from error
    try:
        return parse_key(data)
    except KeyFileError as error:
        raise KeyFileError(error.message, where=str(path), remedy=error.remedy()) from None


def format_key(key: SigningKey) -> bytes:
    """The bytes of a key file: one header line, then role, name, vkey and seed."""
    values = (key.role, key.name, key.public.vkey, b64encode(key.seed))
    lines = [HEADER, *(f"{name} {value}" for name, value in zip(_FIELDS, values, strict=True))]
    return ("\n".join(lines) + "\n").encode()


def parse_key(data: bytes) -> SigningKey:
    """The inverse of `format_key`; `KeyFileError` for any other bytes."""
    try:
        lines = data.decode().split("\n")
        if lines[0] != HEADER:
            raise _malformed("its first line is not that of a key file")
        values = dict(line.split(" ", 1) for line in lines[1:-1])
        role = next(role for role in ROLES if role == values["role"])
        key = SigningKey(values["name"], role, b64decode(values["seed"].encode()))
        intact = format_key(key) == data
    except (ValueError, KeyError, StopIteration, Explained) as error:
        if isinstance(error, KeyFileError):
            raise
        raise _malformed("its lines are not role, name, vkey and seed") from None
    if not intact:
        raise _malformed("its seed does not belong to its public key, or lines were changed")
    return key


def _read_private(path: Path) -> bytes:
    # Non-blocking, so that a named pipe put in place of the file cannot hang the reader.
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
    with os.fdopen(descriptor, "rb") as file:
        # Of the opened file, not of the path: nobody can swap it between the check and the reading.
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise KeyFileError(
                "this is not a regular file", where=str(path), remedy="name the key file itself"
            )
        mode = stat.S_IMODE(status.st_mode)
        if os.name == "posix" and mode & 0o077:
            raise KeyFileError(
                f"this private key can be accessed by others (mode {mode:04o})",
                where=str(path),
                remedy=f"chmod 600 {path}",
            )
        data = file.read(_MAX_SIZE + 1)
    if len(data) > _MAX_SIZE:
        raise KeyFileError("this file is too long for a key file", where=str(path), remedy=_REMEDY)
    return data


def _write_new(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0), 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(descriptor)


def _sync_folder(folder: Path) -> None:
    # Some file systems cannot sync a folder; the file itself is already safe then.
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _malformed(why: str) -> KeyFileError:
    return KeyFileError(f"this is not an intact key file: {why}", remedy=_REMEDY)


_REMEDY = "restore the key from a backup, or make a new one with `leadline key new` and register it"
