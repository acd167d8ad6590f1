"""Simulated item values: a latent normal model with the assumed means, ICC and correlation.

Every item of arm j has a latent value L = sqrt(k) U + sqrt(1 - k) V: U belongs to its cluster, V to the
item, and both are correlated between the arms. Continuous items are mean + sd L; 0/1 items are 1 where L
lies below the quantile of their mean, with k and the correlation chosen so that the 0/1 values (not the
latent ones) have the ICC and the correlation assumed (`copula`). Epochs of one item share the part of V
that the two arms share, and are independent beyond it.

The same normals serve every truth (common random numbers), so differences between rows of the table are
not noise.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from leadline.protocol.blocks.claims import Hypothesis
from leadline.protocol.blocks.conduct import Assumptions
from leadline.protocol.model import Protocol
from leadline.stats.rng import stream
from leadline.verdict.items import Items
from leadline.verdict.simulation.copula import latent_correlation
from leadline.verdict.simulation.layout import Layout, layout, require_assumptions
from leadline.verdict.simulation.truths import Truth

Floats = NDArray[np.float64]
#: Latent values held at once; bounds memory whatever the plan's size.
_BUDGET = 1 << 20


@dataclass(frozen=True, slots=True)
class Normals:
    """Standard normals of some replicates: ``cluster`` (R, C, 2), ``item`` (R, n, 2), ``epoch`` (R, n, 2, K)."""

    cluster: Floats | None
    item: Floats
    epoch: Floats | None


@dataclass(frozen=True, slots=True)
class Latent:
    """Loadings that give one truth its moments.

    ``k`` is the cluster's share per arm, ``cluster`` and ``item`` are correlations between the arms, and
    ``epoch`` is, per arm, the share of the item's part that its epochs have in common.
    """

    k: tuple[float, ...]
    cluster: float
    item: float
    epoch: tuple[float, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Generator:
    """Draws the items of one hypothesis."""

    hypothesis: Hypothesis
    layout: Layout
    assumed: Assumptions

    @classmethod
    def of(cls, protocol: Protocol, hypothesis: Hypothesis) -> "Generator":
        """The generator for a hypothesis; ProtocolError where an assumption is missing."""
        require_assumptions(protocol, hypothesis)
        return cls(hypothesis, layout(protocol, hypothesis), protocol.sample_size.assumptions)

    def chunk(self) -> int:
        """Replicates per chunk; depends on the plan only, so the stream does too."""
        each = 2 * (self.layout.items * (1 + self.layout.epochs) + self.layout.groups)
        return max(1, min(250, _BUDGET // each))

    def normals(self, seed: bytes, chunk: int, replicates: int) -> Normals:
        """The standard normals of chunk number ``chunk`` (``replicates`` of them)."""
        shape = self.layout
        draw = np.random.Generator(stream(seed, "items", self.hypothesis.id, chunk))
        cluster = draw.standard_normal((replicates, shape.groups, 2)) if shape.groups else None
        item = draw.standard_normal((replicates, shape.items, 2))
        epoch = draw.standard_normal((replicates, shape.items, 2, shape.epochs)) if shape.epochs > 1 else None
        return Normals(cluster, item, epoch)

    def latent(self, truth: Truth) -> Latent:
        """Loadings for one truth."""
        assumed, shape = self.assumed, self.layout
        icc = assumed.icc if shape.groups else 0.0
        rho = (
            assumed.correlation
            if len(truth.means) == 2 and (shape.same_items or shape.same_clusters)
            else 0.0
        )
        if shape.binary:
            return self._binary(truth, icc, rho)
        k = (icc,) * len(truth.means)
        return Latent(k, rho, rho if shape.same_items else 0.0, (1.0,) * len(k))

    def _binary(self, truth: Truth, icc: float, rho: float) -> Latent:
        means = tuple(min(max(mean, 0.0), 1.0) for mean in truth.means)
        k = tuple(max(0.0, latent_correlation(p, p, icc)[0]) if icc > 0 else 0.0 for p in means)
        between = 0.0
        notes: tuple[str, ...] = ()
        if rho != 0.0:
            r, reached = latent_correlation(means[0], means[1], rho)
            both = math.sqrt(k[0] * k[1]) + math.sqrt((1 - k[0]) * (1 - k[1]))
            between = min(max(r / both, -1.0), 1.0)
            if abs(reached - rho) > 1e-9:
                notes = (f"correlation {reached:.3g} used: these shares allow no more",)
        item = between if self.layout.same_items else 0.0
        return Latent(k, between, item, self._epoch_shares(means, item), notes)

    def _epoch_shares(self, means: tuple[float, ...], item: float) -> tuple[float, ...]:
        """What the epochs of an item share: as much as two arms share of it."""
        if self.layout.same_items:
            return (abs(item),) * len(means)
        assumed = abs(self.assumed.correlation)
        return tuple(max(0.0, latent_correlation(p, p, assumed)[0]) for p in means)

    def values(self, truth: Truth, latent: Latent, normals: Normals) -> tuple[Floats, ...]:
        """Item values per arm, each of shape (replicates, items)."""
        return tuple(self._arm(j, mean, latent, normals) for j, mean in enumerate(truth.means))

    def _arm(self, j: int, mean: float, latent: Latent, normals: Normals) -> Floats:
        k = latent.k[j]
        item = self._item(j, latent, normals)
        if normals.cluster is not None and k > 0:
            assert self.layout.codes is not None
            group = _correlated(normals.cluster, j, latent.cluster)[:, self.layout.codes]
            group = group if item.ndim == 2 else group[:, :, None]
            item = math.sqrt(k) * group + math.sqrt(1 - k) * item
        if not self.layout.binary:
            return mean + (self.assumed.sd or 0.0) * item
        hits = item < _quantile(mean)
        share: Floats = hits.astype(np.float64) if hits.ndim == 2 else hits.mean(axis=2)
        if self.hypothesis.estimand.type == "threshold":
            return _around(self.hypothesis.estimand.cut, share)
        return share

    def _item(self, j: int, latent: Latent, normals: Normals) -> Floats:
        """The item's part of the latent value: (R, n), or (R, n, K) when epochs are drawn."""
        if normals.epoch is None:
            return _correlated(normals.item, j, latent.item)
        share = latent.epoch[j]
        common = normals.item[..., 0 if self.layout.same_items else j]
        if j == 1 and latent.item < 0:
            common = -common
        drawn: Floats = (
            math.sqrt(share) * common[:, :, None] + math.sqrt(1 - share) * normals.epoch[:, :, j, :]
        )
        return drawn

    def replicates(self, values: tuple[Floats, ...], count: int) -> Iterator[tuple[Items, ...]]:
        """The items of the first ``count`` replicates, as the analysis of logs would hold them."""
        shape = self.layout
        for row in range(count):
            yield tuple(
                Items(ids, arm[row], clusters)
                for ids, clusters, arm in zip(shape.ids, shape.clusters, values, strict=True)
            )


def _correlated(normals: Floats, j: int, correlation: float) -> Floats:
    """Arm j's normals (R, m) with the given correlation between arms."""
    if j == 0:
        return normals[..., 0]
    mixed: Floats = correlation * normals[..., 0] + math.sqrt(max(0.0, 1 - correlation**2)) * normals[..., 1]
    return mixed


def _quantile(p: float) -> float:
    return float(ndtri(min(max(p, 0.0), 1.0)))


def _around(cut: float | None, share: Floats) -> Floats:
    """Graded values that reach the cut exactly where the item is a hit."""
    assert cut is not None
    graded: Floats = np.where(share > 0.5, cut, cut - max(1.0, abs(cut)))
    return graded
