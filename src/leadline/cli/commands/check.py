"""`leadline check`: a critical reader."""

from typing import Annotated

import typer

from leadline.cli import options


def check(
    protocol: options.ProtocolFile,
    replicates: Annotated[
        int | None,
        typer.Option(
            "--replicates",
            metavar="N",
            min=0,
            help="Simulated studies per truth; 0 simulates none.",
            show_default="as registered",
        ),
    ] = None,
    all_: Annotated[
        bool, typer.Option("--all", help="Print notes in full too; JSON always has all.")
    ] = False,
    store: options.Store = None,
    json: options.Json = False,
) -> None:
    """Read a protocol as a critical referee would.

    Executes the registered analysis on simulated data: its power, how often it is wrong, what a null would be
    worth. Ends with status 1 when something blocks registration. Codes: docs/findings.md.

    JSON: {"protocol": digest, "registrable", "findings": [{"code", "severity", "where", "message", "remedy"}],
    "characteristics": {...} or null}.
    """
    from datetime import UTC, datetime

    from leadline.cli.opening import reading_if_there
    from leadline.cli.output import emit, progress
    from leadline.protocol import Protocol
    from leadline.registry.check import examine

    plan = Protocol.load(protocol)
    registry = reading_if_there(store)
    try:
        with progress("simulating") as tick:
            examined = examine(
                plan, registry, replicates=replicates, today=datetime.now(UTC).date(), progress=tick
            )
    finally:
        if registry is not None:
            registry.close()
    if json:
        simulated = examined.characteristics
        emit(
            {
                "protocol": plan.digest,
                "registrable": examined.registrable,
                "findings": [found.to_dict() for found in examined.findings],
                "characteristics": None if simulated is None else simulated.to_dict(),
            }
        )
    else:
        from leadline.cli.findings import print_examination

        print_examination(plan, examined, protocol, notes=all_, store=store)
    if not examined.registrable:
        raise typer.Exit(1)
