"""Hidden later statements: once per period, one slot of one size for every live sealed study.

What a sealed study says (signed statements, in order) is a stream of records, each behind its length. A slot takes
the next piece of that stream: commitment (32 bytes), then a box for the author and the release identity. A study
that says nothing gets a slot for nobody, which nobody can tell from the others. A slot's commitment has two leaves:
one of the piece, one of the verdict that the piece completes, so that a verdict can be opened alone.
"""

import hmac
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import pairwise
from typing import Final

from leadline.errors import InputError, StatementError
from leadline.ledger.ids import is_study_id
from leadline.ledger.sealing import age, container
from leadline.ledger.sealing.commitment import SALT_SIZE, commit, new_salt
from leadline.ledger.tlog.tree import leaf_hash, root

#: Content of one slot: two salts, the verdict, and a piece of the stream.
CAPACITY: Final = 8 * 1024
#: A longer verdict (hundreds of hypotheses) cannot be opened alone.
MAX_VERDICT: Final = 4 * 1024
READERS: Final = 2
NO_VERDICT: Final = b"null"
_BOX: Final = container.box_size(CAPACITY, READERS)
_COMMITMENT: Final = 32
#: Every slot has exactly this many bytes.
SLOT_SIZE: Final = _COMMITMENT + _BOX
_HEAD: Final = 2 * SALT_SIZE + 4
_LENGTH: Final = 4
_MAX_RECORD: Final = 1 << 16
_DOMAIN: Final = b"leadline.dev/seal-slot/v1"
_MAGIC: Final = b"leadline.dev/seal-batch/v1\n"
_ID: Final = 16
MAX_STUDIES: Final = 100_000


@dataclass(frozen=True, slots=True)
class SlotOpening:
    """What a slot's commitment was made of: two salts, a piece of the stream, and the verdict it completes."""

    salt: bytes
    verdict_salt: bytes
    piece: bytes = b""
    verdict: bytes = NO_VERDICT

    @property
    def piece_leaf(self) -> bytes:
        """The commitment to the piece."""
        return commit(self.salt, self.piece)

    @property
    def commitment(self) -> bytes:
        """The 32 bytes a slot begins with."""
        return slot_commitment(self.piece_leaf, commit(self.verdict_salt, self.verdict))

    def encode(self) -> bytes:
        """What is encrypted."""
        head = self.salt + self.verdict_salt + len(self.verdict).to_bytes(4, "big")
        return head + self.verdict + self.piece

    @classmethod
    def decode(cls, data: bytes) -> "SlotOpening":
        """What `encode` wrote; StatementError for anything else."""
        length = int.from_bytes(data[2 * SALT_SIZE : _HEAD], "big")
        if len(data) < _HEAD + length:
            raise StatementError("this is not the content of a slot", remedy=_REMEDY)
        verdict, piece = data[_HEAD : _HEAD + length], data[_HEAD + length :]
        return cls(data[:SALT_SIZE], data[SALT_SIZE : 2 * SALT_SIZE], piece, verdict)


def slot_commitment(piece_leaf: bytes, verdict_leaf: bytes) -> bytes:
    """The commitment of a slot, from its two leaves."""
    return sha256(_DOMAIN + b"\x00" + piece_leaf + verdict_leaf).digest()


def room(verdict: bytes = NO_VERDICT) -> int:
    """How many bytes of the stream fit into a slot beside this verdict."""
    return CAPACITY - _HEAD - len(verdict)


def make_slot(piece: bytes, verdict: bytes, recipients: Sequence[str]) -> tuple[bytes, SlotOpening]:
    """A slot of `SLOT_SIZE` bytes for two recipients (author, release), and what opens it: keep that private."""
    if len(recipients) != READERS:
        raise InputError("a slot is for its author and the release identity", remedy="give both recipients")
    opening = SlotOpening(new_salt(), new_salt(), piece, verdict)
    return opening.commitment + container.box(opening.encode(), CAPACITY, list(recipients)), opening


def open_slot(slot: bytes, identity: str) -> SlotOpening | None:
    """What is in a slot, or None when it is not for this identity.

    Raises StatementError for a malformed slot, or one whose content is not what its commitment says.
    """
    check_slot(slot)
    plain = container.unbox(slot[_COMMITMENT:], CAPACITY, READERS, identity)
    if plain is None:
        return None
    opening = SlotOpening.decode(plain)
    if opening.commitment != slot[:_COMMITMENT]:
        raise StatementError("the slot holds something else than it commits to", remedy=_REMEDY)
    return opening


