"""Drafts: what a step of the loop would have its author sign, made without the author's private key.

A surface that holds no user's secret (the HTTP server) runs the same code as everybody else, on a registry whose
`append` hands out the statements instead of signing them. The author signs them elsewhere and sends envelopes
back to `leadline.registry.intake.submit`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, BinaryIO, NoReturn, cast

from leadline.errors import StateError
from leadline.ledger.dsse import PAYLOAD_TYPE
from leadline.ledger.keys import Role, SigningKey, VerifyKey
from leadline.ledger.statements import make
from leadline.registry.computing import Computing
from leadline.registry.registry import Registry, Said
from leadline.store import Appended, ReadView
from leadline.store.protocol import Store

#: A draft holds at most this many bytes of protocol and report: they are kept in memory until it is signed.
MAX_DRAFT_BLOBS = 16 << 20


@dataclass(frozen=True, slots=True)
class Draft:
    """Statements to be signed, in their order, and the bytes they refer to, by hex SHA-256.

    Each payload is signed as a DSSE envelope of the type `payload_type` by the key `keyid`.
    """

    payloads: tuple[bytes, ...]
    keyid: str
    blobs: dict[str, bytes]
    payload_type: str = PAYLOAD_TYPE


@dataclass(frozen=True, slots=True)
class Unneeded:
    """Nothing needs to be signed: the step's own result, such as the study that was registered before."""

    value: object


@dataclass(frozen=True, slots=True)
class _Absent:
    """Stands where an author's signing key would be: everything about it but the private half."""

    public: VerifyKey
    role: Role = "author"

    @property
    def fingerprint(self) -> str:
        return self.public.fingerprint

    @property
    def name(self) -> str:
        return self.public.name

    def sign(self, message: bytes) -> NoReturn:  # noqa: ARG002
        raise StateError("a draft is signed by its author, elsewhere")


class _DraftedError(Exception):
    """Carries the statements out of the step that would have appended them."""

    def __init__(self, said: Sequence[Said]) -> None:
        super().__init__()
        self.said = said


class _Kept:
    """A store that reads as it is, and keeps new blobs in memory instead of writing them."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.blobs: dict[str, bytes] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def put_blob(self, data: bytes | BinaryIO) -> str:
        """The digest of the bytes; they are kept for the draft only if the store does not hold them."""
        if not isinstance(data, bytes):
            digest = sha256()
            while chunk := data.read(1 << 20):
                digest.update(chunk)
            return digest.hexdigest()
        if sum(map(len, self.blobs.values())) + len(data) > MAX_DRAFT_BLOBS:
            raise StateError("a draft may refer to at most 16 MiB of new bytes", remedy="split the step")
        name = sha256(data).hexdigest()
        self.blobs[name] = data
        return name


class _Drafting(Registry):
    """A registry in which whatever would be appended is handed out unsigned, and which computes as it is told."""

    def __init__(self, registry: Registry, store: _Kept, key: VerifyKey, computing: Computing) -> None:
        super().__init__(
            cast("Store", store), registry.home, cast("SigningKey", _Absent(key)), registry.clock
        )
        self.computing = computing

    def append(self, build: Callable[[ReadView], Sequence[Said]]) -> list[Appended]:
        with self.store.snapshot() as view:
            said = build(view)
        raise _DraftedError(said)


def draft(
    registry: Registry, key: VerifyKey, step: Callable[[Registry], object], computing: Computing
) -> "Draft | Unneeded":
    """What `step` would have the holder of `key` sign, or that there is nothing to sign.

    `step` gets a registry and calls one method on it, such as ``register``, or a function such as
    `publish_computed`; what it computes, `computing` computes. It may raise whatever that raises; nothing is
    written in any case.
    """
    kept = _Kept(registry.store)
    desk = _Drafting(registry, kept, key, computing)
    try:
        value = step(desk)
    except _DraftedError as drafted:
        payloads = tuple(make(kind, predicate) for kind, predicate, _ in drafted.said)
        return Draft(payloads, key.fingerprint, kept.blobs)
    return Unneeded(value)
