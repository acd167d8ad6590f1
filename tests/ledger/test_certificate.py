"""The certificate shows offline that an envelope is in the log, and nothing else does."""

import pytest

from leadline.errors import ProofError, SignatureError
from leadline.ledger.certificate import SINGLE_OPERATOR, Certificate, verify_certificate
from leadline.ledger.tlog import leaf_hash, prove_inclusion
from leadline.ledger.tlog.checkpoint import Checkpoint, sign_checkpoint
from leadline.ledger.tlog.proof import TlogProof
from ledger.record import ALICE, LOG, ORIGIN, Registry, key, small_registry


@pytest.fixture(scope="module")
def registry() -> Registry:
    """A registry of a dozen entries."""
    return small_registry()


def certificate(registry: Registry, index: int) -> tuple[bytes, bytes]:
    """The certificate of an entry under the newest checkpoint, and the envelope."""
    record = registry.record
    envelope = record.stored_entries[index][1]
    proof = prove_inclusion(registry.size, index, record.node_hashes)
    return Certificate.make(index, proof, record.stored_checkpoints[-1][1], envelope).format(), envelope


def test_every_entry_has_a_certificate_that_verifies(registry: Registry) -> None:
    """Certificate, envelope and vkey suffice; the single operator is named as a warning."""
    for index in range(registry.size):
        text, envelope = certificate(registry, index)
        shown = verify_certificate(text, envelope, [LOG.public.vkey], origin=ORIGIN)
        assert (shown.index, shown.size, shown.origin) == (index, registry.size, ORIGIN)
        assert shown.root == registry.frontier.root()
        assert shown.leaf_hash == leaf_hash(envelope)
        assert shown.warnings == (SINGLE_OPERATOR,)
        assert Certificate.parse(text).format() == text
        assert Certificate.parse(text).envelope == envelope
        assert verify_certificate(text, None, [LOG.public]) == shown


def test_every_flipped_bit_of_certificate_and_envelope_is_noticed(registry: Registry) -> None:
    """No bit of the file or of the envelope can change."""
    text, envelope = certificate(registry, 4)
    for at in range(len(text) * 8):
        bad = bytearray(text)
        bad[at // 8] ^= 1 << at % 8
        with pytest.raises((ProofError, SignatureError)):
            verify_certificate(bytes(bad), None, [LOG.public])
    for at in range(len(envelope) * 8):
        bad = bytearray(envelope)
        bad[at // 8] ^= 1 << at % 8
        with pytest.raises(ProofError):
            verify_certificate(text, bytes(bad), [LOG.public])


def test_another_studys_certificate_is_refused(registry: Registry) -> None:
    """A certificate replayed for another envelope names the mismatch, also without its extra line."""
    text, _ = certificate(registry, 3)
    _, other = certificate(registry, 4)
    with pytest.raises(ProofError, match="another envelope"):
        verify_certificate(text, other, [LOG.public])
    parts = Certificate.parse(text)
    bare = TlogProof(parts.index, parts.hashes, parts.checkpoint).marshal()
    with pytest.raises(ProofError, match="another root"):
        verify_certificate(bare, other, [LOG.public])


def test_keys_and_origin_come_from_the_verifier(registry: Registry) -> None:
    """Without the log's key, or for another log, the certificate proves nothing."""
    text, envelope = certificate(registry, 3)
    with pytest.raises(SignatureError):
        verify_certificate(text, envelope, [ALICE.public])
    with pytest.raises(SignatureError):
        verify_certificate(text, envelope, [])
    with pytest.raises(SignatureError, match="not of"):
        verify_certificate(text, envelope, [LOG.public], origin="other.example")


def test_a_made_up_checkpoint_is_refused(registry: Registry) -> None:
    """A tree of one's own does not carry the log's signature."""
    _, envelope = certificate(registry, 0)
    forged = sign_checkpoint(Checkpoint(ORIGIN, 1, leaf_hash(envelope)), key(LOG.name, "log"))
    impostor = sign_checkpoint(Checkpoint(ORIGIN, 1, leaf_hash(envelope)), key("impostor.example", "log"))
    assert (
        verify_certificate(Certificate.make(0, [], forged, envelope).format(), envelope, [LOG.public]).size
        == 1
    )
    with pytest.raises(SignatureError):
        verify_certificate(Certificate.make(0, [], impostor, envelope).format(), envelope, [LOG.public])


@pytest.mark.parametrize("extra", [b"", b"{}", b"\xff", bytes(70_000)])
def test_a_certificate_that_carries_something_else(registry: Registry, extra: bytes) -> None:
    """Whatever the extra line holds, only the logged envelope verifies, with or without a copy at hand."""
    text, envelope = certificate(registry, 3)
    parts = Certificate.parse(text)
    data = TlogProof(parts.index, parts.hashes, parts.checkpoint, extra).marshal()
    with pytest.raises(ProofError, match="another envelope"):
        verify_certificate(data, envelope, [LOG.public])
    with pytest.raises(ProofError, match="another root"):
        verify_certificate(data, None, [LOG.public])


def test_a_bare_proof_needs_the_envelope(registry: Registry) -> None:
    """A proof file without the extra line verifies with the envelope beside it, and only then."""
    text, envelope = certificate(registry, 3)
    parts = Certificate.parse(text)
    bare = Certificate(parts.index, parts.hashes, parts.checkpoint, None).format()
    assert verify_certificate(bare, envelope, [LOG.public]).index == 3
    with pytest.raises(ProofError, match="does not carry"):
        verify_certificate(bare, None, [LOG.public])
