"""`leadline export`, `import`: records out, outside data in."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from leadline.cli import options

if TYPE_CHECKING:
    from leadline.cli.output import Page


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


def import_(
    first: Annotated[
        str,
        typer.Argument(metavar="PROTOCOL|RESULT", help="A protocol, YAML or JSON; with --title, a result."),
    ],
    source: Annotated[
        str,
        typer.Option("--source", metavar="TEXT", help="Where it comes from: a URL, a paper, a person."),
    ],
    logs: Annotated[
        list[str] | None, typer.Argument(metavar="LOGS", help="Evaluation logs, or folders of them.")
    ] = None,
    title: Annotated[
        str | None,
        typer.Option(
            "--title", metavar="TEXT", help="Record the file itself, a finished result, under this title."
        ),
    ] = None,
    note: Annotated[str, typer.Option("--note", metavar="TEXT", help="A remark for the record.")] = "",
    store: options.Store = None,
    key: options.Key = None,
    origin: options.Origin = None,
    invitation: options.Invitation = None,
    json: options.Json = False,
) -> None:
    """Record what existing logs show, as retrospective.

    The analysis is the same as for a registered study; the record says that nothing was promised beforehand, so it
    weighs less. With --title no logs are needed: RESULT is recorded as it is, the JSON of `leadline compare` or any
    table.

    JSON: {"index", "report": sha256, "verdicts": {hypothesis: {"outcome", "standing", "reason"}}}; with --title
    {"index", "content": "report" or "table"}.
    """
    from leadline.cli.opening import writing
    from leadline.cli.output import Page, busy, emit
    from leadline.protocol import Protocol
    from leadline.registry.exchange import import_logs
    from leadline.verdict.terminal import print_report

    if title is not None:
        _import_result(first, logs or [], title, source, note, store, key, origin, invitation, json=json)
        return
    if not logs:
        raise typer.BadParameter("name the logs, or with --title a result", param_hint="LOGS")
    plan = Protocol.load(first)
    with (
        writing(store, key, create=True, origin=origin, invitation=invitation) as registry,
        busy("reading the logs and running the analysis"),
    ):
        found = import_logs(registry, plan, logs, source=source, note=note)
    verdicts = found.report.verdicts
    if json:
        said = {
            h: {"outcome": v.outcome, "standing": v.standing, "reason": v.reason} for h, v in verdicts.items()
        }
        emit({"index": found.index, "report": found.digest, "verdicts": said})
        return
    page = Page()
    print_report(found.report, page.console)
    page.gap()
    _recorded(page, found.index)


def _import_result(
    path: str,
    more: list[str],
    title: str,
    source: str,
    note: str,
    store: str | None,
    key: str | None,
    origin: str | None,
    invitation: str | None,
    *,
    json: bool,
) -> None:
    """Record a finished result as it is."""
    from leadline.cli.opening import writing
    from leadline.cli.output import Page, emit
    from leadline.registry.retrospective import MOST_BYTES, Retrospective

    if more:
        raise typer.BadParameter("a result is one file", param_hint="LOGS")
    with Path(path).open("rb") as file:
        data = file.read(MOST_BYTES + 1)
    content: Literal["report", "table"] = "report" if data.lstrip()[:1] == b"{" else "table"
    with writing(store, key, create=True, origin=origin, invitation=invitation) as registry:
        receipt = registry.record_retrospective(
            Retrospective(title, source, data, content=content, note=note or None)
        )
    if json:
        emit({"index": receipt.index, "content": content})
        return
    _recorded(Page(), receipt.index)


def _recorded(page: "Page", index: int) -> None:
    from leadline.registry.retrospective import WORDS

    page.line(f"Recorded as retrospective, entry {index}.", "bold")
    page.line(f"It is {WORDS}.", "dim")
