"""Cluster sufficient statistics: what estimators read instead of rows.

Everything after this file costs O(clusters), not O(rows), and cannot depend on the order of the rows:
keys are sorted and sums are exact (`leadline.stats.summation`).
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from leadline.stats.checks import Codes, Floats, encode, same_length, sample
from leadline.stats.summation import group_totals, total


@dataclass(frozen=True, slots=True, eq=False)
class ClusterSums:
    """Per-cluster item count, sum and sum of squares, in sorted key order (each of shape (C,)).

    ``squares`` is None where they were not asked for. ``clustered`` is False when no key was given and every item is its own cluster.
    """

    n: Floats
    total: Floats
    squares: Floats | None
    clustered: bool

    @classmethod
    def of(
        cls,
        values: ArrayLike,
        cluster: ArrayLike | Sequence[Hashable] | None = None,
        *,
        squares: bool = True,
    ) -> "ClusterSums":
        """Sum ``values`` (shape (N,)) within ``cluster`` (N keys, or None: items are independent).

        ``squares=False`` leaves the sums of squares out: cluster-robust variances do not need them.
        """
        x = sample(values, "values")
        if cluster is None:
            x = np.sort(x)
            return cls(np.ones(x.size), x, x * x if squares else None, False)
        codes, count = encode(cluster, x.size)
        sums = group_totals(x, codes, count)
        if not squares:
            return cls(_sizes(codes, count), sums, None, True)
        return cls(
            _sizes(codes, count), sums, sums if _zero_one(x) else group_totals(x * x, codes, count), True
        )

    @property
    def items(self) -> int:
        """Number of items over all clusters."""
        return int(self.n.sum())

    @property
    def count(self) -> int:
        """Number of clusters (of items, when unclustered)."""
        return int(self.n.size)


@dataclass(frozen=True, slots=True, eq=False)
class PairSums:
    """Per-cluster pair count, both arms' sums and squares, and cross products (each of shape (C,))."""

    n: Floats
    a: Floats
    b: Floats
    aa: Floats
    bb: Floats
    ab: Floats
    clustered: bool

    @classmethod
    def of(
        cls, a: ArrayLike, b: ArrayLike, cluster: ArrayLike | Sequence[Hashable] | None = None
    ) -> "PairSums":
        """Sum the paired arms ``a`` and ``b`` (item i in both, shape (N,)) within ``cluster``."""
        x, y = sample(a, "a"), sample(b, "b")
        same_length("a", x, "b", y.size)
        if cluster is None:
            order = np.lexsort((y, x))
            x, y = x[order], y[order]
            return cls(np.ones(x.size), x, y, x * x, y * y, x * y, False)
        codes, count = encode(cluster, x.size)
        sum_x, sum_y = group_totals(x, codes, count), group_totals(y, codes, count)
        return cls(
            _sizes(codes, count),
            sum_x,
            sum_y,
            sum_x if _zero_one(x) else group_totals(x * x, codes, count),
            sum_y if _zero_one(y) else group_totals(y * y, codes, count),
            group_totals(x * y, codes, count),
            True,
        )

    def difference(self) -> ClusterSums:
        """The sums of a - b."""
        return ClusterSums(
            self.n, self.a - self.b, np.maximum(self.aa - 2.0 * self.ab + self.bb, 0.0), self.clustered
        )

    @property
    def items(self) -> int:
        """Number of pairs over all clusters."""
        return int(self.n.sum())


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """Distinct rows of cluster statistics and how many clusters share each.

    ``columns`` has shape (K, k), rows in lexicographic order; ``multiplicity`` has shape (K,).
    """

    columns: Floats
    multiplicity: Codes


def collapse(*columns: Floats) -> Cells:
    """Group clusters whose statistics are identical: independent paired binary items become four cells."""
    table = np.column_stack(columns)
    order = np.lexsort(table.T[::-1])
    table = table[order]
    first = np.ones(len(table), dtype=bool)
    first[1:] = (table[1:] != table[:-1]).any(axis=1)
    starts = np.flatnonzero(first)
    multiplicity = np.diff(np.append(starts, len(table))).astype(np.int64)
    return Cells(np.ascontiguousarray(table[starts]), multiplicity)


def effective_clusters(n: Floats) -> float:
    """(sum n)^2 / sum n^2: the number of equal clusters that would weigh the same (Kish 1965)."""
    return total(n) ** 2 / total(n * n)


def _sizes(codes: Codes, count: int) -> Floats:
    return np.bincount(codes, minlength=count).astype(np.float64)


def _zero_one(x: Floats) -> bool:
    return bool(np.all(x * x == x))
