"""Study ids follow from the leaf hash."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.errors import InputError
from leadline.ledger.ids import is_study_id, read_study_id, study_id


@given(st.binary(min_size=32, max_size=32))
def test_ids_encode_the_first_eight_bytes(leaf: bytes) -> None:
    """Thirteen digits of Crockford's alphabet, read as a number, give the bytes back."""
    text = study_id(leaf)
    assert is_study_id(text)
    number = 0
    for digit in text.removeprefix("LL-"):
        number = number * 32 + "0123456789abcdefghjkmnpqrstvwxyz".index(digit)
    assert number.to_bytes(8, "big") == leaf[:8]
    assert read_study_id(f"  {text.upper()} ") == read_study_id(text.removeprefix("LL-")) == text


def test_known_ids() -> None:
    """The extremes and one value in between are fixed for ever."""
    assert study_id(bytes(32)) == "LL-0000000000000"
    assert study_id(b"\xff" * 32) == "LL-fzzzzzzzzzzzz"
    assert study_id(bytes(range(32))) == "LL-000820c20a1g7"


def test_letters_that_look_like_digits_are_read_as_digits() -> None:
    """O is 0, I and L are 1, as Crockford defines."""
    assert read_study_id("ll-oil0000000000") == "LL-0110000000000"


@pytest.mark.parametrize(
    "text", ["", "LL-", "LL-000000000000", "LL-00000000000000", "LL-u000000000000", "LL-g000000000000", "XX-0000000000000"]
)  # fmt: skip
def test_other_texts_are_no_ids(text: str) -> None:
    """Wrong length, alphabet or prefix is refused, and so is a number beyond 64 bits."""
    assert not is_study_id(text)
    with pytest.raises(InputError, match="not a study id"):
        read_study_id(text)


def test_a_leaf_hash_has_32_bytes() -> None:
    """Anything else is refused."""
    with pytest.raises(InputError):
        study_id(b"short")
