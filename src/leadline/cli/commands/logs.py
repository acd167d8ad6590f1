"""`leadline logs`: what log files are, and what they hold."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from leadline.cli import options

if TYPE_CHECKING:
    from leadline.logs import Recomputed, SampleTable


def logs(
    paths: Annotated[list[str], typer.Argument(metavar="LOGS", help="Files, or folders of them.")],
    mapping: options.Mapping = None,
    bind: Annotated[
        bool,
        typer.Option("--bind", help="Write the mapping beside each table, bound to it, as LOG.mapping.json."),
    ] = False,
    export: Annotated[
        str | None,
        typer.Option(
            "--every-eval-ever", metavar="FOLDER", help="Also write records of Every Eval Ever, schema 0.3.0."
        ),
    ] = None,
    organisation: Annotated[
        str | None,
        typer.Option("--organisation", metavar="NAME", help="Who publishes those records; needed for them."),
    ] = None,
    json: options.Json = False,
) -> None:
    """Say what log files are, and compute their aggregates again.

    Reads every format that Leadline knows, by content, and gives task, model and samples. Files that give nothing are named with the reason. Aggregates
    stand beside what the samples give.

    JSON: {"logs": [{"log", "sha256", "format", "task", "model", "begun", "samples", "claimed", "left_out",
    "aggregate_only", "companions", "notes"}], "aggregates": [{"log", "score", "metric", "reported", "recomputed", "n",
    "consistent", "reason"}], "skipped": [{"path", "kind", "reason"}], "written": [path]}.
    """
    from leadline.cli.output import Page, busy, emit
    from leadline.logs import read_logs, recomputed

    with busy("reading the logs"):
        table = read_logs(paths, tier="sample", mapping=mapping)
        aggregates = recomputed(table)
    written = [*_bound(paths, mapping, bind), *_exported(table, export, organisation)]
    told = _told(table)
    if json:
        listed = [_aggregate(one) for one in aggregates]
        skipped = [{"path": s.path, "kind": s.kind, "reason": s.reason} for s in table.accounting.skipped]
        emit({"logs": told, "aggregates": listed, "skipped": skipped, "written": written})
        return
    page = Page()
    for one in told:
        page.head(one["log"])
        facts = (
            one["format"],
            one["task"] or "task not stated",
            one["model"] or "model not stated",
            _samples(one),
        )
        page.line(" · ".join(facts), indent=2)
        mine = [a for a in aggregates if (a.sha256, a.log) == (one["sha256"], one["log"])]
        numbers = [
            (a.score, a.metric, _number(a.reported), _number(a.recomputed), f"{a.n:,}", _verdict(a))
            for a in mine
        ]
        if numbers:
            page.table(("score", "metric", "reported", "samples give", "n", ""), numbers, right=(2, 3, 4))
        for reason in dict.fromkeys(a.reason for a in mine if a.reason):
            page.line(reason, "dim", indent=2)
        for reason, count in one["left_out"].items():
            page.line(f"{count:,} left out: {reason}", "dim", indent=2)
        for said in one["notes"]:
            page.line(said, "dim", indent=2)
    if table.accounting.skipped:
        page.head("Read with a log, or not read")
    for skip in table.accounting.skipped:
        page.line(f"{skip.path}: {skip.reason}", "dim", indent=2)
    for path in written:
        page.line(f"Written: {path}")


def _told(table: "SampleTable") -> list[dict[str, Any]]:
    """What is said of each log; accounts stand in the order of reading, logs in that of the table."""
    accounts = {(account.sha256, account.log): account for account in table.accounting.logs}
    found = []
    for header in table.headers:
        account = accounts[header.sha256, header.log]
        found.append(
            {
                "log": header.log,
                "sha256": header.sha256,
                "format": header.format,
                "task": header.task,
                "model": header.model,
                "begun": None if header.begun is None else header.begun.isoformat(),
                "samples": account.kept,
                "claimed": header.total_samples,
                "left_out": {left.reason: left.count for left in account.left_out},
                "aggregate_only": header.aggregate_only,
                "companions": [{"name": one.name, "sha256": one.sha256} for one in header.companions],
                "notes": list(account.notes),
            }
        )
    return found


def _bound(paths: list[str], mapping: str | None, bind: bool) -> list[str]:
    from leadline.cli.output import write_new
    from leadline.errors import InputError
    from leadline.logs import read_logs

    if not bind:
        return []
    if mapping is None:
        raise InputError("there is no mapping to bind", where="--bind", remedy="name it with --mapping FILE")
    written = []
    for header in read_logs(paths, tier="header", mapping=mapping).headers:
        for one in header.companions:
            if one.text is not None:
                path = f"{header.path}.mapping.json"
                write_new(path, one.text)
                written.append(path)
    return written


def _exported(table: "SampleTable", folder: str | None, organisation: str | None) -> list[str]:
    from leadline.cli.output import write_new
    from leadline.errors import InputError

    if folder is None:
        return []
    if organisation is None:
        raise InputError(
            "a record names the organisation that publishes it",
            where="--every-eval-ever",
            remedy='say who that is: --organisation "NAME"',
        )
    from leadline.logs.writers.every_eval_ever import Source, every_eval_ever

    written = []
    for record in every_eval_ever(table, Source(organisation), retrieved=datetime.now(UTC)):
        for name, content in ((record.instances_path, record.instances), (record.path, record.aggregate)):
            path = Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            write_new(str(path), content.decode())
            written.append(str(path))
    return written


def _aggregate(one: "Recomputed") -> dict[str, Any]:
    names = ("log", "score", "metric", "reported", "recomputed", "n", "consistent", "reason")
    return {name: getattr(one, name) for name in names}


def _verdict(one: "Recomputed") -> str:
    return {None: "", True: "agrees", False: "DIFFERS"}[one.consistent]


def _samples(one: dict[str, Any]) -> str:
    held = f"{one['samples']:,} samples"
    return (
        held if one["claimed"] in (None, one["samples"]) else f"{held} of the {one['claimed']:,} it speaks of"
    )


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"
