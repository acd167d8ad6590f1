"""Differences of two proportions from different items: score intervals, with and without clusters."""

import math

from leadline.stats import policy, proportion
from leadline.stats.arms import Arms
from leadline.stats.checks import Floats
from leadline.stats.quantiles import critical
from leadline.stats.robust import Robust, cr2, satterthwaite
from leadline.stats.summation import total
from leadline.stats.two_proportions import miettinen_nurminen, miettinen_nurminen_score

#: Interval, degrees of freedom, method.
Answer = tuple[tuple[float, float] | None, float | None, str]


def score_interval(arms: Arms, fit: Robust, level: float, method: str) -> Answer:
    """The interval for "auto", "score_clustered", "hybrid_clustered" or "miettinen_nurminen" (see `unpaired`)."""
    n_a, n_b, k_a, k_b = (total(v) for v in (arms.n_a, arms.n_b, arms.s_a, arms.s_b))
    singles = not arms.clustered or float((arms.n_a + arms.n_b).max()) == 1.0
    if method == "miettinen_nurminen" or (singles and method == "auto"):
        return miettinen_nurminen(k_a, n_a, k_b, n_b, level), None, "miettinen_nurminen"
    effect, minority = _design_effect(fit, (k_a / n_a, k_b / n_b), (n_a, n_b))
    weakest = min(_arm_df(arms.n_a), _arm_df(arms.n_b))
    if method == "hybrid_clustered" or (method == "auto" and not policy.plenty(minority, weakest)):
        return _hybrid(arms, fit, level)
    if policy.too_few_df(fit.df):
        return None, fit.df, "score_clustered"
    residual = (arms.s_a - arms.n_a * k_a / n_a) / n_a - (arms.s_b - arms.n_b * k_b / n_b) / n_b
    df = policy.score_df(fit.df, residual)
    counts = (k_a / effect, n_a / effect, k_b / effect, n_b / effect)
    return miettinen_nurminen_score(*counts, critical(level, df)), df, "score_clustered"


def _design_effect(fit: Robust, p: tuple[float, float], n: tuple[float, float]) -> tuple[float, float]:
    """CR2 variance over that of independent items, at least 1, and twice the smaller arm's effective minority."""
    spread = p[0] * (1.0 - p[0]) / n[0] + p[1] * (1.0 - p[1]) / n[1]
    if spread <= 0.0:
        return 1.0, 0.0
    effect = max(1.0, fit.variance / spread)
    return effect, 2.0 * min(min(q, 1.0 - q) * size for q, size in zip(p, n, strict=True)) / effect


def _arm_df(n: Floats) -> float:
    own = n[n > 0.0]
    return satterthwaite(own) if own.size > 1 else 0.0


def _hybrid(arms: Arms, fit: Robust, level: float) -> Answer:
    """Newcombe's way of joining the two arms' own intervals, each by the rules for a single proportion.

    Zou and Donner 2008, Statist. Med. 27, 1693-1702 (MOVER). Arms that share clusters usually vary together, and
    leaving that out widens; where they vary against each other the interval is widened by as much as CR2 is.
    """
    first, second = (proportion.of_sums(arms.arm(which), level, "auto") for which in (True, False))
    if first.low is None or first.high is None or second.low is None or second.high is None:
        return None, fit.df, "hybrid_clustered"
    apart = sum(cr2(arm.n, arm.total).variance for arm in (arms.arm(True), arms.arm(False)))
    wider = math.sqrt(max(1.0, fit.variance / apart)) if apart > 0.0 else 1.0
    d = first.value - second.value
    low = d - wider * math.hypot(first.value - first.low, second.high - second.value)
    high = d + wider * math.hypot(first.high - first.value, second.value - second.low)
    return (max(low, -1.0), min(high, 1.0)), fit.df, "hybrid_clustered"
