"""The JSON form of a report and of a comparison: every key, its type, unit and meaning.

These typed dictionaries are what `leadline.verdict.serialise` builds and what the published JSON
Schema is generated from. Numbers carry at most ten significant digits. A number that does not exist
is null, never NaN, and the field beside it (``reason``, ``undefined``, ``note``) says why. Lists have
a fixed order, named in each docstring, that does not depend on the order of the input files.
"""

from typing import Annotated, Any, Literal, NotRequired

from pydantic import ConfigDict, Field, with_config
from typing_extensions import TypedDict

from leadline.protocol.blocks.claims import ClaimKind, Outcome
from leadline.verdict.model import Answer, Standing

Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Instant = Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$")]
Ends = tuple[float | None, float | None]

_CLOSED = ConfigDict(extra="forbid", use_attribute_docstrings=True)


@with_config(_CLOSED)
class EstimateForm(TypedDict):
    """An estimate and the signed effect the decision rests on."""

    value: float | None
    """On the estimand's scale, in `unit`; a ratio as a ratio."""
    low: float | None
    """Lower end of the interval of `value` at 1 - alpha."""
    high: float | None
    """Upper end of the interval of `value` at 1 - alpha."""
    effect: float | None
    """Value minus reference, signed so that the prediction is positive; log scale for ratios."""
    se: float | None
    """Standard error of the effect; null where the method gives an interval without one."""
    wide: Ends | None
    """Interval of the effect at 1 - alpha."""
    narrow: Ends | None
    """Interval of the effect at 1 - 2 alpha."""
    alpha: float | None
    """The level decided at, after correction for multiplicity."""
    df: float | None
    """Degrees of freedom; null when not of Wald type, or normal."""
    n: int
    """Independent or paired units analysed."""
    clusters: int | None
    method: str
    scale: Literal["identity", "log"]
    unit: str
    reason: str | None
    """Code saying why there is no interval."""
    warnings: list[str]
    """In the order the method raised them."""
    undefined: list[str]
    """Fields above that are null because the number was not finite."""


@with_config(_CLOSED)
class HypothesisForm(TypedDict):
    """What was registered of a hypothesis, so that the verdict can be read on its own."""

    claim: str
    kind: ClaimKind
    estimand: str
    measure: str
    arms: list[str]
    """In the estimand's order: first minus second, or first over second."""
    prediction: Literal["increase", "decrease"]
    reference: float | None
    smallest: float | None
    """Smallest effect of interest, in the estimand's unit; for a ratio, a factor."""
    margin: float | None
    level: float | None
    role: Literal["primary", "secondary", "exploratory"]
    family: str


@with_config(_CLOSED)
class VerdictForm(TypedDict):
    """What the registered analysis says of one hypothesis."""

    registered: HypothesisForm
    outcome: Outcome
    reason: str | None
    """Code, for inconclusive outcomes."""
    standing: Standing
    estimate: EstimateForm | None
    n_needed: int | None
    """Items that would have decided."""
    detectable: float | None
    """Smallest effect this n had 80 % power to find, in the effect's unit."""
    notes: list[str]
    """Marks such as `negligible` and `no_assay_sensitivity`, sorted."""
    takeaway: str | None
    """What the author is entitled to say, in the registered grammar."""


@with_config(_CLOSED)
class CheckForm(TypedDict):
    """One promise compared with what was run."""

    id: str
    answer: Answer
    promised: str
    found: str
    arm: str | None
    log: str | None
    note: str


@with_config(_CLOSED)
class LeftOutForm(TypedDict):
    """Results that left a denominator for one reason."""

    reason: str
    count: int
    samples: list[str]
    """`id#epoch`, sorted."""


@with_config(_CLOSED)
class DenominatorForm(TypedDict):
    """Sample-by-sample account of one arm on one measure; counts are of results."""

    arm: str
    measure: str
    promised: int
    read: int
    kept: int
    items: int
    left_out: list[LeftOutForm]
    """Sorted by reason."""
    missing: LeftOutForm | None
    unpromised: LeftOutForm | None
    missing_share: float | None


@with_config(_CLOSED)
class ControlForm(TypedDict):
    """Whether a registered control came out as it had to."""

    name: str
    kind: str
    outcome: Literal["passed", "failed", "unresolved"]
    required: str
    reason: str | None
    estimate: EstimateForm | None


@with_config(_CLOSED)
class RobustnessForm(TypedDict):
    """One hypothesis under one registered alternative specification."""

    specification: str
    hypothesis: str
    outcome: Outcome
    reason: str | None
    estimate: EstimateForm | None


@with_config(_CLOSED)
class ForecastForm(TypedDict):
    """A registered forecast, scored by the outcome that came."""

    by: str
    hypothesis: str
    probability: float | None
    """Given beforehand to the outcome that came."""
    log_score: float | None
    """Minus the natural logarithm of that probability, clipped from below; lower is better."""
    brier: float | None
    """Squared distance from the outcome that came, summed over the outcomes; lower is better."""
    interval_hit: bool | None


@with_config(_CLOSED)
class ObservationForm(TypedDict):
    """A predicted observation beside what was observed."""

    hypothesis: str
    predicted: str
    observed: str


@with_config(_CLOSED)
class ConceptualForm(TypedDict):
    """A conceptual claim and its predicted observations."""

    id: str
    claim: str
    outcome: Literal["borne_out", "contradicted", "open"]
    observations: list[ObservationForm]
    """In registered order."""


