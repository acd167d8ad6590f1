"""The map of the field: how much was promised where, and what became of it."""

from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from leadline.landscape import Area, Leaf, areas
from leadline.landscape import area as find_area
from leadline.store.facets import COUNT_CAP, facets
from leadline.store.projections.facets import FACET, mark
from leadline.store.protocol import ReadView
from leadline.store.query import Query
from leadline.store.search import search_studies
from leadline.web.answer import Answer
from leadline.web.context import Site
from leadline.web.environment import address, plural, render, thousands
from leadline.web.render import Asked
from leadline.web.views import shares
from leadline.web.views.cards import cards

#: Counts below this are not told apart.
COARSE: Final = 3
_NEWEST: Final = 20


@dataclass(frozen=True, slots=True)
class LeafView:
    """A subfield with its coarse count."""

    id: str
    title: str
    count: str


@dataclass(frozen=True, slots=True)
class GroupView:
    """An area: its subfields, what it holds in words, and its states as a picture."""

    id: str
    title: str
    words: str
    picture: Markup | None
    leaves: tuple[LeafView, ...]


def areas_page(site: Site, view: ReadView, asked: Asked) -> Answer:  # noqa: ARG001
    """The page at ``/areas``."""
    groups = [_group(site, view, group) for group in areas()]
    return Answer.page(
        render(
            site,
            "site/areas.html",
            title="Areas",
            description="Areas of AI-safety research, with what was promised and reported in each.",
            here="/areas",
            canonical=f"{site.address}/areas",
            feeds=(),
            size=view.size(),
            coarse=COARSE,
            groups=groups,
            key=shares.state_key() if any(group.picture for group in groups) else (),
        )
    )


def area_page(site: Site, view: ReadView, asked: Asked) -> Answer:
    """The page of one area or subfield; NotFoundError when the map has none of that name."""
    name = asked.names["area"]
    found = find_area(name)
    today = site.today()
    page = search_studies(view, Query(area=name, order="newest", limit=_NEWEST), today=today)
    leaves = found.leaves if isinstance(found, Area) else ()
    parent = [] if isinstance(found, Area) else [(f"/area/{name.partition('/')[0]}", _parent(name).title)]
    return Answer.page(
        render(
            site,
            "site/area.html",
            title=found.title,
            description=f"Registered experiments in {found.title}.",
            here="",
            canonical=f"{site.address}/area/{name}",
            feeds=((address("/feed.atom", area=name), found.title),),
            size=view.size(),
            area=name,
            name=found.title,
            also=", ".join(found.words) if isinstance(found, Leaf) else "",
            crumbs=[("/areas", "Areas"), *parent],
            leaves=[_leaf(view, leaf) for leaf in leaves],
            summary=_words(site, view, name),
            studies=cards(view, page.studies, today, site.settings.grace_days),
        )
    )


def _parent(name: str) -> Area | Leaf:
    return find_area(name.partition("/")[0])


def _group(site: Site, view: ReadView, group: Area) -> GroupView:
    words = _words(site, view, group.id)
    picture = None
    if words:
        found = facets(view, Query(area=group.id), today=site.today())
        picture, _ = shares.states(
            dict(found["status"]), lambda name: address("/search", area=group.id, status=name)
        )
    return GroupView(group.id, group.title, words, picture, tuple(_leaf(view, leaf) for leaf in group.leaves))


def _words(site: Site, view: ReadView, area: str) -> str:
    """How much was promised, how much is overdue, how many nulls; nothing where so few would tell."""
    total = view.count(FACET, {"mark": mark("area", area)})
    if total < COARSE:
        return ""
    found = facets(view, Query(area=area), today=site.today())
    status, outcomes = dict(found["status"]), dict(found["verdict"])
    reported = status.get("reported", 0)
    whole = plural(total, "study", "studies")
    if found.capped:
        whole += f". Of the newest {thousands(COUNT_CAP)}"
    said = [whole]
    said += [f"{plural(reported, 'reported', 'reported')}"] if reported else []
    said += [f"{plural(outcomes['null'], 'null')}"] if outcomes.get("null") and reported >= COARSE else []
    said += [f"{status['overdue']} overdue"] if status.get("overdue") else []
    return ", ".join(said) + "."


def _leaf(view: ReadView, leaf: Leaf) -> LeafView:
    return LeafView(leaf.id, leaf.title, coarse(view.count(FACET, {"mark": mark("area", leaf.id)})))


def coarse(count: int) -> str:
    """A count, or "<3": the difference between none and one would show what is kept back."""
    return thousands(count) if count >= COARSE else f"<{COARSE}"
