"""From items to a signed effect, estimand by estimand."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.errors import StatisticsError
from leadline.protocol.blocks.claims import Estimand, Hypothesis
from leadline.verdict.estimate import estimate_effect, question, smallest_and_margin
from leadline.verdict.items import Items
from leadline.verdict.precision import detectable, n_needed


def items(values: list[float], *, clusters: list[str] | None = None, start: int = 0) -> Items:
    """Items with ids in order."""
    ids = np.asarray([f"i{start + n:04d}" for n in range(len(values))])
    return Items(ids, np.asarray(values, dtype=float), None if clusters is None else np.asarray(clusters))


def hypothesis(kind: str = "greater", **fields: Any) -> Hypothesis:
    """A hypothesis about arms a and b, or a alone."""
    type_ = fields.pop("type", "paired_difference")
    arms = ("a",) if type_ in ("mean", "proportion", "threshold") else ("a", "b")
    estimand = Estimand(type=type_, measure="m", arms=arms, cut=fields.pop("cut", None))
    base: dict[str, Any] = {"id": "h", "claim": "c", "kind": kind, "estimand": estimand, "smallest": 0.1}
    return Hypothesis(**{**base, **fields})


A = items([1.0] * 90 + [0.0] * 30)
B = items([1.0] * 36 + [0.0] * 84)


@pytest.mark.parametrize(
    ("fields", "arms", "value", "effect"),
    [
        ({"type": "mean", "reference": 0.5}, (A,), 0.75, 0.25),
        ({"type": "proportion", "reference": 0.5}, (A,), 0.75, 0.25),
        ({"type": "threshold", "reference": 0.2, "cut": 0.5}, (A,), 0.75, 0.55),
        ({"type": "paired_difference"}, (A, B), 0.45, 0.45),
        ({"type": "difference"}, (A, B), 0.45, 0.45),
        ({"type": "ratio", "smallest": 1.5}, (A, B), 2.5, math.log(2.5)),
    ],
)
def test_each_estimand_has_its_value_and_its_effect(
    fields: dict[str, Any], arms: tuple[Items, ...], value: float, effect: float
) -> None:
    """The value is on the estimand's scale; the effect is against the reference, a ratio's on the log scale."""
    found = estimate_effect(question(hypothesis(**fields)), arms, 0.05)
    assert found.value == pytest.approx(value)
    assert found.effect == pytest.approx(effect)
    assert found.wide is not None and found.narrow is not None
    assert found.wide[0] <= found.narrow[0] < effect < found.narrow[1] <= found.wide[1]


def test_a_predicted_decrease_turns_the_effect_around() -> None:
    """The effect is signed so that the prediction is positive; the value keeps its own sign."""
    up = estimate_effect(question(hypothesis()), (A, B), 0.05)
    down = estimate_effect(question(hypothesis(prediction="decrease")), (A, B), 0.05)
    assert (down.value, down.effect) == (up.value, -up.effect)
    assert down.wide is not None and up.wide is not None
    assert down.wide == pytest.approx((-up.wide[1], -up.wide[0]))


def test_a_ratio_registers_its_effect_as_a_factor() -> None:
    """d and m of a ratio are factors; the table compares logarithms."""
    smallest, margin = smallest_and_margin(hypothesis(type="ratio", smallest=1.5, margin=1.2))
    assert (smallest, margin) == pytest.approx((math.log(1.5), math.log(1.2)))
    assert smallest_and_margin(hypothesis(type="ratio", smallest=1.5))[1] == 0.0


def test_only_shared_items_are_paired() -> None:
    """Items that one arm lacks take no part in a paired difference."""
    shifted = items([0.0] * 120, start=80)
    found = estimate_effect(question(hypothesis()), (A, shifted), 0.05)
    assert found.n == 40


def test_data_that_cannot_answer_say_so() -> None:
    """No items, nothing shared, or values that are not 0/1 for a proportion raise with a remedy."""
    empty = items([])
    cases: list[tuple[dict[str, Any], tuple[Items, ...]]] = [
        ({"type": "mean", "reference": 0.0}, (empty,)),
        ({"type": "paired_difference"}, (A, items([1.0] * 40, start=1000))),
        ({"type": "proportion", "reference": 0.0}, (items([0.3, 0.7, 0.1]),)),
    ]
    for fields, arms in cases:
        with pytest.raises(StatisticsError) as error:
            estimate_effect(question(hypothesis(**fields)), arms, 0.05)
        assert error.value.remedy()


@given(st.lists(st.sampled_from([0.0, 1.0]), min_size=25, max_size=60), st.floats(-5, 5), st.floats(0.1, 9))
def test_graded_effects_move_with_location_and_scale(values: list[float], shift: float, scale: float) -> None:
    """Adding a constant to both arms changes nothing; stretching both stretches the effect."""
    noise = np.linspace(0.0, 1.0, len(values))
    a, b = [v + x for v, x in zip(values, noise, strict=True)], list(noise[::-1])
    ask = question(hypothesis())
    plain = estimate_effect(ask, (items(a), items(b)), 0.05)
    moved = estimate_effect(ask, (items([v + shift for v in a]), items([v + shift for v in b])), 0.05)
    grown = estimate_effect(ask, (items([v * scale for v in a]), items([v * scale for v in b])), 0.05)
    assert moved.effect == pytest.approx(plain.effect, abs=1e-9)
    assert grown.effect == pytest.approx(plain.effect * scale, rel=1e-9, abs=1e-9)


def test_what_this_n_could_have_found_and_what_would_have_decided() -> None:
    """Four times the items halve the standard error: the n needed follows from it."""
    found = estimate_effect(question(hypothesis()), (A, B), 0.05)
    smallest_found = detectable(found)
    assert smallest_found is not None and found.se is not None
    assert smallest_found == pytest.approx(found.se * (1.959963985 + 0.841621234))
    # At the smallest effect equal to what this n detects with 80 % power, this n is what is needed.
    assert n_needed("greater", found, smallest_found) == found.n
    half = n_needed("greater", found, smallest_found / 2)
    assert half == pytest.approx(4 * found.n, abs=1)
    assert n_needed("at_least", found, 0.1) is None
    assert n_needed("at_least", found, 0.1, expected=0.1 + smallest_found) == found.n
