"""Studies that stay silent past due date and grace are closed, in one batch for each calendar month.

Which studies a batch names depends on their due dates (or embargoes) and on the absence of a report, and on
nothing else: not on withholding, attempts, or who asked; one whose report this registry is about to publish by itself
is left out, as it would be a moment later. A study is due for the first batch of the month that
begins after its grace has ended; when in that month the batch is made changes nothing. One more study that comes
to be due during the month waits for the next.
"""

from collections.abc import Collection, Iterable
from datetime import date
from typing import TYPE_CHECKING, Final

from leadline.ledger.keys import SigningKey
from leadline.registry.lifecycle.event import Event
from leadline.store import ReadView
from leadline.store.projection import TableReader
from leadline.store.projections.status import closing_day, grace_end
from leadline.store.projections.studies import State, closings, studies

if TYPE_CHECKING:
    from leadline.registry.registry import Registry, Said

#: A statement names at most this many studies (its entry must stay under 65,535 bytes).
STUDIES_PER_STATEMENT: Final = 300
_SILENT: Final[tuple[State, ...]] = ("registered", "running", "attached")


class _NothingToDoError(Exception):
    """Leaves the write transaction without writing."""


def close_silent(
    registry: "Registry",
    today: date,
    service: SigningKey,
    *,
    grace_days: int,
    besides: Collection[str] = frozenset(),
) -> list[Event]:
    """Make this month's batch, unless it was made; nothing when no study is due for it.

    The studies `besides` are left out: their report is about to be published.
    """
    period = period_of(today)
    batches: list[tuple[str, ...]] = []

    def build(view: ReadView) -> "list[Said]":
        batches[:] = _parts([study for study in _due(view, today, grace_days) if study not in besides])
        if not batches:
            raise _NothingToDoError
        created = registry.time()
        return [
            ("close", {"studies": list(part), "period": period, "created": created}, service)
            for part in batches
        ]

    try:
        receipts = registry.append(build)
    except _NothingToDoError:
        return []
    return [
        Event("closed", part, period, receipt.index) for part, receipt in zip(batches, receipts, strict=True)
    ]


def would_close(
    registry: "Registry", today: date, *, grace_days: int, besides: Collection[str] = frozenset()
) -> list[Event]:
    """What `close_silent` would do."""
    with registry.store.snapshot() as view:
        due = [study for study in _due(view, today, grace_days) if study not in besides]
    return [Event("closed", part, period_of(today)) for part in _parts(due)]


def period_of(today: date) -> str:
    """The batch's period: the calendar month, ``2026-09``."""
    return f"{today.year:04d}-{today.month:02d}"


def _due(view: TableReader, today: date, grace_days: int) -> list[str]:
    """Ids of the studies for this month's batch, sorted; none when it was made already."""
    if closings(view, period_of(today)):
        return []
    dated = [(row.id, row.due) for state in _SILENT for row in studies(view, state=state)]
    silent = [(id_, date.fromisoformat(due)) for id_, due in [*dated, *_sealed(view)] if due is not None]
    return sorted(id_ for id_, due in silent if closing_day(grace_end(due, grace_days)) <= today)


def _sealed(view: TableReader) -> Iterable[tuple[str, str]]:
    """Seals that are neither revealed nor closed, with the end of their embargo."""
    from leadline.store.projections.seals import seals

    return [(row.id, row.embargo) for row in seals(view, state="sealed")]


def _parts(ids: list[str]) -> list[tuple[str, ...]]:
    return [tuple(ids[i : i + STUDIES_PER_STATEMENT]) for i in range(0, len(ids), STUDIES_PER_STATEMENT)]
