"""The closed set of statement kinds: what each one says, field by field.

Each kind is a model; its ``subjects()`` are the digests the statement is about, derived from its fields
so that the two cannot disagree. ``created`` and other times are claims: order in the log is the proof.
"""

from datetime import date
from hashlib import sha256
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from leadline.ledger.fields import (
    Date,
    Digest,
    Fields,
    Holder,
    Hypothesis,
    Ident,
    Line,
    LogFile,
    Number,
    OpenedKeys,
    Opening,
    Outcome,
    Pointer,
    Probability,
    ReportedVerdict,
    SeenCheckpoint,
    StudyId,
    Text,
    Time,
    Vkey,
    Word,
)
from leadline.ledger.judging import Critique, Minutes, Observed, Review, Trust
from leadline.ledger.keys import Role, VerifyKey
from leadline.ledger.sealing.periods import check_embargo, period_begin

MOST_GUARDIANS = 20
"""A key names at most this many guardians."""

Subject = tuple[str, str]
"""Name and SHA-256 hex digest of a thing a statement is about."""


class Predicate(Fields):
    """What a statement says; each subclass is one kind."""

    kind: ClassVar[str]

    def subjects(self) -> tuple[Subject, ...]:
        """The digests the statement is about, at least one."""
        raise TypeError(f"{type(self).__name__} is not a statement kind")  # pragma: no cover

    def blobs(self) -> tuple[Subject, ...]:
        """The stored bytes the statement refers to: what each is, and its digest."""
        return ()


def _study(study: str) -> Subject:
    return study, sha256(study.encode()).hexdigest()


class Key(Predicate):
    """Register, rotate, revoke or recover a signing key.

    ``register`` is signed by the key itself (the service key signs for log and witness keys, which sign
    no statements). To rotate, the new key registers with `replaces` = fingerprint of the old one, then
    the old key signs ``rotate`` naming the new `public`: both have consented. ``revoke`` is signed by the
    key itself or by the service key; a successor that is still pending also by the key it would replace.

    ``guardians`` (or a registration with `guardians`) names keys of others, `threshold` of which may together
    confirm a successor when the key is lost: each signs ``vouch`` naming the new `public` and the lost key in
    `replaces`. A ``vouch`` with a `study` is a co-author's: a majority of the study's other keys gives the new
    key rights to that study.
    """

    kind: ClassVar[str] = "key"
    action: Literal["register", "rotate", "revoke", "guardians", "vouch"]
    role: Role
    public: Vkey
    holder: Holder | None = None
    reason: Text | None = None
    time: Time
    replaces: Digest | None = None
    guardians: Annotated[tuple[Digest, ...], Field(max_length=MOST_GUARDIANS)] | None = None
    threshold: Annotated[int, Field(strict=True, ge=2, le=MOST_GUARDIANS)] | None = None
    study: StudyId | None = None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.action == "register" and self.holder is None:
            raise ValueError("a registration names the holder of the key")
        if self.action in ("rotate", "vouch") and self.replaces is None:
            raise ValueError(f"{_ACT[self.action]} names the fingerprint of the key it replaces")
        if self.action == "revoke" and (self.reason is None or self.replaces is not None):
            raise ValueError("a revocation gives its reason and replaces nothing")
        if self.study is not None and self.action != "vouch":
            raise ValueError("only a vouching concerns one study")
        return self

    @model_validator(mode="after")
    def _quorum(self) -> Self:
        if self.action == "guardians" and (self.guardians is None or self.replaces is not None):
            raise ValueError(
                "naming guardians lists them (an empty list takes them back) and replaces nothing"
            )
        if self.guardians is None:
            if self.threshold is not None:
                raise ValueError("a threshold is one of guardians")
            return self
        if self.action not in ("register", "guardians") or self.role != "author":
            raise ValueError("only an author's key names guardians, in a statement of its own")
        if len(set(self.guardians)) != len(self.guardians):
            raise ValueError("a guardian is named twice")
        if not (self.threshold or 0) <= len(self.guardians) or bool(self.guardians) != bool(self.threshold):
            raise ValueError("the threshold is a number from 2 to that of the guardians")
        return self

    def subjects(self) -> tuple[Subject, ...]:
        """The key's name and fingerprint, and the study where it concerns only one."""
        key = VerifyKey.parse(self.public)
        about = (key.name, key.fingerprint)
        return (about, _study(self.study)) if self.study else (about,)


