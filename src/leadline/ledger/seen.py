"""The checkpoints a reader has seen, one per log: what makes a client notice a second history.

A folder holds the newest checkpoint of each log under the SHA-256 of its origin. A newer one replaces it only when
the log has shown that it extends it; where it does not, both are kept as evidence and the caller is told.
"""

import contextlib
import os
import secrets
from collections.abc import Sequence
from pathlib import Path

from leadline.errors import SignatureError, StoreError
from leadline.ledger.keys import VerifyKey
from leadline.ledger.splitview import ProofSource, Split, compare_checkpoints
from leadline.ledger.tlog.checkpoint import open_checkpoint
from leadline.ledger.witness import origin_hash

EVIDENCE = "evidence"


class Seen:
    """What was seen of logs, in a folder that is made when it is first needed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def last(self, origin: str) -> bytes | None:
        """The remembered checkpoint of a log, as it was signed; None when none was seen."""
        try:
            return self._path(origin).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _refused(self._path(origin), error) from error

    def remember(self, note: bytes, keys: Sequence[VerifyKey], fetch_proof: ProofSource) -> None:
        """Compare a checkpoint with the remembered one, and remember the newer of the two.

        Raises `IntegrityError` when the log shows two histories, or does not show that it only grew: both
        checkpoints are then in the folder ``evidence`` and the older stays remembered. An older checkpoint that
        is part of the remembered history is no fault: caches serve them. Raises `SignatureError` when none of
        `keys` signed the checkpoint, and whatever `fetch_proof` raises.
        """
        new = open_checkpoint(note, keys)
        before = self.last(new.checkpoint.origin)
        if before is not None:
            try:
                found = compare_checkpoints(before, note, keys, fetch_proof)
            except SignatureError as error:
                raise SignatureError(
                    f"the remembered checkpoint is not signed by the key at hand: {error.message}",
                    where=str(self._path(new.checkpoint.origin)),
                    remedy="if the log's operator announced a new key, delete this file; if not, ask why it changed",
                ) from None
            if isinstance(found, Split):
                raise found.error(str(save_evidence(self.folder / EVIDENCE, found)))
            if found.newer.note != note or found.older.checkpoint.size == new.checkpoint.size:
                return
        write_whole(self._path(new.checkpoint.origin), note)

    def _path(self, origin: str) -> Path:
        return self.folder / f"{origin_hash(origin)}.checkpoint"


def save_evidence(folder: Path, split: Split) -> Path:
    """Keep both checkpoints of a split in a file of their own, and return its path."""
    older, newer = split.older.checkpoint, split.newer.checkpoint
    name = f"{origin_hash(older.origin)[:16]}-{older.size}-{newer.size}-{newer.root.hex()[:16]}.split"
    path = folder / name
    if not path.exists():
        write_whole(path, split.evidence())
    return path


def write_whole(path: Path, data: bytes) -> None:
    """Write a small file so that a crash leaves the old or the new one; `StoreError` when the disk refuses."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with temporary.open("xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        finally:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
    except OSError as error:
        raise _refused(path, error) from error


def _refused(path: Path, error: OSError) -> StoreError:
    return StoreError(
        f"what was seen of a log cannot be kept: {error.strerror}",
        where=str(path),
        remedy="check that the folder exists, is writable and has space left",
    )
