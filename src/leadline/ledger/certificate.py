"""The certificate of registration: a proof file that shows, offline, that a statement is in a log.

It is a C2SP tlog-proof whose ``extra`` line carries the envelope it belongs to, so that one small file and
the log's public key are all a verifier needs. The format authenticates that line by nothing; here the
proof does, since its leaf is the hash of exactly these bytes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from leadline.errors import ProofError
from leadline.ledger.canon import sha256_hex
from leadline.ledger.cosignature import Cosignature, CosignerKey, verified_cosignatures
from leadline.ledger.keys import VerifyKey
from leadline.ledger.policy import Policy
from leadline.ledger.tlog.checkpoint import Checkpoint, check_same_log, open_checkpoint
from leadline.ledger.tlog.note import split_note
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
    `size` entries with this `root`. `cosignatures` are those of cosigners the verifier knows; `time` is the POSIX
    second by which as many of them as the policy demands (without a policy: the first) had seen the tree.
    `warnings` are to be shown beside any claim made from it.
    """

    index: int
    size: int
    root: bytes
    origin: str
    leaf_hash: bytes
    log_key: VerifyKey | CosignerKey
    cosignatures: tuple[Cosignature, ...] = ()
    time: int | None = None
    warnings: tuple[str, ...] = (SINGLE_OPERATOR,)

    def standing(self) -> str:
        """Who vouches for the time, in one phrase: cosigners by name with the time, or the single operator."""
        if self.time is None or not self.cosignatures:
            return SINGLE_OPERATOR
        names = ", ".join(sorted(one.key.name for one in self.cosignatures))
        return f"cosigned by {names}, by {utc_text(self.time)}"


def utc_text(time: int) -> str:
    """A POSIX time as people read it, in UTC; a year that no calendar here has is given in seconds."""
    try:
        return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (OverflowError, ValueError, OSError):
        return f"second {time} of POSIX time"


def verify_certificate(
    text: bytes,
    leaf_envelope: bytes | None,
    log_vkeys: Sequence[str | VerifyKey],
    *,
    origin: str | None = None,
    cosigners: Sequence[CosignerKey] = (),
    policy: Policy | None = None,
) -> Verified:
    """Show that an envelope is in the log whose keys are `log_vkeys`; no network, no files.

    `leaf_envelope` is the envelope, byte for byte; None takes the one the certificate carries. `cosigners` are
    those whose cosignatures are looked for; a `policy` brings its own, and its logs where it lists any, and must be
    satisfied. Raises `ProofError` when the certificate is malformed, carries no envelope, or belongs to another,
    and `SignatureError` when none of the keys signed the checkpoint, it is of another `origin`, a known cosigner's
    signature fails, or the policy is not satisfied.
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
    signed = _signed(certificate.checkpoint, keys, cosigners, policy)
    checkpoint = signed.checkpoint
    check_same_log(checkpoint, origin)
    leaf = leaf_hash(envelope)
    verify_inclusion(leaf, certificate.index, checkpoint.size, certificate.hashes, checkpoint.root)
    return Verified(
        certificate.index,
        checkpoint.size,
        checkpoint.root,
        checkpoint.origin,
        leaf,
        signed.log,
        signed.cosignatures,
        signed.time,
        _warnings(certificate.checkpoint, signed),
    )


@dataclass(frozen=True, slots=True)
class _Signed:
    """A checkpoint, the log's key that signed it, and which known cosigners did, by when."""

    checkpoint: Checkpoint
    log: VerifyKey | CosignerKey
    cosignatures: tuple[Cosignature, ...]
    time: int | None


def _signed(
    note: bytes, keys: Sequence[VerifyKey], cosigners: Sequence[CosignerKey], policy: Policy | None
) -> _Signed:
    if policy is None:
        opened = open_checkpoint(note, keys)
        found = verified_cosignatures(note, cosigners)
        return _Signed(opened.checkpoint, opened.key, found, min((one.time for one in found), default=None))
    accepted = policy.accept(note, keys)
    found = tuple(one for _, one in accepted.by)
    time = accepted.time if accepted.time is not None else min((one.time for one in found), default=None)
    return _Signed(accepted.checkpoint, accepted.log, found, time)


def _warnings(note: bytes, signed: _Signed) -> tuple[str, ...]:
    """The single operator, where nobody the verifier knows cosigned; and who else claims to have."""
    if signed.cosignatures:
        return ()
    own = (signed.log.name, signed.log.key_id)
    others = sorted({one.name for one in split_note(note)[1] if (one.name, one.key_id) != own})
    if not others:
        return (SINGLE_OPERATOR,)
    names = ", ".join(others[:5])
    return (
        SINGLE_OPERATOR,
        f"it carries signatures of {names}, which were not checked: give a policy that names their keys",
    )