_ACT = {"rotate": "a rotation", "vouch": "a vouching"}


class Freeze(Predicate):
    """A protocol is promised. The study's id follows from the leaf of this statement.

    `protocol` and `characteristics` are digests of blobs; `authors` are names; `keys` are fingerprints of
    further keys that may act for the study besides the signer's.
    """

    kind: ClassVar[str] = "freeze"
    title: Line
    protocol: Digest
    authors: Annotated[tuple[Line, ...], Field(min_length=1, max_length=50)]
    keys: Annotated[tuple[Digest, ...], Field(max_length=50)] = ()
    area: Annotated[tuple[Word, ...], Field(max_length=20)] = ()
    due: Date | None = None
    seen_checkpoint: SeenCheckpoint | None = None
    hypotheses: Annotated[tuple[Hypothesis, ...], Field(max_length=100)] = ()
    characteristics: Digest | None = None
    created: Time

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        if len({hypothesis.id for hypothesis in self.hypotheses}) != len(self.hypotheses):
            raise ValueError("two hypotheses have one id")
        if len(set(self.keys)) != len(self.keys):
            raise ValueError("a key is named twice")
        return self

    def subjects(self) -> tuple[Subject, ...]:
        """The protocol."""
        return (("protocol", self.protocol),)

    def blobs(self) -> tuple[Subject, ...]:
        """The protocol, and the simulated operating characteristics where there are any."""
        extra = (("characteristics", self.characteristics),) if self.characteristics else ()
        return (("protocol", self.protocol), *extra)


class Amend(Predicate):
    """A study's protocol is changed; the first one stays what the report is compared with.

    `protocol` is the new digest, `changed` the places; `seen` says what the author knew of the data.
    """

    kind: ClassVar[str] = "amend"
    study: StudyId
    protocol: Digest
    changed: Annotated[tuple[Pointer, ...], Field(min_length=1, max_length=200)]
    reason: Text
    seen: Literal["nothing_run", "not_looked", "looked", "results_known"]
    created: Time

    def subjects(self) -> tuple[Subject, ...]:
        """The new protocol."""
        return (("protocol", self.protocol),)

    def blobs(self) -> tuple[Subject, ...]:
        """The new protocol."""
        return (("protocol", self.protocol),)


class Seal(Predicate):
    """A commitment to a study that stays hidden until it is revealed, or a period's batch of hidden statements.

    ``study``: `commitment` is to the author's signed freeze, `keys` to the fingerprints that may act for the study
    once it is open, `fields` to each top-level block of the protocol (`leadline.ledger.sealing.commitment`); `body`
    is the digest of the encrypted content. ``batch``: `body` holds one slot for every live sealed study, and `root` is
    the Merkle root over the slots, so that one can be shown without the others. Times are coarse, so that they tell nothing: `created` is the first instant of a week, `embargo` the end of a quarter, at
    least one whole quarter ahead, and always the same distance ahead for the hazard tier.
    """

    kind: ClassVar[str] = "seal"
    action: Literal["study", "batch"]
    body: Digest
    tier: Literal["ordinary", "hazard"] | None = None
    commitment: Digest | None = None
    keys: Digest | None = None
    fields: Annotated[dict[Ident, Digest] | None, Field(min_length=1, max_length=100)] = None
    embargo: Date | None = None
    root: Digest | None = None
    created: Time

    @model_validator(mode="after")
    def _complete(self) -> Self:
        begin = period_begin(self.created)
        said = (self.tier, self.commitment, self.keys, self.fields, self.embargo)
        if self.action == "batch":
            if any(value is not None for value in said) or self.root is None:
                raise ValueError("a batch names its slots and their root, and nothing else")
            return self
        if any(value is None for value in said) or self.root is not None:
            raise ValueError("the seal of a study gives tier, commitment, keys, fields and embargo")
        check_embargo(begin, date.fromisoformat(self.embargo or ""), self.tier or "")
        return self

    def subjects(self) -> tuple[Subject, ...]:
        """The commitment, or the batch."""
        return (("commitment", self.commitment),) if self.commitment else (("batch", self.body),)

    def blobs(self) -> tuple[Subject, ...]:
        """The encrypted body, or the slots."""
        return (("sealed body" if self.action == "study" else "sealed slots", self.body),)


