"""The item-weighted mean of any numeric score."""

import math
from collections.abc import Hashable, Sequence

from numpy.typing import ArrayLike

from leadline.stats import policy
from leadline.stats.checks import Floats, level_of, sample
from leadline.stats.clusters import ClusterSums
from leadline.stats.model import Estimate
from leadline.stats.quantiles import critical
from leadline.stats.robust import Robust, cr1, cr2

METHODS = ("cr2", "cr1", "iid", "bootstrap", "percentile")


def mean(
    x: ArrayLike,
    cluster: ArrayLike | Sequence[Hashable] | None = None,
    level: float = 0.95,
    method: str = "cr2",
    *,
    replicates: int = 2000,
    seed: bytes | str | int = b"",
) -> Estimate:
    """The mean of ``x`` (shape (N,)) over items, with a cluster-robust interval, in the unit of ``x``.

    Parameters
    ----------
    x: finite scores, one per item. For 0/1 outcomes use `leadline.stats.proportion`.
    cluster: one key per item; None means that items are independent.
    method: "cr2" (Bell-McCaffrey, Satterthwaite t), "cr1" (t on C - 1), "iid" (classical t, clusters
        ignored), "bootstrap" (bootstrap-t with CR1), "percentile" (cluster bootstrap percentiles).
    replicates, seed: of the bootstrap.

    Errors: StatisticsError for empty or non-finite input. Too few clusters, no variance, or fewer than four
    degrees of freedom give an Estimate with ``reason`` and no interval.
    """
    values = sample(x, "x")
    sums = ClusterSums.of(values, None if method == "iid" else cluster, squares=False)
    return of_sums(sums, level_of(level), method, magnitude(values), replicates=replicates, seed=seed)


def of_sums(
    sums: ClusterSums,
    level: float,
    method: str,
    largest: float,
    *,
    replicates: int = 2000,
    seed: bytes | str | int = b"",
) -> Estimate:
    """`mean` from cluster sums: the same for every estimand that is a mean of something.

    ``largest`` is the largest magnitude among the scores, against which a variance is told from rounding.
    """
    if method not in METHODS:
        raise policy.unknown_method(method, METHODS)
    fit = variance(sums, method)
    reason = policy.reason_for(sums.count, sums.clustered, fit.variance, fit.df, largest**2 / sums.items)
    se = math.sqrt(fit.variance)
    interval = None
    if reason is None and method in ("bootstrap", "percentile"):
        from leadline.stats.bootstrap import mean_interval

        interval = mean_interval(
            sums.n, sums.total, level, replicates, seed, studentize=method == "bootstrap"
        )
    elif reason is None:
        half = critical(level, fit.df) * se
        interval = fit.value - half, fit.value + half
    return policy.answer(
        fit.value,
        se,
        interval,
        df=fit.df if method in ("cr2", "cr1", "iid") else None,
        n=sums.items,
        clusters=sums.count,
        clustered=sums.clustered,
        level=level,
        method=method,
        reason=reason,
    )


def magnitude(x: Floats) -> float:
    """The largest absolute value."""
    return max(abs(float(x.min())), abs(float(x.max())))


def variance(sums: ClusterSums, method: str) -> Robust:
    """Value, variance and degrees of freedom of the mean under a method of `mean`; "iid" needs unclustered sums."""
    return (
        cr1(sums.n, sums.total) if method in ("cr1", "bootstrap", "percentile") else cr2(sums.n, sums.total)
    )
