"""One round of tending: release, close, publish."""

from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING

from leadline.errors import StateError
from leadline.ledger.keys import SigningKey
from leadline.logs.apart import ApartLimits
from leadline.registry.lifecycle.apart import LIMITS
from leadline.registry.lifecycle.budget import Budget
from leadline.registry.lifecycle.closing import close_silent, would_close
from leadline.registry.lifecycle.event import Event
from leadline.registry.lifecycle.plans import Plans
from leadline.registry.lifecycle.publishing import owed, publish_overdue
from leadline.store.projections.status import GRACE_DAYS

__all__ = ["Event", "tend"]

if TYPE_CHECKING:
    from leadline.registry.registry import Registry


def tend(
    registry: "Registry",
    today: date | None = None,
    *,
    grace_days: int = GRACE_DAYS,
    dry: bool = False,
    limits: ApartLimits = LIMITS,
    budget: Budget | None = None,
) -> list[Event]:
    """Open seals whose embargo has ended, close what is silent past its grace, publish what is overdue and has logs.

    Closing is cheap and publishing may take long, so it comes last and keeps to `budget` (default: half an hour, a
    hundred studies); what is left is told, and goes on in the next round. What is about to be published is not closed.
    The outcome follows from the record, the shelf, the budget and `today` (default: the registry's clock). `dry`
    says what would be released, closed and published. Raises StateError where the registry's private keys are not at
    hand.
    """
    spent = Budget() if budget is None else budget
    day = today or registry.clock().date()
    service = _service(registry)
    events = list(_would_release(registry, day) if dry else _release(registry, day, spent))
    plans = Plans(registry, day, spent)
    soon = owed(registry, day, plans)
    if dry:
        events += would_close(registry, day, grace_days=grace_days, besides=soon)
    else:
        events += close_silent(registry, day, service, grace_days=grace_days, besides=soon)
    published = publish_overdue(registry, day, service, dry=dry, limits=limits, budget=spent, plans=plans)
    return [*events, *published]


def _release(registry: "Registry", today: date, budget: Budget) -> Iterator[Event]:
    """Seals that this installation alone may open at the end of their embargo."""
    from leadline.registry.sealing import release_due

    for one in release_due(registry, today, going=lambda: budget.in_time):
        if one.why is None:
            yield Event("released", (one.study,), "its embargo has ended")
        else:
            yield Event("failed", (one.study,), one.why)


def _would_release(registry: "Registry", today: date) -> Iterator[Event]:
    from leadline.registry.sealing import releasable

    for study in releasable(registry, today):
        yield Event("released", (study,), "its embargo has ended")


def _service(registry: "Registry") -> SigningKey:
    if registry.home.service is None:
        raise StateError(
            "this registry's service key is not here, so nothing is published or closed by itself",
            where=str(registry.home.folder),
            remedy="tend the registry on the machine that holds its keys",
        )
    return registry.home.service
