"""Seals that wait: they enter the log once a week and together, so that their place tells no more than their date.

How many hazard seals a week has would be public. The installation therefore makes decoys of its own: for each week
the number of hazard seals is rounded up to a multiple of a fixed number, the bucket, and is never less than one
bucket once the tier was used. A decoy is a seal that nobody can open, has its slot in each batch, and is closed with
the others: no public byte tells it from a seal whose author stays silent. What remains to be seen is that the very
first bucket holds at least one real seal, and that a week had more than a bucket. (The other way, letting what is
too much wait for the next week, would hide that too, and let anybody who seals much delay everybody else.)

What enters is agreed upon by one atomic write to the shelf before the first of it enters: several processes, and one
that was interrupted, let in the same seals.
"""

import json
from collections.abc import Iterator
from datetime import date, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from leadline.errors import Explained, StoreError
from leadline.ledger.authority import Authority
from leadline.ledger.dsse import decode
from leadline.ledger.ids import study_id
from leadline.ledger.predicates import Seal
from leadline.ledger.sealing.periods import BUCKET, period_begin, period_of, period_time
from leadline.ledger.statements import parse
from leadline.ledger.tlog.tree import leaf_hash
from leadline.registry.sealing.decoys import make_decoy
from leadline.registry.sealing.spaces import KEYS, OWN, QUEUE
from leadline.registry.sealing.writing import admit, announced, append_signed, installation_key
from leadline.store import Appended, ReadView
from leadline.store.projections.authority import key as find_key
from leadline.store.projections.seals import SEAL

if TYPE_CHECKING:
    from leadline.registry.registry import Registry

#: Seals that enter in one week; the others wait for the next.
MOST: Final = 10_000
_PLAN: Final = "entering"
_WEEK: Final = timedelta(days=7)
#: Weeks without a round that are padded afterwards: a server that slept for years makes no thousands of decoys.
_LONGEST_SLEEP: Final = 8


class _RefusedError(Exception):
    """Leaves the write transaction: the ledger's rules do not let this seal in any more."""


def enqueue(registry: "Registry", envelope: bytes, introduction: bytes | None = None) -> None:
    """Let a signed seal wait for the next round, so that its place in the log does not tell when it was made.

    Its body must be stored already. `introduction` announces the key of an author whom the log does not know. The
    order of entry is that of the digests, which says nothing.
    """
    registry.store.shelf.put(QUEUE, _name(envelope), _packed(envelope, introduction))


def is_waiting(registry: "Registry", envelope: bytes) -> bool:
    """Whether this very seal waits."""
    return registry.store.shelf.get(QUEUE, _name(envelope)) is not None


def enter_waiting(
    registry: "Registry", today: date, bucket: int = 0, *, early: bool = False
) -> list[Appended]:
    """Let in every seal of the weeks before that of `today`, and the decoys that make hazard seals up to `bucket`.

    Once a week; a further call in the same week finishes what was interrupted, and does nothing else. Seals of the
    present week wait for the next, unless `early` (the installation's key is about to be replaced, and signs nothing
    afterwards). `bucket` 0 makes no decoys. A seal whose key was revoked meanwhile is dropped.
    """
    until = period_of(today) + (_WEEK if early else timedelta(0))
    entered = []
    for name in _agreed(registry, until, bucket):
        kept = registry.store.shelf.get(QUEUE, name)
        if kept is None:
            continue
        receipt = _enter(registry, *_unpacked(kept))
        if receipt is not None:
            entered.append(receipt)
        registry.store.shelf.delete(QUEUE, name)
    return entered


def last_bucket(registry: "Registry") -> int:
    """The bucket of the newest round; `BUCKET` before the first."""
    kept = registry.store.shelf.get(OWN, _PLAN)
    return BUCKET if kept is None else int(json.loads(kept)["bucket"])


def enter_seal(registry: "Registry", envelope: bytes, introduction: bytes | None) -> Appended:
    """Append a signed seal, with the announcement of its signer where the log does not know it.

    Without `introduction` the signer is this installation. Raises what the ledger's rules raise.
    """

    def build(view: ReadView, rights: Authority) -> list[bytes]:
        return admit(rights, view, [*_first(registry, view, envelope, introduction), envelope])

    return append_signed(registry, build)[-1]


