"""Studies, as lists and pages show them, and what is like a draft."""

from typing import Literal

from leadline.ledger.fields import Outcome, Standing
from leadline.store.projections.status import Status
from leadline.web.api.models.base import Form, Sha256, StudyIdText


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
