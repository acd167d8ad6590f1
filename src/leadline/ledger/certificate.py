"""The certificate of registration: a proof file that shows, offline, that a statement is in a log.

It is a C2SP tlog-proof whose ``extra`` line carries the envelope it belongs to, so that one small file and
the log's public key are all a verifier needs. The format authenticates that line by nothing; here the
proof does, since its leaf is the hash of exactly these bytes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from leadline.errors import ProofError
from leadline.ledger.canon import sha256_hex
from leadline.ledger.keys import VerifyKey
from leadline.ledger.tlog.checkpoint import open_checkpoint
from leadline.ledger.tlog.proof import TlogProof, parse_proof
from leadline.ledger.tlog.tree import leaf_hash
from leadline.ledger.tlog.verify import verify_inclusion

SUFFIX: Final = ".tlog-proof"
SINGLE_OPERATOR: Final = "single-operator timestamp"


@dataclass(frozen=True, slots=True)
class Certificate:
    """Index, inclusion proof and signed checkpoint for the exact bytes of `envelope`.

    `envelope` is None in a proof file that does not carry it; the verifier must then bring it.
    """

    index: int
    hashes: tuple[bytes, ...]
    checkpoint: bytes
    envelope: bytes | None

    @classmethod
    def make(cls, index: int, proof: Sequence[bytes], checkpoint: bytes, envelope: bytes) -> "Certificate":
        """The certificate of the entry `envelope` at `index`, with its proof under a signed checkpoint."""
        return cls(index, tuple(proof), checkpoint, envelope)

    def format(self) -> bytes:
        """The bytes of the certificate file."""
        return TlogProof(self.index, self.hashes, self.checkpoint, self.envelope).marshal()

    @classmethod
    def parse(cls, text: bytes) -> "Certificate":
        """Read a certificate file; nothing is verified. `ProofError` when it is malformed."""
        proof = parse_proof(text)
        return cls(proof.index, proof.hashes, proof.checkpoint, proof.extra)


@dataclass(frozen=True, slots=True)
class Verified:
    """What a certificate has been shown to prove, and the limits of it.

    The entry with `leaf_hash` stands at `index` of the log `origin`, whose key `log_key` signed a tree of
    `size` entries with this `root`. `warnings` are to be shown beside any claim made from it.
    """

    index: int
    size: int
    root: bytes
    origin: str
    leaf_hash: bytes
    log_key: VerifyKey
    warnings: tuple[str, ...] = (SINGLE_OPERATOR,)


def verify_certificate(
    text: bytes,
    leaf_envelope: bytes | None,
    log_vkeys: Sequence[str | VerifyKey],
    *,
    origin: str | None = None,
) -> Verified:
    """Show that an envelope is in the log whose keys are `log_vkeys`; no network, no files.

    `leaf_envelope` is the envelope, byte for byte; None takes the one the certificate carries. Raises
    `ProofError` when the certificate is malformed, carries none, or belongs to another envelope, and
    `SignatureError` when none of the keys signed the checkpoint (or it is of another `origin`).
    """
    certificate = Certificate.parse(text)
    envelope = certificate.envelope if leaf_envelope is None else leaf_envelope
    if envelope is None:
        raise ProofError(
            "this proof file does not carry the statement it proves",
            remedy="bring the envelope, byte for byte",
        )
    if certificate.envelope not in (None, envelope):
        raise ProofError(
            "this certificate belongs to another envelope",
            where=f"envelope with SHA-256 {sha256_hex(envelope)}",
            remedy="verify it with the envelope it carries; this may be another study's certificate, or changed bytes",
        )
    keys = [VerifyKey.parse(key) if isinstance(key, str) else key for key in log_vkeys]
    signed = open_checkpoint(certificate.checkpoint, keys, origin=origin)
    checkpoint = signed.checkpoint
    leaf = leaf_hash(envelope)
    verify_inclusion(leaf, certificate.index, checkpoint.size, certificate.hashes, checkpoint.root)
    return Verified(certificate.index, checkpoint.size, checkpoint.root, checkpoint.origin, leaf, signed.key)
