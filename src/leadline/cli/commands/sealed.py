"""`leadline sealed`: working on a study that nobody can read yet."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from leadline.cli import options
from leadline.cli.commands.sealing import Identity, identity_path, write_share

if TYPE_CHECKING:
    from leadline.cli.output import Page
    from leadline.registry.sealing import SealedWork

app = typer.Typer(
    rich_markup_mode=None,
    no_args_is_help=True,
    help="Run, report and look after studies under seal.",
)

Number = Annotated[int, typer.Argument(metavar="N", min=1, help="The attempt's number.")]
Note = Annotated[str, typer.Option("--note", metavar="TEXT", help="A remark; sealed with the rest.")]
Status = Literal["completed", "failed", "cancelled", "unknown"]


@app.command()
def show(study: options.StudyId, store: options.Store = None, json: options.Json = False) -> None:
    """Show what everybody may know of a sealed study.

    JSON: {"id", "index", "tier", "standing", "period", "embargo", "slots", "fields": {name: value}}.
    """
    from leadline.cli.opening import reading
    from leadline.cli.output import Page, emit

    with reading(store) as registry:
        found = registry.sealed(study)
        row = found.row
        standing = found.standing(registry.clock().date())
    if json:
        head = {"id": row.id, "index": row.ix, "tier": row.tier, "standing": standing}
        emit(
            {
                **head,
                "period": row.period,
                "embargo": row.embargo,
                "slots": found.slots,
                "fields": found.fields,
            }
        )
        return
    page = Page()
    page.line(f"{row.id}  {standing}", "bold")
    page.facts(
        [
            ("entry", str(row.ix)),
            ("tier", row.tier),
            ("dated", f"the week of {row.period}"),
            ("may stay sealed until", row.embargo),
            ("batches with a slot of it", str(found.slots)),
        ]
    )
    if found.fields:
        page.head("Opened")
        page.facts((name, _words(value)) for name, value in found.fields.items())


def _words(value: Any) -> str:
    """An opened field's value on a line: text as it is, anything else as JSON."""
    from json import dumps

    return value if isinstance(value, str) else dumps(value, ensure_ascii=False)


@app.command()
def attempt(
    study: options.StudyId,
    note: Note = "",
    store: options.Store = None,
    key: options.Key = None,
    json: options.Json = False,
) -> None:
    """Announce the next run under seal, and print how to run it.

    JSON: {"study", "number", "token", "arms": [{"arm", "metadata": {...}, "command"}]}.
    """
    from leadline.bench.launch.inspect_command import inspect_command
    from leadline.cli.opening import repeated, writing
    from leadline.cli.output import Page, emit

    with writing(store, key) as registry:
        work = _work(registry, study)
        run = work.open_attempt(note)
        arms = [
            {
                "arm": arm.name,
                "metadata": run.stamp(arm.name),
                "command": inspect_command(work.protocol, arm, run.stamp(arm.name), work.seeds),
            }
            for arm in work.protocol.arms
        ]
    if json:
        emit({"study": work.id, "number": run.number, "token": run.token, "arms": arms})
        return
    page = Page()
    page.line(f"Opened attempt {run.number} of {work.id}, under seal", "bold")
    page.facts([("token", run.token)])
    page.head("Run each arm; the metadata ties its log to this attempt")
    for one in arms:
        page.line(str(one["arm"]), "dim", indent=2)
        page.verbatim(str(one["command"]), indent=4)
    page.head("Then")
    page.verbatim(
        repeated(f"leadline sealed attach {work.id} LOGS --attempt {run.number}", store=store, key=key)
    )
    page.verbatim(repeated(f"leadline sealed close {work.id} {run.number}", store=store, key=key))


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
    """Close a run under seal with the logs that were attached for it.

    JSON: {"study", "number", "status", "logs": [sha256, ...]}.
    """
    from leadline.cli.opening import repeated, writing
    from leadline.cli.output import Page, emit

    with writing(store, key) as registry:
        work = _work(registry, study)
        logs = work.attached(number)
        work.close_attempt(number, logs, status, note)
    if json:
        emit({"study": work.id, "number": number, "status": status, "logs": logs})
        return
    page = Page()
    page.line(f"Closed attempt {number} of {work.id} as {status}, with {_counted(logs)}, under seal.")
    page.head("Next, when the week's batch is in the log")
    _batching(page, store)
    page.verbatim(repeated(f"leadline sealed report {work.id}", store=store, key=key))


