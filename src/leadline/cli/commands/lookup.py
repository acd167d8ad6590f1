"""`leadline search`, `similar`: what is registered already."""

from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from leadline.cli import options

if TYPE_CHECKING:
    from leadline.cli.output import Page
    from leadline.store.projections.studies import StudyRow


def search(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="WORDS", help='Words, or "phrases", that must all occur; none lists the newest.'
        ),
    ] = None,
    state: Annotated[
        options.StudyState | None, typer.Option("--state", help="Only studies in this state.")
    ] = None,
    area: Annotated[
        str | None, typer.Option("--area", metavar="AREA", help="Only studies of this area.")
    ] = None,
    author: Annotated[
        str | None, typer.Option("--author", metavar="NAME", help="Only studies by this author.")
    ] = None,
    order: Annotated[
        Literal["relevance", "newest"], typer.Option("--order", help="Best match or newest first.")
    ] = "relevance",
    limit: Annotated[int, typer.Option("--limit", metavar="N", help="Studies on a page, 1 to 100.")] = 10,
    cursor: Annotated[
        str | None, typer.Option("--cursor", metavar="TEXT", help="Go on where an earlier page ended.")
    ] = None,
    store: options.Store = None,
    json: options.Json = False,
) -> None:
    """Find registered studies.

    JSON: {"studies": [{"id", "index", "title", "state", "created", "due", "protocol"}], "as_of", "relaxed",
    "capped", "cursor"}; relaxed means that no study has all the words.
    """
    from leadline.cli.opening import reading
    from leadline.cli.output import Page, emit

    text = " ".join(words or [])
    with reading(store) as registry:
        found = registry.search(
            text, cursor=cursor, state=state, area=area, author=author, order=order, limit=limit
        )
    if json:
        emit(
            {
                "studies": [study_form(row) for row in found.studies],
                "as_of": found.as_of,
                "relaxed": found.relaxed,
                "capped": found.capped,
                "cursor": found.cursor,
            }
        )
        return
    page = Page()
    if not found.studies:
        page.line(
            "No study answers this." if text or state or area or author else "Nothing is registered yet."
        )
    if found.relaxed:
        page.line("No study has all the words; these have some.", "dim")
    _list(page, found.studies)
    if found.cursor:
        page.gap()
        page.line("more:", "dim")
        page.verbatim(f"--cursor {found.cursor}")


def similar(protocol: options.ProtocolFile, store: options.Store = None, json: options.Json = False) -> None:
    """Find registered studies nearest in words to a protocol.

    JSON: {"studies": [{"id", "index", "title", "state", "created", "due", "protocol"}]}.
    """
    from leadline.cli.opening import reading
    from leadline.cli.output import Page, emit
    from leadline.protocol import Protocol

    plan = Protocol.load(protocol)
    with reading(store) as registry:
        rows = registry.similar(plan)
    if json:
        emit({"studies": [study_form(row) for row in rows]})
        return
    page = Page()
    if not rows:
        page.line("No registered study is near this one.")
    _list(page, rows)


def study_form(row: "StudyRow") -> dict[str, Any]:
    """A study in a list, as JSON values."""
    return {
        "id": row.id,
        "index": row.ix,
        "title": row.title,
        "state": row.state,
        "created": row.created,
        "due": row.due,
        "protocol": row.protocol,
    }


def _list(page: "Page", rows: Any) -> None:
    for row in rows:
        due = f", due {row.due}" if row.due and row.state in _OWING else ""
        page.line(f"{row.id} · {row.state}{due}", "dim")
        page.line(row.title, indent=2)


_OWING = ("registered", "running", "attached")
