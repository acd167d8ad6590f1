"""Making a dump: every sheet, a SQLite file, the signed checkpoint, and a manifest that names them by digest."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from leadline.errors import InputError, StateError, StoreError
from leadline.registry.bulk.sheets import Sheet, Touched, sheets, touched

if TYPE_CHECKING:
    from leadline.registry.registry import Registry
    from leadline.store.protocol import ReadView

FORMAT: Final = "leadline-tables/1"
MANIFEST: Final = "manifest.json"
DATABASE: Final = "registry.sqlite"
_CHUNK = 1 << 20
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Dump:
    """What a dump says of itself: the log, its size, where a delta begins, and each file's digest and rows."""

    format: str
    origin: str
    size: int
    since: int
    root: str
    files: dict[str, dict[str, Any]]

    def to_json(self) -> bytes:
        """The manifest's bytes."""
        return json.dumps(asdict(self), indent=1, sort_keys=True).encode() + b"\n"


def export_tables(
    registry: "Registry", folder: Path, *, since: int = 0, progress: Progress | None = None
) -> Dump:
    """Write the registry's tables, as they are at one moment, into a new or empty folder.

    With `since`, a delta: statements from that log index on, and all rows of the studies they are about,
    which replace what an earlier dump has of these studies (keys, seals and judgements come whole). `progress` is told
    sheets done and sheets in all. Raises StateError when the folder holds something, InputError for an index beyond the
    log, StoreError when the disk refuses.
    """
    if folder.exists() and any(folder.iterdir()):
        raise StateError(
            "there is something in this folder", where=str(folder), remedy="give a new folder for each dump"
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with registry.store.snapshot() as view:
            return _write(registry, view, folder, since, progress or (lambda done, total: None))  # noqa: ARG005
    except OSError as error:
        raise StoreError(
            f"the dump cannot be written: {error.strerror or error}",
            where=str(folder),
            remedy="check that the place is writable and has space left; the registry was not changed",
        ) from error


def _write(registry: "Registry", view: "ReadView", folder: Path, since: int, progress: Progress) -> Dump:
    from leadline.registry.bulk.files import SqliteDump, write_parquet

    size = view.size()
    if not 0 <= since <= size:
        raise InputError(
            f"the log has {size} entries, so nothing follows entry {since}",
            where="since",
            remedy=f"give an index from 0 to {size}: the size of the dump you have",
        )
    studies: Touched = touched(view, since) if since else frozenset()
    tables = {table.name: table for one in registry.store.projections() for table in one.tables}
    every = sheets(tables)
    database = SqliteDump(folder / DATABASE)
    counts: dict[str, int] = {}
    for number, sheet in enumerate(every):
        progress(number, len(every))
        counts[sheet.name] = write_parquet(
            folder / f"{sheet.name}.parquet", sheet.fields, sheet.rows(view, since, studies)
        )
        database.add(sheet, sheet.rows(view, since, studies))
    database.close()
    progress(len(every), len(every))
    (folder / "checkpoint").write_bytes(view.checkpoint())
    (folder / "log.vkey").write_text(registry.home.log.vkey + "\n")
    dump = Dump(
        FORMAT, registry.home.origin, size, since, view.root(size).hex(), _described(folder, every, counts)
    )
    (folder / MANIFEST).write_bytes(dump.to_json())
    return dump


def _described(folder: Path, every: list[Sheet], counts: dict[str, int]) -> dict[str, dict[str, Any]]:
    """Each file's digest and size, and of a table its rows and columns."""
    columns = {f"{one.name}.parquet": {field.name: field.kind for field in one.fields} for one in every}
    rows = {f"{name}.parquet": count for name, count in counts.items()}
    found: dict[str, dict[str, Any]] = {}
    for path in sorted(folder.iterdir()):
        digest = sha256()
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
        said: dict[str, Any] = {"sha256": digest.hexdigest(), "bytes": path.stat().st_size}
        if path.name in columns:
            said |= {"rows": rows[path.name], "columns": columns[path.name]}
        found[path.name] = said
    return found
