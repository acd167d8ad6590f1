"""Writing a backup."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from leadline.errors import StateError, StoreError
from leadline.ledger.tlog.tile import WIDTH, entries_path
from leadline.registry.backup.checking import check_backup
from leadline.registry.backup.places import (
    CHUNK,
    FORMAT,
    LISTS,
    Manifest,
    Progress,
    blob_path,
    flush,
    private,
    sync,
    text,
)
from leadline.store.memory import stated
from leadline.store.protocol import ReadView

if TYPE_CHECKING:
    from leadline.registry.registry import Registry

_SHELF_PAGE = 200
#: What a running server holds for minutes: leases, and uploads that no statement names yet.
_LEFT_OUT: Final = frozenset({"lease", "upload", "upload.open", "upload.bytes", "answer"})


def back_up(registry: "Registry", folder: Path, *, progress: Progress | None = None) -> Manifest:
    """Write a backup of the registry, as it is at one moment, into a new or empty folder, and check it.

    Entries and checkpoints come from one snapshot, blobs after it: what entries speak of was durable before
    them. Raises StateError when the folder holds something, StoreError when the disk refuses, IntegrityError
    when the registry's own bytes are not what was recorded.
    """
    if folder.exists() and any(folder.iterdir()):
        raise StateError(
            "there is something in this folder", where=str(folder), remedy="give a new folder for each backup"
        )
    try:
        folder.mkdir(parents=True, mode=0o700, exist_ok=True)
        manifest = _Writer(registry, folder, progress).write()
    except OSError as error:
        raise StoreError(
            f"the backup cannot be written: {error.strerror or error}",
            where=str(folder),
            remedy="check that the place is writable and has space left; the registry was not changed",
        ) from error
    check_backup(folder, registry.home.log)
    return manifest


class _Writer:
    """Writes one backup; the manifest goes last, so that a folder without one is no backup."""

    def __init__(self, registry: "Registry", folder: Path, progress: Progress | None) -> None:
        self.registry = registry
        self.store = registry.store
        self.folder = folder
        self.progress = progress or (lambda done, total: None)  # noqa: ARG005
        self.digests: dict[str, str] = {}

    def write(self) -> Manifest:
        with self.store.snapshot() as view:
            size = view.size()
            self._list("checkpoints.jsonl", ({"note": text(note)} for note in _checkpoints(view)))
            self._file("checkpoint", view.checkpoint())
            root = view.root(size).hex()
            self._entries(view, size)
        blobs, gone = self._blobs()
        shelf = self._list("shelf.jsonl", self._shelf())
        self._file("log.vkey", (self.registry.home.log.vkey + "\n").encode())
        manifest = Manifest(FORMAT, self.registry.home.origin, size, root, blobs, gone, shelf, self.digests)
        self._file("manifest.json", json.dumps(asdict(manifest), indent=1, sort_keys=True).encode() + b"\n")
        sync(self.folder)
        return manifest

    def _entries(self, view: ReadView, size: int) -> None:
        for n in range(-(-size // WIDTH)):
            width = min(WIDTH, size - n * WIDTH)
            self._file(entries_path(n, width), view.entry_bundle(n, width))
            self.progress(n * WIDTH + width, size)

    def _blobs(self) -> tuple[int, int]:
        kept = gone = 0

        def lines() -> Iterator[dict[str, Any]]:
            nonlocal kept, gone
            for blob in self.store.blobs():
                if blob.kept == "taken_down":
                    gone += 1
                    yield {"sha256": blob.sha256, "taken_down": blob.reason}
                    continue
                with self.store.open_blob(blob.sha256) as source:
                    size = self._copy(blob_path(self.folder, blob.sha256), source)
                kept += 1
                yield {"sha256": blob.sha256, "size": size}

        self._list("blobs.jsonl", lines())
        return kept, gone

    def _shelf(self) -> Iterator[dict[str, Any]]:
        shelf = self.store.shelf
        for space in shelf.spaces():
            after = ""
            while space not in _LEFT_OUT and (page := shelf.items(space, after=after, limit=_SHELF_PAGE)):
                for key, value in page:
                    yield {"space": space, "key": key, "value": text(value)}
                after = page[-1][0]

    def _list(self, name: str, lines: Iterator[dict[str, Any]]) -> int:
        count, digest = 0, sha256()
        with private(self.folder / name) as file:
            for line in lines:
                data = json.dumps(line, sort_keys=True).encode() + b"\n"
                digest.update(data)
                file.write(data)
                count += 1
            flush(file)
        self.digests[name] = digest.hexdigest()
        return count

    def _file(self, name: str, data: bytes) -> None:
        with private(self.folder / name) as file:
            file.write(data)
            flush(file)
        if name in LISTS:
            self.digests[name] = sha256(data).hexdigest()

    def _copy(self, path: Path, source: BinaryIO) -> int:
        size = 0
        with private(path) as file:
            while chunk := source.read(CHUNK):
                file.write(chunk)
                size += len(chunk)
            flush(file)
        return size


def _checkpoints(view: ReadView) -> Iterator[bytes]:
    """Every signed checkpoint, by size."""
    at, size = 0, view.size()
    while at < size:
        note = view.checkpoint_covering(at)
        yield note
        at = stated(note).size


def copy_keys(registry: "Registry", folder: Path) -> list[Path]:
    """Copy the registry's private keys into a new folder, each readable by its owner alone.

    Whoever has them can sign in the registry's name: keep them apart from the backup, offline.
    """
    if folder.exists() and any(folder.iterdir()):
        raise StateError("there is something in this folder", where=str(folder), remedy="give a new folder")
    written = []
    try:
        folder.mkdir(parents=True, mode=0o700, exist_ok=True)
        for path in sorted(registry.home.folder.iterdir()):
            if path.is_file():
                with path.open("rb") as source, private(folder / path.name) as target:
                    shutil.copyfileobj(source, target)
                    flush(target)
                written.append(folder / path.name)
    except OSError as error:
        raise StoreError(
            f"the keys cannot be copied: {error.strerror or error}",
            where=str(folder),
            remedy="check the place",
        ) from error
    return written
