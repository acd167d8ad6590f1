"""The week's round: the seals that waited enter, and one batch commits to what every sealed study says, or to nothing."""

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Final

from leadline.errors import StateError
from leadline.ledger.authority import Authority
from leadline.ledger.sealing.periods import period_of, period_time
from leadline.ledger.sealing.slots import batch_root, encode_batch, silence, silent_slot
from leadline.ledger.statements import make_signed
from leadline.registry.sealing.outbox import own_secret, take_slot, waiting_slots
from leadline.registry.sealing.waiting import enter_waiting
from leadline.registry.sealing.writing import admit, announced, append_signed, installation_key
from leadline.store import Appended, ReadView
from leadline.store.projections.seals import batches, live, slots

if TYPE_CHECKING:
    from leadline.registry.registry import Registry

_NEVER: Final = -1


@dataclass(frozen=True, slots=True)
class Flushed:
    """What a period's flush did: the batch it logged, the seals it entered; both None and empty when done before."""

    period: date
    batch: Appended | None = None
    slots: int = 0
    seals: tuple[Appended, ...] = ()


class _DoneError(Exception):
    """Leaves the write transaction without writing: the batch is there already, or the studies changed."""


def flush(registry: "Registry", today: date | None = None, *, bucket: int = 0) -> Flushed:
    """Let in the seals that waited, then log the batch of the week of `today`, unless it is there.

    Exactly one slot for every study that is sealed now. `bucket` is what the number of a week's waiting hazard seals
    is rounded up to by decoys (`leadline.registry.sealing.waiting`); 0 makes none. Safe to call again, and from
    several processes at once. Raises StateError where the installation's private keys are not at hand.
    """
    day = registry.clock().date() if today is None else today
    begin = period_of(day)
    entered = enter_waiting(registry, day, bucket)
    for _ in range(8):  # a study revealed or sealed meanwhile changes who gets a slot
        try:
            batch, count = _batch(registry, begin)
            break
        except _DoneError:
            continue
    else:
        raise StateError("sealed studies keep changing", remedy="flush again")
    return Flushed(begin, batch, count, tuple(entered))


def _batch(registry: "Registry", begin: date) -> tuple[Appended | None, int]:
    period = begin.isoformat()
    store = registry.store
    waiting = waiting_slots(registry)
    with store.snapshot() as view:
        studies = live(view)
        if not studies or batches(view, period=period):
            return None, 0
        taken = {study: waiting[study] for study in studies if study in waiting}
        used = {study: slot for study, (slot, after) in taken.items() if after == _newest(slots(view, study))}
    secret = own_secret(registry)
    made = [(study, used.get(study) or silent_slot(silence(secret, study, period))) for study in studies]
    key = installation_key(registry)
    time = period_time(begin)
    said = {"action": "batch", "body": store.put_blob(encode_batch(made)), "root": batch_root(made).hex()}
    envelope = make_signed("seal", {**said, "created": time}, key)

    def build(view: ReadView, rights: Authority) -> list[bytes]:
        if batches(view, period=period) or live(view) != studies:
            raise _DoneError
        return admit(rights, view, [*announced(registry, view, key, time), envelope])

    receipt = append_signed(registry, build)[-1]
    for study, (slot, _) in taken.items():
        take_slot(registry, study, slot)
    return receipt, len(made)


def _newest(seen: list[tuple[int, bytes]]) -> int:
    return seen[-1][0] if seen else _NEVER
