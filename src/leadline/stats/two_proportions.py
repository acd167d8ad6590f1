"""Score intervals for the difference of two independent proportions; counts may be fractions (effective)."""

import math

from leadline.stats.checks import counts_of, level_of
from leadline.stats.intervals import score
from leadline.stats.quantiles import critical
from leadline.stats.roots import bisect

Interval = tuple[float, float]


def newcombe(k_a: float, n_a: float, k_b: float, n_b: float, level: float = 0.95) -> Interval:
    """Newcombe's hybrid score interval for p_a - p_b, from the two Wilson intervals.

    Source: Newcombe 1998, Statist. Med. 17, 873-890, method 10.
    """
    z = critical(level_of(level))
    (k_a, n_a), (k_b, n_b) = counts_of(k_a, n_a), counts_of(k_b, n_b)
    p_a, p_b = k_a / n_a, k_b / n_b
    (low_a, high_a), (low_b, high_b) = score(p_a, n_a, z), score(p_b, n_b, z)
    d = p_a - p_b
    return d - math.hypot(p_a - low_a, high_b - p_b), d + math.hypot(high_a - p_a, p_b - low_b)


def miettinen_nurminen(k_a: float, n_a: float, k_b: float, n_b: float, level: float = 0.95) -> Interval:
    """The score interval of Miettinen and Nurminen for p_a - p_b.

    Source: Miettinen and Nurminen 1985, Statist. Med. 4, 213-226 (with their factor N/(N - 1)).
    """
    return miettinen_nurminen_score(k_a, n_a, k_b, n_b, critical(level_of(level)))


def miettinen_nurminen_score(k_a: float, n_a: float, k_b: float, n_b: float, z: float) -> Interval:
    """All differences whose score statistic is within ``z``; see `miettinen_nurminen`."""
    (k_a, n_a), (k_b, n_b) = counts_of(k_a, n_a), counts_of(k_b, n_b)
    p_a, p_b = k_a / n_a, k_b / n_b
    centre, size = p_a - p_b, n_a + n_b
    factor = size / (size - 1.0) if size > 1.0 else 1.0

    def outside(d: float) -> bool:
        q_b = _restricted(k_a, n_a, k_b, n_b, d)
        q_a = q_b + d
        variance = (q_a * (1.0 - q_a) / n_a + q_b * (1.0 - q_b) / n_b) * factor
        return (centre - d) ** 2 > z * z * max(variance, 0.0)

    low = -1.0 if centre <= -1.0 else bisect(outside, centre, -1.0)
    high = 1.0 if centre >= 1.0 else bisect(outside, centre, 1.0)
    return low, high


def _restricted(k_a: float, n_a: float, k_b: float, n_b: float, d: float) -> float:
    """The maximum-likelihood p_b under p_a = p_b + d: the log-likelihood is concave, so its slope has one root.

    Newton's steps, kept inside a bracket that shrinks with every evaluation.
    """
    low, high = max(0.0, -d), min(1.0, 1.0 - d)
    q = (k_a + k_b - n_a * d) / (n_a + n_b)
    for _ in range(60):
        if not low < q < high:
            q = 0.5 * (low + high)
        p = q + d
        terms = ((k_a, p), (k_b, q), (k_a - n_a, 1.0 - p), (k_b - n_b, 1.0 - q))
        slope = sum(_term(count, share) for count, share in terms)
        if slope > 0.0:
            low = q
        else:
            high = q
        curvature = sum(abs(_term(count, share)) / share for count, share in terms if share > 0.0)
        step = slope / curvature if 0.0 < curvature < math.inf else math.nan
        if abs(step) <= 1e-15:
            break
        q += step
    return min(max(q, low), high)


def _term(count: float, p: float) -> float:
    if count == 0.0:
        return 0.0
    return count / p if p > 0.0 else math.copysign(math.inf, count)
