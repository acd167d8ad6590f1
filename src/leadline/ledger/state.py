"""What replaying the log has established so far about keys, studies and seals.

`Authority` reads and writes these records through `AuthorityState`, so that a store may keep them in
tables; `MemoryState` keeps them in dictionaries.
"""

from dataclasses import dataclass, field
from typing import Literal, Protocol

from leadline.ledger.keys import Role


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """A key that the log knows.

    `state`: ``pending`` (announced as a successor, not yet confirmed by the old key), ``active``,
    ``rotated`` or ``revoked``. `lineage` is the fingerprint of the first key of a chain of rotations:
    keys of one lineage have the same rights. `registered` and `ended` are log indexes.
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


@dataclass(frozen=True, slots=True)
class StudyRecord:
    """A study that the log knows: who may act for it, and its attempts.

    `lineages` are those of the signer's key and of the further keys the freeze names. `attempts` is how
    many were opened so far, `open_attempts` the numbers not yet closed or abandoned.
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


@dataclass(slots=True)
class MemoryState:
    """An `AuthorityState` in two dictionaries."""

    keys: dict[str, KeyRecord] = field(default_factory=dict)
    studies: dict[str, StudyRecord] = field(default_factory=dict)

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
