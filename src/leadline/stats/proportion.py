"""The item-weighted share of a 0/1 outcome."""

import math
from collections.abc import Hashable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from leadline.errors import StatisticsError
from leadline.stats import intervals, policy
from leadline.stats import mean as means
from leadline.stats.checks import Floats, is_binary, level_of, sample
from leadline.stats.clusters import ClusterSums, effective_clusters
from leadline.stats.likelihood import beta_binomial_interval
from leadline.stats.model import Estimate
from leadline.stats.quantiles import critical
from leadline.stats.robust import Robust, cr2

_COUNTS = {
    "wilson": intervals.wilson,
    "jeffreys": intervals.jeffreys,
    "clopper_pearson": intervals.clopper_pearson,
}
METHODS = (
    "auto",
    *_COUNTS,
    "beta_binomial",
    "score_clustered",
    "cr2",
    "cr1",
    "iid",
    "bootstrap",
    "percentile",
)


def proportion(
    x: ArrayLike,
    cluster: ArrayLike | Sequence[Hashable] | None = None,
    level: float = 0.95,
    method: str = "auto",
    *,
    replicates: int = 2000,
    seed: bytes | str | int = b"",
    repeats: int = 1,
) -> Estimate:
    """The share of ones in ``x`` (shape (N,), values 0 or 1), as a fraction.

    Parameters
    ----------
    cluster: one key per item; None means that items are independent.
    method: "auto" (see `leadline.stats.policy`); "wilson", "jeffreys", "clopper_pearson" (clusters ignored);
        "beta_binomial", "score_clustered"; "cr2", "cr1", "iid", "bootstrap", "percentile" as in `mean`.
    repeats: most answers that any value is the share of. Where answers of an item differ, every item weighs the same
        and its answers are one cluster (or part of the item's), so repeating adds precision only as far as it does.

    Errors: StatisticsError for empty input or values other than 0 and 1. Refusals are Estimates with a
    ``reason`` and no interval.
    """
    values = sample(x, "x")
    shares = repeats > 1 and not is_binary(values) and bool(((values >= 0.0) & (values <= 1.0)).all())
    if not (shares or is_binary(values)):
        raise StatisticsError(
            "a proportion needs outcomes that are 0 or 1", where="x", remedy="use the mean, or map the score"
        )
    if method not in METHODS:
        raise policy.unknown_method(method, METHODS)
    level = level_of(level)
    if shares and method in ("auto", "beta_binomial", "score_clustered"):
        return _of_shares(values, cluster, level, method, repeats)
    sums = ClusterSums.of(values, cluster)
    if method in _COUNTS:
        if shares:
            raise StatisticsError(
                f"{method} counts one answer per item, and answers of an item differ",
                where="method",
                remedy="register `auto`, `score` or `beta_binomial`, or `reruns: first`",
            )
        interval = _COUNTS[method](float(values.sum()), sums.items, level)
        return _answer(sums, float(values.mean()), None, interval, None, level, method, clustered=False)
    if method not in ("auto", "beta_binomial", "score_clustered"):
        if method == "iid":
            sums = ClusterSums.of(values)
        return means.of_sums(sums, level, method, 1.0, replicates=replicates, seed=seed)
    return of_sums(sums, level, method)


def _of_shares(
    values: Floats, cluster: ArrayLike | Sequence[Hashable] | None, level: float, method: str, repeats: int
) -> Estimate:
    """`proportion` of shares: each item stands for `repeats` answers, the answers of an item for one cluster."""
    if cluster is None:
        order = np.sort(values)  # by content, whatever the order of the rows
        sums = ClusterSums(np.ones(order.size), order, None, True)
    else:
        sums = ClusterSums.of(values, cluster, squares=False)
    answers = ClusterSums(sums.n * repeats, sums.total * repeats, None, True)
    found = of_sums(answers, level, method)
    return replace(found, n=sums.items, clusters=None if cluster is None else found.clusters)


def of_sums(sums: ClusterSums, level: float, method: str) -> Estimate:
    """`proportion` from cluster sums, for "auto", "beta_binomial" and "score_clustered"."""
    fit = cr2(sums.n, sums.total)
    se = math.sqrt(fit.variance)
    if sums.count < (policy.MIN_CLUSTERS if sums.clustered else 1):
        return _answer(sums, fit.value, se, None, fit.df, level, method, reason="too_few_clusters")
    independent = not sums.clustered or float(sums.n.max()) == 1.0
    if method == "auto" and independent:
        interval = intervals.clopper_pearson(float(sums.total.sum()), sums.items, level)
        return _answer(sums, fit.value, se, interval, None, level, "clopper_pearson")
    if sums.count < 2 or fit.df <= 0.0:
        return _answer(sums, fit.value, se, None, fit.df, level, method, reason="degenerate")
    effect = design_effect(sums, fit)
    df = policy.score_df(fit.df, sums.total - sums.n * fit.value)
    score = intervals.score(fit.value, sums.items / effect, critical(level, df))
    minority = min(fit.value, 1.0 - fit.value) * sums.items / effect
    if method == "score_clustered" or (method == "auto" and policy.plenty(minority, fit.df)):
        return _answer(sums, fit.value, se, score, df, level, "score_clustered")
    likelihood = beta_binomial_interval(sums.total, sums.n, level)
    if method == "auto":
        joined = policy.join(score, likelihood)
        return _answer(sums, fit.value, se, joined, df, level, "beta_binomial+score")
    inside = min(likelihood[0], fit.value), max(likelihood[1], fit.value)
    return _answer(sums, fit.value, se, inside, sums.count - 1.0, level, "beta_binomial")


def design_effect(sums: ClusterSums, fit: Robust) -> float:
    """CR2 variance over that of independent items, at least 1; with one outcome only, the largest possible.

    That largest value, N / (effective clusters), is reached when every cluster is all ones or all zeros.
    """
    spread = fit.value * (1.0 - fit.value)
    if spread <= 0.0:
        return sums.items / effective_clusters(sums.n)
    return max(1.0, fit.variance * sums.items / spread)


def _answer(
    sums: ClusterSums,
    value: float,
    se: float | None,
    interval: tuple[float, float] | None,
    df: float | None,
    level: float,
    method: str,
    *,
    clustered: bool | None = None,
    reason: str | None = None,
) -> Estimate:
    return policy.answer(
        value,
        se,
        interval,
        df=df,
        n=sums.items,
        clusters=sums.count,
        clustered=sums.clustered if clustered is None else clustered,
        level=level,
        method=method,
        reason=reason,
    )
