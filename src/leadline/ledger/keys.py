"""Ed25519 keys: who signs, in which role, and the one function that verifies.

A key is written as a *vkey*, ``<name>+<key id in hex>+<base64 of type and key>`` (C2SP signed-note),
and pointed at by its *fingerprint*, the SHA-256 of its 32 public bytes in hex: the four-byte key id is
too short to point at anything an adversary may choose.
"""

import os
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from hashlib import sha256
from typing import Final, Literal, TypeAlias, get_args

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from leadline.errors import InputError, SignatureError
from leadline.ledger.curve import PUBLIC_SIZE, check_public_key
from leadline.ledger.encoding import b64decode, b64encode

Role: TypeAlias = Literal["author", "log", "service", "witness"]
"""What a key may sign. An author key signs statements; the service key signs automatic reports and
closings; the log key signs checkpoints only; a witness key cosigns only."""

ROLES: Final[tuple[Role, ...]] = get_args(Role)
SIGNATURE_SIZE = 64
SEED_SIZE = 32
MAX_NAME = 200
_ED25519 = 0x01


def verify(public: bytes, message: bytes, signature: bytes) -> None:
    """Raise `SignatureError` unless `signature` (64 bytes) is one of `message` under `public` (32 bytes).

    Statements, checkpoints and certificates are all verified here and nowhere else: two verifiers that
    differ on a single edge case would be two histories (RFC 8032; the answer is the library's).
    """
    try:
        _loaded(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        raise SignatureError(
            "the signature does not belong to these bytes and this key",
            remedy="do not rely on this record; fetch it again, and compare it with another copy",
        ) from None


@lru_cache(maxsize=4096)
def _loaded(public: bytes) -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(public)


@dataclass(frozen=True)
class VerifyKey:
    """A named public key (`name` without spaces, plus signs or control characters; `public` 32 bytes).

    Construction refuses malformed names and keys no honest software makes, with `SignatureError`.
    """

    name: str
    public: bytes

    def __post_init__(self) -> None:
        check_name(self.name)
        check_public_key(self.public)

    @classmethod
    def parse(cls, vkey: str) -> "VerifyKey":
        """The key behind a vkey text; `SignatureError` unless it is spelled exactly as `vkey` prints it."""
        return _parsed(vkey)

    @cached_property
    def key_id(self) -> bytes:
        """The four bytes that stand before a signature in a note."""
        return sha256(self.name.encode() + b"\n" + bytes([_ED25519]) + self.public).digest()[:4]

    @cached_property
    def vkey(self) -> str:
        """The key as text, to be published."""
        return f"{self.name}+{self.key_id.hex()}+{b64encode(bytes([_ED25519]) + self.public)}"

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the public bytes in hex: the ``keyid`` of an envelope."""
        return fingerprint(self.public)

    def verify(self, message: bytes, signature: bytes) -> None:
        """`verify` under this key; the error names the key."""
        try:
            verify(self.public, message, signature)
        except SignatureError as error:
            raise SignatureError(error.message, where=f"key {self.name}", remedy=error.remedy()) from None


@lru_cache(maxsize=4096)
def _parsed(vkey: str) -> VerifyKey:
    name, _, rest = vkey[:1000].partition("+")
    id_text, _, encoded = rest.partition("+")
    try:
        material = b64decode(encoded.encode())
    except ValueError:
        raise _malformed(vkey, "its last part is not base64") from None
    if material[:1] != bytes([_ED25519]):
        raise _malformed(vkey, "its type is not Ed25519 (type byte 1)")
    if len(material) != 1 + PUBLIC_SIZE:
        raise _malformed(vkey, f"it holds {len(material) - 1} key bytes instead of {PUBLIC_SIZE}")
    key = VerifyKey(name, material[1:])
    if id_text != key.key_id.hex():
        raise _malformed(vkey, f"its key id should be {key.key_id.hex()}")
    return key


@dataclass(frozen=True)
class SigningKey:
    """A private key (32-byte `seed`) with the name it signs under and the one role it has."""

    name: str
    role: Role
    seed: bytes = field(repr=False)

    def __post_init__(self) -> None:
        check_name(self.name)
        if self.role not in ROLES:
            raise InputError(f"{self.role!r} is not a key role", remedy=f"the roles are {', '.join(ROLES)}")
        if len(self.seed) != SEED_SIZE:
            raise InputError(f"an Ed25519 seed has {SEED_SIZE} bytes, not {len(self.seed)}")

    @classmethod
    def generate(cls, name: str, role: Role = "author") -> "SigningKey":
        """A new key from the operating system's randomness."""
        return cls(name, role, os.urandom(SEED_SIZE))

    @cached_property
    def _private(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.seed)

    @cached_property
    def public(self) -> VerifyKey:
        """The public half."""
        return VerifyKey(self.name, self._private.public_key().public_bytes_raw())

    @property
    def fingerprint(self) -> str:
        """Fingerprint of the public half."""
        return self.public.fingerprint

    def sign(self, message: bytes) -> bytes:
        """The 64-byte signature of `message`; deterministic (RFC 8032)."""
        return self._private.sign(message)


def fingerprint(public: bytes) -> str:
    """SHA-256 of 32 public key bytes, in hex."""
    return sha256(public).hexdigest()


def check_name(name: str) -> None:
    """Raise `SignatureError` for a key name that a signed note cannot carry."""
    wrong = (
        not name or len(name) > MAX_NAME or any(c == "+" or c.isspace() or not c.isprintable() for c in name)
    )
    if wrong:
        raise SignatureError(
            f"{name[:80]!r} cannot name a key",
            remedy=f"use 1 to {MAX_NAME} printable characters without spaces or '+', such as example.org/alice",
        )


def _malformed(vkey: str, why: str) -> SignatureError:
    return SignatureError(
        f"{vkey[:80]!r} is not a verifier key: {why}", remedy="copy the key again from where it was published"
    )
