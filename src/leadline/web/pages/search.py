"""Searching: words, filters as links with counts, pages that stay put while others register."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final, get_args

from markupsafe import Markup

from leadline.errors import InputError
from leadline.landscape import area as find_area
from leadline.landscape import is_area
from leadline.ledger.fields import Outcome, Standing
from leadline.ledger.ids import is_study_id, read_study_id
from leadline.store.facets import COUNT_CAP, Facets, facets
from leadline.store.projections.studies import study as find_study
from leadline.store.protocol import ReadView
from leadline.store.query import SEARCH_STATUSES, Query
from leadline.store.search import search_studies
from leadline.verdict import words
from leadline.verdict.view import outcome_mark
from leadline.web.answer import Answer
from leadline.web.context import Site
from leadline.web.environment import address, plural, render, thousands
from leadline.web.render import Asked
from leadline.web.views.cards import cards
from leadline.web.views.words import STATUS

_PAGE: Final = 20
_FILTERS: Final = (
    "status",
    "verdict",
    "standing",
    "area",
    "technique",
    "model",
    "gap",
    "author",
    "task",
    "measure",
)
_DATES: Final = ("since", "until")
_GROUPS: Final = (
    ("status", "State", 8, True),
    ("verdict", "Outcome", 4, True),
    ("standing", "Standing", 4, False),
    ("area", "Area", 12, True),
    ("technique", "Technique", 12, False),
    ("model", "Model", 12, False),
    ("gap", "Distance from the target", 12, False),
)
_KINDS: Final = {
    **{name: title.lower() for name, title, _, _ in _GROUPS},
    "gap": "distance",
    "author": "author",
    "task": "task",
    "measure": "measure",
    "since": "since",
    "until": "until",
}
_LONGEST: Final = 300


@dataclass(frozen=True, slots=True)
class Value:
    """One value of a facet: how many studies have it, and the search that chooses it or lets it go."""

    label: str
    count: str
    href: str
    on: bool
    mark: Markup


@dataclass(frozen=True, slots=True)
class Group:
    """A facet with its values."""

    title: str
    open: bool
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Active:
    """A filter in force, and the search without it."""

    kind: str
    value: str
    without: str


def search(site: Site, view: ReadView, asked: Asked) -> Answer:
    """The page at ``/search``."""
    today = site.today()
    query, given = read_query(asked.query)
    if query.text and _is_id(query.text) and find_study(view, read_study_id(query.text)) is not None:
        return _moved(f"/study/{read_study_id(query.text)}")
    page = search_studies(view, query, cursor=asked.query.get("cursor"), today=today)
    counted = facets(view, query, today=today, as_of=page.as_of)
    order = "newest" if query.order == "newest" and query.text else None
    here = {"q": query.text or None, "order": order, **given}
    return Answer.page(
        render(
            site,
            "site/search.html",
            title="Studies",
            description="Search registered AI-safety experiments, with their verdicts.",
            here="/search",
            canonical=None,
            plain=not (given or query.text or "cursor" in asked.query),
            feeds=((address("/feed.atom", area=given.get("area")), "These studies"),),
            size=view.size(),
            text=query.text,
            kept=[(name, value) for name, value in here.items() if value and name != "q"],
            filters=given,
            active=[_active(name, value, here) for name, value in given.items()],
            heading=_heading(query, given, counted),
            relaxed=page.relaxed,
            capped=page.capped,
            studies=cards(view, page.studies, today, site.settings.grace_days),
            cursor=page.cursor,
            next=address("/search", **here, cursor=page.cursor),
            orders=(
                ("Best match", address("/search", **{**here, "order": None}), order is None),
                ("Newest", address("/search", **{**here, "order": "newest"}), order is not None),
            ),
            groups=list(_groups(counted, here)),
            api={"q": query.text or None, **given},
        )
    )


def read_query(raw: Mapping[str, str]) -> tuple[Query, dict[str, str]]:
    """The query that a page's address asks for, and its filters as they were spelled."""
    given = {name: raw[name][:_LONGEST] for name in (*_FILTERS, *_DATES) if raw.get(name)}
    _require("status", given, SEARCH_STATUSES)
    _require("verdict", given, get_args(Outcome))
    _require("standing", given, get_args(Standing))
    chosen: dict[str, Any] = {name: value for name, value in given.items() if name not in _DATES}
    chosen |= {name: _day(name, given[name]) for name in _DATES if name in given}
    newest = raw.get("order") == "newest"
    text = raw.get("q", "").strip()
    query = Query(text=text, limit=_PAGE, order="newest" if newest or not text else "relevance")
    return replace(query, **chosen), given


def _require(name: str, given: Mapping[str, str], allowed: tuple[str, ...]) -> None:
    if name in given and given[name] not in allowed:
        raise InputError(
            f"no study has the {name} {given[name]!r}", remedy=f"choose one of: {', '.join(allowed)}"
        )


def _day(name: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InputError(f"{name} is not a date", remedy="write it as 2026-03-31") from None


def _is_id(text: str) -> bool:
    try:
        return is_study_id(read_study_id(text))
    except InputError:
        return False


def _moved(path: str) -> Answer:
    return Answer(b"", status=302, cached=False, headers=(("location", path),))


def _heading(query: Query, given: Mapping[str, str], counted: Facets) -> str:
    if not query.text and not given:
        return "Newest first"
    if not counted.total:
        return "No study answers this"
    return (
        f"More than {thousands(COUNT_CAP)} studies"
        if counted.capped
        else plural(counted.total, "study", "studies")
    )


def _active(name: str, value: str, here: Mapping[str, str | None]) -> Active:
    return Active(_KINDS[name], _label(name, value), address("/search", **{**here, name: None}))


def _groups(counted: Facets, here: Mapping[str, str | None]) -> Iterator[Group]:
    for name, title, most, unfolded in _GROUPS:
        values = tuple(
            Value(
                label=_label(name, value),
                count=thousands(count) + ("+" if counted.capped and count >= COUNT_CAP else ""),
                href=address("/search", **{**here, name: None if here.get(name) == value else value}),
                on=here.get(name) == value,
                mark=outcome_mark(value) if name == "verdict" and value in words.OUTCOMES else Markup(),
            )
            for value, count in counted[name][:most]
        )
        if values:
            yield Group(title, unfolded or here.get(name) is not None, values)


def _label(name: str, value: str) -> str:
    """A filter's value in words."""
    if name == "status" and value in STATUS:
        return STATUS[value]
    if name == "area" and is_area(value):
        return find_area(value).title
    if name == "verdict" and value in words.OUTCOMES:
        return words.OUTCOMES[value]
    if name == "gap":
        axis, _, distance = value.partition(":")
        return f"{axis}: {distance}"
    return value.capitalize() if name == "standing" else value
