"""The values a verdict is made of: checks, denominators, estimates, verdicts."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from leadline.protocol.blocks.claims import Outcome

Answer = Literal["pass", "deviation", "unknown"]
Standing = Literal["confirmatory", "qualified", "exploratory", "retrospective"]


@dataclass(frozen=True, slots=True)
class Registration:
    """What the ledger says of a study: enough to judge whether a run kept its promises.

    ``digest`` is the frozen protocol's; ``created`` the freeze time its signer claimed (UTC);
    ``leaf_hash`` the freeze entry's leaf (32 bytes), from which seeds and item orders derive.
    """

    study: str
    digest: str
    index: int
    leaf_hash: bytes
    created: datetime
    amended: tuple[str, ...] = ()
    """Digests of amended protocols, oldest first; the first freeze stays the one compared with."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """A run the registry was told of before it began.

    ``token`` is the hex leaf hash of the opening statement: a log that carries it was begun after it.
    """

    number: int
    token: str
    opened_index: int
    opened: datetime
    status: Literal["open", "closed", "abandoned"]
    logs: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """One promise compared with what was run.

    ``id`` is dotted and stable (``generate.temperature``); ``arm`` and ``log`` say where it applies.
    """

    id: str
    answer: Answer
    promised: str
    found: str
    arm: str | None = None
    log: str | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Samples that left a denominator for one reason; ``samples`` are ids with epochs, ``id#epoch``."""

    reason: str
    count: int
    samples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Denominator:
    """Sample-by-sample account of one arm on one measure.

    ``promised`` = ``kept`` + everything in ``left_out`` + ``missing`` when nothing unpromised was run;
    ``unpromised`` counts results for samples nobody registered (never analysed).
    Counts are of results: one sample at one epoch.
    """

    arm: str
    measure: str
    promised: int
    read: int
    kept: int
    items: int
    left_out: tuple[LeftOut, ...] = ()
    missing: LeftOut | None = None
    unpromised: LeftOut | None = None

    @property
    def missing_share(self) -> float:
        """Share of promised results that did not enter the analysis."""
        return 1.0 - min(self.kept, self.promised) / self.promised if self.promised else 0.0


@dataclass(frozen=True, slots=True)
class EffectEstimate:
    """An estimand's estimate and its signed effect.

    ``value`` is on the estimand's scale (a ratio as a ratio); ``effect`` is value minus reference,
    signed so that the prediction is positive (log scale for ratios). ``wide`` and ``narrow`` are
    intervals of the effect at ``1 - alpha`` and ``1 - 2 alpha``, None when no interval can be given.
    """

    value: float
    low: float | None
    high: float | None
    effect: float
    se: float | None
    wide: tuple[float, float] | None
    narrow: tuple[float, float] | None
    alpha: float
    df: float | None
    n: int
    clusters: int | None
    method: str
    scale: Literal["identity", "log"]
    unit: str = ""
    reason: str | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the registered analysis says of one hypothesis.

    ``reason`` is a code for inconclusive outcomes; ``notes`` are marks such as
    ``no_assay_sensitivity`` and ``negligible``; ``n_needed`` the items that would have decided.
    """

    hypothesis: str
    outcome: Outcome
    reason: str | None
    standing: Standing
    estimate: EffectEstimate | None
    n_needed: int | None = None
    detectable: float | None = None
    """Smallest effect this n had 80 % power to find, in the effect's unit."""
    notes: tuple[str, ...] = ()
    takeaway: str | None = None


@dataclass(frozen=True, slots=True)
class ControlResult:
    """Whether a registered control came out as it had to."""

    name: str
    kind: str
    outcome: Literal["passed", "failed", "unresolved"]
    estimate: EffectEstimate | None
    required: str
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class RobustnessResult:
    """One hypothesis under one registered alternative specification."""

    specification: str
    hypothesis: str
    outcome: Outcome
    reason: str | None
    estimate: EffectEstimate | None


@dataclass(frozen=True, slots=True)
class ForecastScore:
    """A registered forecast, scored by the outcome that came."""

    by: str
    hypothesis: str
    probability: float
    log_score: float
    brier: float
    interval_hit: bool | None = None


@dataclass(frozen=True, slots=True)
class ConceptualResult:
    """A conceptual claim's predicted observations beside what was observed."""

    id: str
    claim: str
    outcome: Literal["borne_out", "contradicted", "open"]
    observations: tuple[tuple[str, str, str], ...] = field(default=())
    """(hypothesis, predicted outcome, outcome)."""
