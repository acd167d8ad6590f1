"""Runs that were left behind: made offline, interrupted, killed, or unable to reach the registry when they ended."""

import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from typing import Literal

from leadline.bench.launch.berth import Berth, Order
from leadline.bench.launch.intent import digest_of, require_own
from leadline.bench.launch.settle import Settled, logs_of, settle
from leadline.errors import Explained, InputError, StateError
from leadline.registry.registry import Registry
from leadline.registry.study import Study
from leadline.store.projections.attempts import AttemptRow

State = Literal["running", "waiting", "elsewhere", "settled", "over", "problem"]


@dataclass(frozen=True, slots=True)
class Left:
    """A run that was left behind, and what became of it.

    `state`: ``running`` (still going on), ``waiting`` (could be sent now), ``elsewhere`` (of another registry),
    ``settled`` (attached and closed now), ``over`` (its attempt had been ended by hand), ``problem`` (it says which).
    """

    study: str
    attempt: int | None
    created: str
    logs: int
    state: State
    settled: Settled | None = None
    problem: Explained | None = None


def left_behind(study: str | None = None) -> list[Left]:
    """Runs of this user that were left behind, oldest first; nothing is changed or asked of any registry."""
    return [_looked_at(berth) for berth in Berth.left(study)]


def reconcile(registry: Registry, study: str | None = None, *, allow: Collection[str] = ()) -> Iterator[Left]:
    """Announce what was run offline, attach what logs there are, and close the attempts.

    An attempt whose end nobody saw is closed as ``unknown`` at best, and its note says so. One run's problem does not
    keep the others; what is still going on, or of another registry, is left alone.
    """
    for berth in Berth.left(study):
        seen = _looked_at(berth)
        if seen.state != "waiting":
            yield seen
            continue
        try:
            lock = berth.hold()
        except StateError:
            yield replace(seen, state="running")
            continue
        try:
            yield _reconciled(registry, berth, seen, allow)
        except Explained as problem:
            yield replace(seen, state="problem", problem=problem)
        finally:
            os.close(lock)


def _looked_at(berth: Berth) -> Left:
    try:
        order = berth.order()
        left = Left(order.study, order.attempt, order.created, len(logs_of(berth)), "waiting")
    except Explained as problem:
        return Left(berth.folder.name.rpartition("-")[0], None, "", 0, "problem", problem=problem)
    try:
        os.close(berth.hold())
    except StateError:
        return replace(left, state="running")
    return left


def _reconciled(registry: Registry, berth: Berth, seen: Left, allow: Collection[str]) -> Left:
    order = berth.order()
    if order.origin != registry.home.origin:
        return replace(seen, state="elsewhere")
    study = registry.study(order.study)
    if order.attempt is None:
        order = _announced(study, berth, order)
    row = next(row for row in study.attempt_rows if row.number == order.attempt)
    if row.state != "open":
        berth.remove()
        return replace(seen, state="over", attempt=row.number)
    settled = settle(study, berth, allow=allow)
    return replace(seen, state="settled", attempt=settled.number, settled=settled)


def _announced(study: Study, berth: Berth, order: Order) -> Order:
    """Open the attempt of an offline run, once: an earlier try that broke off is found by the intent in its note."""
    if study.registration != order.promised() and study.registration.leaf_hash != order.promised().leaf_hash:
        raise InputError(
            "the registry's record of this study is not what the run's certificate said",
            where=order.study,
            remedy="the certificate is of another log, or forged: attach the logs with `leadline attach`",
        )
    intent = berth.intent()
    require_own(intent, study.registry.author(), order.study)
    digest = digest_of(intent)
    known: AttemptRow | None = next((row for row in study.attempt_rows if digest in (row.note or "")), None)
    note = f"run offline, begun {order.created} by its own clock; intent sha256 {digest}"
    number = study.open_attempt(note).number if known is None else known.number
    announced = replace(order, attempt=number, note="; ".join(filter(None, (order.note, note))))
    berth.write_order(announced)
    return announced


__all__ = ["Left", "left_behind", "reconcile"]
