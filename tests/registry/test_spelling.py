"""Values on Inspect's command line are read back as what they were."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.errors import InputError
from leadline.registry.spelling import pair, pairs

VALUES = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=20).filter(lambda text: "," not in text),
    st.integers(-(2**53), 2**53),
    st.floats(allow_nan=False, allow_infinity=False),
    st.booleans(),
    st.lists(st.integers(), max_size=3),
)


@given(VALUES, st.booleans())
def test_what_is_written_is_read(value: object, blanks: bool) -> None:
    """By Inspect's own reading of its options; in a variable, as one word."""
    config = pytest.importorskip("inspect_ai._util.config")
    word = pair("key", value, blanks=blanks)
    assert blanks or len(word.split()) == 1
    read = config.parse_cli_args([word])["key"]
    assert read == value and type(read) is type(value)


@pytest.mark.parametrize(
    "value", ["0012", "1e5", "yes", "null", "2026-01-01", "", " x ", "a: b", "#", "é", "\U0001f6df"]
)
def test_texts_that_look_like_something_else_stay_texts(value: str) -> None:
    """A digest of digits is no number, and `yes` is no boolean."""
    import yaml

    assert yaml.safe_load(pair("k", value).partition("=")[2]) == value


@pytest.mark.parametrize(
    ("key", "value"), [("k", "a,b"), ("a-b", 1), ("a b", 1), ("k", float("nan")), ("k", object())]
)
def test_what_cannot_be_written_is_refused(key: str, value: object) -> None:
    """Inspect would make a list of a text with a comma, and change a dash in a key."""
    with pytest.raises(InputError, match="cannot be written") as caught:
        pair(key, value)
    assert "metadata=" in (caught.value.remedy() or "")


def test_plain_values_stay_plain() -> None:
    """What people read most is not quoted."""
    assert pairs("-T", {"n": 3, "deep": True, "name": "a b"}) == [
        "-T",
        "n=3",
        "-T",
        "deep=true",
        "-T",
        "name=a b",
    ]
