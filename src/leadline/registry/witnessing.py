"""This installation as a witness: it remembers the logs it follows and cosigns what extends them.

Kept on the shelf: the logs followed (``witness-logs``), the newest cosigned checkpoint of each (``witness``), and
checkpoints that were rightly signed and did not fit (``witness-evidence``, a bounded number per log).
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from leadline.errors import InputError, NotFoundError, StateError
from leadline.ledger.cosignature import Cosigner, CosignerKey, Ed25519Cosigner
from leadline.ledger.keys import SigningKey, VerifyKey
from leadline.ledger.tlog.checkpoint import check_origin, parse_body
from leadline.ledger.tlog.note import split_note
from leadline.ledger.witness import TEXT, Answer, Refusal, consider, origin_hash
from leadline.store.shelf import Shelf

if TYPE_CHECKING:
    from leadline.registry.registry import Registry

RECORDS: Final = "witness"
LOGS: Final = "witness-logs"
EVIDENCE: Final = "witness-evidence"
#: Checkpoints kept as evidence, per log and per degree of certainty.
MOST_EVIDENCE: Final = 16
_TRIES: Final = 8


@dataclass(frozen=True, slots=True)
class Followed:
    """A log that is followed: its origin, its keys, and the size cosigned last (None: not yet)."""

    origin: str
    keys: tuple[VerifyKey, ...]
    size: int | None


class Witness:
    """A witness over a shelf; `cosigners` sign, `clock` says when. Threads and processes may share the shelf."""

    def __init__(self, shelf: Shelf, cosigners: Sequence[Cosigner], clock: Callable[[], datetime]) -> None:
        self._shelf = shelf
        self._cosigners = tuple(cosigners)
        self._clock = clock

    @property
    def keys(self) -> tuple[CosignerKey, ...]:
        """The public keys this witness cosigns with."""
        return tuple(cosigner.cosigner for cosigner in self._cosigners)

    def add_checkpoint(self, request: bytes) -> Answer:
        """Answer an ``add-checkpoint`` request (C2SP tlog-witness); a cosignature is remembered before it is given."""
        for _ in range(_TRIES):
            decision = consider(request, self._keys, self._record)
            if isinstance(decision, Refusal):
                self._keep(decision)
                return decision.answer
            record, answer = decision.cosign(self._cosigners, int(self._clock().timestamp()))
            place = origin_hash(decision.checkpoint.origin)
            if self._shelf.swap(RECORDS, place, decision.before, record):
                return answer
        return Answer(503, TEXT, b"too many checkpoints of this log at once\n")

    def checkpoint(self, name: str) -> Answer:
        """The newest cosigned checkpoint of the log named by the SHA-256 of its origin (64 hex digits)."""
        if len(name) != 64 or set(name) - set("0123456789abcdef"):
            return Answer(404, TEXT, b"unknown log\n")
        record = self._shelf.get(RECORDS, name)
        return Answer(404, TEXT, b"nothing cosigned yet\n") if record is None else Answer(200, TEXT, record)

    def _keys(self, origin: str) -> Sequence[VerifyKey] | None:
        value = self._shelf.get(LOGS, origin_hash(origin))
        return None if value is None else _parse(value)[1]

    def _record(self, origin: str) -> bytes | None:
        return self._shelf.get(RECORDS, origin_hash(origin))

    def _keep(self, refusal: Refusal) -> None:
        """Keep a suspicious checkpoint; what is certain is never overwritten, what is only possible may be."""
        if refusal.evidence is None or refusal.origin is None:
            return
        slot = sha256(split_note(refusal.evidence)[0]).digest()[0] % MOST_EVIDENCE
        key = f"{origin_hash(refusal.origin)}/{refusal.suspicion}/{slot:02}"
        if refusal.suspicion == "possible":
            self._shelf.put(EVIDENCE, key, refusal.evidence)
        else:
            self._shelf.swap(EVIDENCE, key, None, refusal.evidence)


def witness_of(registry: "Registry") -> Witness | None:
    """The registry's witness, or None where it has no witness key: `start_witness` makes one."""
    key = registry.home.witness
    return None if key is None else Witness(registry.store.shelf, [Ed25519Cosigner(key)], registry.clock)


def start_witness(registry: "Registry") -> SigningKey:
    """Make this installation's witness key, unless it has one, and let the log know of it.

    Raises StateError where the registry's private keys are not at hand.
    """
    from leadline.store.projections.authority import key as find_key

    key = registry.home.ensure("witness")
    service = registry.home.service
    if service is None:
        raise StateError(
            "the service key, which announces the witness key, is not here",
            where=str(registry.home.folder),
            remedy="work on the machine that holds the registry's keys",
        )
    said = {
        "action": "register",
        "role": "witness",
        "public": key.public.vkey,
        "holder": {"name": registry.home.origin, "kind": "service"},
        "time": registry.time(),
    }
    registry.append(
        lambda view: [] if find_key(view, key.fingerprint) is not None else [("key", said, service)]
    )
    return key


def follow(shelf: Shelf, key: VerifyKey, origin: str | None = None) -> Followed:
    """Follow the log `origin` (default: the key's name); a second key for the same origin is added to the first."""
    name = origin or key.name
    check_origin(name)
    place = origin_hash(name)
    while True:
        before = shelf.get(LOGS, place)
        keys = [] if before is None else list(_parse(before)[1])
        if key not in keys:
            keys.append(key)
        said = json.dumps({"origin": name, "keys": [one.vkey for one in keys]}, ensure_ascii=True)
        if shelf.swap(LOGS, place, before, said.encode()):
            return Followed(name, tuple(keys), _size(shelf, place))


def unfollow(shelf: Shelf, origin: str) -> None:
    """Stop cosigning a log; what was cosigned stays remembered. NotFoundError when it is not followed."""
    if not shelf.delete(LOGS, origin_hash(origin)):
        raise NotFoundError(
            f"the log {origin[:200]!r} is not followed",
            remedy="see `leadline witness list` for those that are",
        )


def followed(shelf: Shelf) -> list[Followed]:
    """Every log that is followed, in order of origin."""
    found = []
    for place, value in shelf.items(LOGS):
        origin, keys = _parse(value)
        found.append(Followed(origin, keys, _size(shelf, place)))
    return sorted(found, key=lambda one: one.origin)


def evidence(shelf: Shelf) -> list[tuple[str, bytes]]:
    """Checkpoints that followed logs signed and that did not fit, with ``certain`` or ``possible``."""
    return [(place.split("/")[1], note) for place, note in shelf.items(EVIDENCE)]


def _size(shelf: Shelf, place: str) -> int | None:
    record = shelf.get(RECORDS, place)
    return None if record is None else parse_body(split_note(record)[0]).size


def _parse(value: bytes) -> tuple[str, tuple[VerifyKey, ...]]:
    said = json.loads(value)
    if not isinstance(said, dict):
        raise InputError("what is kept of a followed log cannot be read", remedy="add the log again")
    return said["origin"], tuple(VerifyKey.parse(vkey) for vkey in said["keys"])
