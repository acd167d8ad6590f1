"""The rules of `authority`, applied to one entry: what it may do, and which records it changes."""

from dataclasses import replace

from leadline.errors import StatementError
from leadline.ledger import seal_rules
from leadline.ledger.bench import Entry, Known
from leadline.ledger.fields import SeenCheckpoint
from leadline.ledger.ids import study_id
from leadline.ledger.key_rules import KeyRules
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
from leadline.ledger.state import JudgementRecord, Record, StudyRecord

__all__ = ["Decision", "Entry", "Known"]


class Decision(KeyRules):
    """The decision about one entry; `run` returns the records that accepting it changes."""

    def run(self) -> list[Record]:
        """Check against the rules of the statement's kind."""
        predicate = self.entry.statement.predicate
        match predicate:
            case Key():
                return self.key_statement(predicate)
            case Freeze():
                return self.freeze(predicate)
            case Seal():
                return self.seal(predicate)
            case Reveal():
                return [seal_rules.opened(self, self.study(predicate.study), predicate)]
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
                return [replace(self.own_study(predicate.study, service=True), reported=True)]
            case Withdraw():
                study = self.own_study(predicate.study, former=False)
                if study.withdrawn:
                    raise self.misplaced(f"the study {study.study} is withdrawn already")
                return [replace(study, withdrawn=True)]
            case Amend():
                self.own_study(predicate.study)
                return []
            case Close():
                self.signer("service")
                return [self.closing(study) for study in predicate.studies]
            case Judgement():
                return self.judgement(predicate)
            case Import():
                self.signer("author", "service")
                return []
        raise StatementError(f"no rule for {self.entry.statement.kind}", where=self.where)  # pragma: no cover

    # studies

    def freeze(self, statement: Freeze) -> list[Record]:
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

    def seal(self, statement: Seal) -> list[Record]:
        """A new study that shows nothing yet; a batch of slots changes no record."""
        signer = seal_rules.sealer(self, statement)
        if statement.action == "batch":
            return []
        study = self.new_study(frozenset({signer.lineage}), sealed=True)
        return [replace(study, commitment=statement.commitment, keys=statement.keys)]

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

    def closing(self, study: str) -> StudyRecord:
        """Only a study that is silent is closed as undisclosed; it may still report later, and stays closed late."""
        record = self.study(study)
        state = "reported" if record.reported else "withdrawn" if record.withdrawn else "closed"
        if record.reported or record.withdrawn or record.closed:
            raise self.misplaced(f"the study {study} is {state} already, so it is not closed as undisclosed")
        return replace(record, closed=True)

    def judgement(self, statement: Judgement) -> list[Record]:
        """Anybody's with a key; what is revoked must be the signer's own, once, of the same type and study."""
        signer = self.signer("author", "service")
        study = "" if statement.study is None else self.study(statement.study).study
        leaf = self.entry.leaf_hash.hex()
        said = JudgementRecord(leaf, statement.type, study, signer.lineage)
        if statement.revokes is None:
            return [said]
        earlier = self.state.judgement(statement.revokes)
        if earlier is None or (earlier.type, earlier.study) != (said.type, said.study):
            raise self.misplaced(
                f"there is no {statement.type} with the leaf hash {statement.revokes[:16]}… of the same study"
            )
        if earlier.lineage != signer.lineage:
            raise self.refused(
                "somebody else signed the judgement to be revoked",
                "revoke with the key that signed it, or its successor",
            )
        if earlier.revoked is not None:
            raise self.misplaced(f"the {statement.type} is revoked already, by entry {earlier.revoked}")
        return [replace(earlier, revoked=self.index), said]

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

    def own_study(self, study: str, *, service: bool = False, former: bool = True) -> StudyRecord:
        """The record of a study for which the signing key may act; `former`: also one that was rotated under seal."""
        record = self.study(study)
        seal_rules.require_open(self, record)
        roles = ("author", "service") if service else ("author",)
        earlier = seal_rules.former_signer(self, record) if former else None
        signer = earlier or self.signer(*roles)
        if signer.role == "author" and signer.lineage not in record.lineages:
            raise self.refused(
                f"the key of {signer.holder} may not act for {study}",
                "sign with the key that registered the study, its successor, or a key its registration names",
            )
        return record


def _attempts_words(study: StudyRecord) -> str:
    """How many attempts a study has, and which of them are open."""
    if not study.attempts:
        return f"none of {study.study} was announced"
    still = ", ".join(map(str, sorted(study.open_attempts))) or "none"
    return f"{study.study} has {study.attempts}, and of these are open: {still}"
