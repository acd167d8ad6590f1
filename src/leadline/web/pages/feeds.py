"""Atom feeds (RFC 4287): what is new in the registry, in an area, by an author, in a study."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from leadline.draw.svg import Element, el
from leadline.landscape import area as find_area
from leadline.store.listing import Listing
from leadline.store.projections.reports import REPORT
from leadline.store.projections.studies import StudyRow, studies_named
from leadline.store.protocol import ReadView
from leadline.store.query import Query
from leadline.store.search import search_studies
from leadline.web.answer import ATOM, Answer
from leadline.web.context import Site
from leadline.web.environment import address
from leadline.web.pages.author import author_studies, lineage_of
from leadline.web.pages.study import badge_words, found_study
from leadline.web.render import Asked
from leadline.web.views.study import StudyView

_ENTRIES: Final = 50
_EPOCH: Final = "1970-01-01T00:00:00Z"


@dataclass(frozen=True, slots=True)
class Item:
    """An entry of a feed; `index` is where it stands in the log, which makes its id."""

    study: str
    index: int
    title: str
    text: str
    time: str
    authors: tuple[str, ...]


def newest_feed(site: Site, view: ReadView, asked: Asked) -> Answer:
    """Registrations and reports, newest first; with ``area`` only those of an area."""
    area = asked.query.get("area")
    title = site.name if area is None else f"{site.name}: {find_area(area).title}"
    page = search_studies(view, Query(area=area, order="newest", limit=_ENTRIES), today=site.today())
    found = _viewed(site, view, page.studies)
    items = [*map(_registered, found), *_reported(_with_reports(site, view) if area is None else found)]
    return _feed(site, address("/feed.atom", area=area), title, items)


def author_feed(site: Site, view: ReadView, asked: Asked) -> Answer:
    """Registrations and reports of one chain of keys."""
    chain = lineage_of(view, asked.names["lineage"])
    found = _viewed(site, view, author_studies(view, chain[0].lineage)[:_ENTRIES])
    items = [*map(_registered, found), *_reported(found)]
    return _feed(site, f"/author/{chain[0].lineage}/feed.atom", f"{site.name}: {chain[-1].holder}", items)


def study_feed(site: Site, view: ReadView, asked: Asked) -> Answer:
    """What happened in one study: its freeze, amendments, runs and reports."""
    found = found_study(site, view, asked)
    row, names = found.row, tuple(found.authors)
    items = [_registered(found), *_reported([found])]
    items += [
        Item(row.id, one.ix, f"Amended: {row.title}", one.reason, one.created, names)
        for one in found.amendments
    ]
    for run, _ in found.attempts:
        items.append(
            Item(
                row.id,
                run.opened,
                f"Run {run.number} announced: {row.title}",
                run.note or "",
                run.opened_at,
                names,
            )
        )
        if run.ended is not None:
            ended = run.ended_at or run.opened_at
            items.append(
                Item(
                    row.id,
                    run.ended,
                    f"Run {run.number} {run.state}: {row.title}",
                    run.note or "",
                    ended,
                    names,
                )
            )
    return _feed(site, f"/study/{row.id}/feed.atom", f"Study {row.id}: {row.title}", items)


def _viewed(site: Site, view: ReadView, rows: Iterable[StudyRow]) -> list[StudyView]:
    listing = Listing(view, rows)
    return [StudyView(site, view, row, listing) for row in listing.studies]


def _with_reports(site: Site, view: ReadView) -> list[StudyView]:
    """The studies of the newest reports, each once."""
    rows = view.select(REPORT, order="ix", descending=True, limit=_ENTRIES)
    names = dict.fromkeys(str(row["study"]) for row in rows)
    return _viewed(site, view, studies_named(view, list(names)))


def _registered(found: StudyView) -> Item:
    row = found.row
    return Item(row.id, row.ix, f"Registered: {row.title}", _claim(found), row.created, tuple(found.authors))


def _reported(studies: Iterable[StudyView]) -> list[Item]:
    """The newest report of each only: what an older one said is on the study's page."""
    items: list[Item] = []
    for found in studies:
        newest, row = found.newest_report, found.row
        if newest is not None and row.state != "withdrawn":
            title = f"{badge_words(found).capitalize()}: {row.title}"
            items.append(Item(row.id, newest.ix, title, _claim(found), newest.created, tuple(found.authors)))
    return items


def _claim(found: StudyView) -> str:
    return found.hypotheses[0].claim if found.hypotheses else found.row.title


def _feed(site: Site, path: str, title: str, items: Sequence[Item]) -> Answer:
    newest = sorted(items, key=lambda item: -item.index)[:_ENTRIES]
    feed = el(
        "feed",
        el("title", title),
        el("id", site.address + path),
        el("link", rel="self", href=site.address + path),
        el("link", href=site.address + "/"),
        el("updated", newest[0].time if newest else _EPOCH),
        *_entries(site, newest),
        xmlns="http://www.w3.org/2005/Atom",
    )
    body = '<?xml version="1.0" encoding="utf-8"?>\n' + feed.render() + "\n"
    return Answer(body.encode("utf-8", "replace"), ATOM, shared=True)


def _entries(site: Site, items: Iterable[Item]) -> Iterable[Element]:
    for item in items:
        page = f"{site.address}/study/{item.study}"
        yield el(
            "entry",
            el("title", item.title),
            el("id", f"{site.address}/log/{item.index}"),
            el("link", rel="alternate", type="text/html", href=page),
            el("updated", item.time),
            *(el("author", el("name", name)) for name in item.authors[:20] or (site.name,)),
            el("summary", item.text or item.title),
        )
