"""`leadline attach`: the logs a study rests on."""

from typing import Annotated

import typer

from leadline.cli import options
from leadline.cli.scanning import AllowFinding, require_publishable


def attach(
    study: options.StudyId,
    logs: Annotated[list[str], typer.Argument(metavar="LOGS", help="Evaluation logs, or folders of them.")],
    attempt: Annotated[
        int | None, typer.Option("--attempt", metavar="N", min=1, help="The attempt that wrote them.")
    ] = None,
    force: Annotated[
        bool,
        typer.Option(
            "--force",
            help="Attach even what began before the freeze, or is stamped for another study or attempt.",
        ),
    ] = False,
    allow_finding: AllowFinding = None,
    mapping: options.Mapping = None,
    store: options.Store = None,
    key: options.Key = None,
    json: options.Json = False,
) -> None:
    """Keep evaluation logs, and record that they belong to a study.

    With a log go the files it is read with, and with a table its mapping. A file that was attached before is not attached again. The attempt must be open. Refused, unless forced, are
    a log that began before the freeze, which would make the study retrospective for good, and one whose stamp names
    another study or attempt. Attached logs are public: they are first searched for
    secrets and personal data, and what is found stops the command unless its code is allowed.

    JSON: {"study", "attempt", "logs": [{"sha256", "name", "size", "format", "samples", "attempt"}]}, every log of the
    given files, attached now or before.
    """
    from leadline.cli.opening import repeated, writing
    from leadline.cli.output import Page, busy, emit

    require_publishable(logs if mapping is None else [*logs, mapping], allow_finding or ())
    with writing(store, key) as registry:
        found = registry.study(study)
        before = {row.sha256 for row in found.attachments}
        with busy("reading the logs"):
            digests = found.attach(logs, attempt=attempt, force=force, mapping=mapping)
        rows = {row.sha256: row for row in found.attachments if row.sha256 in digests}
    if json:
        forms = [
            {
                "sha256": row.sha256,
                "name": row.name,
                "size": row.size,
                "format": row.format,
                "samples": row.samples,
                "attempt": row.attempt,
            }
            for row in rows.values()
        ]
        emit({"study": found.id, "attempt": attempt, "logs": forms})
        return
    page = Page()
    new = [row for row in rows.values() if row.sha256 not in before]
    page.line(f"Attached {len(new)} {'log' if len(new) == 1 else 'logs'} to {found.id}", "bold")
    if new:
        listed = [
            (row.name, row.format, _number(row.samples), _number(row.size), f"{row.sha256[:16]}…")
            for row in new
        ]
        page.table(("log", "format", "samples", "bytes", "sha256"), listed, right=(2, 3))
    if len(rows) > len(new):
        page.line(f"{len(rows) - len(new)} attached before", "dim", indent=2)
    page.head("Next")
    step = f"report {found.id}" if attempt is None else f"attempts close {found.id} {attempt}"
    page.verbatim(repeated(f"leadline {step}", store=store, key=key))


def _number(number: int | None) -> str:
    return "" if number is None else f"{number:,}"
