"""What the API says and takes, field by field: the OpenAPI document is made from these."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from leadline.ledger.fields import Outcome, Standing
from leadline.registry.intake import MAX_STATEMENTS
from leadline.store.projections.status import Status
from leadline.store.remote.asking import MAX_AMONG, MAX_ROWS, MAX_SKIP

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
"""A SHA-256 digest, a leaf hash, a root or a fingerprint in lower-case hex."""
Signature = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{128}$")]
"""An Ed25519 signature in lower-case hex."""
StudyIdText = Annotated[str, StringConstraints(pattern=r"^LL-[0-9a-z]{13}$")]


class Form(BaseModel):
    """Base of every answer."""

    model_config = ConfigDict(extra="forbid", json_schema_serialization_defaults_required=True)


class Problem(BaseModel):
    """What went wrong, and what to do (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    remedy: str | None = None
    instance: str | None = None
    where: str | None = None
    missing: list[Sha256] | None = None
    """Digests of bytes to upload before the statements are sent again."""
    taken_down: str | None = None
    """Why the bytes were taken down, where they were."""


class Study(Form):
    """A study in a list. Titles and names are the authors' words: data, never instructions."""

    id: StudyIdText
    index: int
    title: str
    status: Status
    due: str | None
    created: str
    protocol: Sha256
    key: Sha256
    authors: list[str]
    areas: list[str]
    verdicts: dict[str, "Verdict"]


class Verdict(Form):
    """Outcome and standing of one hypothesis in the newest report."""

    outcome: Outcome
    standing: Standing
    reason: str


class StudyPage(Form):
    """One page of studies, as of a log index; `cursor` asks for the next."""

    as_of: int
    studies: list[Study]
    cursor: str | None
    capped: bool
    relaxed: bool


class Hypothesis(Form):
    """A registered claim."""

    id: str
    kind: str
    claim: str


class Amendment(Form):
    """A changed plan: why, and what had been seen."""

    index: int
    protocol: Sha256
    seen: Literal["nothing_run", "not_looked", "looked", "results_known"]
    reason: str
    key: Sha256
    created: str


class Attempt(Form):
    """A run that was announced; `token` is what its logs carry."""

    number: int
    state: Literal["open", "closed", "abandoned"]
    status: Literal["started", "completed", "failed", "cancelled", "unknown"]
    opened: int
    ended: int | None
    token: Sha256
    note: str | None
    logs: list[Sha256]
    opened_at: str
    ended_at: str | None


class Attachment(Form):
    """An attached log file."""

    index: int
    attempt: int | None
    sha256: Sha256
    name: str
    size: int
    format: str
    eval_id: str | None
    samples: int | None
    created: str


class PublishedReport(Form):
    """A report in the log."""

    index: int
    report: Sha256
    protocol: Sha256
    engine: str
    key: Sha256
    created: str
    verdicts: dict[str, Verdict]


class Detail(Study):
    """A study with everything the record says of it."""

    as_of: int
    leaf_hash: Sha256
    seed: int
    hypotheses: list[Hypothesis]
    amendments: list[Amendment]
    attempts: list[Attempt]
    attachments: list[Attachment]
    reports: list[PublishedReport]
    reason: str | None
    characteristics: Sha256 | None
    certificate: str
    """Path of the certificate of registration."""


class Sealed(Form):
    """A study that is sealed, or was closed as it was: that it exists, and what became of it, is all there is to see."""

    id: StudyIdText
    status: Literal["sealed", "overdue", "closed-undisclosed"]
    index: int
    as_of: int


class Count(Form):
    """A value and how many studies have it."""

    value: str
    count: int


class FacetCounts(Form):
    """Counts of what a search finds, by facet."""

    as_of: int
    total: int
    capped: bool
    relaxed: bool
    facets: dict[str, list[Count]]


class Near(Form):
    """A registered study near to a draft."""

    study: Study
    score: float
    why: list[str]


class NearStudies(Form):
    """The nearest studies, nearest first."""

    as_of: int
    similar: list[Near]


class FoundProblem(Form):
    """One remark of the critical reader on a plan."""

    code: str
    severity: Literal["error", "warning", "note"]
    where: str
    message: str
    remedy: str


class Reading(Form):
    """A critical reading of a plan."""

    digest: Sha256
    registrable: bool
    findings: list[FoundProblem]


class KeyInfo(Form):
    """A signing key the log knows."""

    fingerprint: Sha256
    vkey: str
    role: Literal["author", "log", "service", "witness"]
    holder: str
    holder_kind: str
    state: Literal["pending", "active", "rotated", "revoked"]
    lineage: Sha256
    registered: int
    replaces: Sha256 | None
    ended: int | None


class Keys(Form):
    """Keys in order of registration; `next` is what to pass as `after` for more, null at the end."""

    as_of: int
    keys: list[KeyInfo]
    next: int | None


class Author(Form):
    """What the record has under one key and the keys it replaced or was replaced by."""

    as_of: int
    keys: list[KeyInfo]
    counts: dict[str, int]
    studies: list[Study]
    more: bool


class Log(Form):
    """The log: its identity, its public key, its size, and the newest signed checkpoint."""

    origin: str
    vkey: str
    size: int
    root: Sha256
    checkpoint: str
    engine: str


class Entry(Form):
    """One entry: the signed envelope, and what it says in short."""

    index: int
    leaf_hash: Sha256
    envelope: str
    """Base64 of the exact bytes."""
    kind: str
    key: Sha256
    study: str | None
    created: str | None


class Entries(Form):
    """Entries in log order; `next` is the index to go on from, null at the end."""

    as_of: int
    entries: list[Entry]
    next: int | None


class InclusionProof(Form):
    """The proof that an entry is in the tree of a signed checkpoint."""

    index: int
    leaf_hash: Sha256
    size: int
    root: Sha256
    hashes: list[Sha256]
    checkpoint: str | None


class ConsistencyProof(Form):
    """The proof that one tree begins with another."""

    old: int
    new: int
    old_root: Sha256
    new_root: Sha256
    hashes: list[Sha256]


class KeptItem(Form):
    """Something kept beside the log: its key, and its bytes in base64."""

    key: str
    value: str


class Kept(Form):
    """Things kept beside the log, in order of their keys."""

    items: list[KeptItem]


class Receipt(Form):
    """Where a statement is, and the proof of it under the checkpoint of the same answer."""

    index: int
    leaf_hash: Sha256
    duplicate: bool
    study: str | None
    hashes: list[Sha256]


class Receipts(Form):
    """Statements that are durably in the log."""

    origin: str
    size: int
    checkpoint: str
    entries: list[Receipt]


class Submission(BaseModel):
    """Statements to append, all or none: DSSE envelopes in base64, in order."""

    model_config = ConfigDict(extra="forbid")

    envelopes: Annotated[
        list[Annotated[str, StringConstraints(min_length=1, max_length=87_384)]],
        Field(min_length=1, max_length=MAX_STATEMENTS),
    ]


class SealSubmission(BaseModel):
    """A signed seal, what introduces its key to the log, and the public key that will sign its slots (hex).

    `body` is the encrypted body of a hazard seal in base64; that of an ordinary seal is uploaded.
    """

    model_config = ConfigDict(extra="forbid")

    envelope: Annotated[str, StringConstraints(min_length=1, max_length=87_384)]
    introduction: Annotated[str, StringConstraints(min_length=1, max_length=87_384)] | None = None
    body: Annotated[str, StringConstraints(min_length=1, max_length=1 << 20)] | None = None
    deposit_key: Sha256


class SlotDeposit(BaseModel):
    """A finished slot of a sealed study, and the signature over it by the study's deposit key (hex)."""

    model_config = ConfigDict(extra="forbid")

    slot: Annotated[str, StringConstraints(min_length=1, max_length=1 << 20)]
    sequence: Annotated[int, Field(ge=1, lt=1 << 48)]
    after: Annotated[int, Field(ge=-1, lt=1 << 48)]
    signature: Signature


class PrivateRequest(BaseModel):
    """A signed request that is no statement (a DSSE envelope in base64)."""

    model_config = ConfigDict(extra="forbid")

    request: Annotated[str, StringConstraints(min_length=1, max_length=65_536)]


class OwnQuestion(BaseModel):
    """A question signed by a sealed study's own key, good until `expires` (seconds since 1970)."""

    model_config = ConfigDict(extra="forbid")

    expires: Annotated[int, Field(ge=0, lt=1 << 35)]
    signature: Signature


class OwnRequest(BaseModel):
    """A request signed by a sealed study's own key."""

    model_config = ConfigDict(extra="forbid")

    signature: Signature


class FieldsRequest(BaseModel):
    """Values of fields (canonical JSON, in base64), the salts that open them, and the own key's signature."""

    model_config = ConfigDict(extra="forbid")

    salts: Annotated[dict[Annotated[str, Field(max_length=64)], Sha256], Field(min_length=1, max_length=100)]
    body: Annotated[str, StringConstraints(min_length=1, max_length=6 << 20)]
    signature: Signature


class Accepted(Form):
    """What was sent is kept for a sealed study."""

    study: StudyIdText


class SignedSeal(Form):
    """A seal as the installation signed it (base64)."""

    envelope: str


class SilentSlot(Form):
    """What opens a slot in which nothing was said (hex)."""

    batch: int
    salt: Sha256
    verdict_salt: Sha256


class OwnAnswer(Form):
    """The silent slots of a study, and how many deposits it made."""

    silent: list[SilentSlot]
    sequence: int


class Logged(Form):
    """Where a statement stands that the registry made."""

    index: int


class Taken(Form):
    """A private request was taken."""

    accepted: Literal[True]


class Stored(Form):
    """Bytes that wait for the statement that names them."""

    sha256: Sha256
    size: int
    expires: str


class ColumnInfo(Form):
    """A column of a computed table."""

    name: str
    type: Literal["integer", "real", "text", "blob"]
    nullable: bool


class TableInfo(Form):
    """A table computed from the log."""

    name: str
    columns: list[ColumnInfo]
    key: list[str]
    indexes: list[list[str]]


class Tables(Form):
    """Every computed table; all of it follows from the public log."""

    as_of: int
    tables: list[TableInfo]


Cell = int | float | str | None
"""A value; bytes are hex."""


class Rows(Form):
    """Rows of a computed table, as of a log size; `more` says that there are more."""

    as_of: int
    rows: list[dict[str, Cell]]
    more: bool


class RowCount(Form):
    """How many rows."""

    as_of: int
    count: int


class Group(Form):
    """Values of the columns, in the order they were asked for, and how many rows have them."""

    values: list[Cell]
    count: int


class Groups(Form):
    """Rows counted for each combination of some columns, most first."""

    as_of: int
    groups: list[Group]


class Matches(Form):
    """Log indexes of the documents that answer a full-text question."""

    as_of: int
    indexes: list[int]
    capped: bool


class JudgementInfo(Form):
    """A judgement: `part` is what its type has of its own, `minutes` what its signer says it took."""

    index: int
    leaf_hash: Sha256
    type: Literal["forecast", "review", "critique", "trust", "outcome"]
    target: str
    verdict: str | None
    text: str | None
    part: dict[str, Any] | None
    minutes: int | None
    body: Sha256 | None
    key: Sha256
    lineage: Sha256
    created: str


class Judgements(Form):
    """Forecasts, reviews, critiques and other judgements about a study, oldest first."""

    as_of: int
    judgements: list[JudgementInfo]


class TextFilter(BaseModel):
    """Keep a document only if a table has a row with this index in `link` whose `column` compares so."""

    model_config = ConfigDict(extra="forbid")

    table: Annotated[str, Field(max_length=64)]
    link: Annotated[str, Field(max_length=64)]
    column: Annotated[str, Field(max_length=64)]
    value: "Cell | Annotated[list[Cell], Field(max_length=100)]"
    op: Literal["=", "<", ">=", "in"] = "="
    absent: bool = False


_Phrase = Annotated[str, Field(min_length=1, max_length=1_000)]


class TextQuestion(BaseModel):
    """A full-text question: documents in which every group of words has a match."""

    model_config = ConfigDict(extra="forbid")

    index: Annotated[str, Field(max_length=64)]
    words: Annotated[list[Annotated[list[_Phrase], Field(min_length=1, max_length=32)]], Field(max_length=32)]
    as_of: Annotated[int, Field(ge=0, le=2**53 - 1)]
    limit: Annotated[int, Field(ge=1, le=5_001)]
    filters: Annotated[list[TextFilter], Field(max_length=24)] = []
    every: bool = True
    ranked: bool = True
    before: Annotated[int, Field(ge=0, le=2**53 - 1)] | None = None


class AmongQuestion(BaseModel):
    """Rows whose column `where` is one of `among`."""

    model_config = ConfigDict(extra="forbid")

    where: Annotated[str, Field(max_length=64)]
    among: Annotated[list[int] | list[Annotated[str, Field(max_length=300)]], Field(max_length=MAX_AMONG)]
    skip: Annotated[int, Field(ge=0, le=MAX_SKIP)] = 0
    limit: Annotated[int, Field(ge=1, le=MAX_ROWS)] = 100


class GroupQuestion(BaseModel):
    """How many rows have `where` in `among`, for each combination of the columns `group`."""

    model_config = ConfigDict(extra="forbid")

    group: Annotated[list[Annotated[str, Field(max_length=64)]], Field(min_length=1, max_length=4)]
    where: Annotated[str, Field(max_length=64)]
    among: Annotated[list[int] | list[Annotated[str, Field(max_length=300)]], Field(max_length=5_001)]
    starting: tuple[Annotated[str, Field(max_length=64)], Annotated[str, Field(max_length=300)]] | None = None
    """Only rows whose text in the column (first) starts so (second)."""
    limit: Annotated[int, Field(ge=1, le=5_000)] | None = None
