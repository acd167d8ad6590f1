"""Canonical JSON and strict parsing."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.errors import InputError
from leadline.ledger import canon
from leadline.ledger.canon import MAX_DEPTH, canonical, parse_strict, sha256_hex

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(allow_nan=False, allow_infinity=False).filter(lambda x: abs(x) < 2**53 or abs(x) >= 1e21)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=4),
    max_leaves=20,
)  # fmt: skip


@given(JSON)
def test_canonical_bytes_parse_to_the_same_value_and_bytes(value: Any) -> None:
    """Canonical form is a fixed point: parsing and writing again changes nothing."""
    data = canonical(value)
    assert parse_strict(data) == json.loads(data)
    assert canonical(parse_strict(data)) == data


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (-0.0, b"0"), (1e21, b"1e+21"), (1e-7, b"1e-7"), (100.0, b"100"), (2**53 - 1, b"9007199254740991"),
        ({"é": 1, "z": 2}, '{"z":2,"é":1}'.encode()), ("\u2028\x1f\"", '"\u2028\\u001f\\""'.encode()),
        # Keys are ordered by UTF-16 code units: the surrogates of U+1F600 come before U+FB33.
        ({"\ufb33": 1, "\U0001f600": 2}, '{"\U0001f600":2,"\ufb33":1}'.encode()), ((1, [True, None]), b"[1,[true,null]]"),
    ],
)  # fmt: skip
def test_canonical_spelling(value: object, expected: bytes) -> None:
    """Numbers, escapes and key order are those of RFC 8785."""
    assert canonical(value) == expected


def nested(depth: int) -> Any:
    """Lists inside one another."""
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), 2**53, -(2**53), 2.0**53, -9.9e20, "\ud800", {"\udfff": 1}, {1: 2}, {1, 2}, b"x", nested(MAX_DEPTH + 1)]
)  # fmt: skip
def test_values_without_canonical_form(value: object) -> None:
    """NaN, big integers, lone surrogates, other types and deep nesting raise InputError with a remedy."""
    with pytest.raises(InputError, match="no canonical JSON form") as caught:
        canonical(value)
    assert caught.value.remedy()


@pytest.mark.parametrize(
    "data",
    [
        b'{"a":1,"a":2}', b'{"a":{"b":1,"b":1}}', b'{"a":1,"\\u0061":2}', b'"\\ud800"', b'{"\\udc00":1}', b'["\\ud800\\u0041"]',
        b'"\xff"', b'"\xed\xa0\x80"', b"NaN", b"[Infinity]", b"-Infinity", b"1e999", b"[-1e999]", b"9007199254740992",
        b"-9007199254740992", b"9" * 5000, b"", b"{", b'{"a":1}x', b"\xef\xbb\xbf{}", b"01", b"+1", b"'a'", b"[1,]", b'"\x01"',
        b"[" * 65 + b"]" * 65, b"[" * 100_000, b'{"a":' * 65 + b"1" + b"}" * 65, b"\xc0\xaf", b"nul",
    ],
)  # fmt: skip
def test_documents_with_two_readings_or_none(data: bytes) -> None:
    """Anything two parsers could read differently is refused, and so is what is no JSON."""
    with pytest.raises(InputError):
        parse_strict(data)


def test_what_strict_parsing_accepts() -> None:
    """Depth 64, brackets inside strings, escaped quotes and proper surrogate pairs are fine."""
    assert parse_strict(b"[" * 64 + b"]" * 64) is not None
    assert parse_strict(b'"' + b"[" * 100 + b'"') == "[" * 100
    assert parse_strict(b'["\\"' + b"{[" * 50 + b'\\\\"]') == ['"' + "{[" * 50 + "\\"]
    assert parse_strict(b'"\\ud83d\\ude00"') == "\U0001f600"
    assert parse_strict(b' {"a" : [1, 2.5, -0.0]} ') == {"a": [1, 2.5, 0.0]}


@given(st.binary(max_size=60))
def test_arbitrary_bytes_raise_nothing_else(data: bytes) -> None:
    """Hostile bytes give a value or an InputError."""
    try:
        parse_strict(data)
    except InputError:
        return
    json.loads(data)


COMPACT = [
    b'{"a":1,"b":[true,null,0.5,"\xc3\xa9"]}', b'{"a":1,"a":1}', b'{"a":1, "b":2}', b'"\\u00e9"', b'"\\ud83d\\ude00"', b'"\\ud800"',
    b"9007199254740991", b"-9007199254740991", b"9007199254740992", b"-9007199254740993", b"123456789012345678901234567890",
    b"0.1234567890123456789", b"1e999", b"-1e999", b"1e16", b"1E5", b"1.0", b"-0", b"-0.0", b"00", b"NaN", b"Infinity", b"null",
    b'"\x7f"', b'"\n"', b'"\\n"', b'"\\/"', b'"\xff"', b"\xef\xbb\xbf1", b"[1,]", b"", b" 1", b"1 ", b"[" * 64 + b"]" * 64,
    b"[" * 65 + b"]" * 65, b'{"":{"":{"":1}}}', b'{"x":"1234567890123456"}', b"5e-324", b"2.2250738585072014e-308", b"0.1", b"1e-7",
]  # fmt: skip


def _both(data: bytes) -> tuple[object, object]:
    """What is said of bytes, value or refusal, with the fast reading and without."""

    def said() -> object:
        try:
            return repr(parse_strict(data))
        except InputError as error:
            return error.message, error.where

    with pytest.MonkeyPatch.context() as patch:
        with_it = said()
        patch.setattr(canon, "_read_back", lambda data: None)
        return with_it, said()


@pytest.mark.parametrize("data", COMPACT)
def test_the_fast_reading_never_decides(data: bytes) -> None:
    """Whatever the strict decoder refuses, and whatever it makes of a value, stays so."""
    with_it, without = _both(data)
    assert with_it == without


@given(JSON, st.data())
def test_the_fast_reading_never_decides_on_altered_documents(value: Any, draw: st.DataObject) -> None:
    """Nor does it for compact documents with a byte changed, put in or taken out."""
    data = bytearray(canonical(value))
    at = draw.draw(st.integers(0, len(data) - 1))
    byte = draw.draw(st.sampled_from(list(b'0123456789-.eE"\\[]{},: \nu\x00\xff')))
    match draw.draw(st.integers(0, 2)):
        case 0:
            data[at] = byte
        case 1:
            data.insert(at, byte)
        case _:
            del data[at]
    with_it, without = _both(bytes(data))
    assert with_it == without


def test_digest_is_lower_case_hex() -> None:
    """The digest of nothing is the well-known one."""
    assert sha256_hex(b"") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
