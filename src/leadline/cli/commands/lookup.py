"""`leadline search`, `similar`: what is registered already."""

from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from leadline.cli import options

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from leadline.cli.output import Page
    from leadline.store.facets import Facets
    from leadline.store.projections.studies import StudyRow

_OWING = ("registered", "running", "overdue")


def _text(flag: str, metavar: str, help_: str) -> Any:
    return typer.Option(flag, metavar=metavar, help=help_)


def search(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="WORDS", help='Words, or "phrases", that must all occur; none lists the newest.'
        ),
    ] = None,
    status: Annotated[
        options.StudyStatus | None, typer.Option("--status", help="Only studies that stand so today.")
    ] = None,
    verdict: Annotated[
        options.Outcome | None, typer.Option("--verdict", help="Only studies with a verdict of this outcome.")
    ] = None,
    standing: Annotated[
        options.Standing | None,
        typer.Option("--standing", help="Only studies with a verdict of this standing."),
    ] = None,
    area: Annotated[
        str | None, _text("--area", "AREA", "Only this area, such as control/monitoring or control.")
    ] = None,
    technique: Annotated[
        str | None, _text("--technique", "NAME", "Only studies of this technique, by any name.")
    ] = None,
    model: Annotated[str | None, _text("--model", "ID", "Only studies that run this model.")] = None,
    task: Annotated[str | None, _text("--task", "NAME", "Only studies that run this task.")] = None,
    measure: Annotated[
        str | None, _text("--measure", "NAME", "Only studies with this measure or score.")
    ] = None,
    gap: Annotated[
        str | None,
        _text("--gap", "AXIS:DISTANCE", "Only studies this far from their target, such as scale:far."),
    ] = None,
    author: Annotated[str | None, _text("--author", "NAME", "Only studies by this author.")] = None,
    keyid: Annotated[
        str | None, _text("--signed-by", "FINGERPRINT", "Only studies signed by this key.")
    ] = None,
    since: Annotated[
        str | None, _text("--since", "DATE", "Only studies registered on this day or later.")
    ] = None,
    until: Annotated[
        str | None, _text("--until", "DATE", "Only studies registered on this day or earlier.")
    ] = None,
    state: Annotated[
        options.StudyState | None, typer.Option("--state", help="Only studies in this state of the record.")
    ] = None,
    order: Annotated[
        Literal["relevance", "newest"], typer.Option("--order", help="Best match or newest first.")
    ] = "relevance",
    limit: Annotated[int, typer.Option("--limit", metavar="N", help="Studies on a page, 1 to 100.")] = 10,
    cursor: Annotated[
        str | None, typer.Option("--cursor", metavar="TEXT", help="Go on where an earlier page ended.")
    ] = None,
    facets: Annotated[
        bool,
        typer.Option("--facets", help="Count what is found by area, technique, model, verdict, status, gap."),
    ] = False,
    store: options.Store = None,
    json: options.Json = False,
) -> None:
    """Find registered studies.

    JSON: {"studies": [{"id", "index", "title", "state", "status", "created", "due", "protocol"}], "as_of",
    "relaxed", "capped", "cursor"}; relaxed means that no study has all the words, capped that only the newest
    5,000 matches were ranked. With --facets also "facets": {"total", "capped", "counts": {facet: [{"value",
    "count"}]}}.
    """
    from leadline.cli.opening import reading
    from leadline.cli.output import Page, emit

    text = " ".join(words or [])
    filters: dict[str, Any] = {
        "status": status,
        "verdict": verdict,
        "standing": standing,
        "area": area,
        "technique": technique,
        "model": model,
        "task": task,
        "measure": measure,
        "gap": gap,
        "author": author,
        "keyid": keyid,
        "since": _day("--since", since),
        "until": _day("--until", until),
        "state": state,
    }
    with reading(store) as registry:
        found = registry.search(text, cursor=cursor, order=order, limit=limit, **filters)
        counted = registry.facets(text, order=order, **filters) if facets else None
        today = registry.clock().date()
    if json:
        form: dict[str, Any] = {
            "studies": [study_form(row, today) for row in found.studies],
            "as_of": found.as_of,
            "relaxed": found.relaxed,
            "capped": found.capped,
            "cursor": found.cursor,
        }
        if counted is not None:
            form["facets"] = _facets_form(counted)
        emit(form)
        return
    page = Page()
    if not found.studies:
        asked = text or any(value is not None for value in filters.values())
        page.line("No study answers this." if asked else "Nothing is registered yet.")
    if found.relaxed:
        page.line("No study has all the words; these have some.", "dim")
    if found.capped:
        page.line("Ranked among the newest 5,000 matches.", "dim")
    _list(page, found.studies, today)
    if counted is not None:
        _show_facets(page, counted)
    if found.cursor:
        page.gap()
        page.line("more:", "dim")
        page.verbatim(f"--cursor {found.cursor}")