@app.command()
def abandon(
    study: options.StudyId,
    number: Number,
    reason: options.Reason,
    store: options.Store = None,
    key: options.Key = None,
    json: options.Json = False,
) -> None:
    """End a run that will have no result, under seal.

    JSON: {"study", "number"}.
    """
    from leadline.cli.opening import writing
    from leadline.cli.output import emit

    with writing(store, key) as registry:
        work = _work(registry, study)
        work.abandon_attempt(number, reason)
    if json:
        emit({"study": work.id, "number": number})
    else:
        typer.echo(f"Abandoned attempt {number} of {work.id}, under seal.")


@app.command()
def attach(
    study: options.StudyId,
    logs: Annotated[list[str], typer.Argument(metavar="LOGS", help="Log files, or folders of them.")],
    number: Annotated[
        int | None, typer.Option("--attempt", metavar="N", min=1, help="The attempt that wrote them.")
    ] = None,
    force: Annotated[
        bool,
        typer.Option(
            "--force",
            help="Attach even what began before the freeze, or is stamped for another study or attempt.",
        ),
    ] = False,
    store: options.Store = None,
    key: options.Key = None,
    json: options.Json = False,
) -> None:
    """Note under seal that logs belong to a study.

    The files stay with you until the reveal, which reads them where they are.

    JSON: {"study", "attempt": N or null, "logs": [sha256, ...]}.
    """
    from leadline.cli.opening import repeated, writing
    from leadline.cli.output import Page, emit

    with writing(store, key) as registry:
        work = _work(registry, study)
        digests = work.attach(logs, attempt=number, force=force)
    if json:
        emit({"study": work.id, "attempt": number, "logs": list(digests)})
        return
    page = Page()
    page.line(f"Noted {_counted(digests)} for {work.id}", "bold")
    page.line("Keep the files where they are: the reveal reads them.", indent=2)
    page.head("Next")
    step = f"report {work.id}" if number is None else f"close {work.id} {number}"
    page.verbatim(repeated(f"leadline sealed {step}", store=store, key=key))


@app.command()
def report(
    study: options.StudyId, store: options.Store = None, key: options.Key = None, json: options.Json = False
) -> None:
    """Compute the report and seal it, whatever it says.

    JSON: the report.
    """
    from leadline.cli.opening import repeated, writing
    from leadline.cli.output import Page, busy, emit_bytes

    with writing(store, key) as registry:
        work = _work(registry, study)
        with busy("computing the report"):
            made = work.report()
    if json:
        emit_bytes(made.to_json())
        return
    page = Page()
    page.line(f"Sealed the report of {work.id}", "bold")
    page.facts([(name, f"{one.outcome}, {one.standing}") for name, one in made.verdicts.items()])
    page.head("When the week's batch is in the log, its verdict can be opened alone")
    _batching(page, store)
    page.verbatim(repeated(f"leadline reveal {work.id} --field verdict", store=store, key=key))


@app.command()
def sync(
    study: options.StudyId, store: options.Store = None, key: options.Key = None, json: options.Json = False
) -> None:
    """Read what the batches took, and put what still waits into the outbox.

    JSON: {"study", "statements", "committed", "waiting_bytes"}.
    """
    from leadline.cli.opening import writing
    from leadline.cli.output import emit

    with writing(store, key) as registry:
        work = _work(registry, study)
        waiting = work.sync()
        said, done = len(work.secrets.statements), len(work.secrets.commitments())
    if json:
        emit({"study": work.id, "statements": said, "committed": done, "waiting_bytes": waiting})
    else:
        typer.echo(f"{done} of {said} statements are in batches; {waiting} bytes wait for the next.")


@app.command()
def flush(
    pad: Annotated[
        int,
        typer.Option(
            "--pad",
            metavar="N",
            min=0,
            max=100,
            help="Round a week's waiting hazard seals up to N with decoys.",
        ),
    ] = 0,
    store: options.Store = None,
    json: options.Json = False,
) -> None:
    """Let waiting seals in and log this week's batch of slots, unless it was done.

    A server does it by itself.

    JSON: {"period", "index": entry or null, "slots", "seals": entries let in}.
    """
    from leadline.cli.opening import mending
    from leadline.cli.output import emit
    from leadline.registry.sealing import flush as flush_batch

    with mending(store) as registry:
        done = flush_batch(registry, datetime.now(UTC).date(), bucket=pad)
    index = None if done.batch is None else done.batch.index
    if json:
        emit(
            {"period": done.period.isoformat(), "index": index, "slots": done.slots, "seals": len(done.seals)}
        )
        return
    if done.seals:
        typer.echo(f"Let {len(done.seals)} seals in.")
    if index is not None:
        typer.echo(f"Logged the batch of the week of {done.period}: {done.slots} slots, entry {index}.")
    elif not done.seals:
        typer.echo(f"Nothing to do for the week of {done.period}.")


