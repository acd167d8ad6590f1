"""The outbox: what sealed studies say, waiting on the shelf for the week's batch.

The server holds no secret of a study. An author hands over a finished slot, signed with a key that was made for this
seal alone. With the same key an author (or a quorum of trustees, who find it in the body) asks for what belongs to
the study alone: which of its slots were silent.
"""

import os
import struct
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from leadline.errors import NotFoundError, SignatureError, StateError, StatementError
from leadline.ledger.keys import SigningKey, verify
from leadline.ledger.sealing.slots import SlotOpening, check_slot, silence
from leadline.registry.sealing.spaces import KEYS, OUTBOX, OWN
from leadline.store.projections.seals import batches, slots
from leadline.store.projections.seals import seal as find_seal

if TYPE_CHECKING:
    from leadline.registry.registry import Registry

_DOMAIN: Final = b"leadline.dev/seal-deposit/v1\x00"
_HEAD: Final = struct.Struct(">qq")
_KEY: Final = struct.Struct(">32sq")
_QUESTION: Final = b"leadline.dev/seal-question/v1\x00"
#: A signed question is good for this long at most: who overhears it cannot ask it again for ever.
_GOOD_FOR: Final = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Own:
    """What only a study's own key may ask: what opens its silent slots (by batch), and how many deposits it made."""

    silent: dict[int, SlotOpening]
    sequence: int


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
    The same deposit again changes nothing. Raises NotFoundError for a study that is not sealed now, SignatureError,
    StatementError for a malformed slot, StateError for a sequence that was used for another slot.
    """
    shelf = registry.store.shelf
    row, kept = find_seal(registry.store, study), shelf.get(KEYS, study)
    if kept is None or (row is not None and row.state != "sealed"):
        raise NotFoundError(
            "no live sealed study takes slots under this id", where=study, remedy="check the id"
        )
    last = check_own(registry, study, deposit_message(study, sequence, after, slot), signature)
    check_slot(slot)
    held = _HEAD.pack(sequence, after) + slot
    if sequence == last and shelf.get(OUTBOX, study) == held:
        return
    public = kept[:32]
    if sequence <= last or not shelf.swap(KEYS, study, kept, _KEY.pack(public, sequence)):
        raise StateError(
            f"a deposit with the number {sequence} or a later one was taken already",
            where=study,
            remedy="read the log again and deposit the next one",
        )
    shelf.put(OUTBOX, study, held)


def waiting_slots(registry: "Registry") -> dict[str, tuple[bytes, int]]:
    """The slots that wait for the next batch, and the batch each was made after, by study."""
    held = registry.store.shelf.items(OUTBOX)
    return {study: (value[_HEAD.size :], int(_HEAD.unpack_from(value)[1])) for study, value in held}


def take_slot(registry: "Registry", study: str, slot: bytes) -> None:
    """This slot is in a batch now: it waits no longer, and a newer one stays."""
    shelf = registry.store.shelf
    held = shelf.get(OUTBOX, study)
    if held is not None and held[_HEAD.size :] == slot:
        shelf.swap(OUTBOX, study, held, None)


def check_own(registry: "Registry", study: str, message: bytes, signature: bytes) -> int:
    """SignatureError unless the key made for this study signed `message`; returns the number of its last deposit.

    The same refusal for an id that no seal made.
    """
    kept = registry.store.shelf.get(KEYS, study)
    public, last = (bytes(32), 0) if kept is None else _KEY.unpack(kept)
    try:
        if kept is None:
            raise SignatureError("there is no such key")
        verify(public, message, signature)
    except SignatureError:
        raise SignatureError(
            "this is not signed by the key that was made for this study",
            where=study,
            remedy="use the file of the sealed study, and check the id",
        ) from None
    return int(last)


def question(study: str, expires: datetime) -> bytes:
    """What a study's own key signs to ask for `Own`, with a question that is good until `expires` (with zone)."""
    return _QUESTION + study.encode() + struct.pack(">q", int(expires.timestamp()))


def answer_own(registry: "Registry", study: str, expires: datetime, signature: bytes) -> Own:
    """What belongs to the study alone, for whoever holds its own key.

    Raises SignatureError, or StatementError for a question out of date or good for longer than a day.
    """
    if not registry.clock() < expires <= registry.clock() + _GOOD_FOR:
        raise StatementError(
            "the question is out of date, or good for longer than a day",
            where=study,
            remedy="ask with one that expires within the next hours; check the clock of this machine",
        )
    last = check_own(registry, study, question(study, expires), signature)
    return Own(silent_slots(registry, study), last)


def deposits(registry: "Registry", study: str) -> int:
    """How many deposits the study has made; 0 for an id without a key."""
    kept = registry.store.shelf.get(KEYS, study)
    return 0 if kept is None else int(_KEY.unpack(kept)[1])


def silent_slots(registry: "Registry", study: str) -> dict[int, SlotOpening]:
    """What opens the slots in which a study said nothing, by log index of the batch.

    For the study's author or its trustees only: to others it would tell when the study was at work.
    """
    secret = own_secret(registry)
    periods = {one.ix: one.period for one in batches(registry.store)}
    made = {batch: (silence(secret, study, periods[batch]), c) for batch, c in slots(registry.store, study)}
    return {batch: opening for batch, (opening, c) in made.items() if opening.commitment == c}


def own_secret(registry: "Registry") -> bytes:
    """The installation's 32 bytes from which silent slots follow; made once."""
    shelf = registry.store.shelf
    shelf.swap(OWN, "silence", None, os.urandom(32))
    return shelf.get(OWN, "silence") or b""
