"""Intervals and tests for paired binary outcomes: b pairs only the first arm gets right, c only the second, of n.

Counts may be fractions in `tango` (effective counts after division by a design effect).
"""

import math

from scipy.special import bdtr, betaincinv

from leadline.errors import StatisticsError
from leadline.stats.checks import level_of
from leadline.stats.quantiles import critical
from leadline.stats.roots import bisect

Interval = tuple[float, float]


def tango(b: float, c: float, n: float, level: float = 0.95) -> Interval:
    """Tango's score interval for the difference (b - c)/n of two paired proportions.

    Source: Tango 1998, Statist. Med. 17, 891-908, section 2. Raises StatisticsError unless b, c >= 0 and
    b + c <= n, n > 0.
    """
    return tango_score(b, c, n, critical(level_of(level)))


def tango_score(b: float, c: float, n: float, z: float) -> Interval:
    """All differences D with |b - c - nD| <= z sqrt(n (2 q(D) + D (1 - D))) for a critical value ``z``.

    q(D) is the constrained maximum-likelihood probability of the second discordant cell.
    """
    b, c, n = _pair_counts(b, c, n)

    def outside(d: float) -> bool:
        big_b = -b - c + (2.0 * n - b + c) * d
        big_c = -c * d * (1.0 - d)
        q = (math.sqrt(max(big_b * big_b - 8.0 * n * big_c, 0.0)) - big_b) / (4.0 * n)
        variance = n * (2.0 * q + d * (1.0 - d))
        return (b - c - n * d) ** 2 > z * z * max(variance, 0.0)

    centre = (b - c) / n
    low = -1.0 if centre <= -1.0 else bisect(outside, centre, -1.0)
    high = 1.0 if centre >= 1.0 else bisect(outside, centre, 1.0)
    return low, high


def mcnemar_exact(b: int, c: int) -> float:
    """The two-sided exact McNemar p-value: twice the smaller Binomial(b + c, 1/2) tail, at most 1.

    1.0 when no pair disagrees. Raises StatisticsError for negative or fractional counts.
    """
    if b != int(b) or c != int(c) or b < 0 or c < 0:
        raise StatisticsError(
            f"discordant counts {b!r}, {c!r} are not whole", where="b, c", remedy="count the discordant pairs"
        )
    discordant = int(b) + int(c)
    if discordant == 0:
        return 1.0
    return min(1.0, 2.0 * float(bdtr(min(int(b), int(c)), discordant, 0.5)))


def conditional(b: float, c: float, n: float, level: float) -> Interval:
    """The exact interval of b/(b + c) given b + c discordant pairs, on the scale of the difference.

    It excludes 0 exactly when `mcnemar_exact` is below 1 - level. Needs b + c > 0.
    """
    b, c, n = _pair_counts(b, c, n)
    tail, share = 0.5 * (1.0 - level_of(level)), (b + c) / n
    low = 0.0 if b == 0 else float(betaincinv(b, c + 1.0, tail))
    high = 1.0 if c == 0 else float(betaincinv(b + 1.0, c, 1.0 - tail))
    return share * (2.0 * low - 1.0), share * (2.0 * high - 1.0)


def _pair_counts(b: float, c: float, n: float) -> tuple[float, float, float]:
    b, c, n = float(b), float(c), float(n)
    if not (math.isfinite(b) and math.isfinite(c) and math.isfinite(n)) or n <= 0 or b < 0 or c < 0:
        raise StatisticsError(
            f"b = {b:g}, c = {c:g}, n = {n:g} are not counts of pairs",
            where="b, c, n",
            remedy="pass counts, n > 0",
        )
    if b + c > n * (1.0 + 1e-12):
        raise StatisticsError(
            f"{b + c:g} discordant pairs among {n:g} pairs", where="b, c, n", remedy="n counts all pairs"
        )
    return b, c, n
