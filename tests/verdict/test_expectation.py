"""What somebody expected, in one line."""

import pytest

from leadline.errors import InputError
from leadline.verdict.expectation import MOST, read_expectations

ARMS = ("hint", "plain", "b-2")


@pytest.mark.parametrize(
    ("text", "kind", "prediction", "sentence"),
    [
        ("hint > plain", "greater", "increase", "hint scores higher than plain"),
        ("plain<hint", "greater", "decrease", "plain scores lower than hint"),
        ("A >= b-2", "no_worse", "increase", "hint scores no lower than b-2"),
        ("a <= C", "no_worse", "decrease", "hint scores no higher than b-2"),
        ("B == A", "equivalent", "increase", "plain scores the same as hint"),
        ("hint != plain", "differs", "increase", "hint scores differently from plain"),
        ("b-2 > .5", "greater", "increase", "b-2 scores higher than 0.5"),
        ("b-2 < -1e-3", "greater", "decrease", "b-2 scores lower than -0.001"),
    ],
)
def test_every_sign_is_a_kind_and_a_direction(text: str, kind: str, prediction: str, sentence: str) -> None:
    """Names and letters, with and without blanks."""
    (found,) = read_expectations(text, ARMS)
    assert (found.kind, found.prediction, found.sentence) == (kind, prediction, sentence)


def test_names_may_be_left_out_where_there_are_few_arms() -> None:
    """Two arms and a sign; one arm, a sign and a number."""
    (two,) = read_expectations(">", ("x", "y"))
    (one,) = read_expectations("> 0.5", ("x",))
    assert (two.arm, two.other, two.reference) == ("x", "y", None)
    assert (one.arm, one.other, one.reference) == ("x", None, 0.5)


def test_a_name_goes_before_a_letter_and_an_arm_before_a_number() -> None:
    """Arms may be called B, or 2."""
    (found,) = read_expectations("B > 2", ("2", "B"))
    assert (found.arm, found.other) == ("B", "2")


def test_several_are_separated_by_commas() -> None:
    """Each is a hypothesis of its own."""
    found = read_expectations("A > B, A > C", ARMS)
    assert [(one.arm, one.other) for one in found] == [("hint", "plain"), ("hint", "b-2")]


@pytest.mark.parametrize(
    "text",
    ["", "hint", "> plain", "hint >", "hint > hint", "hint > A", "hint > nobody", "x > hint", "hint > nan",
     "hint > inf", "hint => plain", "hint > plain > b-2", "A > B, A < B", "A > B,", "A > B," * (MOST + 1), "A" * 10**6],
)  # fmt: skip
def test_what_is_no_expectation_is_refused_with_how_to_write_one(text: str) -> None:
    """No guessing, in bounded time."""
    with pytest.raises(InputError) as caught:
        read_expectations(text, ARMS)
    assert caught.value.remedy()
    assert len(str(caught.value)) < 1_000
