"""Overdue studies with logs are analysed and published without anybody's leave, signed by the service key.

Unless the plan itself, frozen in the open, asked for less openness (its block ``hazard``). ``delayed`` waits for the
date that ``release`` names. Without a date there, and for ``restricted`` and ``sealed``, nothing is published by
itself: whether the rule allows it is for a person to say. Such a study is published by its author, or closes as
undisclosed with the others. Its promise, its attempts and the logs attached to it are public all the same: to keep
those shut, a study is sealed.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import date
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from leadline.errors import Explained, LeadlineError, StateError, StoreError
from leadline.ledger.keys import SigningKey
from leadline.logs.apart import ApartLimits
from leadline.registry.lifecycle.apart import analysis_apart
from leadline.registry.lifecycle.budget import Budget
from leadline.registry.lifecycle.event import Event
from leadline.registry.lifecycle.failures import failure_of, remember
from leadline.registry.lifecycle.plans import Plans
from leadline.registry.lifecycle.withholding import is_withheld
from leadline.registry.publication import AlreadyReportedError, Facts, facts_of, record_report
from leadline.store.projections.status import is_overdue
from leadline.store.projections.studies import StudyRow, studies
from leadline.verdict.elsewhere import NOTHING

if TYPE_CHECKING:
    from leadline.registry.registry import Registry

#: Studies that an event names, and characters of why one failed.
_MOST_NAMED: Final = 300
_LONGEST_WHY: Final = 1_000


def publish_overdue(
    registry: "Registry",
    today: date,
    service: SigningKey,
    *,
    dry: bool,
    limits: ApartLimits,
    budget: Budget,
    plans: Plans,
) -> Iterator[Event]:
    """Publish every overdue study that has logs, no report, and is neither withheld nor of restricted openness.

    What was never tried comes first, oldest first; then what is to be tried again, the longest ago first: studies
    that nobody can analyse never keep the others waiting for ever. What the budget does not reach is told as
    ``postponed``, and so is a study whose plan it leaves no time to read.

    A study whose analysis fails gets no report but an event that says why, in every round; it stays overdue. It is
    tried again when its record or the engine has changed, and after days that double each time.
    """
    waiting, resting, unread = [], [], []
    for number, row in enumerate(_overdue(registry, today, plans)):
        failure = failure_of(registry.store.shelf, row.id)
        if plans.allow(row) is None:
            unread.append(row)
        elif failure is None:
            waiting.append((date.min, number, row))
        elif failure.waits(_state(_facts(registry, row.id)), today):
            resting.append(Event("failed", (row.id,), failure.words))
        else:
            waiting.append((failure.tried, number, row))
    queue = [row for _, _, row in sorted(waiting, key=lambda one: one[:2])]
    while queue and budget.take():
        row = queue.pop(0)
        event = (
            Event("published", (row.id,), "would be published")
            if dry
            else _publish(registry, row, today, service, limits)
        )
        if event is not None:
            yield event
    yield from resting
    left = [row.id for row in (*queue, *unread)]
    if left:
        yield Event("postponed", tuple(left[:_MOST_NAMED]), f"{len(left)} left for the next round")


def owed(registry: "Registry", today: date, plans: Plans) -> frozenset[str]:
    """Studies whose publication is due and was never tried: this registry owes it, so they are not closed yet.

    So may be one whose plan there is no time to read.
    """
    shelf = registry.store.shelf
    return frozenset(row.id for row in _overdue(registry, today, plans) if failure_of(shelf, row.id) is None)


def _overdue(registry: "Registry", today: date, plans: Plans) -> Iterator[StudyRow]:
    """What is to be published, in log order, unless its plan is known not to allow it."""
    for row in reversed(studies(registry.store, state="attached")):
        if (
            is_overdue(row, today)
            and not is_withheld(registry.store, row.id)
            and plans.allow(row) is not False
        ):
            yield row


def _publish(
    registry: "Registry", row: StudyRow, today: date, service: SigningKey, limits: ApartLimits
) -> Event | None:
    """Publish one study; whatever goes wrong with it is an event, and the round goes on."""
    state = ""
    try:
        facts = _facts(registry, row.id)
        state = _state(facts)
        body = analysis_apart(registry.study(row.id), limits=limits)
        if is_withheld(registry.store, row.id):  # asked for meanwhile
            return None
        index = _record(registry, row.id, body, service, facts)
    except Exception as error:  # noqa: BLE001 (one study must not end the round)
        return _failed(registry, row.id, state, today, error)
    if index is None:
        return None
    return Event("published", (row.id,), "the registered analysis over the attached logs", index)


def _failed(registry: "Registry", study: str, state: str, today: date, error: Exception) -> Event:
    """The event of a failure, which is remembered. The machine's trouble, and altered bytes, may be mended any day."""
    why = error.diagnosis() if isinstance(error, Explained) else f"{type(error).__name__}: {error}"
    patient = isinstance(error, LeadlineError) and not isinstance(error, StoreError)
    with suppress(LeadlineError, OSError):  # a shelf that cannot be written is the same trouble
        remember(registry.store.shelf, study, state, today, why, patient=patient)
    return Event("failed", (study,), why[:_LONGEST_WHY])


def _record(registry: "Registry", study: str, body: bytes, service: SigningKey, facts: Facts) -> int | None:
    """Log index of the report; None when somebody published, withdrew or added meanwhile: the next round sees it."""
    try:
        return record_report(registry, study, body, service, facts, first=True).index
    except (AlreadyReportedError, StateError):
        return None


def _state(facts: Facts) -> str:
    """What decides whether an analysis can be done, and may change: the study's own facts, and the engine.

    What its authors register besides is no reason to try again: it could be had for nothing.
    """
    from leadline import __version__

    return sha256(repr((replace(facts, elsewhere=NOTHING), __version__)).encode()).hexdigest()


def _facts(registry: "Registry", study: str) -> Facts:
    with registry.store.snapshot() as view:
        return facts_of(view, study)
