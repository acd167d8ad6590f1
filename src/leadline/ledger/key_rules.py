"""The rules for keys: registering, rotating, revoking, and recovering lost ones.

**Recovery.** A key may name guardians (keys of others) and a threshold, at registration or later in a statement
of its own. When it is lost, a new key registers as its successor and stays pending; each guardian vouches for
it; at the threshold the old key counts as rotated, and the new one has its lineage. The decisions:

* Naming takes effect at once: whoever holds the key could rotate it just as well.
* A vouching counts while the key that signed it is not revoked, so a quorum never rests on a stolen guardian.
  A guardian whose key was rotated keeps one voice, and no lineage has two.
* Only an active key is recovered this way. A revocation is final: a thief who named guardians of his own
  before the revocation gains nothing. While the key still signs, its holder can veto: it revokes the pending
  successor. So can the service.
* A quorum of guardians that conspires can take the key. That is what naming them means.

**One study's rights.** Where a lost key has no such quorum, co-authors help for a study they share: more than
half of the other lineages the study knows vouch for a new, ordinarily registered key, with the study named, and
its lineage gets rights to that study and nothing else. Nobody loses a right by it, so no veto is needed: the old
lineage stays, and a stolen key is revoked by the service. Here the lost key may be revoked already.
"""

from dataclasses import replace

from leadline.ledger.bench import Bench
from leadline.ledger.keys import VerifyKey
from leadline.ledger.predicates import Key
from leadline.ledger.state import KeyRecord, Record, StudyRecord, VouchRecord

NEW_KEY = "generate a fresh key with `leadline key new`, one per role"


