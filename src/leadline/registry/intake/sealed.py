"""Taking in what a sealed study sends a server: its seal, which waits for the week's round, and its slots."""

from typing import TYPE_CHECKING

from leadline.errors import SignatureError, StatementError
from leadline.ledger.dsse import decode
from leadline.ledger.ids import study_id
from leadline.ledger.predicates import Seal
from leadline.ledger.sealing.periods import period_of, period_time
from leadline.ledger.statements import parse
from leadline.ledger.tlog.tree import leaf_hash
from leadline.registry.intake.door import admit
from leadline.registry.intake.examine import examine
from leadline.registry.intake.wanted import MissingBlobsError, Offered
from leadline.registry.sealing.outbox import register_deposit
from leadline.registry.sealing.waiting import enqueue, is_waiting
from leadline.registry.sealing.writing import announced, installation_key

if TYPE_CHECKING:
    from collections.abc import Sequence

    from leadline.registry.registry import Registry
    from leadline.store.protocol import ReadView


def is_hazard(envelope: bytes) -> bool:
    """Whether an envelope holds a hazard seal; nothing is verified. StatementError for what is no seal."""
    said = parse(decode(envelope).payload).predicate
    if not isinstance(said, Seal) or said.action != "study":
        raise StatementError(
            "this is no seal of a study", remedy="send other statements to /api/v1/statements"
        )
    return said.tier == "hazard"


def accept_seal(
    registry: "Registry",
    envelope: bytes,
    deposit_key: bytes,
    introduction: bytes | None = None,
    blobs: "Sequence[bytes]" = (),
) -> str:
    """Check a signed seal and let it wait for the week's round; returns the id its study will have.

    `introduction` is the registration of the signing key, where the log does not know it yet; `deposit_key` (32
    public bytes) will sign the study's slots. The encrypted body was uploaded before, or is among `blobs`. A hazard
    seal must be one that this installation has signed (`leadline.registry.sealing.hazard`). Safe to repeat. Raises
    StatementError, SignatureError, StateError (`MissingBlobsError` names the body).
    """
    hazard = is_hazard(envelope)
    study = study_id(leaf_hash(envelope))
    offered = Offered(registry, blobs)
    if is_waiting(registry, envelope):
        return study
    with registry.store.snapshot() as view:
        if view.index_of(leaf_hash(envelope)) is not None:
            return study
        first = _installation(registry, view, envelope) if hazard else introduction
        entry = admit(registry, view, [envelope] if first is None else [first, envelope])[-1].entry
    assert entry is not None, "it is not in the log"
    said, keyid = entry.statement.predicate, entry.key.fingerprint
    assert isinstance(said, Seal), "looked at before"
    if not offered.has(keyid, said.body):
        raise MissingBlobsError([said.body])
    examine(registry, entry.key, said, offered)
    offered.keep(keyid, said.body)
    register_deposit(registry, study, deposit_key)
    enqueue(registry, envelope, None if hazard else introduction)
    offered.settle(keyid, [said.body])
    return study


def _installation(registry: "Registry", view: "ReadView", envelope: bytes) -> bytes | None:
    """What announces the installation's key where the log does not know it; SignatureError for another signer."""
    key = installation_key(registry)
    if decode(envelope).keyid != key.fingerprint:
        raise SignatureError(
            "a hazard seal is signed by this registry's installation",
            remedy="have it signed: POST /api/v1/seals/signatures",
        )
    made = announced(registry, view, key, period_time(period_of(registry.clock().date())))
    return made[0] if made else None
