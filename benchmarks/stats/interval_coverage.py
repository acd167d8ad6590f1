"""Coverage of the default intervals, side by side: how often the truth lies below and above them.

    python benchmarks/stats/interval_coverage.py [--replicates 2000] [--kind proportion|paired|unpaired] [--method auto]

Clusters are drawn from a model that shares no code with the intervals: success probabilities vary between clusters
either smoothly (Beta, Dirichlet) or by jumps (two kinds of cluster). ``low > truth`` and ``high < truth`` should each be
at most 2.5 %; the Monte Carlo standard error is printed beside them, and cells above nominal by more than two
of it are marked ``!``. ``refused`` is the share of data sets without an interval.

The jumps are a stress: a cluster that is all ones and turns up in one data set of three cannot be known from the
other two, so that no interval can be right there; the smooth rows are what the defaults are held to.
"""

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from leadline.stats import paired, proportion, unpaired
from leadline.stats.model import Estimate

Sizes = NDArray[np.int64]

DESIGNS: dict[str, list[int]] = {
    "5x20": [20] * 5,
    "10x10": [10] * 10,
    "30x10": [10] * 30,
    "20x50": [50] * 20,
    "unequal 10": [2, 3, 4, 6, 8, 10, 12, 15, 20, 20],
    "half in one of 5": [40] + [10] * 4,
    "half in one of 10": [90] + [10] * 9,
    "half in one of 30": [145] + [5] * 29,
    "items 100": [1] * 100,
}
SHARES = (0.02, 0.1, 0.5, 0.9)
#: (first arm only, second arm only): the probabilities of the two kinds of discordant pair.
DISCORDANCE = ((0.02, 0.02), (0.06, 0.01), (0.1, 0.1), (0.2, 0.1), (0.3, 0.1), (0.05, 0.25))
ICCS = (0.0, 0.2)


@dataclass
class Tally:
    """Misses on each side, refusals and mean width over the data sets of one cell."""

    truth: float
    below: int = 0
    above: int = 0
    refused: int = 0
    total: int = 0
    width: float = 0.0
    methods: dict[str, int] = field(default_factory=dict)

    def add(self, estimate: Estimate) -> None:
        """Count one data set."""
        self.total += 1
        if estimate.low is None or estimate.high is None:
            self.refused += 1
            return
        self.below += estimate.low > self.truth + 1e-12
        self.above += estimate.high < self.truth - 1e-12
        self.width += estimate.high - estimate.low
        self.methods[estimate.method] = self.methods.get(estimate.method, 0) + 1

    def line(self) -> str:
        """The cell's row of the table."""
        given = max(self.total - self.refused, 1)
        shares = [self.below / given, self.above / given]
        errors = [np.sqrt(max(p, 0.025) * (1 - max(p, 0.025)) / given) for p in shares]
        marks = ["!" if p > 0.025 + 2 * e else " " for p, e in zip(shares, errors, strict=True)]
        sides = "  ".join(f"{p:.4f} ({e:.4f}){m}" for p, e, m in zip(shares, errors, marks, strict=True))
        used = ", ".join(
            f"{m} {c / self.total:.0%}" for m, c in sorted(self.methods.items(), key=lambda i: -i[1])
        )
        return f"{sides}  {self.refused / self.total:7.3f}  {self.width / given:6.3f}  {used}"


def probabilities(
    rng: np.random.Generator, pi: tuple[float, ...], icc: float, clusters: int, kind: str
) -> NDArray[np.float64]:
    """Category probabilities per cluster, mean ``pi`` and intra-cluster correlation ``icc``; shape (clusters, J)."""
    base = np.array(pi)
    if icc == 0.0:
        return np.tile(base, (clusters, 1))
    if kind == "smooth":
        return rng.dirichlet(np.maximum(base, 1e-12) * (1 - icc) / icc, clusters)
    # A share icc of all clusters holds a single category, the others are alike: the same correlation by jumps.
    fixed = np.eye(base.size)[rng.choice(base.size, size=clusters, p=base)]
    return np.where((rng.random(clusters) < icc)[:, None], fixed, base)


