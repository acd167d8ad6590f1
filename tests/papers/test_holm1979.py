"""Holm 1979, Scand. J. Statist. 6, 65-70, section 2: the sequentially rejective procedure."""

import pytest

from leadline.stats.multiplicity import holm


def test_adjusted_values() -> None:
    """Six p-values, adjusted as R's p.adjust prints them."""
    assert holm([0.01, 0.02, 0.03, 0.04, 0.05, 0.2]) == pytest.approx([0.06, 0.10, 0.12, 0.12, 0.12, 0.20])


def test_sequential_rejection() -> None:
    """Section 2: p_(k) is compared with alpha/(m - k + 1), and the first failure stops all later ones."""
    assert holm([0.012, 0.02, 0.021, 0.001]).tolist() == pytest.approx([0.036, 0.04, 0.04, 0.004])
