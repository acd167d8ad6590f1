"""Speed of the paired analysis: one million pairs in 20,000 clusters, 2,000 bootstrap replicates.

    python benchmarks/stats/speed.py

Prints the best of several runs in seconds. Ratios carry from machine to machine; seconds do not.
"""

import time
from collections.abc import Callable
from importlib.util import find_spec

import numpy as np

from leadline.stats.bootstrap import resample
from leadline.stats.clusters import ClusterSums
from leadline.stats.paired import difference

PAIRS, CLUSTERS, REPLICATES = 1_000_000, 20_000, 2_000


def best(call: Callable[[], object], repeats: int = 5) -> float:
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return min(times)


def row_resampling(a: np.ndarray, b: np.ndarray, cluster: np.ndarray, replicates: int) -> None:
    """The slow way, for scale: concatenate the rows of the drawn clusters."""
    order = np.argsort(cluster, kind="stable")
    starts = np.searchsorted(cluster[order], np.arange(CLUSTERS + 1))
    rng = np.random.default_rng(0)
    d = (a - b)[order]
    for _ in range(replicates):
        drawn = rng.integers(0, CLUSTERS, CLUSTERS)
        np.concatenate([d[starts[c] : starts[c + 1]] for c in drawn]).mean()


def main() -> None:
    rng = np.random.default_rng(7)
    cluster = rng.integers(0, CLUSTERS, PAIRS)
    shift = rng.normal(0, 0.1, CLUSTERS)[cluster]
    binary = [(rng.random(PAIRS) < 0.5 + s).astype(float) for s in (0.05 + shift, -shift)]
    graded = [rng.normal(s, 1, PAIRS) for s in (0.05 + shift, -shift)]
    for name, (a, b) in (("0/1 scores", binary), ("graded scores", graded)):
        print(f"{name}: analytic, from rows     {best(lambda a=a, b=b: difference(a, b, cluster)):8.4f} s")
        sums = ClusterSums.of(a - b, cluster)
        columns = (sums.n, sums.total)
        for compiled in (False, True):
            if compiled and find_spec("numba") is None:
                continue
            resample(columns, 100, b"warm", use_numba=compiled)
            seconds = best(lambda c=columns, k=compiled: resample(c, REPLICATES, b"seed", use_numba=k))
            print(f"{name}: bootstrap, {'compiled' if compiled else 'NumPy   '}      {seconds:8.4f} s")
    few = 4
    seconds = best(lambda: row_resampling(*binary, cluster, few), 1) * REPLICATES / few
    print(f"row concatenation, {few} replicates scaled to {REPLICATES}: {seconds:8.1f} s")


if __name__ == "__main__":
    main()
