"""`leadline export`, `import`: records out, outside data in."""

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
    store: options.Store = None,
    json: options.Json = False,
) -> None:
    """Write a study, or the whole record, as plain files.

    `export ID` and `export ID DIR` write that study: its protocol, certificate, statements with their proofs,
    logs and reports; `leadline verify DIR` checks it all with nothing else. `export DIR`, where DIR is no id,
    writes the whole record: signed checkpoint, tiles, entries and blobs, in the layout any C2SP tlog-tiles
    client reads.

    JSON: {"study": id or null, "folder", "files": [path, ...]}.
    """
    from leadline.cli.opening import reading
    from leadline.cli.output import Page, busy, emit
    from leadline.registry.exchange import export_registry, export_study

    with reading(store) as registry, busy("writing"):
        if folder is None and not _is_id(first):
            study, target = None, Path(first)
            files = export_registry(registry, target)
        else:
            study = registry.study(first).id
            target = Path(folder or study)
            files = export_study(registry, study, target)
    if json:
        emit({"study": study, "folder": str(target), "files": [str(path) for path in files]})
        return
    page = Page()
    page.line(f"Wrote {study or 'the whole record'} to {target}: {len(files)} files", "bold")
    page.line("Whoever has the folder can verify it, without this registry:", "dim", indent=2)
    page.verbatim(f"leadline verify {target} --key {target / 'log.vkey'}")


def _is_id(text: str) -> bool:
    from leadline.errors import InputError
    from leadline.ledger.ids import read_study_id

    try:
        read_study_id(text)
    except InputError:
        return False
    return True


def import_(
    protocol: options.ProtocolFile,
    logs: Annotated[list[str], typer.Argument(metavar="LOGS", help="Evaluation logs, or folders of them.")],
    source: Annotated[
        str,
        typer.Option("--source", metavar="TEXT", help="Where the logs come from: a URL, a paper, a person."),
    ],
    note: Annotated[str, typer.Option("--note", metavar="TEXT", help="A remark for the record.")] = "",
    store: options.Store = None,
    key: options.Key = None,
    json: options.Json = False,
) -> None:
    """Record what existing logs show, as retrospective.

    The analysis is the same as for a registered study; the record says that nothing was promised beforehand.

    JSON: {"index", "report": sha256, "verdicts": {hypothesis: {"outcome", "standing", "reason"}}}.
    """
    from leadline.cli.opening import writing
    from leadline.cli.output import Page, busy, emit
    from leadline.protocol import Protocol
    from leadline.registry.exchange import import_logs
    from leadline.verdict.terminal import print_report

    plan = Protocol.load(protocol)
    with writing(store, key, create=True) as registry, busy("reading the logs and running the analysis"):
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
    page.line(f"Recorded as retrospective, entry {found.index}.", "bold")
