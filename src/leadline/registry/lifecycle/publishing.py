"""Overdue studies with logs are analysed and published without anybody's leave, signed by the service key.

Unless the plan itself, frozen in the open, asked for less openness (its block ``hazard``). ``delayed`` waits for the
date that ``release`` names. Without a date there, and for ``restricted`` and ``sealed``, nothing is published by
itself: whether the rule allows it is for a person to say. Such a study is published by its author, or closes as
undisclosed with the others. Its promise, its attempts and the logs attached to it are public all the same: to keep
those shut, a study is sealed.
"""

from collections.abc import Iterator
from datetime import date
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from leadline.errors import LeadlineError, SecurityError, StateError, StoreError
from leadline.ledger.keys import SigningKey
from leadline.logs.apart import ApartLimits
from leadline.registry.lifecycle.apart import analysis_apart
from leadline.registry.lifecycle.event import Event
from leadline.registry.lifecycle.withholding import is_withheld
from leadline.registry.openness import opens_on
from leadline.registry.publication import AlreadyReportedError, Facts, facts_of, record_report
from leadline.store.projections.status import is_overdue
from leadline.store.projections.studies import StudyRow, studies

if TYPE_CHECKING:
    from leadline.registry.registry import Registry

#: Analyses that failed, by study, so that a study nobody can analyse does not cost its limits daily.
SPACE: Final = "analysis-failed"
#: Days after which a failed analysis is tried again although nothing changed: the machine may have been busy.
RETRY_DAYS: Final = 7


def publish_overdue(
    registry: "Registry", today: date, service: SigningKey, *, dry: bool, limits: ApartLimits
) -> Iterator[Event]:
    """Publish every overdue study that has logs, no report, and is neither withheld nor of restricted openness.

    In log order.

    A study whose analysis fails gets no report but an event that says why; it stays overdue. It is tried again
    when its record or the engine has changed, and after a week.
    """
    waiting = [row for row in studies(registry.store, state="attached") if is_overdue(row, today)]
    for row in reversed(waiting):
        if is_withheld(registry.store, row.id) or not _is_open(registry, row, today):
            continue
        event = (
            Event("published", (row.id,), "would be published")
            if dry
            else _publish(registry, row, today, service, limits)
        )
        if event is not None:
            yield event


def _is_open(registry: "Registry", row: StudyRow, today: date) -> bool:
    try:
        day = opens_on(registry.study(row.id).protocol.hazard)
    except (LeadlineError, SecurityError):
        return True  # a plan that cannot be read is not analysed either: `_publish` says why
    return day is not None and day <= today


def _publish(
    registry: "Registry", row: StudyRow, today: date, service: SigningKey, limits: ApartLimits
) -> Event | None:
    study = registry.study(row.id)
    with registry.store.snapshot() as view:
        facts = facts_of(view, row.id)
    state = _state(facts)
    failed = _remembered(registry, row.id, state, today)
    if failed is not None:
        return Event("failed", (row.id,), failed)
    try:
        body = analysis_apart(study, limits=limits)
        if is_withheld(registry.store, row.id):  # asked for meanwhile
            return None
        index = _record(registry, row.id, body, service, facts)
    except (StoreError, SecurityError) as error:  # the machine's trouble, or altered bytes: told every time
        return Event("failed", (row.id,), error.diagnosis())
    except LeadlineError as error:
        why = error.diagnosis()[:1000]
        registry.store.shelf.put(SPACE, row.id, f"{state}\n{today}\n{why}".encode())
        return Event("failed", (row.id,), why)
    if index is None:
        return None
    return Event("published", (row.id,), "the registered analysis over the attached logs", index)


def _record(registry: "Registry", study: str, body: bytes, service: SigningKey, facts: Facts) -> int | None:
    """Log index of the report; None when somebody published, withdrew or added meanwhile: the next round sees it."""
    try:
        return record_report(registry, study, body, service, facts, first=True).index
    except (AlreadyReportedError, StateError):
        return None


def _state(facts: Facts) -> str:
    """What an analysis depends on that may change: facts and engine."""
    from leadline import __version__

    return sha256(repr((facts, __version__)).encode()).hexdigest()


def _remembered(registry: "Registry", study: str, state: str, today: date) -> str | None:
    """Why the analysis of exactly these facts failed in the last days, if it did."""
    kept = registry.store.shelf.get(SPACE, study)
    if kept is None:
        return None
    known, day, why = kept.decode().split("\n", 2)
    return why if known == state and (today - date.fromisoformat(day)).days < RETRY_DAYS else None
