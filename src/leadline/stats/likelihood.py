"""Likelihood intervals for clustered counts: beta-binomial, and Dirichlet-multinomial for pairs.

Cluster g sorts its n_g items into categories with probabilities pi and intra-cluster correlation rho. Written
without gamma functions (Smith 1983, AS 189, Appl. Statist. 32, 196-204; Mosimann 1962 for several categories)::

    log L = sum_j sum_i K_ji log((1-rho) pi_j + i rho) - sum_i N_i log((1-rho) + i rho)

K_ji is the number of clusters with more than i items in category j, N_i that with more than i items. It is finite
at rho = 0 (multinomial). Maxima are found from a coarse grid by Newton steps with analytic derivatives, so that
an interval end is accurate far beyond the digits a report prints.
"""

import math
from collections.abc import Callable

import numpy as np

from leadline.stats.ascent import Derivatives, Summit, ascend
from leadline.stats.checks import Floats
from leadline.stats.exceedance import exceedances
from leadline.stats.quantiles import critical

#: Where the search over rho starts: 0, then even steps on the logit scale.
_RHO = np.concatenate(([0.0], 1.0 / (1.0 + np.exp(-np.linspace(-7.0, 7.0, 12)))))
_RHO_MOST = 1.0 - 1e-9
_SHARE = np.linspace(0.0, 1.0, 7)
_LEAST = 1e-300


class Likelihood:
    """The log-likelihood of category counts, shape (C, J) whole numbers, with its derivatives."""

    def __init__(self, counts: Floats) -> None:
        columns = [counts[:, j] for j in range(counts.shape[1])]
        parts = [exceedances(column) for column in columns]
        index, weight = exceedances(counts.sum(axis=1))
        parts.append((index, -weight))
        self.index = np.concatenate([part[0] for part in parts])
        self.weight = np.concatenate([part[1] for part in parts])
        self.category = np.repeat(np.arange(len(parts)), [part[0].size for part in parts])

    def values(self, pi: Floats, rho: Floats) -> Floats:
        """Log-likelihoods, shape (M,), at probabilities of shape (M, J) and correlations of shape (M,)."""
        bases = np.column_stack((pi, np.ones(len(pi))))[:, self.category]
        inner = np.maximum((1.0 - rho)[:, None] * bases + rho[:, None] * self.index, _LEAST)
        out: Floats = np.add.reduce(self.weight * np.log(inner), axis=1)
        return out

    def derivatives(self, pi: Floats, slopes: Floats, rho: float) -> Derivatives:
        """Value, gradient and Hessian in (x, rho), where pi moves along the rows of ``slopes`` (shape (m, J))."""
        base = np.append(pi, 1.0)[self.category]
        slope = np.column_stack((slopes, np.zeros(len(slopes))))[:, self.category]
        inner = (1.0 - rho) * base + rho * self.index
        if inner.size and float(inner.min()) <= 0.0:
            return -math.inf, np.zeros(len(slopes) + 1), np.zeros((len(slopes) + 1, len(slopes) + 1))
        first = np.vstack(((1.0 - rho) * slope, self.index - base)) / inner
        share = self.weight / inner
        size = len(first)
        hessian = np.empty((size, size))
        for i in range(size):
            for j in range(i + 1):
                hessian[i, j] = hessian[j, i] = -np.add.reduce(self.weight * first[i] * first[j])
        mixed = -np.add.reduce(share * slope, axis=1)
        hessian[:-1, -1] += mixed
        hessian[-1, :-1] += mixed
        value = float(np.add.reduce(self.weight * np.log(inner)))
        return value, np.add.reduce(self.weight * first, axis=1), hessian


def cutoff(level: float, clusters: int) -> float:
    """The fall of the log-likelihood that bounds an interval from C clusters: t^2/2 on C - 1 degrees of freedom.

    Half the chi-square cut-off, widened because rho is estimated from C clusters; it tends to it as C grows.
    """
    t = critical(level, clusters - 1.0)
    return 0.5 * t * t


def beta_binomial_interval(k: Floats, n: Floats, level: float) -> tuple[float, float]:
    """Profile-likelihood interval of the mean, k of n per cluster (shape (C,)).

    With no success (or nothing else) the far end is that of C all-or-none clusters, 1 - (alpha/2)^(1/C): the
    chance of seeing none is at most (1 - p)^C whatever the correlation.
    """
    successes, items = float(k.sum()), float(n.sum())
    if successes in (0.0, items):
        outer = none_seen(level, n.size)
        return (0.0, outer) if successes == 0.0 else (1.0 - outer, 1.0)
    likelihood = Likelihood(np.column_stack((k, n - k)))
    pooled = np.array([successes, items - successes]) / items
    top = _summit(likelihood, pooled)
    centre = float(top.x[0])
    slopes = np.empty((0, 2))
    mesh = _RHO[:, None]

    def cells(p: float, x: Floats) -> Floats:
        return np.broadcast_to(np.array([p, 1.0 - p]), (len(x), 2))

    profile = _Profile(
        likelihood, cells, slopes, lambda _p: mesh, lambda _p: ([0.0], [_RHO_MOST]), top.x[-1:]
    )
    return _ends(profile, centre, top.value, cutoff(level, n.size), 0.0)


