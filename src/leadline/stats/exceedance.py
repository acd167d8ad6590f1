"""Sums over "how many clusters hold more than i", with a handful of terms however large the clusters are.

sum_i K_i f(i), with K_i the number of clusters whose count exceeds i, runs to the largest count. K_i is constant
between the distinct counts, and f = log(a + i b) is smooth away from 0, so every longer stretch of constant K_i is
replaced by eight Gauss nodes for the sum over consecutive integers. On stretches [m, 2m) the relative error is
below 1e-12 (the singularity of f at i <= 0 is three half-lengths from the middle).
"""

from functools import cache

import numpy as np

from leadline.stats.checks import Floats

_EXACT = 64
_NODES = 8


def exceedances(counts: Floats) -> tuple[Floats, Floats]:
    """Indices i and weights w such that sum_i K_i f(i) = sum w f(index); ``counts`` are whole, shape (C,)."""
    values, multiplicity = np.unique(counts, return_counts=True)
    above = np.cumsum(multiplicity[::-1])[::-1]
    indices: list[Floats] = []
    weights: list[Floats] = []
    start = 0
    for value, many in zip(values.astype(np.int64).tolist(), above.tolist(), strict=True):
        while start < value:
            stop = min(value, max(_EXACT, 2 * start))
            nodes, share = _stretch(start, stop)
            indices.append(nodes)
            weights.append(many * share)
            start = stop
    if not indices:
        return np.empty(0), np.empty(0)
    return np.concatenate(indices), np.concatenate(weights)


def _stretch(start: int, stop: int) -> tuple[Floats, Floats]:
    length = stop - start
    if start < _EXACT or length <= 2 * _NODES:
        return np.arange(start, stop, dtype=np.float64), np.ones(length)
    nodes, weights = _gauss(length)
    return start + nodes, weights


@cache
def _gauss(length: int) -> tuple[Floats, Floats]:
    """Gauss nodes and weights for the sum over 0..length-1, from the discrete Chebyshev recurrence.

    Source: Gautschi 2004, "Orthogonal Polynomials: Computation and Approximation", table 1.2; Golub and Welsch 1969.
    """
    k = np.arange(1.0, _NODES)
    off = np.sqrt(0.25 * (length * length - k * k) / (4.0 - 1.0 / (k * k)))
    nodes, vectors = np.linalg.eigh(np.diag(off, 1) + np.diag(off, -1))
    return nodes + 0.5 * (length - 1), length * vectors[0] ** 2
