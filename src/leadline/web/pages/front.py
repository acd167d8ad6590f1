"""The front page: what is known, what is owed, and how to add to it."""

from dataclasses import replace
from typing import Final

from markupsafe import Markup

from leadline.store.listing import Listing
from leadline.store.projections.reports import REPORT
from leadline.store.projections.studies import STUDY, StudyRow, studies_named
from leadline.store.protocol import ReadView
from leadline.store.query import Query, SearchStatus
from leadline.store.search import search_studies
from leadline.web.answer import Answer
from leadline.web.context import Site
from leadline.web.environment import address, render
from leadline.web.pages.sealed import totals_sentence
from leadline.web.render import Asked
from leadline.web.views import shares
from leadline.web.views.cards import Card, card, cards
from leadline.web.views.study import StudyView
from leadline.web.views.whole import outcomes_of_all, states_of_all

_RESULTS: Final = 6
_OWED: Final = 5
_RUNNING: Final = 5
_NEWEST: Final = 3
#: Reports looked through for the newest results of different studies.
_LOOKED_AT: Final = 60


def front(site: Site, view: ReadView, asked: Asked) -> Answer:  # noqa: ARG001
    """The page at ``/``."""
    today = site.today()
    status = states_of_all(view, today)
    states_picture, states = shares.states(status, lambda name: address("/search", status=name))
    outcome_counts = outcomes_of_all(view)
    outcomes_picture, outcomes = shares.outcomes(
        outcome_counts, lambda name: address("/search", verdict=name)
    )
    known = Listing(view, _reported(view))
    total, reported = view.count(STUDY), status.get("reported", 0)
    return Answer.page(
        render(
            site,
            "site/front.html",
            description="A registry of AI-safety experiments that were promised before they were run.",
            here="/",
            canonical=f"{site.address}/",
            feeds=(("/feed.atom", f"{site.name}: what is new"),),
            size=view.size(),
            total=total,
            overdue=status.get("overdue", 0),
            overdue_share=shares.percent(status.get("overdue", 0), total),
            states_picture=states_picture,
            states=states,
            outcomes_picture=outcomes_picture,
            outcomes=outcomes,
            reported=reported,
            nulls=outcome_counts.get("null", 0),
            null_share=shares.percent(outcome_counts.get("null", 0), reported),
            sealed_sentence=totals_sentence(view, today),
            results=[_drawn(site, known, row) for row in known.studies],
            owed=_newest(site, view, "overdue", _OWED),
            running=_newest(site, view, "running", _RUNNING),
            newest=_newest(site, view, "registered", _NEWEST),
        )
    )


def _newest(site: Site, view: ReadView, status: SearchStatus, limit: int) -> tuple[Card, ...]:
    """The newest studies of one status."""
    today = site.today()
    found = search_studies(view, Query(status=status, order="newest", limit=limit), today=today).studies
    return cards(view, found, today, site.settings.grace_days)


def _drawn(site: Site, known: Listing, row: StudyRow) -> Card:
    """A reported study with its estimate as a small picture, where its outcome may be headlined."""
    shown = card(known, row, site.today(), site.settings.grace_days)
    if shown.verdict is None or not shown.verdict.headlined:
        return shown
    strip = StudyView(site, known.view, row, known).strip
    return shown if strip is None else replace(shown, strip=Markup(strip.inline()))  # noqa: S704 (our own drawing)


def _reported(view: ReadView) -> list[StudyRow]:
    """The studies with the newest reports, each once."""
    newest = view.select(REPORT, order="ix", descending=True, limit=_LOOKED_AT)
    names = dict.fromkeys(str(row["study"]) for row in newest)
    return [row for row in studies_named(view, list(names)) if row.state != "withdrawn"][:_RESULTS]
