"""Taking records out of a registry, and bringing outside data in."""

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from leadline.errors import InputError, StoreError
from leadline.ledger.canon import canonical
from leadline.ledger.certificate import SUFFIX, Certificate
from leadline.ledger.dsse import decode
from leadline.ledger.statements import parse
from leadline.ledger.tlog.tile import entries_path, tiles
from leadline.logs import read_logs
from leadline.logs.binding import with_mapping
from leadline.protocol.document import dump
from leadline.protocol.model import Protocol
from leadline.registry.statements import ENVELOPE, TAKEN_DOWN, log_path, statements_of
from leadline.registry.unsealing import REVEALED, SLOTS, slot_proofs
from leadline.store.projections.references import is_referenced
from leadline.verdict.analysis import analyze
from leadline.verdict.needs import required_columns
from leadline.verdict.report import Report

if TYPE_CHECKING:
    from leadline.logs.headers import LogHeader
    from leadline.logs.mapping import MappingLike
    from leadline.registry.registry import Registry
    from leadline.registry.study import Study

BUNDLE = 256


def export_study(registry: "Registry", study: str, folder: Path) -> list[Path]:
    """Write everything about one study into a folder: protocol, certificate, logs, reports, and its statements.

    Each statement comes with the proof that it is in the log, all under one signed tree, and so do the key
    statements that its signature rests on: `leadline.registry.bundle.verify_bundle` needs nothing else.
    What was taken down is left out, and ``taken-down.json`` says why. Returns the files written. Existing files of
    the same names are replaced.
    """
    found = registry.study(study)
    written = [
        _write(folder / "protocol.json", found.protocol.canonical_bytes()),
        _write(folder / "protocol.yaml", dump(found.protocol).encode()),
        _write(folder / f"{found.id}{SUFFIX}", found.certificate),
        _write(folder / "freeze.dsse.json", found.envelope),
        _write(folder / "log.vkey", (registry.home.log.vkey + "\n").encode()),
    ]
    files = {row.sha256: folder / log_path(row.sha256, row.name) for row in found.files.values()}
    files |= {one.report: folder / f"report-{one.ix}.json" for one in found.reports}
    if found.row.characteristics is not None:
        files[found.row.characteristics] = folder / "characteristics.json"
    gone = {digest: reason for digest in files if (reason := registry.store.taken_down(digest)) is not None}
    for digest, path in files.items():
        if digest not in gone:
            with registry.store.open_blob(digest) as source:
                written.append(_write(path, _chunks(source)))
    if gone:
        written.append(_write(folder / TAKEN_DOWN, canonical(gone)))
    if found.row.promised != found.row.ix:
        written += _unsealing(registry, found, folder)
    return [*written, *_statements(registry, found, folder / "statements")]


def _unsealing(registry: "Registry", study: "Study", folder: Path) -> list[Path]:
    """What opened the seal of a once sealed study, and the proofs of its slots."""
    from leadline.ledger.predicates import Reveal

    said = parse(decode(registry.store.entry(study.row.ix)).payload).predicate
    assert isinstance(said, Reveal), "a once sealed study stands at its reveal"
    with registry.store.snapshot() as view:
        proofs = slot_proofs(view, study.id)
    return [
        _write(folder / REVEALED, registry.store.blob(said.body)),
        _write(folder / SLOTS, proofs),
    ]


def _statements(registry: "Registry", study: "Study", folder: Path) -> list[Path]:
    """Every statement of the study and of its keys, each with its proof."""
    written = []
    with registry.store.snapshot() as view:
        size = view.size()
        checkpoint = view.checkpoint(size)
        for index, envelope in statements_of(view, study.id):
            proof = Certificate.make(index, view.inclusion_proof(index, size), checkpoint, envelope)
            written.append(_write(folder / f"{index}{ENVELOPE}", envelope))
            written.append(_write(folder / f"{index}{SUFFIX}", proof.format()))
    return written


