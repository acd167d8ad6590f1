"""Reading a backup, and checking every byte of it."""

import json
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path

from leadline.errors import Explained, InputError, IntegrityError
from leadline.ledger.keys import VerifyKey
from leadline.ledger.tlog.checkpoint import Checkpoint, open_checkpoint
from leadline.ledger.tlog.frontier import Frontier
from leadline.ledger.tlog.tile import WIDTH, decode_bundle, entries_path
from leadline.ledger.tlog.tree import leaf_hash
from leadline.registry.backup.places import (
    FORMAT,
    LISTS,
    MOST_BUNDLE,
    MOST_LINE,
    REMEDY,
    Manifest,
    blob_path,
    digest_of,
    lines_of,
    read,
)


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a backup; NotFoundError or InputError where there is none of this version."""
    try:
        said = json.loads(read(folder / "manifest.json", MOST_LINE))
        manifest = Manifest(**said)
    except (ValueError, TypeError, RecursionError):
        raise InputError("this is not the manifest of a backup", where=str(folder), remedy=REMEDY) from None
    if manifest.format != FORMAT or set(manifest.files) != set(LISTS):
        raise InputError(
            f"this backup has the format {str(manifest.format)[:80]!r}, not {FORMAT}",
            where=str(folder),
            remedy="use the version of Leadline that wrote it",
        )
    return manifest


def log_key_of(folder: Path) -> VerifyKey:
    """The public key of the log, as the backup has it."""
    return VerifyKey.parse(read(folder / "log.vkey", 4096).decode("ascii", "replace").strip())


def check_backup(folder: Path, log_key: VerifyKey | None = None) -> Manifest:
    """Check every byte of a backup: lists, entries against the signed root, checkpoints, blobs.

    `log_key` is the log's key from elsewhere; without it the backup's own copy is taken, and the check says
    only that the backup agrees with itself. Raises IntegrityError, SignatureError, NotFoundError or InputError.
    """
    manifest = read_manifest(folder)
    own = log_key_of(folder)
    if log_key is not None and own.vkey != log_key.vkey:
        raise IntegrityError("this is the backup of another log", where=str(folder), remedy=REMEDY)
    for name, digest in manifest.files.items():
        if digest_of(folder / name) != digest:
            raise IntegrityError(f"{name} was changed", where=str(folder), remedy=REMEDY)
    found = open_checkpoint(read(folder / "checkpoint", 1 << 16), [own], origin=own.name).checkpoint
    if (found.size, found.root.hex()) != (manifest.size, manifest.root):
        raise IntegrityError("the checkpoint is not of this record", where=str(folder), remedy=REMEDY)
    _check_entries(folder, own, found)
    for line in lines_of(folder / "blobs.jsonl"):
        if "taken_down" not in line and digest_of(blob_path(folder, line["sha256"])) != line["sha256"]:
            raise IntegrityError(f"blob {line['sha256']} was changed", where=str(folder), remedy=REMEDY)
    return manifest


def _check_entries(folder: Path, log_key: VerifyKey, newest: Checkpoint) -> None:
    """The entries have the root that every one of their checkpoints signs."""
    edge = Frontier()
    marks = signed(folder, log_key)
    mark = next(marks, None)
    for number, entry in enumerate(entries_of(folder, newest.size), 1):
        edge.append(leaf_hash(entry))
        while mark is not None and mark[0].size == number:
            if mark[0].root != edge.root():
                raise IntegrityError(
                    f"the first {number} entries do not have the root that was signed",
                    where=str(folder),
                    remedy=REMEDY,
                )
            mark = next(marks, None)
    if mark is not None or (newest.size and edge.root() != newest.root):
        raise IntegrityError("the entries do not have the signed root", where=str(folder), remedy=REMEDY)


def is_backup(folder: Path) -> bool:
    """Whether a folder looks like a backup of this version."""
    try:
        read_manifest(folder)
    except Explained:
        return False
    return True


def signed(folder: Path, log_key: VerifyKey) -> Iterator[tuple[Checkpoint, bytes]]:
    """The backup's checkpoints with their notes, in order of size, each rightly signed."""
    before = 0
    for line in lines_of(folder / "checkpoints.jsonl"):
        note = b64decode(line["note"])
        found = open_checkpoint(note, [log_key], origin=log_key.name).checkpoint
        if found.size <= before:
            raise IntegrityError("its checkpoints are out of order", where=str(folder), remedy=REMEDY)
        before = found.size
        yield found, note


def entries_of(folder: Path, size: int) -> Iterator[bytes]:
    """The first `size` statements, in log order."""
    for n in range(-(-size // WIDTH)):
        width = min(WIDTH, size - n * WIDTH)
        yield from decode_bundle(read(folder / entries_path(n, width), MOST_BUNDLE), width)