def dirichlet_multinomial_interval(b: Floats, c: Floats, n: Floats, level: float) -> tuple[float, float]:
    """Profile-likelihood interval of pi_b - pi_c over discordance and rho.

    ``b`` and ``c`` count, per cluster, the pairs only the first and only the second arm gets right, of ``n``. With
    no discordant pair the ends are those of C all-or-none clusters, as in `beta_binomial_interval`.
    """
    if not (b.any() or c.any()):
        outer = none_seen(level, n.size)
        return -outer, outer
    likelihood = Likelihood(np.column_stack((b, c, n - b - c)))
    top = _summit(likelihood, np.array([b.sum(), c.sum(), (n - b - c).sum()]) / n.sum())
    slopes = np.array([[0.5, 0.5, -1.0]])

    def cells(d: float, x: Floats) -> Floats:
        q = x[:, 0]
        return np.stack((0.5 * (q + d), 0.5 * (q - d), 1.0 - q), axis=-1)

    def mesh(d: float) -> Floats:
        q, rho = np.meshgrid(max(abs(d), 1e-12) ** (1.0 - _SHARE), _RHO, indexing="ij")
        return np.column_stack((q.ravel(), rho.ravel()))

    def box(d: float) -> tuple[list[float], list[float]]:
        return [max(abs(d), 1e-12), 0.0], [1.0, _RHO_MOST]

    warm = np.array([top.x[0] + top.x[1], top.x[-1]])
    profile = _Profile(likelihood, cells, slopes, mesh, box, warm)
    return _ends(profile, float(top.x[0] - top.x[1]), top.value, cutoff(level, n.size), -1.0)


def _summit(likelihood: Likelihood, pooled: Floats) -> Summit:
    """The maximum over all but the last probability and rho, from the pooled shares."""
    inside = np.maximum(pooled, 1e-12)
    inside /= inside.sum()
    free = inside.size - 1
    start = int(likelihood.values(np.tile(inside, (_RHO.size, 1)), _RHO).argmax())
    slopes = np.column_stack((np.eye(free), -np.ones(free)))

    def at(x: Floats) -> Derivatives:
        return likelihood.derivatives(np.append(x[:-1], 1.0 - np.add.reduce(x[:-1])), slopes, float(x[-1]))

    start_at = np.append(inside[:-1], _RHO[start])
    return ascend(at, start_at, [0.0] * (free + 1), [1.0] * free + [_RHO_MOST])


class _Profile:
    """The likelihood at a fixed parameter, maximised over the others; starts from a mesh and from its last answer."""

    def __init__(
        self,
        likelihood: Likelihood,
        cells: Callable[[float, Floats], Floats],
        slopes: Floats,
        mesh: Callable[[float], Floats],
        box: Callable[[float], tuple[list[float], list[float]]],
        warm: Floats,
    ) -> None:
        self._likelihood, self._cells, self._slopes = likelihood, cells, slopes
        self._mesh, self._box, self._warm = mesh, box, warm

    def __call__(self, value: float) -> float:
        low, high = self._box(value)
        starts = np.vstack((self._mesh(value), np.clip(self._warm, low, high)))
        found = self._likelihood.values(self._cells(value, starts), starts[:, -1])

        def at(x: Floats) -> Derivatives:
            return self._likelihood.derivatives(self._cells(value, x[None, :])[0], self._slopes, float(x[-1]))

        summit = ascend(at, starts[int(found.argmax())], low, high)
        self._warm = summit.x
        return summit.value


def none_seen(level: float, clusters: int) -> float:
    """The largest share of all-or-none clusters that shows none of its kind in C draws with probability alpha/2."""
    return -math.expm1(math.log(0.5 * (1.0 - level)) / clusters)


def _ends(
    profile: Callable[[float], float], centre: float, top: float, drop: float, low: float
) -> tuple[float, float]:
    """Where the profile is ``drop`` below ``top``, on both sides of ``centre`` within (low, 1)."""
    from scipy.optimize import brentq

    reach = math.sqrt(drop)

    def beyond(at: float) -> float:
        # The root of the fall is nearly linear in the distance, which a secant likes.
        return math.sqrt(max(top - profile(at), 0.0)) - reach

    ends = []
    for edge in (low + 1e-9, 1.0 - 1e-9):
        reached = abs(edge - centre) < 1e-9 or beyond(edge) <= 0.0
        ends.append(edge if reached else float(brentq(beyond, centre, edge, xtol=1e-13, rtol=1e-13)))
    return ends[0], ends[1]
