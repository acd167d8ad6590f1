"""Differences and ratios of two arms that answered the same items."""

import math
from collections.abc import Hashable, Sequence

from numpy.typing import ArrayLike

from leadline.errors import StatisticsError
from leadline.stats import mean as means
from leadline.stats import policy
from leadline.stats.checks import Floats, is_binary, level_of, same_length, sample
from leadline.stats.clusters import ClusterSums, PairSums, effective_clusters
from leadline.stats.likelihood import dirichlet_multinomial_interval
from leadline.stats.model import Estimate
from leadline.stats.quantiles import critical
from leadline.stats.robust import Robust, cr2
from leadline.stats.summation import total
from leadline.stats.tango import conditional, mcnemar_exact, tango, tango_score

__all__ = ["DIFFERENCE_METHODS", "RATIO_METHODS", "difference", "mcnemar_exact", "ratio", "tango"]

Keys = ArrayLike | Sequence[Hashable] | None

_BINARY_ONLY = ("tango", "score_clustered", "dirichlet_multinomial")
DIFFERENCE_METHODS = ("auto", *means.METHODS, *_BINARY_ONLY)
RATIO_METHODS = ("auto", "cr2", "cr1", "iid")


def difference(
    a: ArrayLike,
    b: ArrayLike,
    cluster: Keys = None,
    level: float = 0.95,
    method: str = "auto",
    *,
    replicates: int = 2000,
    seed: bytes | str | int = b"",
) -> Estimate:
    """The mean of a - b over paired items (item i in both arrays, shape (N,)), in the unit of the scores.

    Parameters
    ----------
    cluster: one key per item; None means that items are independent.
    method: "auto" (see `leadline.stats.policy`); "cr2", "cr1", "iid", "bootstrap", "percentile" as in
        `leadline.stats.mean.mean`; for 0/1 outcomes also "tango" (clusters ignored), "score_clustered" (Tango's
        interval at counts divided by the CR2 design effect, with Student's t) and "dirichlet_multinomial".

    Errors: StatisticsError for empty, unequal or non-finite arrays, or a binary method on other scores.
    Refusals are Estimates with a ``reason`` and no interval.
    """
    if method not in DIFFERENCE_METHODS:
        raise policy.unknown_method(method, DIFFERENCE_METHODS)
    level = level_of(level)
    x, y = sample(a, "a"), sample(b, "b")
    same_length("a", x, "b", y.size)
    binary = is_binary(x) and is_binary(y)
    if method in _BINARY_ONLY and not binary:
        raise StatisticsError(
            f"{method} needs outcomes that are 0 or 1",
            where="a, b",
            remedy="use method='cr2' for graded scores",
        )
    keys = None if method in ("iid", "tango") else cluster
    if method in means.METHODS or not binary:
        sums = ClusterSums.of(x - y, keys, squares=False)
        chosen = "cr2" if method == "auto" else method
        largest = max(means.magnitude(x), means.magnitude(y))
        return means.of_sums(sums, level, chosen, largest, replicates=replicates, seed=seed)
    return _binary(ClusterSums.of(x - y, keys), level, method)


def ratio(
    a: ArrayLike, b: ArrayLike, cluster: Keys = None, level: float = 0.95, method: str = "auto"
) -> Estimate:
    """The LOG of mean(a) / mean(b) over paired items, by the delta method; ``value``, ``low``, ``high`` are logs.

    Linearised per item as a_i / mean(a) - b_i / mean(b), whose mean is zero and whose variance is that of the
    log ratio; "auto" is "cr2". With fewer than 20 ones in an arm of 0/1 outcomes "auto" refuses (``degenerate``):
    the linearisation is not trustworthy there. Raises StatisticsError where a mean is not positive: the ratio is
    then not defined.
    """
    if method not in RATIO_METHODS:
        raise policy.unknown_method(method, RATIO_METHODS)
    level = level_of(level)
    pair = PairSums.of(a, b, None if method == "iid" else cluster)
    mean_a, mean_b = _positive_mean(pair.a, pair.items, "a"), _positive_mean(pair.b, pair.items, "b")
    linear = ClusterSums(pair.n, pair.a / mean_a - pair.b / mean_b, None, pair.clustered)
    sparse = min(_events(pair.a, pair.aa), _events(pair.b, pair.bb)) < policy.SPARSE
    return log_ratio(linear, math.log(mean_a / mean_b), level, method, refuse=sparse and method == "auto")


