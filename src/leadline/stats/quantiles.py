"""Quantiles of the reference distributions, from scipy.special (no scipy.stats: it costs two seconds)."""

import math

from scipy.special import ndtr, ndtri, stdtr, stdtrit


def normal_cdf(x: float) -> float:
    """P(Z <= x)."""
    return float(ndtr(x))


def normal_quantile(p: float) -> float:
    """z with P(Z <= z) = p."""
    return float(ndtri(p))


def t_cdf(df: float | None, x: float) -> float:
    """P(T <= x) for Student's t; ``df=None`` or infinity is the normal."""
    if df is None or math.isinf(df):
        return normal_cdf(x)
    return float(stdtr(df, x))


def t_quantile(df: float | None, p: float) -> float:
    """The p-quantile of Student's t; ``df=None`` or infinity is the normal."""
    if df is None or math.isinf(df):
        return normal_quantile(p)
    return float(stdtrit(df, p))


def critical(level: float, df: float | None = None) -> float:
    """The two-sided critical value at ``level``: the (1 + level)/2 quantile of t (or the normal)."""
    return t_quantile(df, 0.5 + 0.5 * level)