class KeyRules(Bench):
    """Decides on key statements."""

    def key_statement(self, statement: Key) -> list[Record]:
        """Dispatch on the action; `public` names the key concerned."""
        key = VerifyKey.parse(statement.public)
        if statement.action == "register":
            return [self.register(statement, key)]
        record = self.state.key(key.fingerprint)
        if record is None or record.vkey != key.vkey or record.role != statement.role:
            raise self.misplaced("the log knows no such key in this role and under this name")
        match statement.action:
            case "rotate":
                return self.rotate(statement, record)
            case "guardians":
                return [self.name_guardians(statement, record)]
            case "vouch":
                return self.vouch(statement, record)
            case _:
                return [self.revoke(record)]

    def register(self, statement: Key, key: VerifyKey) -> KeyRecord:
        """A first appearance of a public key."""
        known = self.state.key(key.fingerprint)
        if known is not None or key.fingerprint in self.known.log_keys:
            role = known.role if known else "log"
            if role != statement.role:
                raise self.refused(f"this key already has the role {role}: one key has one role", NEW_KEY)
            if known is not None:
                raise self.refused("this key is registered already", NEW_KEY)
        self.check_who_registers(statement, key)
        own = key.fingerprint
        if statement.replaces is not None:
            old = self.state.key(statement.replaces)
            if old is None or old.state != "active" or old.role != statement.role:
                raise self.misplaced("the key to be replaced is not an active key of the same role")
            own = old.lineage
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
            guardians=self.guardian_lineages(statement, own),
            threshold=statement.threshold or 0,
        )

    def check_who_registers(self, statement: Key, key: VerifyKey) -> None:
        """Authors and service sign for themselves; log and witness keys are announced by the service."""
        if statement.role in ("log", "witness"):
            self.signer("service")
        elif self.keyid != key.fingerprint:
            raise self.refused(
                "a key registers itself: nobody else can show that its holder wants this", NEW_KEY
            )
        elif statement.role == "service" and self.index > 0 and statement.replaces is None:
            raise self.refused(
                "a service key is the first entry of a log or the successor of one",
                "rotate the service key, or start a new log with it",
            )

    def rotate(self, statement: Key, new: KeyRecord) -> list[Record]:
        """The old key confirms its successor, which inherits its lineage."""
        old = self.signer("author", "service")
        if old.fingerprint != statement.replaces or new.replaces != old.fingerprint or new.state != "pending":
            raise self.misplaced("the new key has not registered itself as the successor of the signing key")
        if new.role != old.role:  # pragma: no cover - register demands it; kept because rights depend on it
            raise self.refused("a successor has the role of the key it replaces", NEW_KEY)
        return [
            replace(old, state="rotated", ended=self.index),
            _heir(new, old),
        ]

    def revoke(self, record: KeyRecord) -> KeyRecord:
        """By the key itself or by the service key; from here on it signs nothing.

        A key that wants to replace another is still pending; the other one may revoke it too.
        """
        if record.state == "revoked":
            raise self.misplaced("the key is revoked already")
        if self.keyid == record.fingerprint:
            if record.state == "rotated":
                raise self.misplaced("the key was rotated and no longer signs")
        elif record.state == "pending" and record.replaces == self.keyid:
            self.signer("author", "service")  # a key that still signs is not lost
        else:
            self.signer("service")
        return replace(record, state="revoked", ended=self.index)

    # recovery

    def name_guardians(self, statement: Key, record: KeyRecord) -> KeyRecord:
        """By the key itself, in place of whom it named before."""
        if self.signer("author").fingerprint != record.fingerprint:
            raise self.refused("a key names its own guardians, nobody else's", "sign with that very key")
        guardians = self.guardian_lineages(statement, record.lineage)
        return replace(record, guardians=guardians, threshold=statement.threshold or 0)

    def guardian_lineages(self, statement: Key, own: str) -> frozenset[str]:
        """Lineages of the guardians that a statement names: active author keys, each of another lineage."""
        lineages = set()
        for fingerprint in statement.guardians or ():
            record = self.state.key(fingerprint)
            if record is None or record.state != "active" or record.role != "author":
                raise self.misplaced(f"the guardian {fingerprint[:16]} is not an active author key")
            if record.lineage == own or record.lineage in lineages:
                raise self.misplaced(f"the guardian {fingerprint[:16]} is the key itself, or named twice")
            lineages.add(record.lineage)
        return frozenset(lineages)

    def vouch(self, statement: Key, new: KeyRecord) -> list[Record]:
        """One more voice for a key as heir of a lost one; the last one needed makes it so."""
        voucher = self.signer("author")
        old = self.state.key(statement.replaces or "")
        if old is None:
            raise self.misplaced("the log does not know the lost key")
        if voucher.fingerprint == new.fingerprint:
            raise self.refused(
                "a key cannot vouch for itself", "ask a guardian or a co-author to vouch for it"
            )
        study = None if statement.study is None else self.shared_study(statement.study, voucher, old, new)
        if study is None:
            self.check_guardian(voucher, old, new)
        allowed = old.guardians if study is None else study.lineages - {old.lineage}
        needed = old.threshold if study is None else len(allowed) // 2 + 1
        said = VouchRecord(
            new.fingerprint, old.fingerprint, statement.study or "", voucher.fingerprint, voucher.lineage
        )
        voices = self.voices(said) & allowed
        if voucher.lineage in voices:
            raise self.misplaced(f"the key of {voucher.holder} has vouched for it already")
        if len(voices) + 1 < needed:
            return [said]
        if study is not None:
            return [said, replace(study, lineages=study.lineages | {new.lineage})]
        return [said, replace(old, state="rotated", ended=self.index), _heir(new, old)]

    def voices(self, said: VouchRecord) -> set[str]:
        """Lineages that vouched for the same succession with a key that is not revoked."""
        found = set()
        for earlier in self.state.vouches(said.public, said.replaces, said.study):
            record = self.state.key(earlier.keyid)
            if record is not None and record.state != "revoked":
                found.add(earlier.lineage)
        return found

    def check_guardian(self, voucher: KeyRecord, old: KeyRecord, new: KeyRecord) -> None:
        """The lost key named this guardian, and the new key registered itself as its successor."""
        if old.state != "active" or new.state != "pending" or new.replaces != old.fingerprint:
            raise self.misplaced(
                "this is no pending successor of an active key: the new key registers with `replaces` first"
            )
        if voucher.lineage not in old.guardians:
            raise self.refused(
                f"the key of {voucher.holder} is no guardian of the lost key",
                "vouch with a key that the lost key named, or for one study whose registration names yours",
            )

    def shared_study(self, name: str, voucher: KeyRecord, old: KeyRecord, new: KeyRecord) -> StudyRecord:
        """The study for which a co-author vouches; both keys must belong to it, and the new one must not."""
        study = self.state.study(name)
        if study is None or old.lineage not in study.lineages or old.state not in ("active", "revoked"):
            raise self.misplaced(f"the lost key has no rights to {name}, or has a successor already")
        if new.role != "author" or new.state != "active" or new.lineage in study.lineages:
            raise self.misplaced("the new key is no active author key, or has these rights already")
        if voucher.lineage not in study.lineages - {old.lineage}:
            raise self.refused(
                f"the key of {voucher.holder} may not act for {name}",
                "vouch with the key of another author whom the study's registration names",
            )
        return study


def _heir(new: KeyRecord, old: KeyRecord) -> KeyRecord:
    """The successor as it takes over: with the lineage of the old key, and its guardians unless it names others."""
    if new.guardians:
        return replace(new, state="active", lineage=old.lineage)
    return replace(new, state="active", lineage=old.lineage, guardians=old.guardians, threshold=old.threshold)
