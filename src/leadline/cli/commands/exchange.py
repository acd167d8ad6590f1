"""`leadline export`: records out."""

import shlex
from pathlib import Path
from typing import Annotated

import typer

from leadline.cli import options


def export(
    first: Annotated[
        str,
        typer.Argument(metavar="ID|DIR", help="A study's id; or a folder, to write the whole record into."),
    ],
    folder: Annotated[
        str | None,
        typer.Argument(metavar="DIR", help="Where to write the study; without it, a folder named ID."),
    ] = None,
    tables: Annotated[
        bool, typer.Option("--all", help="Write every study as tables: Parquet, and one SQLite file.")
    ] = False,
    crate: Annotated[
        bool, typer.Option("--crate", help="With a study: as an RO-Crate; DIR may be a new .zip file.")
    ] = False,
    since: Annotated[
        int,
        typer.Option("--since", metavar="INDEX", min=0, help="With --all: only what changed from there on."),
    ] = 0,
    store: options.Store = None,
    json: options.Json = False,
) -> None:
    """Write a study, or the whole record, as plain files.

    `export ID` and `export ID DIR` write that study: its protocol, certificate, statements with their proofs,
    logs and reports; `leadline verify DIR` checks it all with nothing else. `export DIR`, where DIR is no id,
    writes the whole record: signed checkpoint, tiles, entries and blobs, in the layout any C2SP tlog-tiles
    client reads. `export --all DIR` writes tables to compute with: studies, hypotheses, verdicts, attempts,
    logs, judgements, statements; `--since` is the size of a dump that you have.

    JSON: {"study": id or null, "folder", "files": [path, ...]}.
    """
    from leadline.cli.opening import reading
    from leadline.cli.output import Page, busy, emit
    from leadline.errors import InputError
    from leadline.registry.bulk import MANIFEST, export_tables
    from leadline.registry.crate import write_crate
    from leadline.registry.exchange import export_registry, export_study

    if since and not tables:
        raise InputError("--since goes with --all", remedy="`leadline export --all DIR --since INDEX`")
    with reading(store) as registry, busy("writing"):
        if tables:
            study, target = None, Path(folder or first)
            dump = export_tables(registry, target, since=since)
            files = [target / name for name in (*dump.files, MANIFEST)]
        elif folder is None and not _is_id(first):
            study, target = None, Path(first)
            files = export_registry(registry, target)
        else:
            study = registry.study(first).id
            target = Path(folder or study)
            files = (write_crate if crate else export_study)(registry, study, target)
    if json:
        emit({"study": study, "folder": str(target), "files": [str(path) for path in files]})
        return
    page = Page()
    page.line(f"Wrote {study or 'the whole record'} to {target}: {len(files)} files", "bold")
    if crate and study:
        zipped = target.suffix == ".zip"
        inside = (target.with_suffix("") if zipped else target) / "study"
        page.line("An RO-Crate; the folder `study` in it verifies by itself:", "dim", indent=2)
        if zipped:
            page.verbatim(f"python -m zipfile -e {_typed(target)} {_typed(target.with_suffix(''))}")
        page.verbatim(f"leadline verify {_typed(inside)} --key {_typed(inside / 'log.vkey')}")
        return
    if tables:
        page.line("manifest.json has the digest, rows and columns of every file.", "dim", indent=2)
        return
    page.line("Whoever has the folder can verify it, without this registry:", "dim", indent=2)
    page.verbatim(f"leadline verify {_typed(target)} --key {_typed(target / 'log.vkey')}")


def _typed(path: Path) -> str:
    """A path as it is typed: never mistaken for a study's id, and safe in a shell."""
    return shlex.quote(str(path) if path.is_absolute() else f"./{path}")


def _is_id(text: str) -> bool:
    from leadline.errors import InputError
    from leadline.ledger.ids import read_study_id

    try:
        read_study_id(text)
    except InputError:
        return False
    return True
