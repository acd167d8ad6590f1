"""Columns of logs that were read before, by content: a second analysis costs the hashing of the files.

A folder of entries, one per log and request. The name of an entry is a digest over everything its content
depends on: the file's SHA-256, the code of the reader, tier, projection and limits. An entry begins with an HMAC
over its name and its content under a secret that lies outside the folder, so that an entry that was damaged,
altered, moved to another name or made by somebody else is not there: the log is read again.

Nothing that is published is computed from it. Reports, checks and exports read the files themselves, because a
digest says that this user's process wrote the entry, and not that it had read what others can read.
"""

import hashlib
import hmac
import json
import os
import secrets
import tempfile
import time
from contextlib import suppress
from dataclasses import astuple
from functools import cache
from pathlib import Path
from typing import Final

from leadline.errors import InputError
from leadline.logs.parts import Part, decoded, encoded
from leadline.logs.request import Request
from leadline.logs.source import Source

#: Bytes an installation keeps unless `LEADLINE_CACHE_BYTES` says otherwise.
SIZE: Final = 4 << 30
_MAC = 32
_SUFFIX: Final = ".columns"
_UNFINISHED: Final = ".unfinished"
_ABANDONED_AFTER = 3600.0

CacheLike = bool | str | os.PathLike[str]


class Cache:
    """One folder of entries, at most `size` bytes of them; the least recently used go first.

    Any number of processes may use one folder: entries appear whole, under their own name, or not at all. A
    disk that is full, or a folder that cannot be written, costs the entry and nothing else.
    """

    def __init__(self, folder: Path, secret: bytes, *, size: int = SIZE) -> None:
        self.folder = folder
        self._secret = secret
        self._size = size
        self.written = False  # by this process, or by one that works for it

    def get(self, source: Source, sha256: str, form: str, request: Request) -> Part | None:
        """What was read of this content for an equal request, or None."""
        path = self._path(sha256, form, request)
        try:
            if path.stat().st_size > self._size:
                return None
            data = path.read_bytes()
        except OSError:
            return None
        if not hmac.compare_digest(data[:_MAC], self._mac(path.name, memoryview(data)[_MAC:])):
            return None
        with suppress(OSError):
            os.utime(path)
        return decoded(memoryview(data)[_MAC:], name=source.name, path=str(source.path))

    def put(self, part: Part, sha256: str, form: str, request: Request) -> None:
        """Keep what was read; not what another package helped to read, whose version is not part of the name."""
        if any(fallback.decoder == "inspect" for fallback in part.account.fallbacks):
            return
        if (data := encoded(part)) is None or len(data) + _MAC > self._size:
            return
        path = self._path(sha256, form, request)
        with suppress(OSError):
            write_whole(path, self._mac(path.name, memoryview(data)) + data)
            self.written = True

    def trim(self) -> None:
        """Make room after writing: the least recently used entries go, and what a killed process left."""
        if not self.written:
            return
        found: list[tuple[float, int, Path]] = []
        for path in self.folder.iterdir():
            with suppress(OSError):
                status = path.stat()
                if path.suffix == _SUFFIX:
                    found.append((status.st_mtime, status.st_size, path))
                elif path.suffix == _UNFINISHED and time.time() - status.st_mtime > _ABANDONED_AFTER:
                    path.unlink()
        total = sum(size for _, size, _ in found)
        for _, size, path in sorted(found):
            if total <= self._size:
                break
            with suppress(OSError):
                path.unlink()
                total -= size

    def _path(self, sha256: str, form: str, request: Request) -> Path:
        asked = [sha256, form, reader_version(), request.tier, request.escalates, request.keys]
        text = json.dumps([*asked, astuple(request.limits)])
        return self.folder / (hashlib.sha256(text.encode()).hexdigest() + _SUFFIX)

    def _mac(self, name: str, content: memoryview) -> bytes:
        digest = hmac.new(self._secret, name.encode(), "sha256")
        digest.update(content)
        return digest.digest()


def opened_cache(wanted: CacheLike) -> Cache | None:
    """The cache a caller asks for: True for the usual folder, a path for another; None where it is switched off.

    The usual folder is `LEADLINE_CACHE`, else `leadline` in the user's cache folder (`XDG_CACHE_HOME`).
    `LEADLINE_CACHE=off` switches every cache off, `LEADLINE_CACHE_BYTES` bounds it. The secret is kept in
    `cache.key` in Leadline's own folder (`LEADLINE_HOME`). Raises InputError for a folder or a secret that others
    can write or read, and for a bound that is no number.
    """
    named = os.environ.get("LEADLINE_CACHE", "")
    if wanted is False or named.lower() == "off":
        return None
    usual = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "leadline"
    folder = Path(named or usual) if wanted is True else Path(wanted)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _check_private(folder, 0o022, "written")
        return Cache(folder, _secret(), size=_bound())
    except OSError as error:
        raise InputError(
            f"the cache of logs cannot be used: {error.strerror or error}",
            where=str(folder),
            remedy="name another folder in LEADLINE_CACHE, or set it to off",
        ) from error


def _bound() -> int:
    text = os.environ.get("LEADLINE_CACHE_BYTES", "")
    if text and not (text.isascii() and text.isdigit()):
        raise InputError(
            "LEADLINE_CACHE_BYTES is no number of bytes", remedy="write it in digits, such as 1000000000"
        )
    return int(text[:18]) if text else SIZE


def _secret() -> bytes:
    """This user's secret, made when it is first needed; two processes that make it at once agree on one."""
    home = Path(os.environ.get("LEADLINE_HOME") or Path.home() / ".leadline")
    path = home / "cache.key"
    if not path.exists():
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(path, secrets.token_bytes(_MAC), replacing=False)
    _check_private(path, 0o077, "read")
    secret = path.read_bytes()
    if len(secret) != _MAC:
        raise InputError(
            "the secret of the cache of logs is damaged", where=str(path), remedy="delete it; it is made anew"
        )
    return secret


def _check_private(path: Path, others: int, verb: str) -> None:
    status = path.stat()
    if os.name == "posix" and (status.st_uid != os.geteuid() or status.st_mode & others):
        raise InputError(
            f"belongs to the cache of logs and can be {verb} by others",
            where=str(path),
            remedy=f"chmod go= {path}, or name a folder of your own in LEADLINE_CACHE",
        )


def write_whole(path: Path, data: bytes, *, replacing: bool = True) -> None:
    """Write a file that only this user can read, so that it is there whole or not at all."""
    handle, name = tempfile.mkstemp(suffix=_UNFINISHED, dir=path.parent)  # readable by its owner alone
    unfinished = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        if replacing:
            unfinished.replace(path)
        else:
            with suppress(FileExistsError):
                path.hardlink_to(unfinished)
    finally:
        unfinished.unlink(missing_ok=True)


@cache
def reader_version() -> str:
    """A digest of the code that reads logs: another reader never meets this one's columns."""
    here = Path(__file__).parent
    digest = hashlib.sha256()
    for path in sorted(here.rglob("*.py")):
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()
