"""The folder a server offers dumps from: the newest whole dump, deltas to it, and an index that names them.

`index.json` is replaced in one step after everything it names is there, so a reader never meets half a dump. A
delta leads from one whole dump to the next; old ones are removed together with the dumps they lead from.
"""

import json
import os
import secrets
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from leadline.errors import StoreError
from leadline.registry.bulk.export import MANIFEST, Dump, export_tables

if TYPE_CHECKING:
    from leadline.registry.registry import Registry

INDEX: Final = "index.json"
_WHOLE, _DELTA = "whole", "delta"
_MOST_DELTAS = 60
_MOST_WHOLE = 2


def refresh(registry: "Registry", folder: Path) -> int | None:
    """Make a new whole dump, and the delta that leads to it, when the log has grown; its size, or None.

    Raises StoreError when the disk refuses; what was offered before stays.
    """
    index = read_index(folder)
    size = registry.store.size()
    newest = max((one["size"] for one in index[_WHOLE]), default=0)
    if size <= newest and index[_WHOLE]:
        return None
    try:
        folder.mkdir(parents=True, exist_ok=True)
        made = _make(registry, folder, 0)
        index[_WHOLE].append(made)
        if newest:
            index[_DELTA].append(_make(registry, folder, newest))
        index[_WHOLE] = index[_WHOLE][-_MOST_WHOLE:]
        index[_DELTA] = index[_DELTA][-_MOST_DELTAS:]
        _replace(folder / INDEX, json.dumps(index, indent=1, sort_keys=True).encode() + b"\n")
        _sweep(folder, {one["folder"] for kind in (_WHOLE, _DELTA) for one in index[kind]})
    except OSError as error:
        raise StoreError(
            f"the dump cannot be kept: {error.strerror or error}",
            where=str(folder),
            remedy="check that the folder is writable and has space left",
        ) from error
    return int(made["size"])


def read_index(folder: Path) -> dict[str, Any]:
    """What the folder offers: lists of whole dumps and deltas, oldest first, each with its folder and files."""
    try:
        found = json.loads((folder / INDEX).read_bytes())
        return {_WHOLE: list(found[_WHOLE]), _DELTA: list(found[_DELTA])}
    except (OSError, ValueError, KeyError, TypeError):
        return {_WHOLE: [], _DELTA: []}


def _make(registry: "Registry", folder: Path, since: int) -> dict[str, Any]:
    temporary = folder / f".making-{secrets.token_hex(8)}"
    try:
        dump = export_tables(registry, temporary, since=since)
        name = f"{_DELTA}-{since}-{dump.size}" if since else f"{_WHOLE}-{dump.size}"
        target = folder / name
        if target.exists():
            shutil.rmtree(target)
        temporary.rename(target)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return _entry(name, dump)


def _entry(name: str, dump: Dump) -> dict[str, Any]:
    files = {file: said["sha256"] for file, said in dump.files.items()}
    return {
        "folder": name,
        "size": dump.size,
        "since": dump.since,
        "root": dump.root,
        "manifest": MANIFEST,
        "files": files,
    }


def _replace(path: Path, data: bytes) -> None:
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    with temporary.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def _sweep(folder: Path, keep: set[str]) -> None:
    """Remove dumps that the index no longer names; nothing that was not made here."""
    for path in folder.iterdir():
        ours = path.name.startswith((f"{_WHOLE}-", f"{_DELTA}-")) and path.is_dir()
        if ours and path.name not in keep:
            shutil.rmtree(path, ignore_errors=True)
