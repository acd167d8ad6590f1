"""How often the default intervals miss, on each side, under clustering they know nothing about.

The generator (Dirichlet cluster probabilities) shares no code with the intervals. `benchmarks/stats/interval_coverage.py`
prints the full table.
"""

import numpy as np
import pytest

from leadline.stats.model import Estimate
from leadline.stats.paired import difference
from leadline.stats.proportion import proportion
from leadline.stats.unpaired import difference as unpaired

REPLICATES = 250
#: One-sided nominal error plus three Monte Carlo standard errors.
ALLOWED = 0.025 + 3 * np.sqrt(0.025 * 0.975 / REPLICATES)
SIZES = {
    "5x20": [20] * 5,
    "10x10": [10] * 10,
    "30x10": [10] * 30,
    "unequal": [2, 3, 4, 6, 8, 10, 12, 15, 20, 20],
    "half in one": [90] + [10] * 9,
}

pytestmark = pytest.mark.slow


def _tables(sizes: list[int], pi: tuple[float, ...], icc: float) -> list[np.ndarray]:
    rng = np.random.default_rng(20260701)
    base = np.array(pi)
    tables = []
    for _ in range(REPLICATES):
        shares = (
            np.tile(base, (len(sizes), 1)) if icc == 0 else rng.dirichlet(base * (1 - icc) / icc, len(sizes))
        )
        tables.append(rng.multinomial(sizes, shares))
    return tables


def _rows(table: np.ndarray, values: tuple[float, ...]) -> tuple[np.ndarray, np.ndarray]:
    flat = table.ravel()
    return np.repeat(np.tile(values, len(table)), flat), np.repeat(
        np.repeat(np.arange(len(table)), len(values)), flat
    )


def _misses(fits: list[Estimate], truth: float) -> tuple[float, float]:
    given = [(fit.low, fit.high) for fit in fits if fit.low is not None and fit.high is not None]
    assert len(given) == len(fits)
    return float(np.mean([low > truth for low, _ in given])), float(
        np.mean([high < truth for _, high in given])
    )


@pytest.mark.parametrize(
    ("design", "p", "icc"),
    [
        ("5x20", 0.02, 0.2),
        ("5x20", 0.5, 0.2),
        ("10x10", 0.9, 0.2),
        ("30x10", 0.1, 0.0),
        ("30x10", 0.1, 0.2),
        ("unequal", 0.5, 0.2),
        ("half in one", 0.1, 0.2),
    ],
)
def test_proportion_misses_at_most_nominally_on_each_side(design: str, p: float, icc: float) -> None:
    """The default interval of a share errs at most 2.5 % below and above, from rare events to a dominant cluster."""
    fits = [proportion(*_rows(t, (1.0, 0.0))) for t in _tables(SIZES[design], (p, 1 - p), icc)]
    below, above = _misses(fits, p)
    assert below <= ALLOWED
    assert above <= ALLOWED


def test_the_symmetric_interval_would_fail_this() -> None:
    """CR2 with t, 30 clusters of 10 at 10 %: it lies below the truth several times too often."""
    fits = [proportion(*_rows(t, (1.0, 0.0)), method="cr2") for t in _tables(SIZES["30x10"], (0.1, 0.9), 0.2)]
    assert _misses(fits, 0.1)[1] > ALLOWED


@pytest.mark.parametrize(
    ("design", "b", "c", "icc"),
    [
        ("5x20", 0.06, 0.01, 0.2),
        ("10x10", 0.1, 0.1, 0.2),
        ("30x10", 0.1, 0.1, 0.0),
        ("30x10", 0.2, 0.1, 0.2),
        ("half in one", 0.06, 0.01, 0.2),
    ],
)
def test_paired_difference_misses_at_most_nominally_on_each_side(
    design: str, b: float, c: float, icc: float
) -> None:
    """The default interval of a paired difference errs at most 2.5 % below and above."""
    fits = []
    for table in _tables(SIZES[design], (b, c, 1 - b - c), icc):
        d, cluster = _rows(table, (1.0, -1.0, 0.0))
        fits.append(difference((d > 0).astype(float), (d < 0).astype(float), cluster))
    below, above = _misses(fits, b - c)
    assert below <= ALLOWED
    assert above <= ALLOWED


@pytest.mark.parametrize(
    ("design", "p", "icc"), [("10x10", 0.1, 0.2), ("30x10", 0.5, 0.2), ("30x10", 0.02, 0.0)]
)
def test_difference_of_two_groups_misses_at_most_nominally(design: str, p: float, icc: float) -> None:
    """Two groups of clusters with the same rate: zero is excluded at most 2.5 % on each side."""
    fits = []
    sizes = SIZES[design]
    for table in _tables(sizes + sizes, (p, 1 - p), icc):
        (a, key_a), (b, key_b) = (
            _rows(half, (1.0, 0.0)) for half in (table[: len(sizes)], table[len(sizes) :])
        )
        fits.append(unpaired(a, b, key_a, key_b + len(sizes)))
    below, above = _misses(fits, 0.0)
    assert below <= ALLOWED
    assert above <= ALLOWED
