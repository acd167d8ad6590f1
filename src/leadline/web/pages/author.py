"""The page of an author: one chain of keys, every study of it by state, and no score."""

from typing import Final

from leadline.errors import NotFoundError
from leadline.ledger.state import KeyRecord
from leadline.registry.scoring import ForecastRecord, forecast_record
from leadline.store.projections.authority import key, keys, studies_of
from leadline.store.projections.seals import seal_counts
from leadline.store.projections.status import STATUSES, Status, status_of
from leadline.store.projections.studies import StudyRow, studies_named
from leadline.store.protocol import ReadView
from leadline.verdict.view import Row
from leadline.web.answer import Answer
from leadline.web.context import Site
from leadline.web.environment import plural, render
from leadline.web.pages.sealed import counts_pairs
from leadline.web.render import Asked
from leadline.web.views.cards import cards
from leadline.web.views.words import STATUS

#: Studies of one author that a page looks at, and shows in each state.
_MOST: Final = 2_000
_SHOWN: Final = 30
_KINDS: Final = {
    "human": "The key of a person",
    "llm": "The key of an automated researcher",
    "service": "The key of a service",
}
_ORDER: Final[tuple[Status, ...]] = (
    "overdue",
    "reported",
    "running",
    "registered",
    "closed-undisclosed",
    "withdrawn",
)


def author(site: Site, view: ReadView, asked: Asked) -> Answer:
    """The page at ``/author/<fingerprint of the first key>``."""
    chain = lineage_of(view, asked.names["lineage"])
    first, newest, today = chain[0], chain[-1], site.today()
    rows = author_studies(view, first.lineage)
    by_status: dict[Status, list[StudyRow]] = {name: [] for name in STATUSES}
    for row in rows:
        by_status[status_of(row, today)].append(row)
    return Answer.page(
        render(
            site,
            "site/author.html",
            title=newest.holder,
            description=f"Studies signed by keys of {newest.holder}.",
            here="",
            canonical=f"{site.address}/author/{first.lineage}",
            feeds=((f"/author/{first.lineage}/feed.atom", f"Studies of {newest.holder}"),),
            size=view.size(),
            name=newest.holder,
            kind=_KINDS.get(newest.holder_kind, newest.holder_kind),
            lineage=first.lineage,
            counts=[
                (STATUS[name].lower(), len(by_status[name]), f"#g-{name}")
                for name in _ORDER
                if by_status[name]
            ],
            sealed=counts_pairs(seal_counts(view, first.fingerprint, today)),
            calibration=_calibration(forecast_record(view, first.lineage)),
            groups=[
                {
                    "status": name,
                    "title": STATUS[name],
                    "count": len(by_status[name]),
                    "studies": cards(view, by_status[name][:_SHOWN], today, site.settings.grace_days),
                }
                for name in _ORDER
                if by_status[name]
            ],
            keys=[_key_row(one) for one in chain],
            fingerprints=[one.fingerprint for one in chain],
        )
    )


def lineage_of(view: ReadView, fingerprint: str) -> list[KeyRecord]:
    """The chain of keys that a fingerprint belongs to, oldest first; NotFoundError for none, or no author's."""
    found = key(view, fingerprint)
    if found is None or found.role != "author":
        raise NotFoundError(
            "no author signs with this key", remedy="Keys are listed with the statements in the log."
        )
    return [one for one in keys(view, lineage=found.lineage) if one.state != "pending"] or [found]


def author_studies(view: ReadView, lineage: str) -> list[StudyRow]:
    """Open studies that a chain of keys may act for, newest first."""
    found = studies_named(view, studies_of(view, lineage, limit=_MOST))
    return sorted(found, key=lambda row: -row.ix)


def _key_row(one: KeyRecord) -> Row:
    return (
        one.fingerprint[:16] + "…",
        one.state,
        str(one.registered),
        None if one.ended is None else str(one.ended),
    )


def _calibration(record: ForecastRecord) -> str:
    if not record.n or record.brier is None:
        return ""
    bins = "; ".join(
        f"said {100 * mean:.0f} %, came true {100 * came:.0f} % of {count}"
        for _, count, mean, came in record.bins
    )
    return f"{plural(record.n, 'forecast')} scored, mean Brier score {record.brier:.3f} (lower is better): {bins}."
