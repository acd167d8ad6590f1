"""Values of array libraries become plain ones, and rows canonical bytes."""

import enum
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.errors import InputError
from leadline.ledger.canon import canonical
from leadline.logs.recording.plain import canonical_row, plain

_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False).filter(lambda x: not 2**53 <= abs(x) < 1e21)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.text(), _values, max_size=5))
def test_the_fast_writer_makes_canonical_bytes(row: dict[str, Any]) -> None:
    """Whichever of the two writers serves, the bytes are those of RFC 8785."""
    assert canonical_row(row) == canonical(row)


@given(
    st.floats(allow_nan=False, allow_infinity=False, width=64).filter(lambda x: not 2**53 <= abs(x) < 1e21)
)
def test_every_float_is_written_canonically(value: float) -> None:
    """Exponents, whole numbers, minus nought: as RFC 8785 has them."""
    assert canonical_row({"v": value}) == canonical({"v": value})


class _Tensor:
    """What PyTorch's tensors offer, as far as it is used."""

    def __init__(self, data: Any) -> None:
        self._data = np.asarray(data, dtype=np.float32)
        self.shape = self._data.shape

    def item(self) -> float:
        """The one value."""
        return float(self._data)

    def tolist(self) -> Any:
        """All values."""
        return self._data.tolist()


class _Colour(enum.StrEnum):
    RED = "red"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (np.float32(0.5), 0.5),
        (np.int64(3), 3),
        (np.bool_(True), True),
        (np.array(0.25), 0.25),
        (np.arange(3), [0, 1, 2]),
        (_Tensor(0.5), 0.5),
        (_Tensor([1, 2]), [1.0, 2.0]),
        ({"a": (np.int8(1), None)}, {"a": [1, None]}),
        (_Colour.RED, "red"),
    ],
)
def test_scalars_and_small_arrays_are_taken_as_they_are(value: Any, expected: Any) -> None:
    """NumPy's and PyTorch's values need no conversion by hand, and come out as plain types."""
    found = plain(value, "value")
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    "value", [float("inf"), np.float64("-inf"), object(), {1: 2}, np.zeros(20_000), {"a": {1, 2}}, b"x"]
)
def test_what_is_no_value_says_what_to_do(value: Any) -> None:
    """Infinite numbers, large arrays and foreign objects are refused with a remedy."""
    with pytest.raises(InputError) as refused:
        plain(value, "value")
    assert refused.value.remedy()


def test_a_value_that_contains_itself_ends() -> None:
    """Nesting is bounded."""
    value: list[Any] = []
    value.append(value)
    with pytest.raises(InputError, match="nested"):
        plain(value, "value")
