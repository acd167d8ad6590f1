"""Taking a blob down: its bytes go, its digest and a signed reason stay.

The set of statements is closed and has no kind for this, on purpose: a statement about harmful bytes would draw
readers to copies of them for ever. The reason is a small document of its own, signed by the installation's key
and kept on the shelf beside the log, where whoever asks for the blob is shown it. The log itself is not touched,
so every proof still holds.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from leadline.errors import InputError, NotFoundError, StateError
from leadline.ledger.canon import canonical, parse_strict
from leadline.ledger.dsse import decode, sign
from leadline.ledger.keys import VerifyKey
from leadline.store.blobs import check_digest

if TYPE_CHECKING:
    from leadline.registry.registry import Registry

PAYLOAD_TYPE: Final = "application/vnd.leadline.take-down+json"
SPACE: Final = "taken-down"
_LONGEST: Final = 4000


@dataclass(frozen=True, slots=True)
class TakeDown:
    """A blob that was taken down: digest, reason, when, and the log's size then; `envelope` is the signed note."""

    sha256: str
    reason: str
    created: str
    size: int
    envelope: bytes


def take_down(registry: "Registry", digest: str, reason: str) -> TakeDown:
    """Sign and keep the reason, then remove the bytes; done again after a crash, it finishes what was begun.

    Raises NotFoundError for bytes the registry does not hold, StateError where its private keys are not at hand,
    InputError without a reason.
    """
    check_digest(digest)
    if not 0 < len(reason.strip()) <= _LONGEST:
        raise InputError(f"a reason has 1 to {_LONGEST:,} characters", remedy="say why in a sentence or two")
    store = registry.store
    if not store.has_blob(digest) and store.taken_down(digest) is None:
        raise NotFoundError(
            f"there is no blob {digest}", remedy="see a study's digests with `leadline show ID`"
        )
    if store.taken_down(digest) is not None:
        known = taken_down(registry, digest)
        if known is not None:
            raise StateError(f"these bytes were taken down already: {known.reason}", where=digest)
    key = registry.home.ensure("installation")
    said = {
        "created": registry.time(),
        "origin": registry.home.origin,
        "reason": reason.strip(),
        "sha256": digest,
        "size": store.size(),
    }
    envelope = sign(canonical(said), PAYLOAD_TYPE, key)
    store.shelf.put(SPACE, digest, envelope)
    if store.taken_down(digest) is None:
        store.take_down(digest, reason.strip())
    return _read(envelope, said)


def taken_down(registry: "Registry", digest: str) -> TakeDown | None:
    """The signed note of a take-down, or None; IntegrityError never: the note is checked by `verify_note`."""
    envelope = registry.store.shelf.get(SPACE, digest)
    return None if envelope is None else _read(envelope, parse_strict(decode(envelope).payload))


def verify_note(envelope: bytes, key: VerifyKey) -> TakeDown:
    """The take-down that `key` signed; SignatureError when it did not, StatementError for anything else."""
    parts = decode(envelope)
    key.verify(parts.message(), parts.signature)
    if parts.payload_type != PAYLOAD_TYPE:
        raise InputError(f"this is no note of a take-down: {parts.payload_type}", remedy="ask for it again")
    return _read(envelope, parse_strict(parts.payload))


def _read(envelope: bytes, said: Any) -> TakeDown:
    return TakeDown(
        str(said["sha256"]), str(said["reason"]), str(said["created"]), int(said["size"]), envelope
    )