class Reveal(Predicate):
    """The opening of a seal, whole or by field. It is its own proof: only who knows the salts can make it.

    ``whole``: `freeze` opens the commitment to the signed freeze, `keys` the one to the keys that may act; `body`
    holds the freeze, the salts of all fields and the opening of every slot. ``fields``: `salts` are those of the
    fields whose values `body` holds.
    """

    kind: ClassVar[str] = "reveal"
    study: StudyId
    scope: Literal["whole", "fields"]
    body: Digest
    freeze: Opening | None = None
    keys: OpenedKeys | None = None
    protocol: Digest | None = None
    characteristics: Digest | None = None
    salts: Annotated[dict[Ident, Digest] | None, Field(min_length=1, max_length=100)] = None
    created: Time

    @model_validator(mode="after")
    def _complete(self) -> Self:
        opened = (self.freeze, self.keys, self.protocol)
        if self.scope == "whole" and (None in opened or self.salts is not None):
            raise ValueError(
                "a whole reveal opens freeze and keys and names the protocol; its salts are in its body"
            )
        if self.scope == "fields" and (opened != (None,) * 3 or self.characteristics or self.salts is None):
            raise ValueError("a reveal of fields gives their salts and nothing else")
        return self

    def subjects(self) -> tuple[Subject, ...]:
        """The opened bytes."""
        return (("revealed", self.body),)

    def blobs(self) -> tuple[Subject, ...]:
        """The opened bytes, and after a whole reveal what the freeze refers to."""
        named = (
            ("revealed", self.body),
            ("protocol", self.protocol),
            ("characteristics", self.characteristics),
        )
        return tuple((name, digest) for name, digest in named if digest is not None)


class Attempt(Predicate):
    """A run was opened, closed or abandoned. Numbers count from 1 within the study without gaps."""

    kind: ClassVar[str] = "attempt"
    study: StudyId
    number: Number
    action: Literal["open", "close", "abandon"]
    status: Literal["started", "completed", "failed", "cancelled", "unknown"]
    note: Text | None = None
    logs: Annotated[tuple[Digest, ...], Field(max_length=500)] = ()
    created: Time

    @model_validator(mode="after")
    def _agree(self) -> Self:
        if (self.action == "open") != (self.status == "started"):
            raise ValueError("an attempt is started when it is opened, and only then")
        if self.action == "abandon" and self.status == "completed":
            raise ValueError("a completed attempt is closed, not abandoned")
        return self

    def subjects(self) -> tuple[Subject, ...]:
        """The study, and the logs the run wrote."""
        return (_study(self.study), *(("log", digest) for digest in self.logs))


class Attach(Predicate):
    """Evaluation logs belong to a study, and to one of its attempts where `attempt` says so."""

    kind: ClassVar[str] = "attach"
    study: StudyId
    attempt: Number | None = None
    logs: Annotated[tuple[LogFile, ...], Field(min_length=1, max_length=100)]
    created: Time

    def subjects(self) -> tuple[Subject, ...]:
        """Every log file."""
        return tuple((log.name, log.sha256) for log in self.logs)

    def blobs(self) -> tuple[Subject, ...]:
        """Every log file."""
        return self.subjects()


class Report(Predicate):
    """The computed result of a study: nobody types it. `engine` is the version that computed it."""

    kind: ClassVar[str] = "report"
    study: StudyId
    report: Digest
    protocol: Digest
    logs: Annotated[tuple[Digest, ...], Field(max_length=500)]
    engine: Line
    verdicts: Annotated[dict[Ident, ReportedVerdict], Field(max_length=100)]
    created: Time

    def subjects(self) -> tuple[Subject, ...]:
        """The report."""
        return (("report", self.report),)

    def blobs(self) -> tuple[Subject, ...]:
        """The report."""
        return (("report", self.report),)


