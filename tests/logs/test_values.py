"""What raw score values mean as numbers."""

import json
import logging
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inspect_ai.scorer import value_to_float

from leadline.logs.values import ValueMap, json_text, number


@pytest.mark.parametrize(
    ("value", "expected"),
    [("C", 1.0), ("I", 0.0), ("P", 0.5), ("N", 0.0), ("yes", 1.0), ("NO", 0.0), ("True", 1.0), ("false", 0.0),
     (True, 1.0), (False, 0.0), (3, 3.0), (-0.25, -0.25), ("3.5", 3.5), (" 1e3 ", 1000.0)],
)  # fmt: skip
def test_known_values_are_numbers(value: Any, expected: float) -> None:
    """Letters, words, booleans, numbers and numeric strings map as Inspect maps them."""
    assert number(value) == (expected, None)
    assert value_to_float()(value) == expected


@pytest.mark.parametrize(
    ("value", "reason"),
    [(math.nan, "nan"), (math.inf, "infinite value"), ("c", "text that is no number"), ("", "text that is no number"),
     ("nan", "text that is no number"), ([1], "list value"), ({"a": 1}, "dict value"), (None, "null value"),
     (10**400, "number beyond float64"), ("1" * 500, "text that is no number")],
)  # fmt: skip
def test_what_is_no_number_says_why(value: Any, reason: str) -> None:
    """NaN, infinities, unknown text, lists, objects and nulls have no number, and a reason."""
    assert number(value) == (None, reason)


SCALARS = st.one_of(st.text(max_size=20), st.floats(), st.integers(-(2**70), 2**70), st.booleans())


@given(SCALARS)
def test_agrees_with_inspect_wherever_there_is_a_number(value: Any) -> None:
    """Where a number is given it is Inspect's; where none is given, Inspect warns or has no finite number."""
    logging.disable(logging.WARNING)
    try:
        theirs = value_to_float()(value)
    finally:
        logging.disable(logging.NOTSET)
    found, why = number(value)
    assert found == theirs if why is None else (theirs == 0.0 or not math.isfinite(theirs))


@given(
    st.recursive(
        SCALARS,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    )
)
def test_json_text_reads_back(value: Any) -> None:
    """The JSON text of a raw value reads back as the same value, types included."""
    assert repr(json.loads(json_text(value))) == repr(json.loads(json.dumps(value, sort_keys=True)))


@given(st.lists(SCALARS, max_size=30))
def test_remembering_changes_nothing(values: list[Any]) -> None:
    """The memory of repeated strings gives what the plain functions give."""
    remembered = ValueMap()
    for value in values + values:
        assert remembered(value) == (*number(value), json_text(value))


def test_equal_objects_have_equal_text() -> None:
    """The order of keys and white space do not distinguish values."""
    assert (
        json_text({"b": 1, "a": [1.0, "é"]})
        == json_text({"a": [1.0, "é"], "b": 1})
        == '{"a":[1.0,"é"],"b":1}'
    )
