"""Base64, numbers and hex have one accepted spelling each."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.ledger.encoding import b64decode, b64encode, is_sha256_hex, parse_uint64


@given(st.binary(max_size=100))
def test_base64_round_trips(data: bytes) -> None:
    """Every byte string comes back from its base64."""
    assert b64decode(b64encode(data).encode()) == data


@given(st.binary(max_size=12))
def test_only_what_the_encoder_writes_is_accepted(text: bytes) -> None:
    """Accepted base64 is exactly the encoder's output."""
    try:
        data = b64decode(text)
    except ValueError:
        return
    assert b64encode(data).encode() == text


@pytest.mark.parametrize(
    "text", [b"YR==", b"YQ", b"YQ=", b"Y Q==", b"YQ==\n", b"YQ===", b"-_8=", b"=", b"YQ==YQ=="]
)
def test_loose_base64_is_refused(text: bytes) -> None:
    """Padding bits, missing padding, blanks and the URL alphabet are refused."""
    with pytest.raises(ValueError, match="base64"):
        b64decode(text)


@given(st.integers(0, 2**64 - 1))
def test_numbers_round_trip(value: int) -> None:
    """Every uint64 is read back from its decimal form."""
    assert parse_uint64(b"%d" % value) == value


@pytest.mark.parametrize(
    "text", [b"", b"+5", b"-5", b" 5", b"5 ", b"5_0", b"05", b"00", b"0x5", "٥".encode(), b"18446744073709551616", b"9" * 10_000]
)  # fmt: skip
def test_other_numbers_are_refused(text: bytes) -> None:
    """Signs, blanks, zeros in front, other digits and numbers from 2^64 on are refused."""
    with pytest.raises(ValueError, match="number"):
        parse_uint64(text)


def test_digests_are_lower_case() -> None:
    """A digest is 64 lower-case hex digits."""
    assert is_sha256_hex("0" * 64)
    assert not any(map(is_sha256_hex, ("0" * 63, "0" * 65, "A" * 64, "g" * 64, "")))
