"""Large blobs as files named by their digest, durable before anything in the log mentions them."""

import os
import re
import secrets
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

from leadline.errors import InputError, IntegrityError, NotFoundError, StoreError
from leadline.ledger.canon import canonical, parse_strict, sha256_hex

CHUNK = 1 << 20
MAX_REASON = 2_000
_DAMAGED = "run `leadline fsck` to find everything that is wrong, then restore from a backup or a mirror"
_DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)


def check_digest(digest: str) -> str:
    """The digest itself, if it is 64 lower-case hex digits; otherwise InputError."""
    if _DIGEST.fullmatch(digest) is None:
        raise InputError(
            f"{digest[:80]!r} is not a SHA-256 digest",
            remedy="give 64 lower-case hexadecimal digits, as printed by `leadline show` or sha256sum",
        )
    return digest


class BlobFolder:
    """A folder of files `ab/cdef...`, each named by the SHA-256 of its bytes.

    A file appears under its name only when its bytes are on the disk: written to a temporary name, fsynced,
    renamed, and the folder fsynced. A crash leaves at most a temporary file, which nothing reads.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, digest: str) -> Path:
        """Where the file with this digest is, or would be."""
        check_digest(digest)
        return self.folder / digest[:2] / digest[2:]

    def write(self, head: bytes, rest: BinaryIO | None) -> str:
        """Store `head` followed by everything in `rest`; returns the digest once the file is durable."""
        try:
            return self._write(head, rest)
        except OSError as error:
            raise StoreError(
                f"the blob could not be written ({error.strerror or error}); nothing was acknowledged",
                where=str(self.folder),
                remedy="free disk space or fix the folder's permissions, then submit the same bytes again",
            ) from error

    def _write(self, head: bytes, rest: BinaryIO | None) -> str:
        _make_folder(self.folder)
        temporary = self.folder / f".{secrets.token_hex(16)}.tmp"
        digest = sha256(head)
        try:
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(head)
                while rest is not None and (chunk := rest.read(CHUNK)):
                    digest.update(chunk)
                    file.write(chunk)
                file.flush()
                os.fsync(file.fileno())
            target = self.path(digest.hexdigest())
            _make_folder(target.parent)
            temporary.replace(target)  # the same name is the same bytes, so replacing loses nothing
            _sync_folder(target.parent)
        except BaseException:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise
        return digest.hexdigest()

    def open(self, digest: str) -> BinaryIO:
        """The file, open for reading at its start, after all its bytes were checked against the digest."""
        try:
            file = self.path(digest).open("rb")
        except FileNotFoundError:
            raise NotFoundError(
                f"the file of blob {digest} is missing",
                where=str(self.path(digest)),
                remedy="restore the file from a backup or a mirror; it is checked against its name when read",
            ) from None
        except OSError as error:
            raise StoreError(
                f"the file of blob {digest} cannot be read ({error.strerror or error})",
                where=str(self.path(digest)),
                remedy="fix the file's permissions or the disk",
            ) from error
        try:
            seen = sha256()
            while chunk := file.read(CHUNK):
                seen.update(chunk)
            check_bytes(digest, seen.hexdigest(), where=str(self.path(digest)))
            file.seek(0)
        except BaseException:
            file.close()
            raise
        return file

    def has(self, digest: str) -> bool:
        """Whether a file with this name exists; its bytes are checked when read."""
        return self.path(digest).is_file()

    def remove(self, digest: str) -> None:
        """Delete the file, durably; nothing happens when it is not there."""
        path = self.path(digest)
        with suppress(FileNotFoundError):
            path.unlink()
            _sync_folder(path.parent)


def check_bytes(digest: str, actual: str, *, where: str) -> None:
    """Raise IntegrityError unless `actual`, the digest of the bytes that were read, is the digest asked for."""
    if actual != digest:
        raise IntegrityError(
            f"blob {digest} was altered: its bytes now have SHA-256 {actual}",
            where=where,
            remedy="restore the blob from a backup or a mirror, then run `leadline fsck`",
        )


class LongBlobError(StoreError):
    """A stored blob is longer than the reader allows: a fact about the blob, not about the machine."""


def too_long(digest: str, limit: int, where: str) -> LongBlobError:
    """The error for a blob with more than `limit` bytes."""
    return LongBlobError(
        f"blob {digest} is longer than {limit:,} bytes, more than this use allows",
        where=where,
        remedy="read it through open_blob, which does not load it whole",
    )


def make_notice(digest: str, reason: str) -> bytes:
    """The bytes of the blob that says why another was taken down; InputError for a reason that is none."""
    if not 0 < len(reason) <= MAX_REASON:
        raise InputError(
            f"a reason has 1 to {MAX_REASON:,} characters",
            remedy="say why the bytes are taken down, and who decided",
        )
    return canonical({"reason": reason, "taken_down": digest})


def reason_in(notice: bytes | None, name: str, digest: str, *, where: str) -> str:
    """The reason given by the notice with digest `name`, which must speak of blob `digest`; else IntegrityError."""
    if notice is None:
        raise IntegrityError(
            f"the notice {name} that explains why blob {digest} was taken down is missing",
            where=where,
            remedy=_DAMAGED,
        )
    check_bytes(name, sha256_hex(notice), where=where)
    document = parse_strict(notice)
    if not isinstance(document, dict) or document.get("taken_down") != digest:
        raise IntegrityError(f"notice {name} does not speak of blob {digest}", where=where, remedy=_DAMAGED)
    return str(document.get("reason"))


def _make_folder(folder: Path) -> None:
    if folder.is_dir():
        return
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _sync_folder(folder.parent)


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":  # Windows cannot fsync a folder; its renames are journalled
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
