"""From items to a signed effect with a wide and a narrow interval."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leadline.errors import StatisticsError
from leadline.protocol.blocks.claims import Estimand, Hypothesis, IntervalMethod
from leadline.stats import mean as mean_of
from leadline.stats import paired, unpaired
from leadline.stats import proportion as proportion_of
from leadline.stats.model import Estimate
from leadline.verdict.items import Items
from leadline.verdict.model import EffectEstimate

Strings = NDArray[np.str_]
#: Methods whose registered name differs from the estimators' own.
_SPELLED = {"score": "score_clustered"}


@dataclass(frozen=True, slots=True)
class Question:
    """What is estimated and what it is compared with; a hypothesis or a control, reduced to its numbers."""

    estimand: Estimand
    reference: float
    sign: int
    method: IntervalMethod
    unit: str = ""

    @property
    def log_scale(self) -> bool:
        """True for ratios, whose effect is a difference of logarithms."""
        return self.estimand.type == "ratio"


def question(hypothesis: Hypothesis, unit: str = "", method: IntervalMethod | None = None) -> Question:
    """The question a hypothesis asks."""
    default = 1.0 if hypothesis.estimand.type == "ratio" else 0.0
    reference = default if hypothesis.reference is None else hypothesis.reference
    sign = 1 if hypothesis.prediction == "increase" else -1
    return Question(hypothesis.estimand, reference, sign, method or hypothesis.method, unit)


def smallest_and_margin(hypothesis: Hypothesis) -> tuple[float, float]:
    """(d, m) on the effect's scale: logarithms for a ratio, whose d and m are registered as factors."""
    if hypothesis.estimand.type != "ratio":
        return hypothesis.smallest, hypothesis.margin
    return math.log(hypothesis.smallest), math.log(hypothesis.margin) if hypothesis.margin > 1 else 0.0


def estimate_effect(ask: Question, arms: tuple[Items, ...], alpha: float) -> EffectEstimate:
    """Estimate with intervals at 1 - alpha (wide) and 1 - 2 alpha (narrow).

    Raises StatisticsError where the data cannot answer at all (no items, values not 0/1 for a
    proportion, a ratio of non-positive means).
    """
    wide = estimate_value(ask, arms, 1 - alpha)
    narrow = estimate_value(ask, arms, 1 - 2 * alpha)
    reference = math.log(ask.reference) if ask.log_scale else ask.reference
    scale = math.exp if ask.log_scale else float
    return EffectEstimate(
        value=scale(wide.value),
        low=None if wide.low is None else scale(wide.low),
        high=None if wide.high is None else scale(wide.high),
        effect=ask.sign * (wide.value - reference),
        se=wide.se,
        wide=_signed(wide, reference, ask.sign),
        narrow=_signed(narrow, reference, ask.sign),
        alpha=alpha,
        df=wide.df,
        n=wide.n,
        clusters=wide.clusters,
        method=wide.method,
        scale="log" if ask.log_scale else "identity",
        unit=ask.unit,
        reason=wide.reason or narrow.reason,
        warnings=wide.warnings,
    )


def estimate_value(ask: Question, arms: tuple[Items, ...], level: float) -> Estimate:
    """The estimand itself at one level (log scale for ratios)."""
    estimand = ask.estimand
    if any(len(arm) == 0 for arm in arms):
        raise StatisticsError("no items are left to analyse", remedy="see who left the denominator and why")
    if estimand.type in ("mean", "proportion", "threshold"):
        return _one_arm(estimand, arms[0], ask.method, level)
    method = _SPELLED.get(ask.method, ask.method)
    a, b = arms
    if estimand.type == "paired_difference":
        left, right, clusters = pair(a, b)
        if len(left) == 0:
            raise StatisticsError(
                "the two arms share no item", remedy="pair logs of the same samples, or register `difference`"
            )
        return paired.difference(left, right, cluster=clusters, level=level, method=method)
    if estimand.type == "difference":
        return unpaired.difference(
            a.values, b.values, cluster_a=a.clusters, cluster_b=b.clusters, level=level, method=method
        )
    left, right, clusters = pair(a, b)
    if len(left) == len(a) == len(b):
        return paired.ratio(left, right, cluster=clusters, level=level, method=method)
    return unpaired.ratio(
        a.values, b.values, cluster_a=a.clusters, cluster_b=b.clusters, level=level, method=method
    )


def _one_arm(estimand: Estimand, arm: Items, method: IntervalMethod, level: float) -> Estimate:
    values = arm.values
    if estimand.type == "mean":
        return mean_of.mean(
            values, cluster=arm.clusters, level=level, method="cr2" if method == "auto" else method
        )
    if estimand.type == "threshold":
        assert estimand.cut is not None  # the protocol's consistency rules demand it
        values = (values >= estimand.cut).astype(np.float64)
    return proportion_of.proportion(
        values, cluster=arm.clusters, level=level, method=_SPELLED.get(method, method), repeats=arm.runs
    )


def pair(a: Items, b: Items) -> tuple[NDArray[np.float64], NDArray[np.float64], Strings | None]:
    """Values of the items both arms have, in id order, with their clusters."""
    if a.ids is b.ids or np.array_equal(a.ids, b.ids):
        return a.values, b.values, a.clusters
    _, left, right = np.intersect1d(a.ids, b.ids, assume_unique=True, return_indices=True)
    clusters = None if a.clusters is None else a.clusters[left]
    return a.values[left], b.values[right], clusters


def _signed(estimate: Estimate, reference: float, sign: int) -> tuple[float, float] | None:
    if estimate.low is None or estimate.high is None:
        return None
    low, high = estimate.low - reference, estimate.high - reference
    return (low, high) if sign > 0 else (-high, -low)
