"""Power, sample size, and what a study of this size could have found. Effects and errors share one unit."""

import math
from dataclasses import dataclass
from typing import Literal

from scipy.special import nctdtr

from leadline.errors import StatisticsError
from leadline.stats.quantiles import critical, normal_cdf, normal_quantile, t_quantile

ClaimKind = Literal["greater", "at_least", "differs", "no_worse", "equivalent"]


@dataclass(frozen=True, slots=True)
class VerdictProbabilities:
    """The chance of each outcome of the decision table; they sum to one."""

    null: float
    supported: float
    refuted: float
    inconclusive: float


def probability_of_verdict(
    kind: ClaimKind, effect: float, se: float, d: float, m: float = 0.0, level: float = 0.95
) -> VerdictProbabilities:
    """Normal-theory probabilities of the outcomes of a claim when the true effect is ``effect``.

    ``se`` is the standard error, ``d`` > 0 the smallest effect of interest, ``m`` the margin of ``greater``
    (0 <= m < d); wide intervals are at ``level``, narrow ones at 2 level - 1. The first outcome that matches
    wins, in the order null, supported, refuted. Raises StatisticsError for impossible arguments.
    """
    _positive(se, "se")
    _positive(d, "d")
    if not 0.5 < level < 1.0:
        raise StatisticsError(f"level {level!r} is not in (0.5, 1)", where="level", remedy="give e.g. 0.95")
    if kind == "greater" and not 0.0 <= m < d:
        raise StatisticsError(f"margin {m:g} is not in [0, d = {d:g})", where="m", remedy="0 <= m < d")
    wide, narrow = critical(level) * se, normal_quantile(level) * se
    inner = max(d - narrow, 0.0)
    inside = (-inner, inner)
    null, supported, refuted = _regions(kind, d, m, wide, inside)
    mass = [_mass(regions, effect, se) for regions in (null, supported, refuted)]
    mass[1] -= _overlap(null, supported, effect, se)
    mass[2] -= _overlap(null, refuted, effect, se)
    return VerdictProbabilities(mass[0], mass[1], mass[2], max(0.0, 1.0 - sum(mass)))


_Region = tuple[float, float]


def _regions(
    kind: ClaimKind, d: float, m: float, wide: float, inside: _Region
) -> tuple[list[_Region], list[_Region], list[_Region]]:
    """Where the estimate must fall for null, supported and refuted, before the order of precedence."""
    if kind in ("greater", "at_least"):
        boundary = m if kind == "greater" else d
        return [inside], [(boundary + wide, math.inf)], [(-math.inf, boundary - wide)]
    if kind == "differs":
        return [inside], [(-math.inf, -wide), (wide, math.inf)], []
    if kind == "no_worse":
        return [], [(-d + wide, math.inf)], [(-math.inf, -d - wide)]
    if kind == "equivalent":
        return [], [inside], [(-math.inf, -d - wide), (d + wide, math.inf)]
    raise StatisticsError(
        f"unknown claim kind {kind!r}",
        where="kind",
        remedy="use greater, at_least, differs, no_worse or equivalent",
    )


def _mass(regions: list[_Region], effect: float, se: float) -> float:
    return sum(_between(low, high, effect, se) for low, high in regions)


def _overlap(first: list[_Region], second: list[_Region], effect: float, se: float) -> float:
    pairs = [(max(a, c), min(b, d)) for a, b in first for c, d in second]
    return _mass([pair for pair in pairs if pair[0] < pair[1]], effect, se)


def _between(low: float, high: float, effect: float, se: float) -> float:
    if not low < high:
        return 0.0
    return normal_cdf((high - effect) / se) - normal_cdf((low - effect) / se)


def power_paired(
    d: float,
    sd: float,
    n: int,
    level: float = 0.95,
    *,
    clusters: int | None = None,
    design_effect: float = 1.0,
) -> float:
    """The chance that a paired difference of truth ``d`` > 0 has a lower limit above 0.

    ``sd`` is the standard deviation of the per-item differences, ``n`` the pairs; with ``clusters`` the test
    uses clusters - 1 degrees of freedom and the variance is multiplied by ``design_effect``
    (1 + (items per cluster - 1) ICC). Noncentral t, exact for normal differences.
    """
    _positive(sd, "sd")
    _positive(design_effect, "design_effect")
    units = n if clusters is None else clusters
    if units < 2 or n < units:
        raise StatisticsError(
            f"{n} pairs in {units} clusters give no variance",
            where="n",
            remedy="at least two clusters are needed",
        )
    df = units - 1.0
    return 1.0 - float(nctdtr(df, d / (sd * math.sqrt(design_effect / n)), t_quantile(df, 0.5 + 0.5 * level)))


def sample_size(
    d: float,
    omega2: float,
    var_a: float = 0.0,
    var_b: float = 0.0,
    k_a: float = 1,
    k_b: float = 1,
    *,
    level: float = 0.95,
    power: float = 0.8,
    design_effect: float = 1.0,
) -> int:
    """Items needed to detect a paired difference ``d``, rounded up.

    ``omega2`` is the variance over items of the conditional mean difference; ``var_a``, ``var_b`` the
    within-item variances of the arms, each sampled ``k_a``, ``k_b`` times (math.inf: no sampling noise).
    n = (z_{alpha/2} + z_beta)^2 (omega2 + var_a/k_a + var_b/k_b) / d^2, from Miller 2024 (arXiv 2411.00640),
    section 5, times ``design_effect``.
    """
    if d == 0.0 or not math.isfinite(d):
        raise StatisticsError(
            "no sample detects an effect of zero", where="d", remedy="give the smallest effect of interest"
        )
    variance = (omega2 + var_a / k_a + var_b / k_b) * design_effect
    _positive(variance, "variance")
    return math.ceil((critical(level) + normal_quantile(power)) ** 2 * variance / (d * d) - 1e-9)


def detectable(se: float, level: float = 0.95, power: float = 0.8, df: float | None = None) -> float:
    """The smallest true effect a study with this standard error finds with the given power (same unit as ``se``)."""
    _positive(se, "se")
    return (critical(level, df) + t_quantile(df, power)) * se


def _positive(x: float, name: str) -> None:
    if not (math.isfinite(x) and x > 0.0):
        raise StatisticsError(
            f"{name} = {x!r} is not a positive number", where=name, remedy=f"give {name} > 0"
        )
