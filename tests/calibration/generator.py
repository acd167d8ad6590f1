"""Simulated studies by other means than the package's own simulator.

The package draws latent normals. Here shares of clusters follow Dirichlet (beta) distributions and graded
scores are built from uniform, Laplace and shifted gamma parts, all by numpy's default generator. Means,
intra-cluster correlation and correlation between arms are the same by construction, higher moments are not.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leadline.verdict.items import Items

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]
Strings = NDArray[np.str_]


@dataclass(frozen=True)
class World:
    """What is true: the arms' means, how items of a cluster and of a pair resemble each other, how many there are.

    ``shape`` says what graded items are made of; "binary" items are 0 or 1. ``clusters`` None = independent.
    """

    means: tuple[float, ...]
    items: int
    clusters: int | None = None
    icc: float = 0.0
    correlation: float = 0.0
    paired: bool = True
    shape: str = "binary"
    sd: float = 1.0
    cut: float | None = None

    def studies(self, count: int, seed: int) -> Iterator[tuple[Items, ...]]:
        """Items of ``count`` studies, one tuple of arms each."""
        rng = np.random.default_rng(seed)
        codes = np.sort(np.arange(self.items) % (self.clusters or self.items))
        names = [self._names(arm, codes) for arm in range(len(self.means))]
        for _ in range(count):
            arms = zip(names, self._values(rng, codes), strict=True)
            yield tuple(Items(ids, values, clusters) for (ids, clusters), values in arms)

    def _values(self, rng: np.random.Generator, codes: Codes) -> tuple[Floats, ...]:
        values = self._binary(rng, codes) if self.shape == "binary" else self._graded(rng, codes)
        if self.cut is None:
            return values
        return tuple(np.where(arm > 0.5, self.cut + rng.random(arm.size), self.cut - 0.01) for arm in values)

    def _names(self, arm: int, codes: Codes) -> tuple[Strings, Strings | None]:
        prefix = "" if self.paired else "ab"[arm]
        ids = np.asarray([f"{prefix}s{number:05d}" for number in range(self.items)])
        clusters = None if self.clusters is None else np.asarray([f"{prefix}k{code:04d}" for code in codes])
        return ids, clusters

    def _binary(self, rng: np.random.Generator, codes: Codes) -> tuple[Floats, ...]:
        """Each cluster has its own probabilities: Dirichlet about the overall ones, so ICC = 1/(a + 1)."""
        if len(self.means) == 1 or not self.paired:
            return tuple(
                (rng.random(self.items) < self._shares(rng, np.array([p, 1 - p]))[codes, 0]).astype(float)
                for p in self.means
            )
        p, q = self.means
        both = p * q + self.correlation * math.sqrt(p * (1 - p) * q * (1 - q))
        cells = np.array([both, p - both, q - both, 1 - p - q + both])
        edges = np.cumsum(self._shares(rng, cells), axis=1)[codes]
        cell = (rng.random(self.items)[:, None] > edges[:, :3]).sum(axis=1)
        return (cell <= 1).astype(float), ((cell == 0) | (cell == 2)).astype(float)

    def _shares(self, rng: np.random.Generator, cells: Floats) -> Floats:
        if self.clusters is None or self.icc == 0:
            return np.tile(cells, (self.clusters or self.items, 1))
        return rng.dirichlet(np.maximum(cells, 1e-9) * (1 / self.icc - 1), size=self.clusters)

    def _graded(self, rng: np.random.Generator, codes: Codes) -> tuple[Floats, ...]:
        """mean + sd (sqrt(icc) cluster + sqrt(1 - icc) item); each part has variance 1 and the arms' correlation."""
        groups = self.clusters or 1
        rho = self.correlation if self.paired and len(self.means) == 2 else 0.0
        cluster_parts = self._correlated(rng, groups, rho)
        item_parts = self._correlated(rng, self.items, rho)
        return tuple(
            mean
            + self.sd
            * (
                math.sqrt(self.icc) * cluster_parts[arm][codes if self.clusters else 0]
                + math.sqrt(1 - self.icc) * item_parts[arm]
            )
            for arm, mean in enumerate(self.means)
        )

    def _correlated(self, rng: np.random.Generator, count: int, rho: float) -> list[Floats]:
        """For each arm ``count`` draws of variance 1; arms share a part of weight rho."""
        common = self._unit(rng, count)
        return [math.sqrt(rho) * common + math.sqrt(1 - rho) * self._unit(rng, count) for _ in self.means]

    def _unit(self, rng: np.random.Generator, count: int) -> Floats:
        """Draws with mean 0 and variance 1."""
        if self.shape == "uniform":
            return rng.uniform(-math.sqrt(3), math.sqrt(3), count)
        if self.shape == "laplace":
            return rng.laplace(0, math.sqrt(0.5), count)
        if self.shape == "gamma":
            return (rng.gamma(4.0, 1.0, count) - 4.0) / 2.0
        return rng.normal(0, 1, count)