def log_ratio(linear: ClusterSums, value: float, level: float, method: str, *, refuse: bool) -> Estimate:
    """The log ratio ``value`` with the interval of its linearised items (mean zero)."""
    chosen = "cr2" if method == "auto" else method
    fit = means.variance(linear, chosen)
    reason = policy.reason_for(linear.count, linear.clustered, fit.variance, fit.df, 1.0 / linear.items)
    if reason is None and refuse:
        reason = "degenerate"
    half = critical(level, fit.df) * math.sqrt(fit.variance) if reason is None else 0.0
    return policy.answer(
        value,
        math.sqrt(fit.variance),
        (value - half, value + half) if reason is None else None,
        df=fit.df,
        n=linear.items,
        clusters=linear.count,
        clustered=linear.clustered,
        level=level,
        method=chosen,
        reason=reason,
    )


def _binary(sums: ClusterSums, level: float, method: str) -> Estimate:
    """Paired 0/1 outcomes from the sums of their differences: b and c per cluster follow from total and squares."""
    fit = cr2(sums.n, sums.total)
    assert sums.squares is not None  # asked for by `difference`
    only_a, only_b = 0.5 * (sums.squares + sums.total), 0.5 * (sums.squares - sums.total)
    b, c, n = total(only_a), total(only_b), sums.items
    independent = not sums.clustered or float(sums.n.max()) == 1.0
    reason = None
    interval: tuple[float, float] | None = None
    df: float | None = fit.df
    if sums.clustered and sums.count < policy.MIN_CLUSTERS:
        reason = "too_few_clusters"
    elif independent and method in ("auto", "tango"):
        interval, df = _independent(b, c, n, level, method)
        method = "tango"
    elif sums.count >= 2:
        interval, df, method = _clustered(sums, fit, (only_a, only_b), level, method)
    return policy.answer(
        fit.value,
        math.sqrt(fit.variance),
        interval,
        df=df,
        n=n,
        clusters=sums.count,
        clustered=sums.clustered,
        level=level,
        method=method,
        reason=reason,
    )


def _independent(
    b: float, c: float, n: int, level: float, method: str
) -> tuple[tuple[float, float], float | None]:
    if method == "tango" or n < 2:
        return tango(b, c, n, level), None
    interval = tango_score(b, c, n, critical(level, n - 1.0))
    if 0 < b + c < policy.FEW_DISCORDANT:
        interval = policy.join(interval, conditional(b, c, n, level))
    return interval, n - 1.0


def _clustered(
    sums: ClusterSums, fit: Robust, cells: tuple[Floats, Floats], level: float, method: str
) -> tuple[tuple[float, float], float, str]:
    b, c = total(cells[0]), total(cells[1])
    effect = design_effect(sums, fit, b + c)
    df = policy.score_df(fit.df, sums.total - sums.n * fit.value)
    score = tango_score(b / effect, c / effect, sums.items / effect, critical(level, df))
    if method == "score_clustered" or (method == "auto" and policy.plenty((b + c) / effect, fit.df)):
        return score, df, "score_clustered"
    likelihood = dirichlet_multinomial_interval(cells[0], cells[1], sums.n, level)
    if method == "auto":
        return policy.join(score, likelihood), df, "dirichlet_multinomial+score"
    point = (fit.value, fit.value)
    return policy.join(likelihood, point), sums.count - 1.0, "dirichlet_multinomial"


def design_effect(sums: ClusterSums, fit: Robust, discordant: float) -> float:
    """CR2 variance over that of independent pairs, at least 1; the largest possible when it is not identified."""
    share = discordant / sums.items
    spread = share - fit.value**2
    if spread <= 0.0:
        return sums.items / effective_clusters(sums.n)
    return max(1.0, fit.variance * sums.items / spread)


def _positive_mean(sums: Floats, items: int, name: str) -> float:
    value = total(sums) / items
    if not value > 0.0:
        raise StatisticsError(
            f"the mean of {name} is {value:g}: a ratio needs both means positive",
            where=name,
            remedy="estimate the difference instead, or report the ratio as not identified",
        )
    return value


def _events(sums: Floats, squares: Floats) -> float:
    """The effective number of events behind a mean: (sum x)^2 / sum x^2, the count of ones for 0/1 outcomes."""
    return total(sums) ** 2 / total(squares)
