"""Cosignatures: what somebody who remembers a log says of its checkpoint, and when (C2SP tlog-cosignature).

A cosignature is one more signature line on a checkpoint. Two kinds exist: Ed25519 (type byte 4) and ML-DSA-44
(type byte 6); the second also binds the cosigner's name and needs no change should Ed25519 fall.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from hashlib import sha256
from typing import Final, Protocol

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

from leadline.errors import SignatureError
from leadline.ledger import keys
from leadline.ledger.curve import PUBLIC_SIZE, check_public_key
from leadline.ledger.encoding import b64decode, b64encode
from leadline.ledger.keys import SIGNATURE_SIZE, SigningKey, VerifyKey, check_name
from leadline.ledger.tlog.checkpoint import Checkpoint, parse_body
from leadline.ledger.tlog.note import NoteSignature, split_note

ED25519: Final = 0x04
ML_DSA_44: Final = 0x06
_PLAIN_ED25519: Final = 0x01
_PUBLIC_SIZES: Final = {ED25519: PUBLIC_SIZE, ML_DSA_44: 1312}
_SIGNATURE_SIZES: Final = {ED25519: SIGNATURE_SIZE, ML_DSA_44: 2420}
_LAST_TIME: Final = (1 << 63) - 1
_DASH: Final = "— ".encode()
_SUBTREE_LABEL: Final = b"subtree/v1\n\0"


@dataclass(frozen=True)
class CosignerKey:
    """A cosigner's name and public key; `kind` is `ED25519` (32 bytes) or `ML_DSA_44` (1,312 bytes).

    Construction refuses malformed names and keys with `SignatureError`.
    """

    name: str
    kind: int
    public: bytes

    def __post_init__(self) -> None:
        check_name(self.name)
        if len(self.public) != _PUBLIC_SIZES.get(self.kind, -1):
            raise _malformed(self.name, "its type is not 4 or 6, or its key has another length than its type")
        if self.kind == ED25519:
            check_public_key(self.public)
        elif len(self.name.encode()) > 255:
            raise _malformed(self.name, "the name of an ML-DSA-44 cosigner has at most 255 bytes")

    @classmethod
    def of(cls, key: VerifyKey) -> "CosignerKey":
        """The cosigner that signs with an Ed25519 key, under the same name."""
        return cls(key.name, ED25519, key.public)

    @classmethod
    def parse(cls, vkey: str) -> "CosignerKey":
        """The key behind a vkey text of type 4, 6 or 1 (a plain Ed25519 key, taken as the cosigner's).

        `SignatureError` unless it is spelled exactly as a vkey of that type is.
        """
        return _parsed(vkey)

    @cached_property
    def key_id(self) -> bytes:
        """The four bytes that stand before a signature in a note."""
        return sha256(self.name.encode() + b"\n" + bytes([self.kind]) + self.public).digest()[:4]

    @cached_property
    def vkey(self) -> str:
        """The key as text, to be published."""
        return f"{self.name}+{self.key_id.hex()}+{b64encode(bytes([self.kind]) + self.public)}"

    def verify(self, body: bytes, signature: bytes) -> int:
        """The POSIX time at which this key cosigned the checkpoint `body`; `SignatureError` when it did not.

        Zero (ML-DSA-44 only) says that the cosigner makes no statement about time.
        """
        if len(signature) != 8 + _SIGNATURE_SIZES[self.kind]:
            raise _failed(self.name, "it has the wrong length")
        time = int.from_bytes(signature[:8], "big")
        if time > _LAST_TIME or (time == 0 and self.kind == ED25519):
            raise _failed(self.name, "its time is out of range")
        if self.kind == ED25519:
            try:
                keys.verify(self.public, _ed25519_message(body, time), signature[8:])
            except SignatureError:
                raise _failed(self.name, "it does not belong to this checkpoint and this key") from None
        else:
            message = _ml_dsa_message(self.name, parse_body(body), time)
            _verify_ml_dsa(self.name, self.public, message, signature[8:])
        return time


@dataclass(frozen=True, slots=True)
class Cosignature:
    """A verified cosignature: whose, and when it was made (POSIX seconds, by the cosigner's clock)."""

    key: CosignerKey
    time: int


class Cosigner(Protocol):
    """Something that can cosign: its public key, and a signature line for a checkpoint body at a time."""

    @property
    def cosigner(self) -> CosignerKey:
        """The public half."""
        ...

    def line(self, body: bytes, time: int) -> bytes:
        """The signature line, ending in a newline."""
        ...


@dataclass(frozen=True)
class Ed25519Cosigner:
    """Cosigns with a witness key; `SignatureError` for a key of any other role."""

    key: SigningKey

    def __post_init__(self) -> None:
        if self.key.role != "witness":
            raise SignatureError(
                f"the key {self.key.name} has the role {self.key.role}; only a witness key cosigns",
                remedy="cosign with the witness's own key, which signs nothing else",
            )

    @property
    def cosigner(self) -> CosignerKey:
        """The public half."""
        return CosignerKey.of(self.key.public)

    def line(self, body: bytes, time: int) -> bytes:
        """The signature line for a checkpoint body at a POSIX time above zero."""
        check_time(time)
        return signature_line(
            self.cosigner, time.to_bytes(8, "big") + self.key.sign(_ed25519_message(body, time))
        )


@dataclass(frozen=True)
class MlDsaCosigner:
    """Cosigns with ML-DSA-44 (FIPS 204) from a 32-byte seed; `SignatureError` where the library cannot."""

    name: str
    seed: bytes = field(repr=False)

    @cached_property
    def cosigner(self) -> CosignerKey:
        """The public half."""
        from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

        try:
            public = MLDSA44PrivateKey.from_seed_bytes(self.seed).public_key().public_bytes_raw()
        except UnsupportedAlgorithm:
            raise _no_ml_dsa() from None
        return CosignerKey(self.name, ML_DSA_44, public)

    def line(self, body: bytes, time: int) -> bytes:
        """The signature line for a checkpoint body at a POSIX time above zero."""
        from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

        check_time(time)
        message = _ml_dsa_message(self.name, parse_body(body), time)
        signature = MLDSA44PrivateKey.from_seed_bytes(self.seed).sign(message)
        return signature_line(self.cosigner, time.to_bytes(8, "big") + signature)


def verified_cosignatures(note: bytes, cosigners: Sequence[CosignerKey]) -> tuple[Cosignature, ...]:
    """Which of `cosigners` cosigned the checkpoint in `note`, each with its earliest time.

    Signatures of other keys are ignored, and so are those that make no statement about time. A known cosigner's
    signature that fails rejects the whole note, with `SignatureError`. The log's own signature is not looked at.
    """
    known = {(key.name, key.key_id): key for key in cosigners}
    body, lines = split_note(note)
    earliest: dict[CosignerKey, int] = {}
    for line in lines:
        key = known.get((line.name, line.key_id))
        if key is None:
            continue
        time = key.verify(body, line.signature)
        if time:
            earliest[key] = min(time, earliest.get(key, time))
    return tuple(Cosignature(key, time) for key, time in earliest.items())


def signature_line(key: CosignerKey, signature: bytes) -> bytes:
    """One line of a note's signature block."""
    return _DASH + key.name.encode() + b" " + b64encode(key.key_id + signature).encode() + b"\n"


def format_lines(signatures: Sequence[NoteSignature]) -> bytes:
    """Signature lines as they stand in a note."""
    return b"".join(
        _DASH + one.name.encode() + b" " + b64encode(one.key_id + one.signature).encode() + b"\n"
        for one in signatures
    )


def with_lines(note: bytes, lines: bytes) -> bytes:
    """The note with further signature lines, those it has already left out; `SignatureError` when malformed."""
    _, present = split_note(note)
    _, all_lines = split_note(note + lines)
    return note + format_lines([line for line in dict.fromkeys(all_lines) if line not in present])


def only_by(note: bytes, signers: Sequence[VerifyKey]) -> bytes:
    """The note with only those signature lines that name one of these keys; nothing is verified."""
    wanted = {(key.name, key.key_id) for key in signers}
    text, lines = split_note(note)
    kept = [line for line in dict.fromkeys(lines) if (line.name, line.key_id) in wanted]
    return text + b"\n" + format_lines(kept)


def check_time(time: int) -> None:
    """Refuse a time that no cosignature of a checkpoint may carry."""
    if not 0 < time <= _LAST_TIME:
        raise SignatureError(f"a cosignature cannot carry the time {time}", remedy="set this machine's clock")


@lru_cache(maxsize=1024)
def _parsed(vkey: str) -> CosignerKey:
    name, _, rest = vkey[:4000].partition("+")
    id_text, _, encoded = rest.partition("+")
    try:
        material = b64decode(encoded.encode())
    except ValueError:
        raise _malformed(vkey, "its last part is not base64") from None
    if material[:1] == bytes([_PLAIN_ED25519]):
        return CosignerKey.of(VerifyKey.parse(vkey))
    key = CosignerKey(name, material[0] if material else 0, material[1:])
    if id_text != key.key_id.hex():
        raise _malformed(vkey, f"its key id should be {key.key_id.hex()}")
    return key


def _ed25519_message(body: bytes, time: int) -> bytes:
    return b"cosignature/v1\ntime %d\n" % time + body


def _ml_dsa_message(name: str, checkpoint: Checkpoint, time: int) -> bytes:
    """The `cosigned_message` of the specification, for the whole tree of a checkpoint."""
    cosigner, origin = name.encode(), checkpoint.origin.encode()
    if len(origin) > 255:
        raise _failed(name, "ML-DSA-44 cosignatures need an origin of at most 255 bytes")
    return b"".join(
        (
            _SUBTREE_LABEL,
            bytes([len(cosigner)]),
            cosigner,
            time.to_bytes(8, "big"),
            bytes([len(origin)]),
            origin,
            bytes(8),
            checkpoint.size.to_bytes(8, "big"),
            checkpoint.root,
        )
    )


def _verify_ml_dsa(name: str, public: bytes, message: bytes, signature: bytes) -> None:
    from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey

    try:
        MLDSA44PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        raise _failed(name, "it does not belong to this checkpoint and this key") from None
    except UnsupportedAlgorithm:
        raise _no_ml_dsa() from None


def _failed(name: str, why: str) -> SignatureError:
    return SignatureError(
        f"the cosignature of {name[:80]} does not hold: {why}",
        remedy="do not rely on this checkpoint; fetch it again, and compare it with another copy",
    )


def _no_ml_dsa() -> SignatureError:
    return SignatureError(
        "this installation's cryptography library has no ML-DSA-44",
        remedy="install a newer wheel of `cryptography`, or name Ed25519 cosigners only",
    )


def _malformed(vkey: str, why: str) -> SignatureError:
    return SignatureError(
        f"{vkey[:80]!r} is not a cosigner's key: {why}",
        remedy="copy the key again from where it was published",
    )
