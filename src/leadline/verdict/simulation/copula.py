"""Latent normal correlations that give 0/1 variables the correlation asked for.

X = 1 when a standard normal lies below the quantile of its mean. Two such variables with latent
correlation r are both 1 with probability Phi2, which grows with r, so r is found by bisection.
Phi2 is the one-dimensional integral of Drezner and Wesolowsky 1990, J. Stat. Comput. Simul. 35, 101-107,
in the angle of the correlation (Genz 2004, Stat. Comput. 14, 251-260, section 2).
"""

import math

import numpy as np
from scipy.special import ndtr, ndtri

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(96)
_LIMIT = 0.99999


def both_below(p: float, q: float, r: float) -> float:
    """P(X = Y = 1) for 0/1 variables with means ``p``, ``q`` in (0, 1) and latent correlation ``r``."""
    h, k = float(ndtri(p)), float(ndtri(q))
    r = min(max(r, -_LIMIT), _LIMIT)
    top = math.asin(r)
    angle = 0.5 * top * (_NODES + 1.0)
    cosine = np.cos(angle)
    integrand = np.exp(-(h * h + k * k - 2.0 * h * k * np.sin(angle)) / (2.0 * cosine * cosine))
    area = 0.5 * top * math.fsum((_WEIGHTS * integrand).tolist()) / (2.0 * math.pi)
    return float(ndtr(h) * ndtr(k)) + area


def latent_correlation(p: float, q: float, phi: float) -> tuple[float, float]:
    """(latent r, Pearson correlation reached) for 0/1 variables with means ``p``, ``q`` and target ``phi``.

    Means bound the correlation (both 1 with probability at most min(p, q), at least p + q - 1); a target
    beyond the bound is moved to it. A constant variable has no correlation: (0, 0).
    """
    if not (0.0 < p < 1.0 and 0.0 < q < 1.0):
        return 0.0, 0.0
    spread = math.sqrt(p * (1 - p) * q * (1 - q))
    least, most = (max(0.0, p + q - 1.0) - p * q) / spread, (min(p, q) - p * q) / spread
    reached = min(max(phi, least), most)
    target = p * q + reached * spread
    low, high = -_LIMIT, _LIMIT
    for _ in range(60):
        middle = 0.5 * (low + high)
        if both_below(p, q, middle) < target:
            low = middle
        else:
            high = middle
    return 0.5 * (low + high), reached
