"""`leadline attempts`: runs announced before they begin, and how they ended."""

from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from leadline.cli import options

if TYPE_CHECKING:
    from leadline.bench.launch.reconcile import Left
    from leadline.registry.study import Study

app = typer.Typer(
    rich_markup_mode=None,
    no_args_is_help=True,
    help="Announce runs before they begin, and say how they ended.",
)

Number = Annotated[int, typer.Argument(metavar="N", min=1, help="The attempt's number.")]
Note = Annotated[str, typer.Option("--note", metavar="TEXT", help="A remark for the record.")]
Status = Literal["completed", "failed", "cancelled", "unknown"]


@app.command("open")
def open_(
    study: options.StudyId,
    note: Note = "",
    store: options.Store = None,
    key: options.Key = None,
    json: options.Json = False,
) -> None:
    """Announce the next run, and print how to run it.

    The token must be in the logs' metadata: what carries it was begun after this announcement. A command
    is printed for each arm of the protocol.

    JSON: {"study", "number", "token", "index", "arms": [{"arm", "metadata": {...}, "command"}]}.
    """
    from leadline.bench.launch.inspect_command import inspect_command
    from leadline.cli.opening import repeated, writing
    from leadline.cli.output import Page, emit

    with writing(store, key) as registry:
        found = registry.study(study)
        run = found.open_attempt(note)
        opened = next(one for one in found.attempts if one.number == run.number)
        arms = [
            {
                "arm": arm.name,
                "metadata": run.stamp(arm.name),
                "command": inspect_command(found.protocol, arm, run.stamp(arm.name), found.seeds),
            }
            for arm in found.protocol.arms
        ]
    if json:
        emit(
            {
                "study": found.id,
                "number": run.number,
                "token": run.token,
                "index": opened.opened_index,
                "arms": arms,
            }
        )
        return
    page = Page()
    page.line(f"Opened attempt {run.number} of {found.id}", "bold")
    page.facts([("token", run.token), ("entry", str(opened.opened_index))])
    page.head("Run each arm; the metadata ties its log to this attempt")
    for one in arms:
        page.line(str(one["arm"]), "dim", indent=2)
        page.verbatim(str(one["command"]), indent=4)
    page.head("Then")
    page.verbatim(repeated(f"leadline attach {found.id} LOGS --attempt {run.number}", store=store, key=key))
    page.verbatim(repeated(f"leadline attempts close {found.id} {run.number}", store=store, key=key))


@app.command()
def close(
    study: options.StudyId,
    number: Number,
    status: Annotated[
        Status,
        typer.Option(
            "--status", help="How it ended; without logs only failed or cancelled.", show_default="completed"
        ),
    ] = "completed",
    note: Note = "",
    store: options.Store = None,
    key: options.Key = None,
    json: options.Json = False,
) -> None:
    """Close a run with the logs that were attached for it.

    A run without logs stays open unless --status says that it failed or was cancelled.

    JSON: {"study", "number", "status", "index", "logs": [sha256, ...]}.
    """
    from leadline.cli.opening import repeated, writing
    from leadline.cli.output import Page, emit

    with writing(store, key) as registry:
        found = registry.study(study)
        logs = list(dict.fromkeys(row.sha256 for row in found.attachments if row.attempt == number))
        receipt = found.close_attempt(number, logs, status, note)
    if json:
        emit({"study": found.id, "number": number, "status": status, "index": receipt.index, "logs": logs})
        return
    count = f"{len(logs)} {'log' if len(logs) == 1 else 'logs'}" if logs else "no log"
    page = Page()
    page.line(f"Closed attempt {number} of {found.id} as {status}, with {count} (entry {receipt.index}).")
    page.head("Next")
    page.verbatim(repeated(f"leadline report {found.id}", store=store, key=key))


@app.command()
def abandon(
    study: options.StudyId,
    number: Number,
    reason: options.Reason,
    store: options.Store = None,
    key: options.Key = None,
    json: options.Json = False,
) -> None:
    """End a run that will have no result, with the reason why.

    JSON: {"study", "number", "index"}.
    """
    from leadline.cli.opening import writing
    from leadline.cli.output import emit

    with writing(store, key) as registry:
        found = registry.study(study)
        receipt = found.abandon_attempt(number, reason)
    if json:
        emit({"study": found.id, "number": number, "index": receipt.index})
    else:
        typer.echo(f"Abandoned attempt {number} of {found.id} (entry {receipt.index}).")


