"""`leadline fsck`, `rebuild`, `schema`: looking after the record."""

import os
from typing import Annotated, Literal

import typer

from leadline.cli import options


def fsck(
    processes: Annotated[
        int | None,
        typer.Option(
            "--processes",
            metavar="N",
            min=1,
            help="Processes that share the work.",
            show_default="one per core",
        ),
    ] = None,
    store: options.Store = None,
    json: options.Json = False,
) -> None:
    """Check every stored byte of the record.

    Entries, signatures, rights, tree, checkpoints, blobs, and everything computed from them. Ends with status
    5 when something is wrong.

    JSON: {"store", "entries", "sound", "problems": [{"code", "where", "what", "remedy"}]}.
    """
    from leadline.cli.opening import reading, shown
    from leadline.cli.output import Page, busy, emit

    with reading(store) as registry, busy("checking the record"):
        entries = registry.store.size()
        problems = list(registry.fsck(processes=processes or _cores()))
    if json:
        listed = [{"code": p.code, "where": p.where, "what": p.what, "remedy": p.remedy} for p in problems]
        emit({"store": shown(store), "entries": entries, "sound": not problems, "problems": listed})
    else:
        page = Page()
        said = (
            "all is sound"
            if not problems
            else f"{len(problems)} {'problem' if len(problems) == 1 else 'problems'}"
        )
        page.line(f"{entries:,} entries: {said}", "bold")
        for problem in problems:
            page.gap()
            page.line(f"{problem.where}: {problem.what} [{problem.code}]", indent=2)
            page.line(f"what to do: {problem.remedy}", indent=4)
    if problems:
        raise typer.Exit(5)


def _cores() -> int:
    """Processors that this process may use: in a container often fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def rebuild(store: options.Store = None, json: options.Json = False) -> None:
    """Make every computed table again from the log.

    JSON: {"store", "entries", "nodes_corrected", "tables": [name, ...]}.
    """
    from leadline.cli.opening import mending, shown
    from leadline.cli.output import busy, emit

    with mending(store) as registry, busy("replaying the log"):
        done = registry.rebuild()
    if json:
        emit(
            {
                "store": shown(store),
                "entries": done.entries,
                "nodes_corrected": done.nodes,
                "tables": list(done.projections),
            }
        )
        return
    corrected = f"; {done.nodes} tree nodes corrected" if done.nodes else ""
    typer.echo(f"Replayed {done.entries:,} entries into {', '.join(done.projections)}{corrected}.")


def schema(
    of: Annotated[Literal["protocol", "report", "comparison"], typer.Argument(help="Which document.")],
    json: options.Json = False,  # noqa: ARG001 (a schema is JSON either way)
) -> None:
    """Print the JSON Schema of a document.

    JSON: the schema, draft 2020-12; what is printed without --json too.
    """
    from leadline.cli.output import emit
    from leadline.protocol.schema import json_schema
    from leadline.verdict.schema import comparison_schema, report_schema

    emit({"protocol": json_schema, "report": report_schema, "comparison": comparison_schema}[of]())