@app.command()
def share(
    study: options.StudyId,
    out: Annotated[str, typer.Option("--out", metavar="FILE", help="Where to write the share.")],
    identity: Identity = None,
    store: options.Store = None,
    json: options.Json = False,
) -> None:
    """As a trustee, take out your share of a sealed study.

    JSON: {"study", "file", "quorum", "trustees"}.
    """
    from leadline.cli.opening import reading, repeated
    from leadline.cli.output import Page, emit
    from leadline.ledger.ids import read_study_id
    from leadline.registry.sealing import load_identity, make_share

    name = read_study_id(study)
    with reading(store) as registry:
        made = make_share(registry, name, load_identity(identity_path(identity)))
    write_share(Path(out), name, made)
    if json:
        emit({"study": name, "file": out, "quorum": made.quorum, "trustees": made.trustees})
        return
    page = Page()
    page.line(f"Wrote your share to {out}. Any {made.quorum} of {made.trustees} shares open {name}:")
    page.verbatim(repeated(f"leadline reveal {name}{' --share FILE' * made.quorum}", store=store))


@app.command()
def recover(
    study: options.StudyId,
    identity: Identity = None,
    store: options.Store = None,
    json: options.Json = False,
) -> None:
    """Make the file of a sealed study again, from the log and your age identity.

    What was in no batch yet is lost, and logs are to be found again by `leadline sealed attach`.

    JSON: {"study", "file", "statements"}.
    """
    from leadline.cli.opening import mending
    from leadline.cli.output import emit
    from leadline.ledger.ids import read_study_id
    from leadline.registry.sealing import load_identity
    from leadline.registry.sealing.release import recover as recover_file

    with mending(store) as registry:
        made = recover_file(registry, read_study_id(study), load_identity(identity_path(identity)))
    if json:
        emit({"study": made.study, "file": str(made.path), "statements": len(made.statements)})
    else:
        typer.echo(f"Made {made.path} again, with {len(made.statements)} statements.")


@app.command()
def hold(
    study: options.StudyId, store: options.Store = None, key: options.Key = None, json: options.Json = False
) -> None:
    """Keep a study from being opened by itself.

    At its embargo's end it stays shut then; nothing public changes by that.

    JSON: {"study"}.
    """
    from leadline.cli.opening import writing
    from leadline.cli.output import emit

    with writing(store, key) as registry:
        work = _work(registry, study)
        work.hold()
    if json:
        emit({"study": work.id})
    else:
        typer.echo(f"{work.id} will not be opened by itself.")


@app.command()
def enter(
    study: options.StudyId, store: options.Store = None, key: options.Key = None, json: options.Json = False
) -> None:
    """After the reveal, enter what was left out because a file was not there.

    JSON: {"study", "left_out": [{"leaf", "why"}]}.
    """
    from leadline.cli.opening import writing
    from leadline.cli.output import emit

    with writing(store, key) as registry:
        work = _work(registry, study)
        left: dict[str, Any] = work.enter()
    if json:
        emit({"study": work.id, "left_out": [{"leaf": leaf, "why": why} for leaf, why in left.items()]})
        return
    typer.echo(
        "Everything is in the open record."
        if not left
        else "\n".join(f"left out: {why}" for why in left.values())
    )


def _batching(page: "Page", store: str | None) -> None:
    """Who makes the week's batch, and how, where that is whoever reads this."""
    from leadline.cli.opening import at_a_server, repeated

    if at_a_server(store):
        page.line("The server makes the batch by itself.", "dim", indent=2)
        return
    page.line("`leadline serve` makes the batch by itself; without it:", "dim", indent=2)
    page.verbatim(repeated("leadline sealed flush", store=store))


def _counted(logs: Sequence[str]) -> str:
    return f"{len(logs)} {'log' if len(logs) == 1 else 'logs'}" if logs else "no log"


def _work(registry: Any, study: str) -> "SealedWork":
    from leadline.registry.sealing import SealedWork

    return SealedWork.open(registry, study)