@app.command()
def reconcile(
    study: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="Only runs of this study.", show_default=False)
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what was left, and change nothing.")
    ] = False,
    allow_finding: Annotated[
        list[str] | None,
        typer.Option("--allow-finding", metavar="CODE", help="Publish what a scan found of this kind."),
    ] = None,
    store: options.Store = None,
    key: options.Key = None,
    json: options.Json = False,
) -> None:
    """Attach and close runs left behind: offline, interrupted, killed.

    An offline run is announced now, which the record shows. An attempt whose end nobody saw is closed as unknown or
    failed, with the logs there are, finished or not. Runs that still go on, and those of other registries, are left
    alone.

    JSON: {"runs": [{"study", "attempt", "created", "state", "status", "index", "logs", "problem"}]}; state is running,
    waiting (with --dry-run), elsewhere, settled, over or problem.
    """
    from leadline.bench.launch.reconcile import left_behind
    from leadline.bench.launch.reconcile import reconcile as settle_all
    from leadline.cli.opening import writing
    from leadline.cli.output import Page, emit
    from leadline.ledger.ids import read_study_id

    name = None if study is None else read_study_id(study)
    if dry_run:
        found = left_behind(name)
    else:
        with writing(store, key) as registry:
            found = list(settle_all(registry, name, allow=allow_finding or ()))
    if json:
        emit({"runs": [_left_form(one) for one in found]})
    else:
        page = Page()
        if not found:
            page.line("No run was left behind.")
        for one in found:
            page.line(_left_line(one))
            if one.problem is not None:
                page.line(f"what to do: {one.problem.remedy()}", indent=2)
    if any(one.state == "problem" for one in found):
        raise typer.Exit(1)


def _left_form(one: "Left") -> dict[str, Any]:
    return {
        "study": one.study,
        "attempt": one.attempt,
        "created": one.created,
        "state": one.state,
        "status": one.settled.status if one.settled else None,
        "index": one.settled.index if one.settled else None,
        "logs": len(one.settled.logs) if one.settled else one.logs,
        "problem": one.problem.diagnosis() if one.problem else None,
    }


def _left_line(one: "Left") -> str:
    what = f"{'offline run' if one.attempt is None else f'attempt {one.attempt}'} of {one.study}"
    said = {
        "running": "still going on",
        "waiting": f"begun {one.created}, {one.logs} logs",
        "elsewhere": "of another registry: name it with --store",
        "over": "ended by hand already",
        "problem": one.problem.diagnosis() if one.problem else "",
        "settled": f"closed as {one.settled.status}, with {len(one.settled.logs)} logs"
        if one.settled
        else "",
    }
    return f"{what}: {said[one.state]}"


@app.command("list")
def list_(study: options.StudyId, store: options.Store = None, json: options.Json = False) -> None:
    """List every run the registry was told of.

    JSON: {"study", "attempts": [{"number", "state", "status", "opened", "index", "token", "logs": [sha256, ...],
    "note"}]}; state is open, closed or abandoned, status how it ended: completed, failed, cancelled or unknown
    (started while it is open).
    """
    from leadline.cli.opening import reading
    from leadline.cli.output import Page, emit

    with reading(store) as registry:
        found = registry.study(study)
        attempts = attempt_forms(found)
    if json:
        emit({"study": found.id, "attempts": attempts})
        return
    page = Page()
    if not attempts:
        page.line(f"No run of {found.id} was announced.")
        return
    page.table(
        ("attempt", "status", "opened (UTC)", "logs", "note"),
        [
            (
                str(one["number"]),
                ending(one),
                str(one["opened"])[:16].replace("T", " "),
                str(len(one["logs"])),
                one["note"],
            )
            for one in attempts
        ],
        right=(0, 3),
        indent=0,
    )


def attempt_forms(study: "Study") -> list[dict[str, Any]]:
    """A study's attempts as JSON values."""
    return [
        {
            "number": one.number,
            "state": row.state,
            "status": row.status,
            "opened": one.opened.isoformat().replace("+00:00", "Z"),
            "index": one.opened_index,
            "token": one.token,
            "logs": list(one.logs),
            "note": one.note,
        }
        for one, row in zip(study.attempts, study.attempt_rows, strict=True)
    ]


def ending(form: dict[str, Any]) -> str:
    """How an attempt ended, in one word; "open" while it has not."""
    return str(form["status"] if form["state"] == "closed" else form["state"])
