"""A once sealed study in a folder of its own: what proves its slots there, and what opens its seal."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final, Protocol

from leadline.errors import IntegrityError, NotFoundError, StatementError
from leadline.ledger.canon import parse_strict, sha256_hex
from leadline.ledger.dsse import check_signature
from leadline.ledger.keys import VerifyKey
from leadline.ledger.predicates import Key, Predicate, Reveal, Seal
from leadline.ledger.sealing.opening import Opened, Sealed, open_whole
from leadline.ledger.sealing.slots import batch_slots, leaf_of, slot_leaf
from leadline.ledger.tlog import prove_inclusion, stored_hashes, verify_inclusion
from leadline.ledger.tlog.tree import leaf_hash
from leadline.store.projections.seals import batches, slots
from leadline.store.protocol import ReadView

#: Files of an exported study that was sealed: what the reveal opened, and the proofs of its slots.
REVEALED, SLOTS = "revealed.json", "slots.json"
_MOST_SLOTS: Final = 10_000
_REMEDY: Final = (
    "this folder is not as `leadline export` wrote it: ask for it again, and compare with another copy"
)


class Said(Protocol):
    """A proven statement: its place, its leaf hash, what it says, and who signed it."""

    @property
    def index(self) -> int:
        """Log index."""

    @property
    def leaf_hash(self) -> bytes:
        """RFC 6962 leaf hash."""

    @property
    def said(self) -> Predicate:
        """The statement."""

    @property
    def signer(self) -> str:
        """Fingerprint of the signing key."""


@dataclass(frozen=True, slots=True)
class Unsealed:
    """An opened seal: where it stands, what its author had frozen, and which batch committed to which statement."""

    index: int
    leaf_hash: bytes
    opened: Opened
    committed: dict[bytes, int]


def slot_proofs(view: ReadView, study: str) -> bytes:
    """The Merkle proof of each slot of a study, as JSON: enough to check them without the other studies' slots."""
    bodies = {one.ix: one.body for one in batches(view)}
    proofs = [
        _slot_proof(batch_slots(view.blob(bodies[batch])), study, batch) for batch, _ in slots(view, study)
    ]
    return (json.dumps(proofs, indent=1) + "\n").encode()


def _slot_proof(held: Sequence[tuple[str, bytes]], study: str, batch: int) -> dict[str, Any]:
    nodes: list[bytes] = []

    def stored(asked: Sequence[int]) -> list[bytes]:
        return [nodes[index] for index in asked]

    for number, (name, slot) in enumerate(held):
        nodes += stored_hashes(number, slot_leaf(name, slot), stored)
    place = [name for name, _ in held].index(study)
    slot = held[place][1]
    return {
        "batch": batch,
        "commitment": slot[:32].hex(),
        "box": sha256(slot[32:]).hexdigest(),
        "place": place,
        "size": len(held),
        "path": [one.hex() for one in prove_inclusion(len(held), place, stored)],
    }


def unseal(proven: Sequence[Said], study: str, body: bytes, protocol: bytes, proofs: bytes) -> Unsealed:
    """Open the seal among proven statements with the bytes of its reveal and the proofs of its slots.

    Raises StatementError, ProofError, SignatureError or IntegrityError when anything does not hold.
    """
    seal = next((one for one in proven if isinstance(one.said, Seal) and one.said.action == "study"), None)
    reveal = next((one for one in proven if _names(one.said, sha256_hex(body))), None)
    if (
        seal is None
        or reveal is None
        or not isinstance(reveal.said, Reveal)
        or not isinstance(seal.said, Seal)
    ):
        raise NotFoundError("no statement here opens the seal", where="statements", remedy=_REMEDY)
    roots = {one.index: one.said.root for one in proven if isinstance(one.said, Seal) and one.said.root}
    sealed = Sealed(study, seal.said.fields or {}, _slots(study, proofs, roots))
    opened = open_whole(reveal.said, body, protocol, sealed)
    _check_author(proven, seal, opened)
    return Unsealed(
        seal.index,
        seal.leaf_hash,
        opened,
        {leaf_hash(envelope): batch for batch, envelope in opened.said},
    )


def _names(said: Predicate, digest: str) -> bool:
    return isinstance(said, Reveal) and said.scope == "whole" and said.body == digest


def _slots(study: str, proofs: bytes, roots: dict[int, str]) -> dict[int, bytes]:
    """Commitments by batch, each proven to be under the root that its batch states."""
    found: dict[int, bytes] = {}
    values = parse_strict(proofs)
    if not isinstance(values, list) or len(values) > _MOST_SLOTS:
        raise StatementError("the proofs of the slots are malformed", where=SLOTS, remedy=_REMEDY)
    for one in values:
        batch, commitment, leaf, place, size, path = _proof(study, one)
        if batch not in roots:
            raise StatementError(f"no statement here is the batch {batch}", where=SLOTS, remedy=_REMEDY)
        verify_inclusion(leaf, place, size, path, bytes.fromhex(roots[batch]))
        found[batch] = commitment
    if set(found) != set(roots):
        raise StatementError("a batch here has no proof of the study's slot", where=SLOTS, remedy=_REMEDY)
    return found


def _proof(study: str, one: Any) -> tuple[int, bytes, bytes, int, int, list[bytes]]:
    try:
        commitment, box = bytes.fromhex(one["commitment"]), bytes.fromhex(one["box"])
        numbers = [one[name] for name in ("batch", "place", "size")]
        if any(type(number) is not int for number in numbers) or (len(commitment), len(box)) != (32, 32):
            raise ValueError("another type or length")
        path = [bytes.fromhex(step) for step in one["path"]]
    except (KeyError, TypeError, ValueError):
        raise StatementError("the proof of a slot is malformed", where=SLOTS, remedy=_REMEDY) from None
    return numbers[0], commitment, leaf_of(study, commitment, box), numbers[1], numbers[2], path


def _check_author(proven: Sequence[Said], seal: Said, opened: Opened) -> None:
    """The freeze inside is signed by the key it names; an ordinary seal is that author's own."""
    keys = [one.said for one in proven if isinstance(one.said, Key)]
    known = {key.fingerprint: key for key in (VerifyKey.parse(said.public) for said in keys)}
    author = known.get(opened.envelope.keyid)
    if author is None:
        raise NotFoundError("no statement here introduces the key of the freeze inside", remedy=_REMEDY)
    check_signature(opened.envelope, author)
    assert isinstance(seal.said, Seal), "the caller passes a seal"
    lineages = _first(keys, seal.signer), _first(keys, opened.envelope.keyid)
    if seal.said.tier == "ordinary" and lineages[0] != lineages[1]:
        raise IntegrityError("the author of the freeze inside is not who sealed it", remedy=_REMEDY)


def _first(keys: Iterable[Key], fingerprint: str) -> str:
    """The first key of a chain of rotations, as far as the statements here confirm it."""
    confirmed = {
        VerifyKey.parse(said.public).fingerprint: said.replaces for said in keys if said.action == "rotate"
    }
    seen = [fingerprint]
    while (earlier := confirmed.get(seen[-1])) is not None and earlier not in seen:
        seen.append(earlier)
    return seen[-1]
