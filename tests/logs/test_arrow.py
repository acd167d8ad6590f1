"""Arrow arrays built from buffers equal those that Arrow builds itself."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.errors import LogError
from leadline.logs import arrow
from leadline.logs.schema import NAMES, TIME

MOMENTS = st.integers(-(2**51), 2**52).map(
    lambda micros: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)
)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


def check(made: Any, expected: Any) -> None:
    """Equal values and type, and buffers that pass Arrow's own full validation."""
    made.validate(full=True)
    assert made.type == expected.type
    assert made.to_pylist() == expected.to_pylist()


@given(st.lists(TEXT | st.none(), max_size=40))
def test_texts(values: list[str | None]) -> None:
    """Strings of any script, empty and missing ones."""
    check(arrow.texts(values), pa.array(values, pa.string()))
    check(arrow.column(values, NAMES), pa.array(values, pa.string()).dictionary_encode())


@given(st.lists(st.booleans() | st.none(), max_size=40))
def test_flags(values: list[bool | None]) -> None:
    """Booleans, missing ones included."""
    check(arrow.flags(values), pa.array(values, pa.bool_()))


@given(st.lists(st.integers(-(2**63), 2**63 - 1) | st.none(), max_size=40))
def test_integers(values: list[int | None]) -> None:
    """64-bit integers."""
    check(arrow.numbers(values, pa.int64()), pa.array(values, pa.int64()))


@given(st.lists(st.floats(allow_nan=False) | st.none(), max_size=40))
def test_floats(values: list[float | None]) -> None:
    """Floats, infinities included."""
    check(arrow.numbers(values, pa.float64()), pa.array(values, pa.float64()))


def test_nan_is_null() -> None:
    """A column never holds NaN."""
    assert arrow.numbers([1.0, np.nan, None], pa.float64()).to_pylist() == [1.0, None, None]


@given(
    st.lists(
        MOMENTS | st.none(),
        max_size=20,
    )
)
def test_moments(values: list[datetime | None]) -> None:
    """Aware times to the microsecond, as datetimes and as ISO text."""
    check(arrow.moments(values), pa.array(values, TIME))
    check(arrow.times([None if v is None else v.isoformat() for v in values]), pa.array(values, TIME))


def test_times_in_other_forms() -> None:
    """Offsets are normalised, naive times are UTC, what is no time is null."""
    east = datetime(2026, 1, 1, 9, tzinfo=timezone(timedelta(hours=2)))
    texts = [east.isoformat(), "2026-01-01T07:00:00", "2026-01-01T07:00:00Z", "", "soon", None]
    assert arrow.times(texts).to_pylist() == [east, east, east, None, None, None]


def test_lone_surrogates_are_escaped() -> None:
    """What UTF-8 cannot hold becomes a backslash escape."""
    assert arrow.texts(["a", "\ud800é", None]).to_pylist() == ["a", "\\ud800é", None]


def test_integers_that_do_not_fit_are_refused() -> None:
    """An integer beyond its column is an error and not a wrapped number."""
    with pytest.raises(LogError, match="too large"):
        arrow.numbers([2**40], pa.int32())
