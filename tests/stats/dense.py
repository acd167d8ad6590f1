"""Cluster-robust variance by dense matrices, straight from the definitions, for comparison."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def cr2(
    design: Array, y: Array, cluster: NDArray[np.int64], contrast: Array, icc: float = 0.0
) -> tuple[float, float, float]:
    """Estimate, CR2 variance and Satterthwaite degrees of freedom of ``contrast @ beta`` in y = design @ beta + e."""
    n = len(y)
    inverse = np.linalg.inv(design.T @ design)
    hat = design @ inverse @ design.T
    residual = y - hat @ y
    value, variance, rows = float(contrast @ inverse @ design.T @ y), 0.0, []
    for g in np.unique(cluster):
        own = cluster == g
        w, v = np.linalg.eigh(np.eye(own.sum()) - hat[np.ix_(own, own)])
        adjust = v @ np.diag(w**-0.5) @ v.T
        weights = adjust @ design[own] @ inverse @ contrast
        variance += float(weights @ residual[own]) ** 2
        rows.append((np.eye(n) - hat)[:, own] @ weights)
    p = np.array(rows)
    working = np.equal.outer(cluster, cluster) * icc + (1 - icc) * np.eye(n)
    gram = p @ working @ p.T
    return value, variance, float(np.trace(gram) ** 2 / np.sum(gram**2))
