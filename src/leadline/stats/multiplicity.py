"""p-values adjusted for a family of hypotheses, in the order given."""

import numpy as np
from numpy.typing import ArrayLike

from leadline.errors import StatisticsError
from leadline.stats.checks import Floats, sample


def holm(p: ArrayLike) -> Floats:
    """Holm's step-down adjusted p-values (familywise error, any dependence); shape of ``p``.

    Source: Holm 1979, Scand. J. Statist. 6, 65-70. Raises StatisticsError for values outside [0, 1].
    """
    values = _p_values(p)
    order = np.argsort(values, kind="stable")
    m = values.size
    scaled = np.minimum(1.0, (m - np.arange(m)) * values[order])
    return _restore(np.maximum.accumulate(scaled), order)


def bh(p: ArrayLike) -> Floats:
    """Benjamini-Hochberg adjusted p-values (false discovery rate, independence); shape of ``p``.

    Source: Benjamini and Hochberg 1995, J. R. Statist. Soc. B 57, 289-300.
    """
    return _step_up(_p_values(p), 1.0)


def by(p: ArrayLike) -> Floats:
    """Benjamini-Yekutieli adjusted p-values (false discovery rate, any dependence); shape of ``p``.

    Source: Benjamini and Yekutieli 2001, Ann. Statist. 29, 1165-1188, theorem 1.3.
    """
    values = _p_values(p)
    return _step_up(values, float(np.add.reduce(1.0 / np.arange(1, values.size + 1))))


def _step_up(values: Floats, factor: float) -> Floats:
    order = np.argsort(values, kind="stable")
    m = values.size
    scaled = np.minimum(1.0, factor * m / np.arange(1, m + 1) * values[order])
    return _restore(np.minimum.accumulate(scaled[::-1])[::-1], order)


def _restore(adjusted: Floats, order: np.ndarray[tuple[int], np.dtype[np.intp]]) -> Floats:
    out = np.empty_like(adjusted)
    out[order] = adjusted
    return out


def _p_values(p: ArrayLike) -> Floats:
    values = sample(p, "p")
    if bool(np.any((values < 0.0) | (values > 1.0))):
        raise StatisticsError("a p-value lies outside [0, 1]", where="p", remedy="pass unadjusted p-values")
    return values