# -- what enters ----------------------------------------------------------------------------------


def _agreed(registry: "Registry", until: date, bucket: int) -> list[str]:
    """Names of the seals that enter in this round, in their order; agreed upon now, unless it was before."""
    shelf = registry.store.shelf
    kept = shelf.get(OWN, _PLAN)
    known = None if kept is None else json.loads(kept)
    if known is not None and known["until"] >= until.isoformat():
        return list(known["seals"])
    waiting = dict(_waiting(registry, until))
    since = None if known is None else date.fromisoformat(known["until"])
    mine = dict(_decoys(registry, [*waiting.values()], since, until, bucket))
    names = sorted([*waiting, *mine])
    plan = {"until": until.isoformat(), "bucket": bucket, "seals": names}
    for name, value in mine.items():
        shelf.put(QUEUE, name, value)
    if shelf.swap(OWN, _PLAN, kept, json.dumps(plan).encode()):
        return names
    theirs: list[str] = json.loads(shelf.get(OWN, _PLAN) or b"{}")["seals"]
    for name in mine.keys() - set(theirs):
        shelf.delete(QUEUE, name)
    return theirs


def _waiting(registry: "Registry", until: date) -> Iterator[tuple[str, Seal]]:
    """Seals that wait and belong to a week before `until`, by name."""
    for name, value in registry.store.shelf.items(QUEUE)[:MOST]:
        said = parse(decode(_unpacked(value)[0]).payload).predicate
        if isinstance(said, Seal) and period_begin(said.created) < until:
            yield name, said


def _decoys(
    registry: "Registry", waiting: list[Seal], since: date | None, until: date, bucket: int
) -> Iterator[tuple[str, bytes]]:
    """Decoys, packed, by name: for every week up to `until` as many as make its hazard seals a multiple of `bucket`."""
    hazards = [period_begin(said.created) for said in waiting if said.tier == "hazard"]
    used = bool(hazards) or registry.store.count(SEAL, {"tier": "hazard"}) > 0
    if not bucket or not used:
        return
    last = until - _WEEK
    first = max(since or last, until - _LONGEST_SLEEP * _WEEK)
    weeks = {first + number * _WEEK for number in range((until - first) // _WEEK)} | {last}
    for week in sorted(weeks | set(hazards)):
        real = hazards.count(week)
        for _ in range(max(bucket, -(-real // bucket) * bucket) - real):
            envelope = make_decoy(registry, week)
            yield _name(envelope), _packed(envelope, None)


# -- one seal -------------------------------------------------------------------------------------


def _enter(registry: "Registry", envelope: bytes, introduction: bytes | None) -> Appended | None:
    """The receipt; None for a seal that the rules refuse by now, which is dropped."""

    def build(view: ReadView, rights: Authority) -> list[bytes]:
        first = _first(registry, view, envelope, introduction)
        try:
            return admit(rights, view, [*first, envelope])
        except StoreError:
            raise
        except Explained:
            raise _RefusedError from None

    try:
        return append_signed(registry, build)[-1]
    except _RefusedError:
        registry.store.shelf.delete(KEYS, study_id(leaf_hash(envelope)))
        return None


def _first(registry: "Registry", view: ReadView, envelope: bytes, introduction: bytes | None) -> list[bytes]:
    if find_key(view, decode(envelope).keyid) is not None:
        return []
    if introduction is not None:
        return [introduction]
    begin = period_time(period_of(registry.clock().date()))
    return announced(registry, view, installation_key(registry), begin)


def _name(envelope: bytes) -> str:
    return sha256(envelope).hexdigest()


def _packed(envelope: bytes, introduction: bytes | None) -> bytes:
    first = introduction or b""
    return len(first).to_bytes(4, "big") + first + envelope


def _unpacked(value: bytes) -> tuple[bytes, bytes | None]:
    stop = 4 + int.from_bytes(value[:4], "big")
    return value[stop:], value[4:stop] or None