def export_registry(registry: "Registry", folder: Path) -> list[Path]:
    """Write the whole record as static files: checkpoint, tiles, entry bundles, blobs, and a table of studies.

    The layout is that of C2SP tlog-tiles, so any such client can read and verify it.
    """
    store = registry.store
    written: list[Path] = []
    with store.snapshot() as view:
        size = view.size()
        written.append(_write(folder / "log.vkey", (registry.home.log.vkey + "\n").encode()))
        for tile in tiles(size):
            hashes = view.tile(tile.level, tile.index, tile.width)
            written.append(_write(folder / tile.path(), hashes))
        for n in range(-(-size // BUNDLE)):
            width = min(BUNDLE, size - n * BUNDLE)
            written.append(_write(folder / entries_path(n, width), view.entry_bundle(n, width)))
        lines = [json.dumps(_summary(study), sort_keys=True) for study in registry.studies()]
        written.append(_write(folder / "studies.jsonl", ("".join(f"{line}\n" for line in lines)).encode()))
        gone: dict[str, str] = {}
        for blob in store.blobs():
            # What no statement names is nobody's business: a plan that was not registered in the end, a sealed one.
            if not is_referenced(view, blob.sha256):
                continue
            if blob.kept == "taken_down":
                gone[blob.sha256] = blob.reason or ""
            else:
                with store.open_blob(blob.sha256) as source:
                    target = folder / "blobs" / blob.sha256[:2] / blob.sha256[2:]
                    written.append(_write(target, _chunks(source)))
        if gone:
            written.append(_write(folder / TAKEN_DOWN, canonical(gone)))
        # The checkpoint goes last: whoever sees it finds everything it speaks of.
        written.append(_write(folder / "checkpoint", view.checkpoint(size)))
    return written


def _summary(study: Any) -> dict[str, Any]:
    from leadline.store.projections.reports import verdicts

    row = study.row
    last = study.reports[-1] if study.reports else None
    return {
        "id": row.id,
        "index": row.ix,
        "title": row.title,
        "state": row.state,
        "protocol": row.protocol,
        "created": row.created,
        "due": row.due,
        "report": None if last is None else last.report,
        "verdicts": {}
        if last is None
        else {
            v.hypothesis: {"outcome": v.outcome, "standing": v.standing}
            for v in verdicts(study.registry.store, last.ix)
        },
    }


@dataclass(frozen=True, slots=True)
class Imported:
    """A retrospective record: its place in the log, and the report that was computed."""

    index: int
    digest: str
    report: Report


def import_logs(
    registry: "Registry",
    protocol: Protocol,
    logs: "str | os.PathLike[str] | Sequence[str | os.PathLike[str]]",
    *,
    source: str | None = None,
    note: str = "",
    mapping: "MappingLike | None" = None,
) -> Imported:
    """Record what existing logs show under a protocol that was never registered; always retrospective.

    The analysis is computed exactly as for a registered study; the record says that nothing was promised
    beforehand. ``source`` says where the logs come from; without it, how many there are, of which formats, and when
    they were run. ``mapping`` says what the columns of tables among them mean, and is kept with them. Raises
    InputError when no log can be read. What the logs hold becomes public: search them first
    (`leadline.registry.scan`).
    """
    author = registry.author()
    # The report is about the canonical bytes: whoever computes it again has nothing else (0.0 is written 0 there).
    protocol = Protocol.parse(protocol.canonical_bytes(), name="protocol.json")
    with with_mapping(logs, mapping) as paths:
        samples = read_logs(paths, tier="sample", columns=list(required_columns(protocol)) or None)
        if not samples.headers:
            raise InputError(
                "none of these files is an evaluation log",
                remedy="pass logs of a format that is read (docs/log-formats.md)",
            )
        report = analyze(protocol, samples)
        registry.store.put_blob(protocol.canonical_bytes())
        read = {
            path: None for one in samples.headers for path in (one.path, *(c.path for c in one.companions))
        }
        for path in read:
            with Path(path).open("rb") as file:
                registry.store.put_blob(file)
    digest = registry.store.put_blob(report.to_json())
    said = {
        "content": "report",
        "digest": digest,
        "title": protocol.title,
        "source": source or _described(samples.headers),
        "note": note or None,
        "created": registry.time(),
    }
    first = protocol.authors[0]
    said = {key: value for key, value in said.items() if value is not None}
    receipt = registry.append(
        lambda view: [*registry.introduce(view, first.name, first.kind), ("import", said, author)]
    )[-1]
    return Imported(receipt.index, digest, report)


def _described(headers: "Sequence[LogHeader]") -> str:
    """Where logs come from, as far as they say it themselves."""
    formats = ", ".join(sorted({header.format for header in headers}))
    days = sorted(header.begun.date().isoformat() for header in headers if header.begun is not None)
    when = "" if not days else f", run {days[0]}" if days[0] == days[-1] else f", run {days[0]} to {days[-1]}"
    return f"{len(headers)} evaluation {'log' if len(headers) == 1 else 'logs'} ({formats}){when}"


def _chunks(source: BinaryIO) -> Iterator[bytes]:
    while chunk := source.read(1 << 20):
        yield chunk


def _write(path: Path, content: bytes | Iterable[bytes]) -> Path:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            for chunk in [content] if isinstance(content, bytes) else content:
                file.write(chunk)
    except OSError as error:
        raise StoreError(
            f"the export cannot be written: {error.strerror}",
            where=str(path),
            remedy="check that the folder is writable and has space left; nothing in the registry was changed",
        ) from error
    return path