def check_slot(slot: bytes) -> None:
    """StatementError unless these bytes have the form of every slot."""
    if len(slot) != SLOT_SIZE:
        raise StatementError(f"a slot has {SLOT_SIZE:,} bytes, not {len(slot):,}", remedy=_REMEDY)
    container.age_file(slot[_COMMITMENT:], CAPACITY, READERS)


def silence(secret: bytes, study: str, period: str) -> SlotOpening:
    """The opening of the slot of a study that says nothing in a period.

    It follows from the installation's 32-byte secret, so that a reveal can show a silent slot to be silent.
    """
    salts = [
        hmac.digest(secret, f"{label}\n{study}\n{period}".encode(), "sha256")
        for label in ("piece", "verdict")
    ]
    return SlotOpening(salts[0], salts[1])


def silent_slot(opening: SlotOpening) -> bytes:
    """A slot that says nothing, to nobody."""
    return opening.commitment + container.box(b"", CAPACITY, [age.nobody() for _ in range(READERS)])


# -- streams --------------------------------------------------------------------------------------


def stream_of(envelopes: Iterable[bytes]) -> bytes:
    """Signed statements as one stream."""
    return b"".join(len(one).to_bytes(_LENGTH, "big") + one for one in envelopes)


def records(pieces: Sequence[tuple[int, bytes]]) -> Iterator[tuple[int, bytes]]:
    """(log index of the batch that completed it, envelope) of each whole record in pieces given in log order.

    An unfinished record at the end is left out. Raises StatementError for lengths that make no sense.
    """
    stream = b"".join(piece for _, piece in pieces)
    ends: list[tuple[int, int]] = []
    for index, piece in pieces:
        ends.append(((ends[-1][0] if ends else 0) + len(piece), index))
    place = 0
    while place + _LENGTH <= len(stream):
        length = int.from_bytes(stream[place : place + _LENGTH], "big")
        if not 0 < length < _MAX_RECORD:
            raise StatementError("the hidden statements are not behind their lengths", remedy=_REMEDY)
        stop = place + _LENGTH + length
        if stop > len(stream):
            return
        yield next(index for end, index in ends if stop <= end), stream[place + _LENGTH : stop]
        place = stop


# -- batches --------------------------------------------------------------------------------------


def encode_batch(slots: Sequence[tuple[str, bytes]]) -> bytes:
    """The bytes of a batch: (study, slot), by study."""
    body = b"".join(study.encode("ascii") + slot for study, slot in sorted(slots))
    return _MAGIC + len(slots).to_bytes(4, "big") + body


def batch_slots(data: bytes) -> list[tuple[str, bytes]]:
    """(study, slot) of a batch, in order of study.

    Raises StatementError unless the bytes are exactly those of a batch. What is in the boxes is not looked at.
    """
    count = int.from_bytes(data[len(_MAGIC) : len(_MAGIC) + 4], "big")
    start, each = len(_MAGIC) + 4, _ID + SLOT_SIZE
    if not data.startswith(_MAGIC) or count > MAX_STUDIES or len(data) != start + count * each:
        raise StatementError("these are not the bytes of a batch of slots", remedy=_REMEDY)
    places = range(start, len(data), each)
    slots = [(data[at : at + _ID].decode("latin-1"), data[at + _ID : at + each]) for at in places]
    ids = [study for study, _ in slots]
    if not all(map(is_study_id, ids)) or any(a >= b for a, b in pairwise(ids)):
        raise StatementError("the slots of a batch are in order of study, each once", remedy=_REMEDY)
    return slots


def slot_leaf(study: str, slot: bytes) -> bytes:
    """The Merkle leaf of a study's slot: over id, commitment and digest of the box (RFC 6962 leaf hash)."""
    return leaf_of(study, slot[:_COMMITMENT], sha256(slot[_COMMITMENT:]).digest())


def leaf_of(study: str, commitment: bytes, box_digest: bytes) -> bytes:
    """`slot_leaf` from a slot's commitment and the SHA-256 of its box."""
    return leaf_hash(study.encode("ascii") + commitment + box_digest)


def batch_root(slots: Iterable[tuple[str, bytes]]) -> bytes:
    """The Merkle root over the slots of a batch, in order of study (RFC 6962)."""
    return root(slot_leaf(study, slot) for study, slot in slots)


def batch_size(count: int) -> int:
    """Bytes of a batch with this many slots."""
    return len(_MAGIC) + 4 + count * (_ID + SLOT_SIZE)


_REMEDY: Final = "fetch the bytes again; slots are made by leadline.ledger.sealing.slots.make_slot"
