"""A study as an RO-Crate: the exported study, with metadata that repositories of research data understand.

RO-Crate 1.1 (w3id.org/ro/crate/1.1): a folder with ``ro-crate-metadata.json`` and, in ``study/``, what
`export_study` writes. The metadata adds nothing that is not in the record; `leadline verify DIR/study` verifies it.
"""

import json
import mimetypes
import tempfile
import zipfile
from collections.abc import Iterable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from leadline.errors import StateError, StoreError
from leadline.registry.exchange import export_study
from leadline.store.projections.reports import verdicts

if TYPE_CHECKING:
    from leadline.registry.registry import Registry
    from leadline.registry.study import Study

METADATA: Final = "ro-crate-metadata.json"
_CONTEXT: Final = "https://w3id.org/ro/crate/1.1/context"
_PROFILE: Final = "https://w3id.org/ro/crate/1.1"
_FOLDER: Final = "study"
_CHUNK: Final = 1 << 20
#: Files in the archive carry no time of their own: the same study gives the same bytes.
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
_WORDS: Final = {
    "protocol.json": "The registered protocol, byte for byte",
    "protocol.yaml": "The registered protocol, for reading",
    "freeze.dsse.json": "The signed statement that registered the study",
    "log.vkey": "Public key of the transparency log",
    "characteristics.json": "Operating characteristics of the registered analysis, simulated before the data",
}


def write_crate(registry: "Registry", study: str, target: Path) -> list[Path]:
    """Write a study as an RO-Crate into a new folder, or into a new file whose name ends in ``.zip``.

    Returns the files written. The same record gives the same bytes. Raises NotFoundError (no such study),
    StateError (something is there), StoreError (the disk refuses).
    """
    if target.exists() and (target.is_file() or any(target.iterdir())):
        raise StateError(
            "there is something here already", where=str(target), remedy="name a new folder or file"
        )
    if target.suffix != ".zip":
        return _write_folder(registry, study, target)
    try:
        with tempfile.TemporaryDirectory(prefix="leadline-crate-") as place:
            _zip(Path(place), _write_folder(registry, study, Path(place)), target)
    except OSError as error:
        raise StoreError(
            f"the crate cannot be written: {error.strerror or error}",
            where=str(target),
            remedy="check that the place is writable and has space left",
        ) from error
    return [target]


def crate_metadata(found: "Study", folder: Path, files: Iterable[Path]) -> dict[str, Any]:
    """The metadata of a study whose files lie in `folder`, as JSON-LD."""
    described = [_file(found, folder, path) for path in sorted(files)]
    people = [_author(position, author) for position, author in enumerate(found.protocol.authors, 1)]
    root: dict[str, Any] = {
        "@id": "./",
        "@type": "Dataset",
        "name": found.row.title,
        "description": _description(found),
        "identifier": found.id,
        "datePublished": found.row.created,
        "author": _references(people),
        "license": {"@id": "#licence"},
        "keywords": sorted({*found.protocol.area, *(arm.technique for arm in found.protocol.arms)}),
        "creativeWorkStatus": found.row.state,
        "hasPart": _references(described),
    }
    if found.reports:
        root["dateModified"] = found.reports[-1].created
    licence = {
        "@id": "#licence",
        "@type": "CreativeWork",
        "name": "Not stated",
        "description": "The record names no licence; ask the authors before you reuse more than facts.",
    }
    descriptor = {
        "@id": METADATA,
        "@type": "CreativeWork",
        "conformsTo": {"@id": _PROFILE},
        "about": {"@id": "./"},
    }
    return {"@context": _CONTEXT, "@graph": [descriptor, root, licence, *people, *described]}


def _write_folder(registry: "Registry", study: str, folder: Path) -> list[Path]:
    files = export_study(registry, study, folder / _FOLDER)
    metadata = crate_metadata(registry.study(study), folder, files)
    path = folder / METADATA
    path.write_text(json.dumps(metadata, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return [path, *files]


def _description(found: "Study") -> str:
    """Claims, and what became of them, in a sentence each."""
    protocol = found.protocol
    said = [f"A registered experiment (entry {found.index} of the log). It promises to test:"]
    said += [f"{one.id}: {one.claim}." for one in protocol.hypotheses]
    if found.reports:
        known = verdicts(found.registry.store, found.reports[-1].ix)
        said.append("Its registered analysis found:")
        said += [f"{one.hypothesis}: {one.outcome} ({one.standing})." for one in known]
    return " ".join(said)[:5000]


def _author(position: int, author: Any) -> dict[str, Any]:
    if author.kind == "llm":
        said = {"@type": "SoftwareApplication", "name": author.name}
        return {
            "@id": f"#author-{position}",
            **said,
            **({"softwareVersion": author.model} if author.model else {}),
        }
    return {"@id": f"#author-{position}", "@type": "Person", "name": author.name}


def _file(found: "Study", folder: Path, path: Path) -> dict[str, Any]:
    name = path.relative_to(folder).as_posix()
    said: dict[str, Any] = {
        "@id": _encoded(name),
        "@type": "File",
        "name": path.name,
        "contentSize": str(path.stat().st_size),
        "sha256": _digest(path),
        "encodingFormat": _format(path),
    }
    description = _WORDS.get(path.name) or _about(path, found)
    return said | {"description": description} if description else said


def _about(path: Path, found: "Study") -> str:
    if path.name.startswith("report-"):
        return "The result of the registered analysis, computed from the logs"
    if path.name == f"{found.id}.tlog-proof":
        return "The registration certificate: proves offline that the study was registered"
    return "An evaluation log" if path.parent.parent.name == "logs" else ""


def _format(path: Path) -> str:
    known = {
        ".eval": "application/zip",
        ".vkey": "text/plain",
        ".tlog-proof": "text/plain",
        ".yaml": "application/yaml",
    }
    return (
        known.get(path.suffix)
        or mimetypes.guess_type(path.name, strict=True)[0]
        or "application/octet-stream"
    )


def _encoded(name: str) -> str:
    from urllib.parse import quote

    return quote(name)


def _references(entities: Sequence[dict[str, Any]]) -> list[dict[str, str]]:
    return [{"@id": one["@id"]} for one in entities]


def _digest(path: Path) -> str:
    digest = sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _zip(folder: Path, files: Sequence[Path], target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(target, "x", zipfile.ZIP_DEFLATED, allowZip64=True) as archive:
        for path in files:
            entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), _EPOCH)
            entry.compress_type = zipfile.ZIP_STORED if path.suffix == ".eval" else zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            with path.open("rb") as source, archive.open(entry, "w", force_zip64=True) as member:
                while chunk := source.read(_CHUNK):
                    member.write(chunk)