class Judgement(Predicate):
    """Somebody's attributable judgement. `target` says of what; a later one may revoke an earlier one.

    `revokes` is the leaf hash of the statement taken back, by the same signer; `body` the digest of a longer
    text; `minutes` the time the signer says it took. Each type may bring its own part, and no other type's:
    a forecast `probabilities`, a review `review`, and so on.
    """

    kind: ClassVar[str] = "judgement"
    type: Literal["forecast", "review", "critique", "trust", "outcome"]
    study: StudyId | None = None
    target: Line
    verdict: Word | None = None
    text: Text | None = None
    probabilities: Annotated[dict[Ident, dict[Outcome, Probability]], Field(max_length=100)] | None = None
    review: Review | None = None
    critique: Critique | None = None
    trust: Trust | None = None
    outcome: Observed | None = None
    minutes: Minutes | None = None
    body: Digest | None = None
    revokes: Digest | None = None
    created: Time

    @model_validator(mode="after")
    def _forecast_has_probabilities(self) -> Self:
        if (self.type == "forecast") != (self.probabilities is not None) and self.revokes is None:
            raise ValueError("a forecast, and nothing else, gives probabilities")
        for outcomes in (self.probabilities or {}).values():
            if abs(sum(outcomes.values()) - 1) > 1e-9:
                raise ValueError("the probabilities of a forecast sum to 1 over its outcomes")
        return self

    @model_validator(mode="after")
    def _own_part(self) -> Self:
        parts = {
            "forecast": self.probabilities,
            "review": self.review,
            "critique": self.critique,
            "trust": self.trust,
            "outcome": self.outcome,
        }
        for name, part in parts.items():
            if part is not None and name != self.type:
                raise ValueError(f"this is the part of a {name}, not of a {self.type}")
        return self

    def subjects(self) -> tuple[Subject, ...]:
        """The study or other target, and the text where there is one."""
        target = _study(self.study) if self.study else (self.target, sha256(self.target.encode()).hexdigest())
        return (target, ("body", self.body)) if self.body else (target,)

    def blobs(self) -> tuple[Subject, ...]:
        """The longer text, where there is one."""
        return (("judgement", self.body),) if self.body else ()


class Import(Predicate):
    """A record made from data of elsewhere; always retrospective. `digest` is of the report or table."""

    kind: ClassVar[str] = "import"
    content: Literal["report", "table"]
    digest: Digest
    title: Line
    source: Text
    note: Text | None = None
    retrospective: Literal[True] = True
    created: Time

    def subjects(self) -> tuple[Subject, ...]:
        """The report or table."""
        return ((self.content, self.digest),)

    def blobs(self) -> tuple[Subject, ...]:
        """The report or table."""
        return self.subjects()


class Close(Predicate):
    """Studies past due and grace are closed undisclosed, in a batch, by the service key."""

    kind: ClassVar[str] = "close"
    studies: Annotated[tuple[StudyId, ...], Field(min_length=1, max_length=1000)]
    period: Line
    created: Time

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        if len(set(self.studies)) != len(self.studies):
            raise ValueError("a study is listed twice")
        return self

    def subjects(self) -> tuple[Subject, ...]:
        """The studies."""
        return tuple(_study(study) for study in self.studies)


class Withdraw(Predicate):
    """A tombstone on a public study; its history stays."""

    kind: ClassVar[str] = "withdraw"
    study: StudyId
    reason: Text
    created: Time

    def subjects(self) -> tuple[Subject, ...]:
        """The study."""
        return (_study(self.study),)


PREDICATES: dict[str, type[Predicate]] = {
    model.kind: model
    for model in (
        Key, Freeze, Amend, Seal, Reveal, Attempt, Attach, Report, Judgement, Import, Close, Withdraw
    )
}  # fmt: skip
"""Every kind of statement there is. An unknown kind is refused at the door and is a fault in replay."""
