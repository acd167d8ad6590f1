"""The clustered likelihoods against their textbook forms."""

import math

import numpy as np
import pytest
from scipy.special import betaln, gammaln

from leadline.stats.exceedance import exceedances
from leadline.stats.likelihood import Likelihood, beta_binomial_interval, dirichlet_multinomial_interval
from leadline.stats.quantiles import critical

COUNTS = np.array([[1.0, 19.0], [0.0, 20.0], [7.0, 3.0], [12.0, 0.0]])


def _value(model: Likelihood, pi: tuple[float, ...], rho: float) -> float:
    return float(model.values(np.array([pi]), np.array([rho]))[0])


@pytest.mark.parametrize(("p", "rho"), [(0.3, 0.2), (0.05, 0.01), (0.9, 0.95)])
def test_beta_binomial_equals_the_gamma_form(p: float, rho: float) -> None:
    """The sum form agrees with beta functions, up to the binomial coefficients that it leaves out."""
    a, b = p * (1 - rho) / rho, (1 - p) * (1 - rho) / rho
    expected = float(np.sum(betaln(a + COUNTS[:, 0], b + COUNTS[:, 1]) - betaln(a, b)))
    assert _value(Likelihood(COUNTS), (p, 1 - p), rho) == pytest.approx(expected, rel=1e-10)


def test_no_correlation_is_the_binomial() -> None:
    """At rho = 0 the log-likelihood is k log p + (n - k) log(1 - p)."""
    assert _value(Likelihood(COUNTS), (0.3, 0.7), 0.0) == pytest.approx(
        20 * math.log(0.3) + 42 * math.log(0.7)
    )


@pytest.mark.parametrize(("a", "b"), [(0.3, 0.2), (1e-6, 1.0), (0.5, 1e-4), (0.9, 0.0)])
def test_large_clusters_need_few_terms(a: float, b: float) -> None:
    """For counts up to a hundred thousand some hundred nodes give the sum of all terms to 1e-13."""
    counts = np.random.default_rng(0).integers(0, 5000, 30).astype(float)
    counts[3] = 100_000
    index, weight = exceedances(counts)
    above = (counts[:, None] > np.arange(100_000)).sum(axis=0)
    full = float(np.sum(above * np.log(a + b * np.arange(100_000))))
    assert index.size < 500
    assert float(np.sum(weight * np.log(a + b * index))) == pytest.approx(full, rel=1e-13)


@pytest.mark.parametrize(
    ("pi", "rho"), [((0.2, 0.3, 0.5), 0.15), ((0.01, 0.02, 0.97), 0.0), ((0.4, 0.4, 0.2), 0.9)]
)
def test_derivatives_are_those_of_the_value(pi: tuple[float, ...], rho: float) -> None:
    """Gradient and Hessian agree with central differences."""
    counts = np.array([[3.0, 1.0, 6.0], [0.0, 0.0, 4.0], [2.0, 5.0, 0.0]])
    model = Likelihood(counts)
    slopes = np.array([[1.0, 0.0, -1.0], [0.0, 1.0, -1.0]])

    def at(step: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        return model.derivatives(np.array(pi) + step[:2] @ slopes, slopes, rho + step[2])

    _, gradient, hessian = at(np.zeros(3))
    for i in range(3):
        h = np.zeros(3)
        h[i] = 1e-6
        plus, minus = at(h), at(-h)
        assert (plus[0] - minus[0]) / 2e-6 == pytest.approx(gradient[i], rel=1e-5, abs=1e-5)
        assert (plus[1] - minus[1]) / 2e-6 == pytest.approx(hessian[i], rel=1e-4, abs=1e-3)


def test_dirichlet_multinomial_equals_the_gamma_form() -> None:
    """Three categories agree with the Dirichlet-multinomial in gamma functions."""
    counts = np.array([[3.0, 1.0, 6.0], [0.0, 0.0, 4.0], [2.0, 5.0, 0.0]])
    pi, rho = np.array([0.2, 0.3, 0.5]), 0.15
    a = pi * (1 - rho) / rho
    expected = np.sum(gammaln(a + counts) - gammaln(a)) - np.sum(
        gammaln(a.sum() + counts.sum(axis=1)) - gammaln(a.sum())
    )
    assert _value(Likelihood(counts), tuple(pi), rho) == pytest.approx(float(expected), rel=1e-10)


def test_ends_of_the_interval_lie_on_the_cutoff() -> None:
    """On a dense grid of rho, both ends of the beta-binomial interval are the stated fall below the maximum."""
    k, n = np.array([1.0, 0.0, 3.0, 2.0, 6.0, 1.0]), np.full(6, 20.0)
    low, high = beta_binomial_interval(k, n, 0.95)
    model = Likelihood(np.column_stack((k, n - k)))
    rho = np.linspace(0.0, 0.999, 4001)

    def profile(p: float) -> float:
        return float(model.values(np.tile([p, 1 - p], (rho.size, 1)), rho).max())

    top = max(profile(float(p)) for p in np.linspace(0.05, 0.25, 81))
    drop = 0.5 * critical(0.95, 5.0) ** 2
    assert [top - profile(low), top - profile(high)] == pytest.approx([drop, drop], abs=2e-3)


@pytest.mark.parametrize("c", [(0, 1, 0, 0, 0), (0, 0, 0, 0, 0), (3, 0, 2, 1, 4)])
def test_paired_ends_lie_on_the_cutoff(c: tuple[int, ...]) -> None:
    """On a dense grid of discordance and rho, both ends of the paired interval are the stated fall below the maximum."""
    b, c_counts, n = np.array([1.0, 0, 3, 2, 0]), np.array(c, dtype=float), np.full(5, 20.0)
    low, high = dirichlet_multinomial_interval(b, c_counts, n, 0.95)
    model = Likelihood(np.column_stack((b, c_counts, n - b - c_counts)))

    def profile(d: float) -> float:
        q, rho = np.meshgrid(np.geomspace(max(abs(d), 1e-6), 1 - 1e-9, 300), np.linspace(0, 0.99, 200))
        pi = np.column_stack((0.5 * (q + d).ravel(), 0.5 * (q - d).ravel(), 1 - q.ravel()))
        return float(model.values(pi, rho.ravel()).max())

    centre = (b.sum() - c_counts.sum()) / 100
    top = max(profile(float(d)) for d in np.linspace(centre - 0.03, centre + 0.03, 13))
    drop = 0.5 * critical(0.95, 4.0) ** 2
    assert [top - profile(low), top - profile(high)] == pytest.approx([drop, drop], abs=0.02)


def test_paired_interval_is_antisymmetric() -> None:
    """Exchanging the arms mirrors the Dirichlet-multinomial interval."""
    b, c, n = np.array([1.0, 0, 3, 2, 0]), np.array([0.0, 1, 0, 0, 0]), np.full(5, 20.0)
    low, high = dirichlet_multinomial_interval(b, c, n, 0.9)
    assert dirichlet_multinomial_interval(c, b, n, 0.9) == pytest.approx((-high, -low), abs=1e-6)
    assert low < 5 / 100 < high


def test_no_discordant_pair_leaves_a_band() -> None:
    """Without any discordant pair the interval is that of C all-or-none clusters, on both sides."""
    zero = np.zeros(12)
    edge = 1 - 0.025 ** (1 / 12)
    assert dirichlet_multinomial_interval(zero, zero, np.full(12, 9.0), 0.95) == pytest.approx((-edge, edge))
