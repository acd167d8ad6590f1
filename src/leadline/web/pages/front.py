"""The front page: what is known, what is owed, and how to add to it."""

from collections.abc import Mapping
from typing import Final

from leadline.store.projections.reports import REPORT
from leadline.store.projections.studies import STUDY, StudyRow, studies, study
from leadline.store.protocol import ReadView
from leadline.store.query import Query
from leadline.store.search import search_studies
from leadline.web.answer import Answer
from leadline.web.context import Site
from leadline.web.environment import address, plural, render
from leadline.web.pages.sealed import totals_sentence
from leadline.web.render import Asked
from leadline.web.views import shares
from leadline.web.views.cards import cards
from leadline.web.views.whole import outcomes_of_all, states_of_all

_RESULTS: Final = 6
_OWED: Final = 3
_NEWEST: Final = 3
#: Reports looked through for the newest results of different studies.
_LOOKED_AT: Final = 60


def front(site: Site, view: ReadView, asked: Asked) -> Answer:  # noqa: ARG001
    """The page at ``/``."""
    today, grace = site.today(), site.settings.grace_days
    status = states_of_all(view, today)
    states_picture, states = shares.states(status, lambda name: address("/search", status=name))
    outcome_counts = outcomes_of_all(view)
    outcomes_picture, outcomes = shares.outcomes(
        outcome_counts, lambda name: address("/search", verdict=name)
    )
    owed = search_studies(view, Query(status="overdue", order="newest", limit=_OWED), today=today).studies
    known = _reported(view)
    newest = [row for row in studies(view, limit=_NEWEST + len(known)) if row not in known][:_NEWEST]
    return Answer.page(
        render(
            site,
            "site/front.html",
            description="A registry of AI-safety experiments that were promised before they were run.",
            here="/",
            canonical=f"{site.address}/",
            feeds=(("/feed.atom", f"{site.name}: what is new"),),
            size=view.size(),
            total=view.count(STUDY),
            overdue=status.get("overdue", 0),
            states_picture=states_picture,
            states=states,
            outcomes_picture=outcomes_picture,
            outcomes=outcomes,
            null_sentence=_nulls(outcome_counts, status.get("reported", 0)),
            sealed_sentence=totals_sentence(view, today),
            results=cards(view, known, today, grace),
            owed=cards(view, owed, today, grace),
            newest=cards(view, newest, today, grace),
        )
    )


def _reported(view: ReadView) -> list[StudyRow]:
    """The studies with the newest reports, each once."""
    found: dict[str, StudyRow] = {}
    for row in view.select(REPORT, order="ix", descending=True, limit=_LOOKED_AT):
        name = str(row["study"])
        if name in found:
            continue
        known = study(view, name)
        if known is not None and known.state != "withdrawn":
            found[name] = known
        if len(found) == _RESULTS:
            break
    return list(found.values())


def _nulls(outcomes: Mapping[str, int], reported: int) -> str:
    """The share of nulls, in a sentence that says of what."""
    nulls = outcomes.get("null", 0)
    if not reported:
        return ""
    among = f"{plural(nulls, 'null')} among {plural(reported, 'reported study', 'reported studies')}"
    return f"{among}. A null is a finding: smaller than what would matter."
