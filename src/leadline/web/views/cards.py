"""A study in a list: its claim, its verdict as a word with a shape, its state."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from markupsafe import Markup

from leadline.store.listing import Listing
from leadline.store.projections.reports import VerdictRow
from leadline.store.projections.status import GRACE_DAYS, Status, deadline_of, status_of
from leadline.store.projections.studies import StudyRow
from leadline.store.protocol import ReadView
from leadline.verdict import words as verdict_words
from leadline.verdict.view import outcome_mark
from leadline.web.views.words import STATUS, deadline_words

#: Names of authors shown in a list.
_NAMES = 3


@dataclass(frozen=True, slots=True)
class VerdictWord:
    """An outcome as a page says it: a word with a shape, and the standing beside it.

    `headlined` is False where the standing forbids to lead with the outcome.
    """

    outcome: str
    mark: Markup
    standing: str
    headlined: bool


@dataclass(frozen=True, slots=True)
class Card:
    """A study in a list."""

    id: str
    title: str
    claim: str
    status: Status
    status_word: str
    verdict: VerdictWord | None
    authors: str
    registered: str
    deadline: str
    strip: Markup | None = None
    """The leading estimate as a small picture, where a list has it."""


def verdict_word(row: VerdictRow) -> VerdictWord:
    """The verdict on one hypothesis."""
    return VerdictWord(
        outcome=verdict_words.OUTCOMES[row.outcome],
        mark=outcome_mark(row.outcome),
        standing=row.standing,
        headlined=row.standing in verdict_words.HEADLINED,
    )


def card(listing: Listing, row: StudyRow, today: date, grace_days: int = GRACE_DAYS) -> Card:
    """A study of a listing as a list shows it on a day, in a registry that gives this many days of grace."""
    asked = listing.hypotheses(row)
    status = status_of(row, today)
    return Card(
        id=row.id,
        title=row.title,
        claim=asked[0].claim if asked else row.title,
        status=status,
        status_word=STATUS[status],
        verdict=_leading(listing, row, [item.id for item in asked]),
        authors=_names(listing.authors(row)),
        registered=row.created[:10],
        # A list says of what is reported when it was promised, not when it would have been late.
        deadline="" if status == "reported" else deadline_words(deadline_of(row, today, grace_days), status),
    )


def cards(
    view: ReadView, rows: Iterable[StudyRow], today: date, grace_days: int = GRACE_DAYS
) -> tuple[Card, ...]:
    """Studies as a list shows them, in the order given."""
    listing = Listing(view, rows)
    return tuple(card(listing, row, today, grace_days) for row in listing.studies)


def _leading(listing: Listing, row: StudyRow, order: list[str]) -> VerdictWord | None:
    """The verdict on the hypothesis registered first, in the newest report."""
    if row.state == "withdrawn":
        return None
    found = {verdict.hypothesis: verdict for verdict in listing.verdicts(row)}
    leading = next((found[name] for name in order if name in found), None)
    return None if leading is None else verdict_word(leading)


def _names(names: list[str]) -> str:
    shown = ", ".join(names[:_NAMES])
    return f"{shown} and {len(names) - _NAMES} more" if len(names) > _NAMES else shown
