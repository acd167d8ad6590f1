"""Caps that are met exactly are not exceeded, whatever binary fractions make of them."""

import numpy as np
import pytest

from leadline.verdict.integrity import failure, least
from leadline.verdict.items import Items
from leadline.verdict.model import Denominator
from leadline.verdict.simulation.generate import Generator
from verdict.plans import plan


@pytest.mark.parametrize(
    ("items", "cap", "expected"),
    [(100, 0.45, 55), (200, 0.1, 180), (30, 0.1, 27), (3, 0.1, 3), (110, 0.3, 77), (7, 0.0, 7), (5, 1.0, 0)],
)
def test_fewest_items(items: int, cap: float, expected: int) -> None:
    """The fewest items are the registered ones less the cap, rounded up to a whole item and no further."""
    assert least(plan(size={"items": items}, data_rules={"missing_cap": cap})) == expected


@pytest.mark.parametrize(
    ("kept", "code"), [(70, None), (69, "missing_above_cap")], ids=["just met", "exceeded by one"]
)
def test_missing_share_at_the_cap(kept: int, code: str | None) -> None:
    """Thirty of a hundred missing meets a cap of .3; thirty-one exceed it."""
    protocol = plan(size={"items": 100}, data_rules={"missing_cap": 0.3})
    shape = Generator.of(protocol, protocol.hypotheses[0]).layout
    arms = [Items(ids[:kept], np.zeros(kept), None) for ids in shape.ids]
    sides = [Denominator(arm, "accuracy", 100, kept, kept, kept) for arm in ("treated", "plain")]
    assert failure(protocol, protocol.hypotheses[0], arms, sides, ()) == code
