"""`leadline report`: the registered analysis, computed from the samples."""

from typing import TYPE_CHECKING, Annotated

import typer

from leadline.cli import options
from leadline.errors import InputError

if TYPE_CHECKING:
    from leadline.verdict import Report


def report(
    subject: Annotated[
        list[str],
        typer.Argument(metavar="ID|LOGS", help="A study; or, with --protocol, evaluation logs."),
    ],
    publish: Annotated[
        bool,
        typer.Option(
            "--publish/--no-publish", help="Record the report, whatever it says.", show_default="--no-publish"
        ),
    ] = False,
    protocol: Annotated[
        str | None,
        typer.Option(
            "--protocol", metavar="FILE", help="Judge logs by this protocol, which was never registered."
        ),
    ] = None,
    mapping: options.Mapping = None,
    html: Annotated[
        str | None, typer.Option("--html", metavar="FILE", help="Also write one self-contained page.")
    ] = None,
    store: options.Store = None,
    key: options.Key = None,
    json: options.Json = False,
) -> None:
    """Run the registered analysis on a study's logs.

    Without --publish nothing is recorded; a report that was published already is not recorded twice. With --protocol FILE LOGS... the analysis runs on logs of a
    protocol that was never registered, and the report is retrospective.

    JSON: a report, as in report.schema.json, byte for byte as it is published.
    """
    from leadline.cli.opening import address, at_a_server, named, repeated
    from leadline.cli.output import Page, emit_bytes, note, write_text
    from leadline.verdict.page import report_page
    from leadline.verdict.terminal import print_report

    if protocol is not None:
        found, certificate = _unregistered(protocol, subject, publish, mapping)
        said, then = "Nothing was recorded: this protocol was never registered.", None
    else:
        if mapping is not None:
            raise InputError(
                "a registered study's tables carry their mappings with them",
                where="--mapping",
                remedy="give the mapping to `leadline attach`, or judge logs with --protocol FILE",
            )
        found, certificate, said, then = _registered(subject, publish, store, key)
    if html:
        # A file on this machine is no help to whoever reads the page, a server's address is.
        reachable = named(address(store)) if at_a_server(store) else ""
        write_text(html, report_page(found, certificate, reachable))
    if json:
        emit_bytes(found.to_json())
        note(f"{said} {then}" if then else said)
    else:
        page = Page()
        print_report(found, page.console, "" if protocol else repeated("", store=store).strip())
        page.gap()
        page.line(said, "bold")
        if then:
            page.verbatim(then)
    if html:
        note(f"The page is in {html}")


def _registered(
    subject: list[str], publish: bool, store: str | None, key: str | None
) -> "tuple[Report, str, str, str | None]":
    """The report of a study, its certificate, what became of it, and the command that would publish it."""
    from leadline.cli.opening import reading, repeated, writing
    from leadline.cli.output import busy

    if len(subject) != 1:
        raise InputError(
            "a report is of one study", remedy="name one ID, or give --protocol FILE with LOGS..."
        )
    with writing(store, key) if publish else reading(store) as registry:
        study = registry.study(subject[0])
        before = len(study.reports)
        with busy("reading the logs and running the analysis"):
            found = study.publish() if publish else study.analyze()
        certificate = study.certificate.decode()
        if publish:
            entry = study.reports[-1].ix
            if len(study.reports) == before:
                return (
                    found,
                    certificate,
                    f"Already published as entry {entry}: nothing has changed since.",
                    None,
                )
            return (
                found,
                certificate,
                f"Published as entry {entry}: the record has it, whatever it says.",
                None,
            )
        then = repeated(f"leadline report {study.id} --publish", store=store, key=key)
        return found, certificate, "Nothing was recorded. To publish it:", then


def _unregistered(
    protocol: str, logs: list[str], publish: bool, mapping: str | None
) -> "tuple[Report, None]":
    from leadline.cli.output import busy
    from leadline.logs import read_logs
    from leadline.protocol import Protocol
    from leadline.verdict import analyze, required_columns

    if publish:
        raise InputError(
            "what was never registered cannot be published as a report",
            remedy="record it as retrospective with `leadline import`",
        )
    plan = Protocol.load(protocol)
    with busy("reading the logs and running the analysis"):
        columns = list(required_columns(plan)) or None
        samples = read_logs(logs, tier="sample", columns=columns, mapping=mapping)
        return analyze(plan, samples), None
