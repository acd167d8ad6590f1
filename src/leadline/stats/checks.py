"""Validation at the door: what every estimator demands of its arrays and its level."""

import math
from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from leadline.errors import StatisticsError

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]

#: Largest magnitude accepted, so that sums of squares stay far from overflow.
LARGEST = 1e100


def sample(x: ArrayLike, name: str = "x") -> Floats:
    """The values as a one-dimensional float64 array; refuses empty, non-numeric and non-finite input."""
    try:
        values = np.asarray(x, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise StatisticsError(
            f"{name} holds values that are not numbers",
            where=name,
            remedy="map every score to a number before estimating, and drop missing ones by a registered rule",
        ) from error
    if values.ndim != 1:
        raise StatisticsError(
            f"{name} has {values.ndim} dimensions, one is needed",
            where=name,
            remedy="pass one value per item",
        )
    if values.size == 0:
        raise StatisticsError(
            f"{name} is empty: no item is left to estimate from",
            where=name,
            remedy="check the sample filter and the exclusions",
        )
    # Two passes without a temporary array decide the ordinary case: NaN and infinity reach the ends.
    largest = max(abs(float(values.min())), abs(float(values.max())))
    if not largest <= LARGEST:
        raise _unusable(values, name)
    return values


def _unusable(values: Floats, name: str) -> StatisticsError:
    bad = ~np.isfinite(values)
    if bad.any():
        return StatisticsError(
            f"{name} holds {int(bad.sum())} value(s) that are not finite, the first at index {int(bad.argmax())}",
            where=name,
            remedy="decide by a registered data rule what a missing score counts as",
        )
    return StatisticsError(
        f"{name} holds a value beyond {LARGEST:g}, whose square cannot be represented",
        where=name,
        remedy="express the measure in a larger unit",
    )


def level_of(level: float) -> float:
    """The confidence level, strictly between 0 and 1."""
    level = float(level)
    if not 0.0 < level < 1.0:
        raise StatisticsError(
            f"confidence level {level!r} is not between 0 and 1",
            where="level",
            remedy="give a fraction such as 0.95",
        )
    return level


def counts_of(k: float, n: float) -> tuple[float, float]:
    """Successes and trials, ``0 <= k <= n`` and ``n > 0``; fractions are allowed (effective counts)."""
    k, n = float(k), float(n)
    if not (math.isfinite(k) and math.isfinite(n)):
        raise StatisticsError("counts must be finite", where="k, n", remedy="pass numbers, not NaN")
    if n <= 0:
        raise StatisticsError("there are no trials (n = 0)", where="n", remedy="check the sample filter")
    if not 0 <= k <= n:
        raise StatisticsError(
            f"{k:g} successes in {n:g} trials is impossible", where="k", remedy="k must lie between 0 and n"
        )
    return k, n


def same_length(name_a: str, a: Floats, name_b: str, size_b: int) -> None:
    """Refuse two arrays that should describe the same items and do not."""
    if a.size != size_b:
        raise StatisticsError(
            f"{name_a} has {a.size} items and {name_b} has {size_b}",
            where=name_b,
            remedy="pass one entry per item, in the same order in both",
        )


def is_binary(x: Floats) -> bool:
    """Whether every value is exactly 0 or 1."""
    return bool(np.all((x == 0.0) | (x == 1.0)))


def encode(cluster: ArrayLike | Sequence[Hashable], size: int) -> tuple[Codes, int]:
    """Cluster keys as codes 0..C-1 in sorted key order, and C; independent of the order of the rows.

    Keys may be integers, strings, or anything hashable and mutually sortable; a missing key is refused,
    because an item without a cluster would silently become independent.
    """
    keys: NDArray[Any] = np.asarray(cluster)
    if keys.ndim != 1 or keys.size != size:
        raise StatisticsError(
            f"cluster has shape {keys.shape}, {size} keys are needed",
            where="cluster",
            remedy="pass one cluster key per item",
        )
    if keys.dtype.kind == "b":
        keys = keys.astype(np.int64)
    if keys.dtype.kind in "iu":
        return _encode_integers(keys)
    if keys.dtype.kind == "f":
        if not np.isfinite(keys).all():
            raise _missing_key()
        uniques, codes = np.unique(keys, return_inverse=True)
        return codes.astype(np.int64), int(uniques.size)
    return _encode_objects(keys.tolist())


def _encode_integers(keys: NDArray[Any]) -> tuple[Codes, int]:
    low, high = int(keys.min()), int(keys.max())
    span = high - low + 1
    if span <= 4 * keys.size + 1024:
        shifted: Codes = (keys.astype(np.int64) - low) if low else keys.astype(np.int64, copy=False)
        present = np.bincount(shifted, minlength=span) > 0
        if present.all():
            return shifted, span
        rank = np.cumsum(present, dtype=np.int64) - 1
        return rank[shifted], int(rank[-1]) + 1
    uniques, codes = np.unique(keys, return_inverse=True)
    return codes.astype(np.int64), int(uniques.size)


def _encode_objects(keys: list[Any]) -> tuple[Codes, int]:
    if any(key is None or key != key for key in set(keys)):
        raise _missing_key()
    try:
        order = {key: code for code, key in enumerate(sorted(set(keys)))}
    except TypeError as error:
        raise StatisticsError(
            "cluster keys of different types cannot be put in order",
            where="cluster",
            remedy="use one type for all keys, for example strings",
        ) from error
    return np.fromiter((order[key] for key in keys), dtype=np.int64, count=len(keys)), len(order)


def _missing_key() -> StatisticsError:
    return StatisticsError(
        "a cluster key is missing",
        where="cluster",
        remedy="give every item a cluster key, or leave items without one out by a registered rule",
    )
