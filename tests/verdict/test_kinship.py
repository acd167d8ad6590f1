"""Kinship: what hypotheses look at, and which of them look at the same."""

from typing import Any

import pytest

from leadline.verdict.kinship import kin, looks_of, traits
from registry.world import document

ODD = [None, [], "x", 5, {}, {"arms": "x", "tasks": {}, "measures": [1]}, {"arms": [{}], "measures": [{}]}]


@pytest.mark.parametrize("odd", [*ODD, {"hypotheses": [{"estimand": {"arms": [1, {}], "measure": []}}]}])
def test_odd_protocols_look_at_nothing_that_can_be_shared(odd: Any) -> None:
    """Nothing is raised for documents of another making, and what is not said is not shared."""
    assert traits(odd) == frozenset()
    assert not any(looks_of(odd).values())


def test_a_hypothesis_looks_at_its_own_arms_on_its_own_measure() -> None:
    """The arm of the control is no part of it; the first arm leads."""
    looks = looks_of(document("ab" * 32))["H1"]
    assert looks == {
        (("ab" * 32, "match", "hint prompt"), True),
        (("ab" * 32, "match", "plain prompt"), False),
    }


def test_turning_a_comparison_around_does_not_leave_the_family() -> None:
    """With the arms exchanged in one study, or in both, the shared technique leads somewhere."""
    straight, turned = document("ab" * 32), document("ab" * 32)
    turned["hypotheses"][0]["estimand"]["arms"] = ["plain", "hint"]
    one, other = looks_of(straight)["H1"], looks_of(turned)["H1"]
    assert kin(one, [other])
    assert kin(other, [other])
    assert not kin(one, [])