def counts(rng: np.random.Generator, sizes: Sizes, pi: NDArray[np.float64]) -> NDArray[np.int64]:
    return rng.multinomial(sizes, pi)


def rows(
    table: NDArray[np.int64], values: tuple[float, ...]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Expand category counts per cluster into values and cluster keys."""
    flat = table.ravel()
    cluster = np.repeat(np.arange(len(table)), len(values))
    return np.repeat(np.tile(np.array(values), len(table)), flat), np.repeat(cluster, flat)


def estimate_proportion(table: NDArray[np.int64], method: str) -> Estimate:
    x, cluster = rows(table, (1.0, 0.0))
    return proportion.proportion(x, None if len(x) == len(table) else cluster, method=method)


def estimate_paired(table: NDArray[np.int64], method: str) -> Estimate:
    d, cluster = rows(table, (1.0, -1.0, 0.0))
    key = None if len(d) == len(table) else cluster
    return paired.difference((d > 0).astype(float), (d < 0).astype(float), key, method=method)


def estimate_unpaired(table: NDArray[np.int64], method: str) -> Estimate:
    """The first half of the clusters is one arm, the second the other."""
    half = len(table) // 2
    (a, key_a), (b, key_b) = rows(table[:half], (1.0, 0.0)), rows(table[half:], (1.0, 0.0))
    keys = (None, None) if len(a) == half else (key_a, key_b + half)
    return unpaired.difference(a, b, *keys, method=method)


ESTIMATORS = {"proportion": estimate_proportion, "paired": estimate_paired, "unpaired": estimate_unpaired}


def run(
    estimate: Callable[[NDArray[np.int64], str], Estimate],
    cells: Iterator[tuple[str, tuple[float, ...], float, float, str]],
    replicates: int,
    method: str,
) -> None:
    for name, pi, truth, icc, kind in cells:
        sizes = np.array(DESIGNS[name] * (1 + (estimate is estimate_unpaired)), dtype=np.int64)
        rng = np.random.default_rng(20_260_701)
        tally, known = Tally(truth), dict[bytes, Estimate]()
        for _ in range(replicates):
            table = counts(rng, sizes, probabilities(rng, pi, icc, sizes.size, kind))
            if estimate is not estimate_unpaired:
                table = table[np.lexsort(table.T)]
            key = table.tobytes()
            if key not in known:
                known[key] = estimate(table, method)
            tally.add(known[key])
        label = "/".join(f"{p:g}" for p in pi[: max(1, len(pi) - 1)])
        print(f"{name:18s} {label:10s} {icc:4.1f} {kind:7s} {tally.line()}", flush=True)


def cells(
    kind: str, designs: list[str], processes: list[str]
) -> Iterator[tuple[str, tuple[float, ...], float, float, str]]:
    for name in designs:
        points: list[tuple[tuple[float, ...], float]]
        if kind in ("proportion", "unpaired"):
            points = [((p, 1 - p), p if kind == "proportion" else 0.0) for p in SHARES]
        else:
            points = [((b, c, 1 - b - c), b - c) for b, c in DISCORDANCE]
        for pi, truth in points:
            for icc in ICCS if max(DESIGNS[name]) > 1 else (0.0,):
                for process in processes if icc else ["smooth"]:
                    yield name, pi, truth, icc, process


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--replicates", type=int, default=2000)
    parser.add_argument("--kind", choices=list(ESTIMATORS), default="proportion")
    parser.add_argument("--method", default="auto")
    parser.add_argument("--design", action="append", choices=list(DESIGNS))
    parser.add_argument("--process", action="append", choices=("smooth", "jumps"))
    arguments = parser.parse_args()
    estimate = ESTIMATORS[arguments.kind]
    print(
        f"{'design':18s} {'truth':10s}  icc process low > truth (MC se)  high < truth (MC se)  refused  width"
    )
    grid = cells(arguments.kind, arguments.design or list(DESIGNS), arguments.process or ["smooth", "jumps"])
    run(estimate, grid, arguments.replicates, arguments.method)


if __name__ == "__main__":
    main()
