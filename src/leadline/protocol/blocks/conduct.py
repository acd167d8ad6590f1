"""How it is carried out: data rules, sample size, robustness, hazard, dates."""

from datetime import date
from typing import Literal

from pydantic import Field

from leadline.protocol.blocks.base import Block, Expression, Line, Name, Sha256, Text
from leadline.protocol.blocks.claims import IntervalMethod


class CountAs(Block):
    """Keep the sample and give it this value."""

    value: float


Rule = Literal["exclude"] | CountAs


class Exclusion(Block):
    """A registered reason to leave a sample out, decided by an expression over its columns."""

    id: Name
    when: Expression
    reason: Line


class DataRules(Block):
    """What becomes of samples that are not plain results. Whatever is excluded is counted with its reason."""

    error: Rule = "exclude"
    limit: Rule | Literal["keep"] = "keep"
    """Samples stopped by a limit (time, tokens, messages); `keep` uses the score they got."""
    refusal: Rule | Literal["keep"] = "keep"
    refusal_when: Expression | None = None
    """How a refusal is recognised; None = the scorer's own reason `refusal`."""
    unscored: Rule = "exclude"
    malformed: Rule = "exclude"
    invalidated: Rule = "exclude"
    fallback: Rule | Literal["keep"] = "exclude"
    """Samples another model answered."""
    duplicates: Literal["last", "refuse"] = "last"
    exclusions: tuple[Exclusion, ...] = ()
    missing_cap: float = Field(default=0.1, ge=0, le=1)
    """Largest share of promised samples that may be missing before the outcome is inconclusive."""


class Assumptions(Block):
    """What the simulation of operating characteristics assumes about the data; a pilot's numbers go here."""

    baseline: float | None = None
    """Mean of the second (or only) arm."""
    sd: float | None = Field(default=None, gt=0)
    """Standard deviation of a single item, for measures that are not 0/1."""
    icc: float = Field(default=0.0, ge=0, lt=1)
    correlation: float = Field(default=0.5, ge=-1, le=1)
    """Between the two arms' values of one item."""
    binary: bool = True
    source: Text = ""


class SampleSize(Block):
    """How much data, and when to stop."""

    design: Literal["fixed", "group_sequential", "anytime"] = "fixed"
    items: int = Field(ge=1)
    """Items per arm that enter the analysis."""
    clusters: int | None = Field(default=None, ge=1)
    min_clusters: int = Field(default=5, ge=2)
    power: float = Field(default=0.8, gt=0, lt=1)
    """Power wanted at the smallest effect; the power had is computed, never typed."""
    assumptions: Assumptions = Assumptions()
    replicates: int = Field(default=2_000, ge=200, le=20_000)


class Change(Block):
    """What a robustness specification does otherwise; everything left out stays as registered."""

    method: IntervalMethod | None = None
    where: Expression | None = None
    cluster: Expression | Literal["item"] | None = None
    epochs: Literal["mean", "max", "min", "first", "median"] | None = None
    data_rules: DataRules | None = None


class Robustness(Block):
    """An alternative specification; all of them are reported."""

    name: Name
    change: Change
    why: Text = ""


class Attempts(Block):
    """Which runs count."""

    reruns: Literal["pool", "first"] = "pool"
    """Identical reruns: pool all completed ones, or take the first."""
    max: int | None = Field(default=None, ge=1)


class Foreknowledge(Block):
    """What had been seen before the freeze."""

    level: Literal["none", "metadata", "structure", "pilot_outcomes", "outcomes"]
    pilots: tuple[Sha256, ...] = ()
    pilot_items: Literal["same", "other"] | None = None
    """Whether the pilots ran the items registered here or others; None = not said."""
    variants_tried: int | None = Field(default=None, ge=0)
    note: Text = ""


class Hazard(Block):
    """How openly the study may be told."""

    level: Literal["open", "delayed", "restricted", "sealed"] = "open"
    reason: Text = ""
    fields: tuple[str, ...] = ()
    release: str | None = None


class Checkpoint(Block):
    """The newest checkpoint the author saw: the protocol cannot be older than it."""

    origin: str
    size: int = Field(ge=0)
    root: str


class Timeline(Block):
    """Dates in UTC."""

    not_before: date | None = None
    due: date | None = None
    checkpoint: Checkpoint | None = None
