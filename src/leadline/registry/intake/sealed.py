"""Taking in what a sealed study sends a server: its seal, which waits for the week's batch, and its slots."""

from typing import TYPE_CHECKING

from leadline.errors import StatementError
from leadline.ledger.canon import sha256_hex
from leadline.ledger.ids import study_id
from leadline.ledger.predicates import Seal
from leadline.ledger.tlog.tree import leaf_hash
from leadline.registry.intake.door import admit
from leadline.registry.intake.examine import examine
from leadline.registry.intake.wanted import MissingBlobsError, Offered
from leadline.registry.sealing.outbox import QUEUE, enqueue, register_deposit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from leadline.registry.registry import Registry


def accept_seal(
    registry: "Registry",
    envelope: bytes,
    deposit_key: bytes,
    introduction: bytes | None = None,
    blobs: "Sequence[bytes]" = (),
) -> str:
    """Check a signed seal and let it wait for the week's batch; returns the id its study will have.

    `introduction` is the registration of the signing key, where the log does not know it yet; `deposit_key` (32
    public bytes) will sign the study's slots. The encrypted body was uploaded before, or is among `blobs`. Safe
    to repeat. Raises StatementError, SignatureError, StateError (`MissingBlobsError` names the body).
    """
    envelopes = [envelope] if introduction is None else [introduction, envelope]
    offered = Offered(registry, blobs)
    if registry.store.shelf.get(QUEUE, sha256_hex(envelope)) is not None:
        return study_id(leaf_hash(envelope))
    with registry.store.snapshot() as view:
        if view.index_of(leaf_hash(envelope)) is not None:
            return study_id(leaf_hash(envelope))
        entry = admit(registry, view, envelopes)[-1].entry
    if entry is None or not isinstance(entry.statement.predicate, Seal):
        raise StatementError("this is no seal", remedy="send other statements to /api/v1/statements")
    said, keyid = entry.statement.predicate, entry.key.fingerprint
    if not offered.has(keyid, said.body):
        raise MissingBlobsError([said.body])
    examine(registry, entry.key, said, offered)
    offered.keep(keyid, said.body)
    study = study_id(entry.leaf_hash)
    register_deposit(registry, study, deposit_key)
    enqueue(registry, envelope, introduction)
    offered.settle(keyid, [said.body])
    return study
