"""Putting a backup back, into either engine."""

import shutil
from base64 import b64decode
from pathlib import Path

from leadline.errors import IntegrityError, KeyFileError, StateError, StoreError
from leadline.ledger.tlog.checkpoint import Checkpoint
from leadline.ledger.tlog.frontier import Frontier
from leadline.ledger.tlog.tree import leaf_hash
from leadline.registry.backup.checking import check_backup, entries_of, log_key_of, signed
from leadline.registry.backup.places import REMEDY, Manifest, Progress, blob_path, lines_of, opened
from leadline.registry.home import PUBLIC, keys_folder, load_home
from leadline.store import open_store
from leadline.store.memory import RememberedCheckpoint, sidecar, stated
from leadline.store.model import Draft
from leadline.store.opening import database_path, is_shared
from leadline.store.protocol import Store


def restore(folder: Path, store: Store, *, progress: Progress | None = None) -> Manifest:
    """Put a checked backup into an empty store of either engine, signing nothing.

    Blobs first, then entries under the checkpoints that were signed for them, then the shelf. Raises
    StateError when the store is not empty, and whatever `check_backup` raises; IntegrityError too when the
    place remembers a checkpoint that the backup does not reach: going on from there would be a second history.
    """
    manifest = check_backup(folder)
    if store.size():
        raise StateError(
            f"there are {store.size()} entries in this store already",
            remedy="restore into a new, empty place",
        )
    for line in lines_of(folder / "blobs.jsonl"):
        if "taken_down" in line:
            store.take_down(line["sha256"], line["taken_down"], absent=True)
        elif store.taken_down(line["sha256"]) is None:
            with opened(blob_path(folder, line["sha256"])) as source:
                store.put_blob(source)
    _append_all(folder, store, manifest, progress or (lambda done, total: None))  # noqa: ARG005
    for line in lines_of(folder / "shelf.jsonl"):
        store.shelf.put(line["space"], line["key"], b64decode(line["value"]))
    return manifest


def _append_all(folder: Path, store: Store, manifest: Manifest, progress: Progress) -> None:
    entries = entries_of(folder, manifest.size)
    at = 0
    for checkpoint, note in signed(folder, log_key_of(folder)):
        batch = [Draft(next(entries), restored=True) for _ in range(checkpoint.size - at)]
        if not batch:
            continue

        def sign(size: int, root: bytes, checkpoint: Checkpoint = checkpoint, note: bytes = note) -> bytes:
            if (size, root) != (checkpoint.size, checkpoint.root):
                raise IntegrityError(
                    f"the store makes another tree of {size} entries", where=str(folder), remedy=REMEDY
                )
            return note

        store.append(lambda view, batch=batch: batch, sign=sign)  # type: ignore[misc]  # noqa: ARG005
        at = checkpoint.size
        progress(at, manifest.size)


def restore_registry(
    folder: Path, url: str | Path, *, keys: Path | None = None, progress: Progress | None = None
) -> Manifest:
    """Restore a backup to where `url` says, with the registry's keys from the folder `keys` where they are given.

    Without keys the registry can be read and verified, and nothing can be added to it. A place that remembers
    a newer checkpoint than the backup's is refused: whoever has seen that checkpoint would catch the log with
    two histories. Raises StateError when something is there already, KeyFileError for the keys of another log.
    """
    manifest = check_backup(folder)
    target = _keys_target(url)
    public = log_key_of(folder)
    if keys is not None and load_home(keys).log != public:
        raise KeyFileError(
            "these are the keys of another log",
            where=str(keys),
            remedy="give the folder kept with this backup",
        )
    if not _shared(url):
        _give_way(folder, database_path(url), manifest)
    with open_store(url, create=True) as store:
        restore(folder, store, progress=progress)
    _place_keys(target, keys, public.vkey)
    return manifest


def _shared(url: str | Path) -> bool:
    return isinstance(url, str) and is_shared(url)


def _keys_target(url: str | Path) -> Path:
    from leadline.registry.places import shared_keys

    return shared_keys(str(url)) if _shared(url) else keys_folder(database_path(url))


def _give_way(folder: Path, database: Path, manifest: Manifest) -> None:
    """Make sure that the place is free, and that what it remembers is in the backup; then it may be forgotten."""
    if database.exists():
        raise StateError(
            "there is a registry here already",
            where=str(database),
            remedy="restore beside it, compare, and then move it away",
        )
    remembered = RememberedCheckpoint(sidecar(database))
    note = remembered.read()
    if note is None:
        return
    newest = stated(note)
    if newest.size > manifest.size:
        raise IntegrityError(
            f"a checkpoint for {newest.size} entries was signed here, and the backup has {manifest.size}: going "
            "on from it would make a second history",
            where=str(remembered.path),
            remedy="find a newer backup or copy the missing entries from a mirror; to read the old one, restore it "
            "to another place without its keys",
        )
    edge = Frontier()
    for entry in entries_of(folder, newest.size):
        edge.append(leaf_hash(entry))
    if newest.size and edge.root() != newest.root:
        raise IntegrityError(
            "the checkpoint remembered here is of another history than the backup's",
            where=str(remembered.path),
            remedy="this is not the backup of the registry that was here",
        )
    remembered.path.unlink()  # the restored store writes it again with its first entry


def _place_keys(target: Path, keys: Path | None, vkey: str) -> None:
    try:
        target.mkdir(parents=True, mode=0o700, exist_ok=True)
        for path in sorted(keys.iterdir()) if keys is not None else ():
            if path.is_file() and not (target / path.name).exists():
                shutil.copy2(path, target / path.name)
        public = target / PUBLIC
        if not public.exists():
            public.write_text(vkey + "\n")
    except OSError as error:
        raise StoreError(
            f"the keys cannot be put in their place: {error.strerror or error}",
            where=str(target),
            remedy="the record is restored; copy the keys there by hand, each readable by its owner alone",
        ) from error
