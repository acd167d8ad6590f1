"""The outbox: what sealed studies say, waiting on the shelf, and the batch that commits to it once per week.

The server holds no secret of a study. An author hands over a finished slot, signed with a key that was made for this
seal alone; the batch takes one slot for every live sealed study, and makes silent ones for those that said nothing.
"""

import os
import struct
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from leadline.errors import NotFoundError, SignatureError, StateError
from leadline.ledger.authority import Authority
from leadline.ledger.keys import SigningKey, verify
from leadline.ledger.sealing.periods import period_of, period_time
from leadline.ledger.sealing.slots import (
    SlotOpening,
    batch_root,
    check_slot,
    encode_batch,
    silence,
    silent_slot,
)
from leadline.ledger.statements import make_signed
from leadline.registry.sealing.writing import admit, announced, append_signed, installation_key
from leadline.store import Appended, ReadView
from leadline.store.projections.seals import batches, live, slots
from leadline.store.projections.seals import seal as find_seal

if TYPE_CHECKING:
    from leadline.registry.registry import Registry

#: Spaces on the shelf: deposit keys, waiting slots, waiting seals, and the installation's own secret.
KEYS, OUTBOX, QUEUE, OWN = "seal-keys", "seal-outbox", "seal-queue", "seal-own"
_DOMAIN: Final = b"leadline.dev/seal-deposit/v1\x00"
_HEAD: Final = struct.Struct(">qq")
_KEY: Final = struct.Struct(">32sq")
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


def deposit_message(study: str, sequence: int, after: int, slot: bytes) -> bytes:
    """What a deposit key signs: the study, the number of the deposit, the batch it comes after, and the slot."""
    return _DOMAIN + study.encode() + _HEAD.pack(sequence, after) + sha256(slot).digest()


def sign_deposit(key: SigningKey, study: str, sequence: int, after: int, slot: bytes) -> bytes:
    """The signature that `deposit` asks for."""
    return key.sign(deposit_message(study, sequence, after, slot))


def register_deposit(registry: "Registry", study: str, public: bytes) -> None:
    """Keep the key that will sign a study's slots; StateError when the study has another one."""
    shelf = registry.store.shelf
    if not shelf.swap(KEYS, study, None, _KEY.pack(public, 0)):
        known = shelf.get(KEYS, study)
        if known is None or _KEY.unpack(known)[0] != public:
            raise StateError("this study has a key for its slots already", where=study, remedy="use that one")


def deposit(
    registry: "Registry", study: str, slot: bytes, *, sequence: int, after: int, signature: bytes
) -> None:
    """Keep a finished slot for the next batch, in place of an earlier one.

    `sequence` counts the deposits of a study from 1; `after` is the log index of the newest batch its author has
    seen (-1: none): a slot made before a batch that came between is not used, since its piece may be in that batch.
    Raises NotFoundError for a study that is not sealed now, SignatureError, StatementError for a malformed slot,
    StateError for a sequence that was used.
    """
    shelf = registry.store.shelf
    row, kept = find_seal(registry.store, study), shelf.get(KEYS, study)
    if kept is None or (row is not None and row.state != "sealed"):
        raise NotFoundError(
            "no live sealed study takes slots under this id", where=study, remedy="check the id"
        )
    public, last = _KEY.unpack(kept)
    try:
        verify(public, deposit_message(study, sequence, after, slot), signature)
    except SignatureError:
        raise SignatureError(
            "the slot is not signed by the key that was made for this study",
            where=study,
            remedy="deposit it with the file of the sealed study",
        ) from None
    check_slot(slot)
    if sequence <= last or not shelf.swap(KEYS, study, kept, _KEY.pack(public, sequence)):
        raise StateError(
            f"a deposit with the number {sequence} or a later one was taken already",
            where=study,
            remedy="read the log again and deposit the next one",
        )
    shelf.put(OUTBOX, study, _HEAD.pack(sequence, after) + slot)


