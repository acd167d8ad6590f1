"""Benjamini and Hochberg 1995, J. R. Statist. Soc. B 57, 289-300; Benjamini and Yekutieli 2001."""

import numpy as np
import pytest

from leadline.stats.multiplicity import bh, by, holm

#: Section 3.2: fifteen p-values of the myocardial infarction study.
NEUHAUS = [
    0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0,
]  # fmt: skip


def test_myocardial_infarction_example() -> None:
    """Section 3.2: at q = .05 the procedure rejects four hypotheses, a Bonferroni-type one three."""
    assert int(np.sum(bh(NEUHAUS) <= 0.05)) == 4
    assert int(np.sum(holm(NEUHAUS) <= 0.05)) == 3
    assert bh(NEUHAUS)[3] == pytest.approx(0.0095 * 15 / 4)


def test_adjusted_values() -> None:
    """Six p-values, adjusted as R's p.adjust prints them (BH; BY: theorem 1.3 of the 2001 paper)."""
    p = [0.01, 0.02, 0.03, 0.04, 0.05, 0.2]
    assert bh(p) == pytest.approx([0.06] * 5 + [0.2])
    assert by(p) == pytest.approx([0.147] * 5 + [0.49])
