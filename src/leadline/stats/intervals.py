"""Intervals for one proportion: ``(low, high)`` as fractions.

The Wald interval is not offered: at 2 % and 100 items a nominal 95 % interval covers 87 %.
Counts may be fractions (effective counts after division by a design effect).
"""

import math

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import betaincinv

from leadline.errors import StatisticsError
from leadline.stats.checks import counts_of, level_of, same_length, sample
from leadline.stats.likelihood import beta_binomial_interval
from leadline.stats.quantiles import critical

Interval = tuple[float, float]


def wilson(k: float, n: float, level: float = 0.95) -> Interval:
    """Wilson's score interval for k successes in n independent trials.

    Source: Wilson 1927, J. Am. Stat. Assoc. 22, 209-212. Raises StatisticsError unless 0 <= k <= n, n > 0.
    """
    k, n = counts_of(k, n)
    return score(k / n, n, critical(level_of(level)))


def score(p: float, n: float, z: float) -> Interval:
    """The p0 with |p - p0| <= z sqrt(p0 (1 - p0) / n): Wilson's interval for any critical value ``z``."""
    z2 = z * z
    scale = 1.0 + z2 / n
    centre = (p + z2 / (2.0 * n)) / scale
    half = z / scale * math.sqrt(p * (1.0 - p) / n + z2 / (4.0 * n * n))
    # The ends at p = 0 and p = 1 are exactly 0 and 1; rounding must not move them inside.
    low = 0.0 if p <= 0.0 else max(0.0, min(p, centre - half))
    high = 1.0 if p >= 1.0 else min(1.0, max(p, centre + half))
    return low, high


def jeffreys(k: float, n: float, level: float = 0.95) -> Interval:
    """Jeffreys' interval: quantiles of Beta(k + 1/2, n - k + 1/2), with 0 at k = 0 and 1 at k = n.

    Source: Brown, Cai and DasGupta 2001, Statist. Sci. 16, 101-133, section 4.
    """
    k, n = counts_of(k, n)
    tail = 0.5 * (1.0 - level_of(level))
    low = 0.0 if k == 0 else float(betaincinv(k + 0.5, n - k + 0.5, tail))
    high = 1.0 if k == n else float(betaincinv(k + 0.5, n - k + 0.5, 1.0 - tail))
    return low, high


def clopper_pearson(k: float, n: float, level: float = 0.95) -> Interval:
    """The exact interval of Clopper and Pearson 1934 (Biometrika 26, 404-413): never below its nominal level."""
    k, n = counts_of(k, n)
    tail = 0.5 * (1.0 - level_of(level))
    low = 0.0 if k == 0 else float(betaincinv(k, n - k + 1.0, tail))
    high = 1.0 if k == n else float(betaincinv(k + 1.0, n - k, 1.0 - tail))
    return low, high


def zero_event_upper(n: float, level: float = 0.95) -> float:
    """The one-sided upper limit after no event in n independent trials: 1 - (1 - level)^(1/n)."""
    _, n = counts_of(0.0, n)
    return -math.expm1(math.log1p(-level_of(level)) / n)


def beta_binomial(k: ArrayLike, n: ArrayLike, level: float = 0.95) -> Interval:
    """Profile-likelihood interval for the mean of clustered counts: k[g] successes of n[g] in cluster g.

    Mean and intra-cluster correlation are both estimated; the likelihood ratio is compared with the square of
    Student's t on C - 1 degrees of freedom, because the correlation is estimated from C clusters (the chi-square
    cut-off covers too little below about 50 of them). Whole counts only. With no event in C clusters the upper
    end is that of C independent items. Raises StatisticsError for fewer than two clusters.
    """
    successes, sizes = sample(k, "k"), sample(n, "n")
    same_length("k", successes, "n", sizes.size)
    if bool(np.any(sizes < 1)) or bool(np.any(successes < 0)) or bool(np.any(successes > sizes)):
        raise StatisticsError(
            "a cluster has k outside 0..n, or no item", where="k, n", remedy="drop empty clusters"
        )
    if bool(np.any(successes != np.rint(successes))) or bool(np.any(sizes != np.rint(sizes))):
        raise StatisticsError(
            "counts must be whole", where="k, n", remedy="pass successes and trials per cluster"
        )
    if sizes.size < 2:
        raise StatisticsError(
            "one cluster says nothing about the variation between clusters",
            where="n",
            remedy="register a cluster key with at least five clusters",
        )
    order = np.lexsort((successes, sizes))
    return beta_binomial_interval(successes[order], sizes[order], level_of(level))