def similar(
    protocol: options.ProtocolFile,
    limit: Annotated[int, typer.Option("--limit", min=1, max=20, metavar="N", help="Studies to name.")] = 5,
    store: options.Store = None,
    json: options.Json = False,
) -> None:
    """Find registered studies near a protocol, under whatever words.

    Datasets, tasks, techniques, models, measures and claims are compared; how a study came out does not matter.

    JSON: {"studies": [{"id", "index", "title", "state", "status", "created", "due", "protocol", "score",
    "why"}]}; score is 0 to 1, why lists what agrees.
    """
    from leadline.cli.opening import reading
    from leadline.cli.output import Page, emit
    from leadline.protocol import Protocol

    plan = Protocol.load(protocol)
    with reading(store) as registry:
        near = registry.similar(plan, limit)
        today = registry.clock().date()
    if json:
        emit(
            {
                "studies": [
                    {**study_form(one.row, today), "score": one.score, "why": list(one.why)} for one in near
                ]
            }
        )
        return
    page = Page()
    if not near:
        page.line("No registered study is near this one.")
    for one in near:
        _study(page, one.row, today, f" · {one.score:.2f}")
        page.line("; ".join(one.why), "dim", indent=2)


def study_form(row: "StudyRow", today: "date") -> dict[str, Any]:
    """A study in a list, as JSON values."""
    from leadline.store.projections.status import status_of

    return {
        "id": row.id,
        "index": row.ix,
        "title": row.title,
        "state": row.state,
        "status": status_of(row, today),
        "created": row.created,
        "due": row.due,
        "protocol": row.protocol,
    }


def _facets_form(counted: "Facets") -> dict[str, Any]:
    counts = {
        facet: [{"value": value, "count": number} for value, number in values]
        for facet, values in counted.items()
    }
    return {"total": counted.total, "capped": counted.capped, "counts": counts}


def _show_facets(page: "Page", counted: "Facets") -> None:
    """The counts, a facet on a line; what was not counted is said."""
    number = f"{counted.total:,}{'+' if counted.capped else ''}"
    page.head(f"{number} {'study' if number == '1' else 'studies'}")
    if counted.capped:
        page.line("Counted among the newest 5,000.", "dim", indent=2)
    page.facts(
        (facet, " · ".join(f"{value} {many:,}" for value, many in values[:10]))
        for facet, values in counted.items()
    )


def _list(page: "Page", rows: "Iterable[StudyRow]", today: "date") -> None:
    for row in rows:
        _study(page, row, today)


def _study(page: "Page", row: "StudyRow", today: "date", more: str = "") -> None:
    from leadline.store.projections.status import status_of

    status = status_of(row, today)
    due = f", due {row.due}" if row.due and status in _OWING else ""
    page.line(f"{row.id} · {status}{due}{more}", "dim")
    page.line(row.title, indent=2)


def _day(option: str, text: str | None) -> "date | None":
    from datetime import date

    from leadline.errors import InputError

    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InputError(f"{text!r} is not a date", where=option, remedy="write it as 2026-01-31") from None