@with_config(_CLOSED)
class LogForm(TypedDict):
    """A log the report rests on, or one that was attached and could not be used."""

    name: str
    sha256: str
    eval_id: str | None
    task: str
    model: str
    arm: str | None
    attempt: int | None
    created: str | None
    results: int
    note: str


@with_config(_CLOSED)
class AttemptForm(TypedDict):
    """A run the registry was told of before it began."""

    number: int
    token: str
    opened_index: int
    opened: Instant
    status: Literal["open", "closed", "abandoned"]
    logs: list[str]
    """Sorted."""
    note: str


@with_config(_CLOSED)
class RecomputedForm(TypedDict):
    """An aggregate a log claims, beside the same aggregate computed from its samples."""

    log: str
    scorer: str
    metric: str
    reported: float | None
    recomputed: float | None
    n: int
    consistent: bool | None
    note: str


@with_config(_CLOSED)
class RegistrationForm(TypedDict):
    """The freeze the report is measured against."""

    study: str
    digest: str
    index: int
    leaf_hash: Digest
    created: Instant
    amended: list[str]
    """Oldest first."""


@with_config(_CLOSED)
class ForeknowledgeForm(TypedDict):
    """What had been seen before the freeze, as the author declared it."""

    level: Literal["none", "metadata", "structure", "pilot_outcomes", "outcomes"]
    pilots: list[Digest]
    note: str


@with_config(_CLOSED)
class ProtocolForm(TypedDict):
    """Which protocol; the document itself is content-addressed by `digest`."""

    title: str
    authors: list[str]
    status: str
    digest: Digest
    foreknowledge: ForeknowledgeForm


@with_config(_CLOSED)
class SiblingForm(TypedDict):
    """A registration by the same authors that shares dataset, measure and technique."""

    study: str
    index: int
    """Log index that made it public."""
    state: Literal["registered", "running", "attached", "reported", "closed", "withdrawn"]
    """When the report was computed."""
    weighs: list[str]
    """Hypotheses of the reported study whose level it shares, sorted."""


@with_config(_CLOSED)
class RunElsewhereForm(TypedDict):
    """A log attached to another study of the same authors that ran what the reported study registered."""

    study: str
    index: int
    """Log index of the statement that attached it."""
    sha256: Digest
    name: str
    task: str
    model: str
    dataset: str
    """Content digest of its samples."""
    items: str
    """The beginnings, eight hex digits each, of its smallest item digests."""
    announced: bool
    """Whether an attempt of that study closed with it."""


@with_config(_CLOSED)
class ElsewhereForm(TypedDict):
    """What the record held of the same authors when the report was computed."""

    siblings: list[SiblingForm]
    """In log order."""
    runs: list[RunElsewhereForm]
    """In log order."""


@with_config(_CLOSED)
class ReportForm(TypedDict):
    """A report: everything the registered analysis found."""

    kind: Literal["leadline/report"]
    format: Literal[1]
    engine: str
    protocol: ProtocolForm
    registration: RegistrationForm | None
    """Null when the protocol was never registered."""
    standing: Standing
    verdicts: dict[str, VerdictForm]
    """By hypothesis id."""
    conformance: list[CheckForm]
    """Sorted by id, arm, log."""
    denominators: list[DenominatorForm]
    """Sorted by arm, measure."""
    controls: list[ControlForm]
    """Sorted by name."""
    robustness: list[RobustnessForm]
    """Sorted by hypothesis, specification."""
    forecasts: list[ForecastForm]
    """Sorted by hypothesis, by."""
    conceptual: list[ConceptualForm]
    """Sorted by id."""
    logs: list[LogForm]
    """Sorted by sha256, name."""
    attempts: list[AttemptForm]
    """Sorted by number."""
    recomputed: list[RecomputedForm]
    """Sorted by log, scorer, metric."""
    left_open: list[str]
    """What the protocol promised nothing about, sorted."""
    reading: dict[str, Any]
    """How the logs were read: tier, fallbacks, files skipped with reasons."""
    elsewhere: NotRequired[ElsewhereForm]
    """Absent where there is nothing to say."""


@with_config(_CLOSED)
class SideForm(TypedDict):
    """One side of a comparison."""

    name: str
    model: str
    task: str
    mean: float | None
    n: int
    logs: list[str]
    """SHA-256 of each file, sorted."""


@with_config(_CLOSED)
class ComparisonForm(TypedDict):
    """Two logs compared on the samples they share; effects are A minus B."""

    kind: Literal["leadline/comparison"]
    format: Literal[1]
    a: SideForm
    b: SideForm
    score: str
    estimate: EstimateForm | None
    outcome: Outcome
    reason: str | None
    smallest: float | None
    detectable: float | None
    """Smallest difference this n had 80 % power to find."""
    pairs: int
    clusters: int | None
    cluster_by: str | None
    """Expression naming the cluster of a sample."""
    both: int | None
    """Items both solved; the four counts are null unless scores are 0 or 1."""
    only_a: int | None
    only_b: int | None
    neither: int | None
    left_out: list[LeftOutForm]
    """Sorted by reason."""
    same_items: bool | None
    """Whether every shared sample has the same content in both logs; null where unknown."""
    differences: list[str]
    """Settings that differ between the two logs, sorted."""
    notes: list[str]
    """Sorted."""
