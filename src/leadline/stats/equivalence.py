"""Two one-sided tests: is the effect inside the equivalence band?"""

from dataclasses import dataclass

from leadline.errors import StatisticsError
from leadline.stats.quantiles import t_cdf


@dataclass(frozen=True, slots=True)
class Tost:
    """The p-values against "at or below the band", "at or above the band", and "outside" (their maximum)."""

    p_lower: float
    p_upper: float
    p: float


def tost(value: float, se: float, low: float, high: float, df: float | None = None) -> Tost:
    """Schuirmann's two one-sided tests of low < effect < high; ``p < alpha`` is equivalence at alpha.

    ``value`` and ``se`` share the band's unit; ``df=None`` uses the normal. Equivalent to the 1 - 2 alpha
    interval lying inside the band. Source: Schuirmann 1987, J. Pharmacokinet. Biopharm. 15, 657-680.
    Raises StatisticsError for a standard error that is not positive, or a band that is empty.
    """
    if not se > 0.0:
        raise StatisticsError(
            f"standard error {se!r} is not positive",
            where="se",
            remedy="an estimate without a standard error is judged by its interval, not by this test",
        )
    if not low < high:
        raise StatisticsError(
            f"the band ({low:g}, {high:g}) is empty", where="low, high", remedy="give low < high"
        )
    p_lower = t_cdf(df, -(value - low) / se)
    p_upper = t_cdf(df, (value - high) / se)
    return Tost(p_lower, p_upper, max(p_lower, p_upper))
