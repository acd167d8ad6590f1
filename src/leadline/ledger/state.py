"""What replaying the log has established so far about keys, studies and seals.

`Authority` reads and writes these records through `AuthorityState`, so that a store may keep them in
tables; `MemoryState` keeps them in dictionaries.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeAlias

from leadline.ledger.keys import Role


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """A key that the log knows.

    `state`: ``pending`` (announced as a successor, not yet confirmed by the old key), ``active``,
    ``rotated`` or ``revoked``. `lineage` is the fingerprint of the first key of a chain of rotations:
    keys of one lineage have the same rights. `registered` and `ended` are log indexes. `guardians` are the
    lineages of which `threshold` may together confirm a successor when the key is lost.
    """

    fingerprint: str
    vkey: str
    role: Role
    holder: str
    holder_kind: str
    state: Literal["pending", "active", "rotated", "revoked"]
    lineage: str
    registered: int
    replaces: str | None = None
    ended: int | None = None
    guardians: frozenset[str] = frozenset()
    threshold: int = 0


@dataclass(frozen=True, slots=True)
class StudyRecord:
    """A study that the log knows: who may act for it, and its attempts.

    `lineages` are those of the signer's key and of the further keys the freeze names. `attempts` is how
    many were opened so far, `open_attempts` the numbers not yet closed or abandoned. `commitment` and `keys` are a
    seal's commitments to the freeze and to the keys that may act once it is revealed.
    """

    study: str
    index: int
    leaf_hash: bytes
    lineages: frozenset[str]
    sealed: bool = False
    revealed: bool = False
    withdrawn: bool = False
    closed: bool = False
    attempts: int = 0
    open_attempts: frozenset[int] = frozenset()
    reported: bool = False
    commitment: str | None = None
    keys: str | None = None


@dataclass(frozen=True, slots=True)
class VouchRecord:
    """A key has vouched for the key `public` as heir of `replaces`: for all rights, or for one study's.

    `study` is empty for a guardian's vouching. `lineage` is the voucher's.
    """

    public: str
    replaces: str
    study: str
    keyid: str
    lineage: str


@dataclass(frozen=True, slots=True)
class JudgementRecord:
    """A judgement that a later one may revoke: its leaf hash in hex, type, study or empty, and signer's lineage."""

    leaf: str
    type: str
    study: str
    lineage: str
    revoked: int | None = None


Record: TypeAlias = KeyRecord | StudyRecord | VouchRecord | JudgementRecord
"""What accepting an entry may write."""


class AuthorityState(Protocol):
    """Where `Authority` keeps its records. All methods are plain look-ups and overwrites."""

    def key(self, fingerprint: str) -> KeyRecord | None:
        """The key with this fingerprint, if the log knows it."""

    def put_key(self, record: KeyRecord) -> None:
        """Insert or replace the record of a key."""

    def study(self, study: str) -> StudyRecord | None:
        """The study with this id, if the log knows it."""

    def put_study(self, record: StudyRecord) -> None:
        """Insert or replace the record of a study."""

    def vouches(self, public: str, replaces: str, study: str) -> Iterable[VouchRecord]:
        """Who has vouched so far for one key as heir of another, for a study or (empty) for all rights."""

    def put_vouch(self, record: VouchRecord) -> None:
        """Insert a vouching."""

    def judgement(self, leaf: str) -> JudgementRecord | None:
        """The judgement with this leaf hash, if the log knows it."""

    def put_judgement(self, record: JudgementRecord) -> None:
        """Insert or replace the record of a judgement."""


def keep(state: AuthorityState, record: Record) -> None:
    """Write a record of whichever kind."""
    match record:
        case KeyRecord():
            state.put_key(record)
        case StudyRecord():
            state.put_study(record)
        case VouchRecord():
            state.put_vouch(record)
        case JudgementRecord():
            state.put_judgement(record)


@dataclass(slots=True)
class MemoryState:
    """An `AuthorityState` in dictionaries."""

    keys: dict[str, KeyRecord] = field(default_factory=dict)
    studies: dict[str, StudyRecord] = field(default_factory=dict)
    vouchings: dict[tuple[str, str, str, str], VouchRecord] = field(default_factory=dict)
    judgements: dict[str, JudgementRecord] = field(default_factory=dict)

    def key(self, fingerprint: str) -> KeyRecord | None:
        """The key with this fingerprint, if there is one."""
        return self.keys.get(fingerprint)

    def put_key(self, record: KeyRecord) -> None:
        """Insert or replace a key."""
        self.keys[record.fingerprint] = record

    def study(self, study: str) -> StudyRecord | None:
        """The study with this id, if there is one."""
        return self.studies.get(study)

    def put_study(self, record: StudyRecord) -> None:
        """Insert or replace a study."""
        self.studies[record.study] = record

    def vouches(self, public: str, replaces: str, study: str) -> Iterable[VouchRecord]:
        """Who has vouched so far."""
        wanted = (public, replaces, study)
        return [record for key, record in self.vouchings.items() if key[:3] == wanted]

    def put_vouch(self, record: VouchRecord) -> None:
        """Insert a vouching."""
        self.vouchings[record.public, record.replaces, record.study, record.keyid] = record

    def judgement(self, leaf: str) -> JudgementRecord | None:
        """The judgement with this leaf hash, if there is one."""
        return self.judgements.get(leaf)

    def put_judgement(self, record: JudgementRecord) -> None:
        """Insert or replace the record of a judgement."""
        self.judgements[record.leaf] = record
