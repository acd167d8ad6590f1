"""Differences and ratios of two arms with different items, which may share clusters."""

import math
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from leadline.errors import StatisticsError
from leadline.stats import policy
from leadline.stats.arms import Arms, Keys, arms_of, contrast
from leadline.stats.checks import is_binary, level_of, sample
from leadline.stats.model import Estimate
from leadline.stats.quantiles import critical
from leadline.stats.robust import Robust
from leadline.stats.summation import total
from leadline.stats.two_proportions import miettinen_nurminen, newcombe
from leadline.stats.unpaired_binary import score_interval

__all__ = ["METHODS", "RATIO_METHODS", "difference", "miettinen_nurminen", "newcombe", "ratio"]

_BINARY_ONLY = ("score_clustered", "hybrid_clustered", "miettinen_nurminen")
METHODS = ("auto", "cr2", "cr1", "iid", *_BINARY_ONLY)
RATIO_METHODS = ("auto", "cr2", "cr1", "iid")


def difference(
    a: ArrayLike,
    b: ArrayLike,
    cluster_a: Keys = None,
    cluster_b: Keys = None,
    level: float = 0.95,
    method: str = "auto",
    *,
    shared_clusters: bool | None = None,
) -> Estimate:
    """mean(a) - mean(b) for different items in the two arms, in the unit of the scores.

    Parameters
    ----------
    cluster_a, cluster_b: keys per item, both or neither. Equal keys mean the same cluster in both arms, and the
        arms' covariance is then counted; ``shared_clusters=False`` declares that equal keys are different clusters,
        ``True`` refuses keys that do not overlap; None follows the keys.
    method: "auto" (see `leadline.stats.policy`), "cr2", "cr1", "iid" (Welch-type, clusters ignored); for 0/1
        outcomes "score_clustered" (Miettinen-Nurminen at counts divided by the CR2 design effect, Student's t),
        "hybrid_clustered" (from the two arms' own intervals) and "miettinen_nurminen" (clusters ignored).

    ``n`` of the Estimate counts the items of both arms, ``clusters`` the distinct clusters. The floors of the
    policy apply to the arm with fewer clusters. Errors as in `leadline.stats.paired.difference`.
    """
    if method not in METHODS:
        raise policy.unknown_method(method, METHODS)
    level = level_of(level)
    x, y = sample(a, "a"), sample(b, "b")
    binary = is_binary(x) and is_binary(y)
    if method in _BINARY_ONLY and not binary:
        raise StatisticsError(
            f"{method} needs outcomes that are 0 or 1",
            where="a, b",
            remedy="use method='cr2' for graded scores",
        )
    ignore = method in ("iid", "miettinen_nurminen")
    arms = arms_of(x, y, None if ignore else cluster_a, None if ignore else cluster_b, shared_clusters)
    fit = contrast(arms, "cr1" if method == "cr1" else "cr2")
    if binary and method in ("auto", *_BINARY_ONLY):
        if arms.clustered and arms.smaller < policy.MIN_CLUSTERS:
            return _answer(arms, fit.value, fit, None, fit.df, level, method, "too_few_clusters")
        interval, df, used = score_interval(arms, fit, level, method)
        return _answer(arms, fit.value, fit, interval, df, level, used, None)
    scale = max(float(np.max(np.abs(x))), float(np.max(np.abs(y)))) ** 2 / arms.items
    return _wald(arms, fit, fit.value, scale, level, "cr2" if method == "auto" else method)


def ratio(
    a: ArrayLike,
    b: ArrayLike,
    cluster_a: Keys = None,
    cluster_b: Keys = None,
    level: float = 0.95,
    method: str = "auto",
    *,
    shared_clusters: bool | None = None,
) -> Estimate:
    """The LOG of mean(a) / mean(b) for different items, by the delta method; arguments as in `difference`.

    Each arm is divided by its mean, and the difference of the two (zero) carries the variance. "auto" is "cr2" and
    refuses (``degenerate``) with fewer than 20 effective events in an arm. Raises StatisticsError where a mean is
    not positive.
    """
    if method not in RATIO_METHODS:
        raise policy.unknown_method(method, RATIO_METHODS)
    level = level_of(level)
    x, y = sample(a, "a"), sample(b, "b")
    means = []
    for values, name in ((x, "a"), (y, "b")):
        m = total(values) / values.size
        if not m > 0.0:
            raise StatisticsError(
                f"the mean of {name} is {m:g}: a ratio needs both means positive",
                where=name,
                remedy="estimate the difference instead, or report the ratio as not identified",
            )
        means.append(m)
    keys = (None, None) if method == "iid" else (cluster_a, cluster_b)
    arms = arms_of(x / means[0], y / means[1], *keys, shared_clusters)
    fit = contrast(arms, "cr1" if method == "cr1" else "cr2")
    sparse = any(total(v) ** 2 / total(v * v) < policy.SPARSE for v in (x, y))
    value = math.log(means[0] / means[1])
    chosen = "cr2" if method == "auto" else method
    return _wald(arms, fit, value, 1.0 / arms.items, level, chosen, refuse=sparse and method == "auto")


def _wald(
    arms: Arms, fit: Robust, value: float, scale: float, level: float, method: str, *, refuse: bool = False
) -> Estimate:
    reason = policy.reason_for(arms.smaller, arms.clustered, fit.variance, fit.df, scale)
    if reason is None and refuse:
        reason = "degenerate"
    half = critical(level, fit.df) * math.sqrt(fit.variance) if reason is None else 0.0
    interval = (value - half, value + half) if reason is None else None
    return _answer(arms, value, fit, interval, fit.df, level, method, reason)


def _answer(
    arms: Arms,
    value: float,
    fit: Robust,
    interval: tuple[float, float] | None,
    df: float | None,
    level: float,
    method: str,
    reason: str | None,
) -> Estimate:
    answer = policy.answer(
        value,
        math.sqrt(fit.variance),
        interval,
        df=df,
        n=arms.items,
        clusters=arms.n_a.size,
        clustered=arms.clustered,
        level=level,
        method=method,
        reason=reason,
    )
    # The warning is about the arm with fewer clusters, not about both together.
    return replace(answer, warnings=policy.warnings_for(arms.smaller, arms.clustered))
