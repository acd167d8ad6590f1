"""The multinomial cluster bootstrap: deterministic, and independent of threads, batches and instruction set.

Replicate i draws C clusters with replacement; its random numbers come from its own range of Philox counters
(key from the seed), so any replicate can be computed alone. Cluster statistics are rounded to 64-bit fixed
point (2^-40 of the largest, exact for small integers) and added as integers, so that the compiled path, the
NumPy path and every order of addition give the same bits.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leadline.errors import StatisticsError
from leadline.stats.checks import Floats, level_of
from leadline.stats.clusters import Cells, collapse
from leadline.stats.kernels import draw_cells, draw_sums
from leadline.stats.rng import key_of
from leadline.stats.summation import total

#: Clusters per distinct cell above which drawing cell counts beats drawing clusters one by one.
_COLLAPSE = 64
_FRACTION_BITS = 40

Statistic = Callable[[Floats], Floats]


@dataclass(frozen=True, slots=True, eq=False)
class Replicates:
    """Bootstrap column totals (shape (B, k)), in replicate order, and the totals of the data (shape (k,))."""

    totals: Floats
    observed: Floats
    clusters: int


def cluster_bootstrap(
    sums: Floats | tuple[Floats, ...],
    statistic: Statistic | None = None,
    replicates: int = 2000,
    seed: bytes | str | int = b"",
    *,
    label: bytes | str = b"",
    use_numba: bool | None = None,
) -> Floats:
    """Bootstrap distribution of a statistic of per-cluster sums; shape (replicates,), in replicate order.

    Parameters
    ----------
    sums: per-cluster statistics, shape (C, k), or k arrays of shape (C,).
    statistic: from totals of shape (B, k) to values of shape (B,); None: column 1 / column 0.
    replicates: B, at least 100.
    seed, label: key the random stream: the plan's digest and the analysis id.
    use_numba: None uses the compiled kernel when numba is installed; both give the same numbers.

    Raises StatisticsError for fewer than two clusters, non-finite sums, or a statistic that is not finite.
    """
    drawn = resample(sums, replicates, seed, label=label, use_numba=use_numba)
    values = np.asarray((statistic or _ratio)(drawn.totals), dtype=np.float64)
    if values.shape != (replicates,) or not np.isfinite(values).all():
        raise StatisticsError(
            "the bootstrapped statistic is not defined in every replicate",
            where="statistic",
            remedy="the data are too sparse for a bootstrap; use a score interval (method='auto')",
        )
    return values


def resample(
    sums: Floats | tuple[Floats, ...],
    replicates: int = 2000,
    seed: bytes | str | int = b"",
    *,
    label: bytes | str = b"",
    use_numba: bool | None = None,
) -> Replicates:
    """Totals over C clusters drawn with replacement, for every replicate; arguments as in `cluster_bootstrap`."""
    columns = np.ascontiguousarray(
        np.column_stack(sums) if isinstance(sums, tuple) else sums, dtype=np.float64
    )
    clusters = len(columns)
    if columns.ndim != 2 or clusters < 2 or not np.isfinite(columns).all():
        raise StatisticsError(
            f"cannot resample cluster sums of shape {columns.shape}",
            where="sums",
            remedy="pass finite per-cluster sums of at least two clusters",
        )
    if replicates < 100:
        raise StatisticsError(
            f"{replicates} replicates do not reach the tails", where="replicates", remedy="use at least 100"
        )
    fixed, scale = _fixed_point(columns)
    key = key_of(seed, label)
    cells = _cells_if_few(fixed)
    if cells is not None:
        table, multiplicity = cells
        sums_fixed = draw_cells(table, multiplicity, replicates, key)
    else:
        sums_fixed = draw_sums(fixed, replicates, key, use_numba=use_numba)
    return Replicates(sums_fixed * scale, fixed.sum(axis=0) * scale, clusters)


def percentile(values: Floats, value: float, level: float = 0.95) -> tuple[float, float]:
    """The percentile interval: order statistics (B + 1) alpha/2 and its mirror (Davison and Hinkley 1997, 5.3.1).

    ``value`` is the estimate on the data; the interval is widened to hold it if it does not.
    """
    low, high = _order_statistics(values, level_of(level))
    return min(low, value), max(high, value)


def studentized(t: Floats, value: float, se: float, level: float = 0.95) -> tuple[float, float]:
    """The bootstrap-t interval from studentized replicates (Davison and Hinkley 1997, 5.2.1)."""
    low, high = _order_statistics(t, level_of(level))
    return value - high * se, value - low * se


def _order_statistics(values: Floats, level: float) -> tuple[float, float]:
    ordered = np.sort(values)
    count = ordered.size
    tail = max(1, math.floor((count + 1) * 0.5 * (1.0 - level) + 1e-9))
    return float(ordered[tail - 1]), float(ordered[count - tail])


def _ratio(totals: Floats) -> Floats:
    ratio: Floats = totals[:, 1] / totals[:, 0]
    return ratio


def _fixed_point(columns: Floats) -> tuple[NDArray[np.int64], Floats]:
    """Columns as int64 and the unit of each; powers of two, so that small integers are exact."""
    # The totals of C clusters must stay below 2^53, where sums of doubles are exact in any order.
    bits = min(_FRACTION_BITS, 52 - len(columns).bit_length())
    largest = np.abs(columns).max(axis=0)
    whole = (columns == np.rint(columns)).all(axis=0) & (largest < 2.0**bits)
    exponent = np.frexp(np.where(largest > 0.0, largest, 1.0))[1] - bits
    scale: Floats = np.ldexp(1.0, np.where(whole, 0, exponent))
    return np.rint(columns / scale).astype(np.int64), scale


def _cells_if_few(fixed: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]] | None:
    """Distinct rows and their multiplicities, when there are few enough to draw cell counts instead."""
    probe = fixed[: 4 * _COLLAPSE]
    if len(fixed) > 4 * _COLLAPSE and len(np.unique(probe, axis=0)) > len(probe) // 2:
        return None
    cells: Cells = collapse(*(fixed[:, j].astype(np.float64) for j in range(fixed.shape[1])))
    if len(cells.multiplicity) * _COLLAPSE > len(fixed):
        return None
    return cells.columns.astype(np.int64), cells.multiplicity


def mean_interval(
    n: Floats,
    s: Floats,
    level: float,
    replicates: int,
    seed: bytes | str | int,
    *,
    studentize: bool,
    label: bytes | str = b"mean",
) -> tuple[float, float] | None:
    """Bootstrap interval of sum(s)/sum(n): bootstrap-t with CR1, or percentile; None when it is not identified."""
    size, clusters = total(n), len(n)
    value = total(s) / size
    if not studentize:
        drawn = resample((n, s), replicates, seed, label=label).totals
        return percentile(drawn[:, 1] / drawn[:, 0], value, level)
    r = s - n * value
    drawn = resample((n, r, r * r, r * n, n * n), replicates, seed, label=label).totals
    weight, sums, rr, rn, nn = drawn.T
    shift = sums / weight
    factor = clusters / (clusters - 1.0)
    se = math.sqrt(factor * total(r * r)) / size
    spread = np.sqrt(factor * np.maximum(rr - 2.0 * shift * rn + shift**2 * nn, 0.0)) / weight
    tiny = spread <= 1e-9 * se
    t = np.where(tiny, np.copysign(np.inf, shift), shift / np.where(tiny, 1.0, spread))
    low, high = studentized(t, value, se, level)
    return (low, high) if math.isfinite(low) and math.isfinite(high) else None
