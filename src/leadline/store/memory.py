"""The newest checkpoint this store has signed, remembered outside the database.

A restored backup is the likely way in which a log comes to sign two histories: the tree is shorter than what
was published, and the next entry takes an index that is already somebody's. So after every commit the signed
checkpoint is also written to a small file beside the database, and a store whose tree does not extend the
remembered one refuses to sign.
"""

import os
import re
import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from leadline.errors import IntegrityError, SignatureError, StoreError
from leadline.ledger.tlog.checkpoint import Checkpoint, parse_body
from leadline.ledger.tlog.note import split_note

_PAGE = 4096
#: Seconds after which an unfinished file is nobody's any more: making one takes a moment.
_STALE = 3600.0


def stated(note: bytes) -> Checkpoint:
    """The checkpoint a signed note states; its signature is not verified here."""
    text, _ = split_note(note)
    return parse_body(text)


class RememberedCheckpoint:
    """The sidecar file with the newest signed checkpoint."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> bytes | None:
        """The remembered note, or None when nothing was remembered yet."""
        try:
            with self.path.open("rb") as file:
                return file.read(_PAGE).rstrip(b"\0")
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StoreError(
                f"the remembered checkpoint cannot be read ({error.strerror})",
                where=str(self.path),
                remedy="fix the file's permissions: the store does not sign without having read it",
            ) from error

    def write(self, note: bytes) -> None:
        """Remember `note`: one write of one page, so that neither a crash nor another writer tears it.

        Not fsynced: the file guards against restored backups, and the database itself is what survives a power
        failure. A failure to write is not an error either, since the entry is already durable and the next
        append writes again.
        """
        page = note.ljust(_PAGE, b"\0")
        with suppress(OSError):
            try:
                descriptor = os.open(self.path, os.O_WRONLY)
            except FileNotFoundError:
                self._create(page)
                return
            try:
                os.write(descriptor, page)
            finally:
                os.close(descriptor)

    def _create(self, page: bytes) -> None:
        """Make the file with its page in it, or not at all: an empty one, as a full disk leaves, would stop signing."""
        temporary = self.path.with_name(f"{self.path.name}.{secrets.token_hex(8)}.tmp")
        try:
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
            try:
                written = os.write(descriptor, page)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            if written == len(page):
                temporary.replace(self.path)
        finally:
            temporary.unlink(missing_ok=True)

    def tidy(self) -> None:
        """Remove what a process left that was killed while it made the file; one that may be at it is left alone."""
        unfinished = re.compile(re.escape(self.path.name) + r"\.[0-9a-f]{16}\.tmp")
        with suppress(OSError):
            for path in self.path.parent.iterdir():
                if unfinished.fullmatch(path.name) and time.time() - path.lstat().st_mtime > _STALE:
                    path.unlink(missing_ok=True)

    def check(self, size: int, root_at: Callable[[int], bytes]) -> None:
        """Raise IntegrityError unless the tree of `size` entries extends the remembered checkpoint."""
        note = self.read()
        if note is None:
            return
        try:
            remembered = stated(note)
        except SignatureError as error:
            raise IntegrityError(
                f"the remembered checkpoint is unreadable ({error.message}), so nothing can be signed",
                where=str(self.path),
                remedy="compare the log with a published certificate (`leadline verify`); if they agree, "
                "delete this file",
            ) from None
        if size < remembered.size:
            raise IntegrityError(
                f"the database holds {size} entries, but a checkpoint for {remembered.size} was signed: this "
                "looks like a restored backup, and signing would make a second history",
                where=str(self.path),
                remedy="bring back the newer database or copy the missing entries from a mirror; if they are lost "
                "for good, start a new log with a new origin and import this one",
            )
        if root_at(remembered.size) != remembered.root:
            raise IntegrityError(
                f"the first {remembered.size} entries are not those of the checkpoint that was signed for them: "
                "the database holds another history",
                where=str(self.path),
                remedy="bring back the right database; certificates already given out belong to that one",
            )


def sidecar(database: Path) -> Path:
    """Where the newest checkpoint of the database at this path is remembered."""
    return database.with_name(database.name + ".checkpoint")


def blob_folder(database: Path) -> Path:
    """Where the large blobs of the database at this path are kept."""
    return database.with_name(database.name + os.extsep + "blobs")
