"""The rules of `authority`, applied to one entry: what it may do, and which records it changes."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from leadline.errors import SignatureError, StatementError
from leadline.ledger.dsse import Envelope
from leadline.ledger.fields import SeenCheckpoint
from leadline.ledger.ids import study_id
from leadline.ledger.keys import VerifyKey
from leadline.ledger.predicates import (
    Amend,
    Attach,
    Attempt,
    Close,
    Freeze,
    Import,
    Judgement,
    Key,
    Report,
    Reveal,
    Seal,
    Withdraw,
)
from leadline.ledger.state import AuthorityState, KeyRecord, StudyRecord
from leadline.ledger.statements import Statement


@dataclass(frozen=True, slots=True)
class Entry:
    """A log entry taken apart: its leaf hash, its statement, and the key whose signature it claims."""

    leaf_hash: bytes
    envelope: Envelope
    statement: Statement
    key: VerifyKey


@dataclass(frozen=True, slots=True)
class Known:
    """What decisions rest on besides the entry: the records so far, and what `Authority` was told of the log."""

    state: AuthorityState
    log_keys: frozenset[str]
    origin: str | None
    root_at: Callable[[int], bytes] | None


class Decision:
    """The decision about one entry; `run` returns the records that accepting it changes."""

    def __init__(self, known: Known, index: int, entry: Entry) -> None:
        self.known = known
        self.state = known.state
        self.index = index
        self.entry = entry
        self.keyid = entry.key.fingerprint
        self.where = f"entry {index} ({entry.statement.kind})"

    def run(self) -> list[KeyRecord | StudyRecord]:
        """Check against the rules of the statement's kind."""
        predicate = self.entry.statement.predicate
        match predicate:
            case Key():
                return self.key_statement(predicate)
            case Freeze():
                return self.freeze(predicate)
            case Seal():
                return [self.new_study(frozenset({self.signer("author").lineage}), sealed=True)]
            case Reveal():
                study = self.own_study(predicate.study)
                if not study.sealed or study.revealed:
                    raise self.misplaced("this study is not sealed, or it is revealed already")
                return [replace(study, revealed=predicate.scope == "whole")]
            case Attempt():
                return [self.attempt(predicate)]
            case Attach():
                study = self.own_study(predicate.study)
                if predicate.attempt is not None and predicate.attempt > study.attempts:
                    raise self.misplaced(
                        f"the study {study.study} has no attempt {predicate.attempt}; it has {study.attempts}"
                    )
                return []
            case Report():
                self.own_study(predicate.study, service=True)
                return []
            case Withdraw():
                study = self.own_study(predicate.study)
                if study.withdrawn:
                    raise self.misplaced(f"the study {study.study} is withdrawn already")
                return [replace(study, withdrawn=True)]
            case Amend():
                self.own_study(predicate.study)
                return []
            case Close():
                self.signer("service")
                return [replace(self.study(study), closed=True) for study in predicate.studies]
            case Judgement():
                self.signer("author", "service")
                if predicate.study is not None:
                    self.study(predicate.study)
                return []
            case Import():
                self.signer("author", "service")
                return []
        raise StatementError(f"no rule for {self.entry.statement.kind}", where=self.where)  # pragma: no cover

    # keys

    def key_statement(self, statement: Key) -> list[KeyRecord | StudyRecord]:
        """Dispatch on the action; `public` names the key concerned."""
        key = VerifyKey.parse(statement.public)
        if statement.action == "register":
            return [self.register(statement, key)]
        record = self.state.key(key.fingerprint)
        if record is None or record.vkey != key.vkey or record.role != statement.role:
            raise self.misplaced("the log knows no such key in this role and under this name")
        if statement.action == "rotate":
            return self.rotate(statement, record)
        return [self.revoke(record)]

    def register(self, statement: Key, key: VerifyKey) -> KeyRecord:
        """A first appearance of a public key."""
        known = self.state.key(key.fingerprint)
        if known is not None or key.fingerprint in self.known.log_keys:
            role = known.role if known else "log"
            if role != statement.role:
                raise self.refused(f"this key already has the role {role}: one key has one role", _NEW_KEY)
            if known is not None:
                raise self.refused("this key is registered already", _NEW_KEY)
        self.check_who_registers(statement, key)
        if statement.replaces is not None:
            old = self.state.key(statement.replaces)
            if old is None or old.state != "active" or old.role != statement.role:
                raise self.misplaced("the key to be replaced is not an active key of the same role")
        holder = statement.holder
        assert holder is not None, "the model demands a holder for a registration"
        return KeyRecord(
            fingerprint=key.fingerprint,
            vkey=key.vkey,
            role=statement.role,
            holder=holder.name,
            holder_kind=holder.kind,
            state="pending" if statement.replaces else "active",
            lineage=key.fingerprint,
            registered=self.index,
            replaces=statement.replaces,
        )

    def check_who_registers(self, statement: Key, key: VerifyKey) -> None:
        """Authors and service sign for themselves; log and witness keys are announced by the service."""
        if statement.role in ("log", "witness"):
            self.signer("service")
        elif self.keyid != key.fingerprint:
            raise self.refused(
                "a key registers itself: nobody else can show that its holder wants this", _NEW_KEY
            )
        elif statement.role == "service" and self.index > 0 and statement.replaces is None:
            raise self.refused(
                "a service key is the first entry of a log or the successor of one",
                "rotate the service key, or start a new log with it",
            )

    def rotate(self, statement: Key, new: KeyRecord) -> list[KeyRecord | StudyRecord]:
        """The old key confirms its successor, which inherits its lineage."""
        old = self.signer("author", "service")
        if old.fingerprint != statement.replaces or new.replaces != old.fingerprint or new.state != "pending":
            raise self.misplaced("the new key has not registered itself as the successor of the signing key")
        if new.role != old.role:  # pragma: no cover - register demands it; kept because rights depend on it
            raise self.refused("a successor has the role of the key it replaces", _NEW_KEY)
        return [
            replace(old, state="rotated", ended=self.index),
            replace(new, state="active", lineage=old.lineage),
        ]

    def revoke(self, record: KeyRecord) -> KeyRecord:
        """By the key itself or by the service key; from here on it signs nothing."""
        if record.state == "revoked":
            raise self.misplaced("the key is revoked already")
        if self.keyid == record.fingerprint:
            if record.state == "rotated":
                raise self.misplaced("the key was rotated and no longer signs")
        else:
            self.signer("service")
        return replace(record, state="revoked", ended=self.index)

    def signer(self, *roles: str) -> KeyRecord:
        """The signing key's record; it must be active and have one of `roles`."""
        record = self.state.key(self.keyid)
        if record is None:
            raise self.refused(
                "the log knows no such key", "register the key first (`leadline key register`)"
            )
        if record.state != "active":
            since = f" since entry {record.ended}" if record.ended is not None else ""
            raise self.refused(
                f"the key of {record.holder} is {record.state}{since} and signs nothing", _ACTIVE
            )
        if record.role not in roles:
            raise self.refused(
                f"a key with the role {record.role} may not sign this",
                f"sign with a key of the role {' or '.join(roles)}",
            )
        return record

    # studies

    def freeze(self, statement: Freeze) -> list[KeyRecord | StudyRecord]:
        """A new study; further keys it names must be active author keys."""
        lineages = {self.signer("author").lineage}
        for fingerprint in statement.keys:
            record = self.state.key(fingerprint)
            if record is None or record.state != "active" or record.role != "author":
                raise self.misplaced(
                    f"the freeze names {fingerprint[:16]}, which is not an active author key"
                )
            lineages.add(record.lineage)
        if statement.seen_checkpoint is not None:
            self.check_seen(statement.seen_checkpoint)
        return [self.new_study(frozenset(lineages))]

    def new_study(self, lineages: frozenset[str], *, sealed: bool = False) -> StudyRecord:
        """The record of the study this entry begins."""
        study = study_id(self.entry.leaf_hash)
        if self.state.study(study) is not None:
            raise self.misplaced(f"the study id {study} is taken")
        return StudyRecord(study, self.index, self.entry.leaf_hash, lineages, sealed)

    def attempt(self, statement: Attempt) -> StudyRecord:
        """Numbers are given out in order; only an open attempt is closed or abandoned."""
        study = self.own_study(statement.study)
        if statement.action == "open":
            if statement.number != study.attempts + 1:
                raise self.misplaced(
                    f"the next attempt is number {study.attempts + 1}, not {statement.number}"
                )
            return replace(
                study, attempts=statement.number, open_attempts=study.open_attempts | {statement.number}
            )
        if statement.number not in study.open_attempts:
            raise self.misplaced(f"attempt {statement.number} is not open: {_attempts_words(study)}")
        return replace(study, open_attempts=study.open_attempts - {statement.number})

    def check_seen(self, seen: SeenCheckpoint) -> None:
        """A checkpoint of this very log that an author claims to have seen must be one of its past."""
        if seen.origin != self.known.origin:
            return
        if seen.size > self.index:
            raise self.misplaced(
                f"the checkpoint it has seen has {seen.size} entries, more than stand before it"
            )
        if self.known.root_at is not None and self.known.root_at(seen.size).hex() != seen.root:
            raise self.misplaced(f"this log never had the root it claims to have seen at size {seen.size}")

    def study(self, study: str) -> StudyRecord:
        """The record of a study; `StatementError` when the log has none."""
        record = self.state.study(study)
        if record is None:
            raise self.misplaced(f"the log knows no study {study}")
        return record

    def own_study(self, study: str, *, service: bool = False) -> StudyRecord:
        """The record of a study for which the signing key may act."""
        record = self.study(study)
        signer = self.signer("author", "service") if service else self.signer("author")
        if signer.role == "author" and signer.lineage not in record.lineages:
            raise self.refused(
                f"the key of {signer.holder} may not act for {study}",
                "sign with the key that registered the study, its successor, or a key its registration names",
            )
        return record

    def refused(self, what: str, remedy: str) -> SignatureError:
        """The key may not do this."""
        return SignatureError(what, where=self.where, remedy=remedy)

    def misplaced(self, what: str) -> StatementError:
        """The statement does not fit the log so far."""
        return StatementError(
            what, where=self.where, remedy="read the study's or key's present state from the log first"
        )


def _attempts_words(study: StudyRecord) -> str:
    """How many attempts a study has, and which of them are open."""
    if not study.attempts:
        return f"none of {study.study} was announced"
    still = ", ".join(map(str, sorted(study.open_attempts))) or "none"
    return f"{study.study} has {study.attempts}, and of these are open: {still}"


_NEW_KEY = "generate a fresh key with `leadline key new`, one per role"
_ACTIVE = "sign with an active key; after a rotation that is the successor"
