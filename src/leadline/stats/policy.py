"""What ``method="auto"`` does, and when an estimator refuses. One place, so that the rules can be read.

1. Fewer than 5 clusters: no interval, reason ``too_few_clusters``. Fewer than 10: warning ``few_clusters``.
2. No variance, or fewer than 4 Satterthwaite degrees of freedom, in outcomes that are not binary: no interval,
   reason ``degenerate``.
3. Outcomes that are not binary: CR2 with Satterthwaite degrees of freedom. Known limit: these assume independent
   errors, so with very unequal clusters that are strongly correlated each side errs up to 3.0 % instead of 2.5 %
   (normal scores, 10 clusters of 2 to 20 items, ICC .6); equal clusters are exact.
4. Binary outcomes in clusters: the score interval whose variance is inflated by the CR2 design effect, with
   Student's t on Satterthwaite degrees of freedom, fewer (to 4) where the cluster residuals have heavy tails
   (`score_clustered`, `score_df`). It is CR2 on the score scale: the same
   width in the middle, but near 0 and 1 its errors are equal on both sides, where the symmetric interval misses
   on one side 5 to 17 % instead of 2.5 % (`benchmarks/stats/interval_coverage.py`), which a directional verdict cannot bear.
5. Binary outcomes in clusters with fewer than 20 effective minority outcomes (count / design effect), or fewer
   than 4 degrees of freedom: the likelihood interval (beta-binomial; Dirichlet-multinomial for pairs), joined
   with the score interval. So few events cannot estimate a design effect. Two groups, either of them so: the
   two groups' own intervals, joined as Newcombe does (`hybrid_clustered`).
6. Binary outcomes without clusters: exact (Clopper-Pearson) for a proportion; for pairs Tango's score interval,
   joined with the exact conditional one when fewer than 10 pairs disagree; for two groups Miettinen-Nurminen.
"""

from leadline.errors import StatisticsError
from leadline.stats.checks import Floats
from leadline.stats.model import Estimate
from leadline.stats.robust import kurtosis_df

#: Below this many clusters no interval is given.
MIN_CLUSTERS = 5
#: Below this many clusters the interval carries a warning.
FEW_CLUSTERS = 10
#: Below this many Satterthwaite degrees of freedom the variance is not usable.
MIN_DF = 4.0
#: Effective minority (or discordant) outcomes below which the likelihood replaces the design effect.
SPARSE = 20.0

#: Discordant pairs, without clusters, below which Tango's interval is joined with the exact conditional one.
FEW_DISCORDANT = 10

_ROUNDING = 1e-9
_ROUNDED = 1e-24


def reason_for(clusters: int, clustered: bool, variance: float, df: float, scale: float) -> str | None:
    """Why a variance-based interval is refused, or None; ``scale`` is the size of the values' squares.

    A standard error below 1e-12 of the scores is rounding, not variation.
    """
    if clustered and clusters < MIN_CLUSTERS:
        return "too_few_clusters"
    if variance <= scale * _ROUNDED or too_few_df(df):
        return "degenerate"
    return None


def score_df(satterthwaite: float, residual: Floats) -> float:
    """Degrees of freedom of the clustered score interval: Satterthwaite's, or what the residuals' kurtosis leaves.

    The kurtosis of few residuals is itself uncertain, so it does not take the count below `MIN_DF`.
    """
    return min(satterthwaite, max(MIN_DF, kurtosis_df(residual)))


def plenty(minority: float, df: float) -> bool:
    """Whether there are enough effective minority outcomes, and Satterthwaite df, for the score interval alone."""
    return minority >= SPARSE and not too_few_df(df)


def too_few_df(df: float) -> bool:
    """Whether the variance is not usable. Five equal clusters have 4 up to rounding, which is enough."""
    return df < MIN_DF - _ROUNDING


def warnings_for(clusters: int, clustered: bool) -> tuple[str, ...]:
    """The warnings that go with this many clusters."""
    return ("few_clusters",) if clustered and clusters < FEW_CLUSTERS else ()


def answer(
    value: float,
    se: float | None,
    interval: tuple[float, float] | None,
    *,
    df: float | None,
    n: int,
    clusters: int,
    clustered: bool,
    level: float,
    method: str,
    reason: str | None = None,
) -> Estimate:
    """The Estimate; an interval of no width becomes ``degenerate``, because it would read as certainty."""
    low, high = interval if interval is not None else (None, None)
    if low is not None and high is not None and not low < high:
        low = high = None
        reason = "degenerate"
    if low is None and reason is None:
        reason = "degenerate"
    return Estimate(
        value=value,
        se=se if se is not None and se > 0.0 else None,
        low=low,
        high=high,
        df=df if df is not None and df > 0.0 else None,
        n=n,
        clusters=clusters if clustered else None,
        level=level,
        method=method,
        reason=reason,
        warnings=warnings_for(clusters, clustered),
    )


def unknown_method(method: str, known: tuple[str, ...]) -> StatisticsError:
    """The error for a method this estimator does not have."""
    return StatisticsError(
        f"unknown method {method!r}", where="method", remedy=f"use one of {', '.join(known)}"
    )


def join(first: tuple[float, float], second: tuple[float, float]) -> tuple[float, float]:
    """The smallest interval that holds both."""
    return min(first[0], second[0]), max(first[1], second[1])
