"""Cluster-robust variances of a mean and of a difference of means, in closed form.

For these models the hat matrix of a cluster is n_g/N times a rank-one projector, so the Bell-McCaffrey
correction (I - H_gg)^(-1/2) only divides the cluster's residual sum by sqrt(1 - n_g/N), and Satterthwaite's
degrees of freedom need three sums over clusters: O(C) instead of O(C^2) or dense matrices.

Sources: Bell and McCaffrey 2002, Survey Methodology 28(2), 169-181 (CR2 and its degrees of freedom, working
model: independent errors); Imbens and Kolesar 2016, Rev. Econ. Stat. 98, 701-712 (degrees of freedom under
an exchangeable working model); Liang and Zeger 1986 (CR0).
"""

from dataclasses import dataclass

import numpy as np

from leadline.stats.checks import Floats
from leadline.stats.summation import total


@dataclass(frozen=True, slots=True)
class Robust:
    """A mean (or contrast) with its variance and degrees of freedom (0 when nothing is identified)."""

    value: float
    variance: float
    df: float


def cr1(n: Floats, s: Floats) -> Robust:
    """C/(C-1) sum (s_g - n_g m)^2 / N^2 with C - 1 degrees of freedom; ``n``, ``s``: cluster sizes, sums."""
    size, clusters = total(n), n.size
    m = total(s) / size
    if clusters < 2:
        return Robust(m, 0.0, 0.0)
    residual = s - n * m
    return Robust(m, clusters / (clusters - 1.0) * total(residual**2) / size**2, clusters - 1.0)


def cr2(n: Floats, s: Floats) -> Robust:
    """Bell-McCaffrey CR2 variance of sum(s)/sum(n) with Satterthwaite degrees of freedom.

    With clusters of one item it is the classical s^2/n with n - 1 degrees of freedom.
    """
    size = total(n)
    m = total(s) / size
    if n.size < 2:
        return Robust(m, 0.0, 0.0)
    residual = s - n * m
    return Robust(m, total(residual**2 / (1.0 - n / size)) / size**2, satterthwaite(n))


def satterthwaite(n: Floats, icc: float = 0.0) -> float:
    """Satterthwaite degrees of freedom of `cr2` for cluster sizes ``n`` (shape (C,)).

    ``icc`` is the intra-cluster correlation of the working model: 0 is Bell and McCaffrey's choice;
    equal clusters give C - 1 for every value.
    """
    if float(n.min()) == float(n.max()):
        return n.size - 1.0
    size = total(n)
    h = n / size
    v = n * (1.0 + (n - 1.0) * icc)
    spread = total(v)
    w = 1.0 / (1.0 - h)
    # Covariance of the residual sums: delta_gj v_g - h_g v_j - h_j v_g + h_g h_j V.
    diagonal = v - 2.0 * h * v + h * h * spread
    trace = total(w * diagonal)
    hh, vv, hv = total(w * h * h), total(w * v * v), total(w * h * v)
    squares = 2.0 * hh * vv + 2.0 * hv**2 + (spread * hh) ** 2 - 4.0 * spread * hh * hv
    own = total(w * w * (4.0 * (h * v) ** 2 + h**4 * spread**2 - 4.0 * h**3 * v * spread))
    trace_square = squares - own + total((w * diagonal) ** 2)
    return trace**2 / trace_square


def kurtosis_df(residual: Floats) -> float:
    """Degrees of freedom of a variance estimated from C residual sums with their kurtosis k: 2C/(k - 1).

    The relative variance of such an estimate is (k - 1)/C, that of a chi-square mean 2/df. Normal residuals have
    k = 3; a few large ones among many small, as rare events in clusters give, have more, and fewer df.
    """
    square = total(residual**2)
    if square <= 0.0:
        return 0.0
    excess = residual.size * total(residual**4) / square**2 - 1.0
    return 2.0 * residual.size / excess if excess > 0.0 else float("inf")


def cr1_two(n_a: Floats, s_a: Floats, n_b: Floats, s_b: Floats) -> Robust:
    """CR1 of a difference of two means whose arms may share clusters (all arrays of shape (C,)).

    A cluster with no item in an arm has n = s = 0 there. C/(C-1) sum (r_Ag/N_A - r_Bg/N_B)^2, C - 1 df.
    """
    size_a, size_b, clusters = total(n_a), total(n_b), n_a.size
    m_a, m_b = total(s_a) / size_a, total(s_b) / size_b
    score = (s_a - n_a * m_a) / size_a - (s_b - n_b * m_b) / size_b
    return Robust(m_a - m_b, clusters / (clusters - 1.0) * total(score**2), clusters - 1.0)


def cr2_two(n_a: Floats, s_a: Floats, n_b: Floats, s_b: Floats) -> Robust:
    """CR2 of a difference of two means by the two-parameter regression; arguments as in `cr1_two`.

    df = 0 when one cluster holds a whole arm: that arm's variance is then not identified.
    """
    size_a, size_b = total(n_a), total(n_b)
    m_a, m_b = total(s_a) / size_a, total(s_b) / size_b
    h_a, h_b = n_a / size_a, n_b / size_b
    if max(float(h_a.max()), float(h_b.max())) >= 1.0:
        return Robust(m_a - m_b, 0.0, 0.0)
    root_a, root_b = np.sqrt(1.0 - h_a), np.sqrt(1.0 - h_b)
    score = (s_a - n_a * m_a) / (size_a * root_a) - (s_b - n_b * m_b) / (size_b * root_b)
    alpha, beta = h_a / (root_a * np.sqrt(size_a)), h_b / (root_b * np.sqrt(size_b))
    diagonal = h_a / size_a + h_b / size_b
    trace = 1.0 / size_a + 1.0 / size_b
    aa, bb, ab = alpha * alpha, beta * beta, alpha * beta
    off = total(aa) ** 2 + total(bb) ** 2 + 2.0 * total(ab) ** 2 - total(aa**2 + bb**2 + 2.0 * ab**2)
    return Robust(m_a - m_b, total(score**2), trace**2 / (total(diagonal**2) + off))
