"""What is claimed, what would count, and what the author will be entitled to say."""

from typing import Annotated, Literal

from pydantic import Field

from leadline.protocol.blocks.base import Block, Expression, Line, Name, Probability, Text

Outcome = Literal["supported", "refuted", "null", "inconclusive"]
ClaimKind = Literal["greater", "at_least", "differs", "no_worse", "equivalent"]
IntervalMethod = Literal[
    "auto",
    "cr2",
    "cr1",
    "iid",
    "wilson",
    "jeffreys",
    "clopper_pearson",
    "beta_binomial",
    "tango",
    "score",
    "bootstrap",
]


class Estimand(Block):
    """The number the hypothesis is about.

    ======================  ====  ==========================================================
    type                    arms  value
    ======================  ====  ==========================================================
    mean                    1     mean of the measure over items
    proportion              1     share of items whose measure is 1 (values must be 0 or 1)
    threshold               1     share of items whose measure is at least `cut`
    paired_difference       2     first arm minus second, over items both arms have
    difference              2     first arm minus second, items independent
    ratio                   2     first arm over second (analysed on the log scale)
    ======================  ====  ==========================================================
    """

    type: Literal["mean", "proportion", "threshold", "paired_difference", "difference", "ratio"]
    measure: Name
    arms: tuple[Name, ...] = Field(min_length=1, max_length=2)
    cut: float | None = None
    where: Expression | None = None
    """Restricts the items, by what was known before the run (metadata), never by the outcome."""


class Hypothesis(Block):
    """One claim that the data can support, refute, find null, or leave open."""

    id: Name
    claim: Line
    kind: ClaimKind
    estimand: Estimand
    prediction: Literal["increase", "decrease"] = "increase"
    """Sign of the effect under the claim; the effect is signed so that the prediction is positive."""
    reference: float | None = None
    """What the estimand is compared with; default 0, for a ratio 1. A mean or proportion must state it."""
    smallest: Annotated[float, Field(gt=0)]
    """Smallest effect of interest d, in the estimand's unit; for a ratio, a factor above 1."""
    margin: float = Field(default=0.0, ge=0)
    """For `greater`: the m of "greater than m", below d; for a ratio on the log scale of a factor at least 1."""
    expected: float | None = None
    """Expected effect, signed like the prediction; `at_least` needs one above d to state its power."""
    level: float = Field(default=0.05, gt=0, lt=0.5)
    method: IntervalMethod = "auto"
    role: Literal["primary", "secondary", "exploratory"] = "primary"
    family: Name = "primary"
    why_smallest: Text = ""


class Family(Block):
    """Hypotheses corrected together."""

    name: Name
    correction: Literal["holm", "bh", "none"] = "holm"


class Prediction(Block):
    """An observation a conceptual claim stakes itself on."""

    hypothesis: Name
    outcome: Outcome
    why: Text = ""


class ConceptualClaim(Block):
    """A claim no single measurement decides, registered by the observations it predicts."""

    id: Name
    claim: Line
    argument: Text = ""
    predicts: tuple[Prediction, ...] = Field(min_length=1)


class Takeaway(Block):
    """What may be said, per outcome of one hypothesis, in the small grammar of `leadline.protocol.takeaway`."""

    hypothesis: Name
    supported: Line = "no update"
    refuted: Line = "no update"
    null: Line = "no update"
    inconclusive: Line = "no update"


class Control(Block):
    """Something the pipeline must find, must not find, or must reproduce."""

    name: Name
    kind: Literal["positive", "negative", "baseline"]
    estimand: Estimand
    low: float | None = None
    high: float | None = None
    """The control passes when the estimate's interval lies inside [low, high] (a missing end is open);
    a baseline passes when the point estimate does."""
    level: float = Field(default=0.05, gt=0, lt=0.5)
    supports: tuple[Name, ...] = ()
    """Hypotheses whose assay sensitivity this shows; empty = all."""
    why: Text = ""


class Forecast(Block):
    """Someone's belief before the run."""

    by: Line
    hypothesis: Name
    probabilities: dict[Outcome, Probability]
    median: float | None = None
    interval80: tuple[float, float] | None = None
