"""Two arms with different items, as sums over the union of their clusters."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from leadline.errors import StatisticsError
from leadline.stats.checks import Floats, encode, same_length
from leadline.stats.clusters import ClusterSums
from leadline.stats.robust import Robust, cr1_two, cr2_two
from leadline.stats.summation import group_totals, total

Keys = ArrayLike | Sequence[Hashable] | None


@dataclass(frozen=True, slots=True, eq=False)
class Arms:
    """Both arms' sizes and sums over the union of clusters, in key order (zeros where an arm is absent)."""

    n_a: Floats
    s_a: Floats
    n_b: Floats
    s_b: Floats
    clustered: bool

    @property
    def smaller(self) -> int:
        """Clusters in the arm that has fewer."""
        return int(min(np.count_nonzero(self.n_a), np.count_nonzero(self.n_b)))

    @property
    def items(self) -> int:
        """Number of items in both arms together."""
        return int(self.n_a.sum() + self.n_b.sum())

    def arm(self, first: bool) -> ClusterSums:
        """One arm's sums over the clusters it has; for 0/1 outcomes, whose squares are themselves."""
        n, s = (self.n_a, self.s_a) if first else (self.n_b, self.s_b)
        own = n > 0.0
        return ClusterSums(n[own], s[own], s[own], self.clustered)


def arms_of(x: Floats, y: Floats, cluster_a: Keys, cluster_b: Keys, shared: bool | None) -> Arms:
    """Sum both arms by cluster; ``shared`` as in `leadline.stats.unpaired.difference`."""
    if (cluster_a is None) != (cluster_b is None):
        raise StatisticsError(
            "clusters are given for one arm only",
            where="cluster_a, cluster_b",
            remedy="give both, or neither",
        )
    if cluster_a is None or cluster_b is None:
        x, y = np.sort(x), np.sort(y)
        ones, none = np.ones(x.size), np.zeros(y.size)
        return Arms(
            np.concatenate((ones, none)),
            np.concatenate((x, none)),
            np.concatenate((np.zeros(x.size), np.ones(y.size))),
            np.concatenate((np.zeros(x.size), y)),
            False,
        )
    keys_a, keys_b = np.asarray(cluster_a), np.asarray(cluster_b)
    same_length("a", x, "cluster_a", keys_a.size)
    same_length("b", y, "cluster_b", keys_b.size)
    if shared is False:
        code_a, count_a = encode(keys_a, x.size)
        code_b, count_b = encode(keys_b, y.size)
        code_b, count = code_b + count_a, count_a + count_b
    else:
        both = (
            np.concatenate((keys_a, keys_b))
            if keys_a.dtype.kind == keys_b.dtype.kind
            else np.array([*keys_a.tolist(), *keys_b.tolist()], dtype=object)
        )
        codes, count = encode(both, both.size)
        code_a, code_b = codes[: x.size], codes[x.size :]
        if shared and not np.intersect1d(code_a, code_b).size:
            raise StatisticsError(
                "the arms share no cluster",
                where="cluster_a, cluster_b",
                remedy="check the cluster key, or drop shared_clusters=True",
            )
    sizes = [np.bincount(code, minlength=count).astype(np.float64) for code in (code_a, code_b)]
    return Arms(sizes[0], group_totals(x, code_a, count), sizes[1], group_totals(y, code_b, count), True)


def contrast(arms: Arms, method: str) -> Robust:
    """The difference of means with its CR1 or CR2 variance; nothing is identified from a single cluster."""
    if arms.n_a.size < 2:
        value = total(arms.s_a) / total(arms.n_a) - total(arms.s_b) / total(arms.n_b)
        return Robust(value, 0.0, 0.0)
    return (cr1_two if method == "cr1" else cr2_two)(arms.n_a, arms.s_a, arms.n_b, arms.s_b)