def enqueue(registry: "Registry", envelope: bytes, introduction: bytes | None = None) -> None:
    """Let a signed seal wait for the next batch, so that its place in the log does not tell when it was made.

    Its body must be stored already. A server that many seal through uses this; the order of entry is that of the
    commitments, which says nothing.
    """
    digest = sha256(envelope).hexdigest()
    registry.store.shelf.put(QUEUE, digest, _lengths(introduction or b"") + (introduction or b"") + envelope)


def silent_slots(registry: "Registry", study: str) -> dict[int, SlotOpening]:
    """What opens the slots in which a study said nothing, by log index of the batch.

    For the study's author or its trustees only: to others it would tell when the study was at work.
    """
    secret = _own_secret(registry)
    periods = {one.ix: one.period for one in batches(registry.store)}
    made = {batch: (silence(secret, study, periods[batch]), c) for batch, c in slots(registry.store, study)}
    return {batch: opening for batch, (opening, c) in made.items() if opening.commitment == c}


def flush(registry: "Registry", today: date | None = None) -> Flushed:
    """Log the batch of the week of `today`, unless it is there, and let waiting seals in behind it.

    Exactly one slot for every study that is sealed now. Safe to call again, and from several processes at once.
    Raises StateError where the installation's private keys are not at hand.
    """
    day = registry.clock().date() if today is None else today
    begin = period_of(day)
    for _ in range(8):  # a study revealed or sealed meanwhile changes who gets a slot
        try:
            batch, count = _batch(registry, begin)
            break
        except _DoneError:
            continue
    else:
        raise StateError("sealed studies keep changing", remedy="flush again")
    return Flushed(begin, batch, count, tuple(_enter_queue(registry)))


def _batch(registry: "Registry", begin: date) -> tuple[Appended | None, int]:
    period = begin.isoformat()
    store = registry.store
    with store.snapshot() as view:
        studies = live(view)
        if not studies or batches(view, period=period):
            return None, 0
        newest = {study: _newest(slots(view, study)) for study in studies}
    secret = _own_secret(registry)
    waiting = {study: store.shelf.get(OUTBOX, study) for study in studies}
    made: list[tuple[str, bytes]] = []
    for study in studies:
        kept = waiting[study]
        if kept is not None and _HEAD.unpack_from(kept)[1] == newest[study]:
            made.append((study, kept[_HEAD.size :]))
        else:
            made.append((study, silent_slot(silence(secret, study, period))))
    key = installation_key(registry)
    time = period_time(begin)
    said = {"action": "batch", "body": store.put_blob(encode_batch(made)), "root": batch_root(made).hex()}
    envelope = make_signed("seal", {**said, "created": time}, key)

    def build(view: ReadView, rights: Authority) -> list[bytes]:
        if batches(view, period=period) or live(view) != studies:
            raise _DoneError
        return admit(rights, view, [*announced(registry, view, key, time), envelope])

    receipt = append_signed(registry, build)[-1]
    for study, kept in waiting.items():
        if kept is not None:
            store.shelf.swap(OUTBOX, study, kept, None)  # a newer deposit stays
    return receipt, len(made)


def _enter_queue(registry: "Registry") -> list[Appended]:
    shelf = registry.store.shelf
    waiting = shelf.items(QUEUE)
    entered = []
    for key, value in waiting:
        length = int.from_bytes(value[:4], "big")
        introduction, envelope = value[4 : 4 + length], value[4 + length :]

        def build(
            view: ReadView, rights: Authority, first: bytes = introduction, last: bytes = envelope
        ) -> list[bytes]:
            from leadline.ledger.dsse import decode
            from leadline.store.projections.authority import key as find_key

            known = not first or find_key(view, decode(first).keyid) is not None
            return admit(rights, view, [last] if known else [first, last])

        entered.append(append_signed(registry, build)[-1])
        shelf.delete(QUEUE, key)
    return entered


def _own_secret(registry: "Registry") -> bytes:
    """32 bytes from which silent slots follow; made once."""
    shelf = registry.store.shelf
    shelf.swap(OWN, "silence", None, os.urandom(32))
    return shelf.get(OWN, "silence") or b""


def _newest(seen: list[tuple[int, bytes]]) -> int:
    return seen[-1][0] if seen else _NEVER


def _lengths(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big")
