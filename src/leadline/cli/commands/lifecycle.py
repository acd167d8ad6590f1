"""`leadline tend`, `withhold`, `take-down`: what happens to studies by themselves, and what does not."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from leadline.cli import options

if TYPE_CHECKING:
    from leadline.registry.lifecycle import Event


def tend(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")
    ] = False,
    grace: Annotated[
        int, typer.Option("--grace", metavar="DAYS", min=0, help="Days between due date and closing.")
    ] = 90,
    today: Annotated[
        datetime | None,
        typer.Option(
            "--today",
            formats=["%Y-%m-%d"],
            help="Tend as of this day; one to come only with --dry-run.",
            show_default="today, UTC",
        ),
    ] = None,
    store: options.Store = None,
    json: options.Json = False,
) -> None:
    """Publish what is overdue, close what stays silent.

    An overdue study with logs is analysed and published, unless its plan asks for less openness; one without a
    report past its grace is closed. A seal that this installation alone may open is opened at its embargo's end.
    Reports and closings are signed by the registry's service key. Closings come once a calendar month, in one
    batch. Whoever runs it twice does nothing twice. `leadline serve` does it daily.

    A round takes half an hour or little more; what it does not reach goes on in the next one.

    JSON: {"today", "dry_run", "events": [{"kind": "published", "failed", "postponed", "released" or "closed",
    "studies": [id, ...], "detail", "index": entry or null}]}.
    """
    from leadline.cli.opening import mending
    from leadline.cli.output import Page, busy, emit
    from leadline.errors import InputError

    with mending(store) as registry, busy("tending the registry"):
        now = registry.clock().date()
        day = now if today is None else today.date()
        if day > now and not dry_run:
            raise InputError(
                f"{day} has not come yet, and what is published or closed stays so",
                remedy="add --dry-run to see what would be done on that day",
            )
        events = registry.tend(day, grace_days=grace, dry=dry_run)
    if json:
        listed = [
            {"kind": one.kind, "studies": list(one.studies), "detail": one.detail, "index": one.index}
            for one in events
        ]
        emit({"today": day.isoformat(), "dry_run": dry_run, "events": listed})
        return
    page = Page()
    if not events:
        page.line("Nothing is due.")
    for event in events:
        page.line(_line(event, dry=dry_run))


def _line(event: "Event", *, dry: bool) -> str:
    entry = "" if event.index is None else f" (entry {event.index})"
    first = event.studies[0] if event.studies else ""
    many = f"{len(event.studies)} {'study' if len(event.studies) == 1 else 'studies'}"
    if event.kind == "closed":
        return f"{'Would close' if dry else 'Closed'} {many} as undisclosed, {event.detail}{entry}"
    if event.kind == "postponed":
        return f"Not reached: {event.detail}, {first} first"
    if event.kind == "failed":
        return f"No report of {first}: {event.detail}"
    word = {"published": ("Published", "Would publish"), "released": ("Opened", "Would open")}[event.kind][
        dry
    ]
    return f"{word} {first}{entry}"


def withhold(
    study: options.StudyId,
    lift: Annotated[bool, typer.Option("--lift", help="Take the request back.")] = False,
    store: options.Store = None,
    key: options.Key = None,
    json: options.Json = False,
) -> None:
    """Keep a study from being published by itself when it is overdue.

    Nothing public changes, now or later: the study closes in the same batch as those whose authors said nothing.
    Logs that were attached are public already; withhold before attaching.

    JSON: {"study", "withheld"}.
    """
    from leadline.cli.opening import writing
    from leadline.cli.output import emit

    with writing(store, key) as registry:
        from leadline.ledger.ids import read_study_id

        name = read_study_id(study)
        registry.withhold(name, lift=lift)
    if json:
        emit({"study": name, "withheld": not lift})
    elif lift:
        typer.echo(f"{name} may be published by itself again.")
    else:
        typer.echo(f"{name} will not be published by itself. Nothing public says so.")


def take_down(
    digest: Annotated[str, typer.Argument(metavar="SHA256", help="The digest of the bytes.")],
    reason: options.Reason,
    store: options.Store = None,
    json: options.Json = False,
) -> None:
    """Remove a file's bytes; its digest and the reason stay.

    For a log or text that turns out to carry harm or personal data. The log of statements is not touched, so every
    proof still holds; a signed note says what was taken down, and why.

    JSON: {"sha256", "reason", "created", "size": entries in the log then}.
    """
    from leadline.cli.opening import mending
    from leadline.cli.output import emit

    with mending(store) as registry:
        done = registry.take_down(digest, reason)
    if json:
        said: dict[str, Any] = {"sha256": done.sha256, "reason": done.reason}
        emit({**said, "created": done.created, "size": done.size})
    else:
        typer.echo(f"Took down {done.sha256}. Its digest and the reason stay.")
