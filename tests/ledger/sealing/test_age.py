"""age: the specification's own examples, strict headers, and what a wrong reader gets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.errors import IntegrityError, StatementError
from leadline.ledger.sealing import age, bech32

SPEC_IDENTITY = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX"
SPEC_RECIPIENT = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj"


def test_the_specification_s_key() -> None:
    """The identity printed in the specification has the recipient printed there, and 32 bytes of 0x42."""
    assert age.secret_of(SPEC_IDENTITY) == b"\x42" * 32
    assert age.identity_of(b"\x42" * 32) == SPEC_IDENTITY
    assert age.recipient_of(SPEC_IDENTITY) == SPEC_RECIPIENT


@given(st.binary(max_size=64), st.sampled_from(["age", "age-secret-key-", "x"]))
def test_bech32_round_trips(data: bytes, prefix: str) -> None:
    """Any bytes come back, from either case, and one changed character is noticed."""
    text = bech32.encode(prefix, data)
    assert bech32.decode(text) == bech32.decode(text.upper()) == (prefix, data)
    swapped = text[:-1] + ("q" if text[-1] != "q" else "p")
    with pytest.raises(ValueError, match="checksum"):
        bech32.decode(swapped)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "age1",
        "AGE1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj",
        SPEC_IDENTITY,
        "age1pq",
        "ä1qqqqqqqq",
    ],
)
def test_other_texts_are_no_recipients(text: str) -> None:
    """Secret keys, mixed case, plug-ins and post-quantum recipients are refused with the same words."""
    with pytest.raises(StatementError, match="not an age X25519 recipient"):
        age.check_recipient(text)
    with pytest.raises(StatementError, match="not an age X25519 recipient"):
        age.encrypt(b"x", [text])


@pytest.mark.parametrize(
    "text", ["", SPEC_RECIPIENT, SPEC_IDENTITY[:-1], SPEC_IDENTITY.capitalize(), "x" * 10**6]
)
def test_other_texts_are_no_identities(text: str) -> None:
    """Whoever is asked to read or to name a recipient refuses them with the same words."""
    for ask in (age.secret_of, age.recipient_of, lambda one: age.decrypt(_file(), one)):
        with pytest.raises(StatementError, match="not an age X25519 identity"):
            ask(text)


def test_nobody_is_a_recipient_like_any_other() -> None:
    """What is for nobody has one native stanza, and no two nobodies are the same."""
    one, other = age.nobody(), age.nobody()
    assert one != other
    assert age.check_recipient(one) == one
    assert age.check_header(age.encrypt(b"x", [one])) == 1


def test_only_the_reader_reads() -> None:
    """Another identity learns that the file is not for it, and nothing else."""
    mine, other = age.generate(), age.generate()
    file = age.encrypt(b"secret", [age.recipient_of(mine)])
    assert age.decrypt(file, mine) == b"secret"
    assert age.decrypt(file, other) is None


def test_altered_payloads_are_noticed() -> None:
    """Every byte behind the header is authenticated."""
    mine = age.generate()
    file = age.encrypt(b"secret", [age.recipient_of(mine)])
    with pytest.raises(IntegrityError, match="altered"):
        age.decrypt(file[:-1] + bytes([file[-1] ^ 1]), mine)


def _file() -> bytes:
    return age.encrypt(b"x", [SPEC_RECIPIENT])


@pytest.mark.parametrize(
    "damage",
    [
        lambda file: b"",
        lambda file: file[:60],
        lambda file: file.replace(b"encryption.org/v1", b"encryption.org/v2"),
        lambda file: file.replace(b"-> X25519 ", b"-> scrypt AAAAAAAAAAAAAAAAAAAAAA 30\n\n-> X25519 ", 1),
        lambda file: file.replace(b"-> X25519", b"->  X25519", 1),
        lambda file: file.replace(b"\n--- ", b"\n--  ", 1),
        lambda file: b"age-encryption.org/v1\n" + b"-> x y\n\n" * 100_000,
        lambda file: file.replace(b"-> X25519 ", b"-> Y25519 ", 1),
    ],
)  # fmt: skip
def test_malformed_headers_are_refused_before_decrypting(damage: object) -> None:
    """Passphrases (whose cost their writer chooses), other versions, missing parts, endless headers."""
    assert callable(damage)
    with pytest.raises(StatementError, match="not an age file"):
        age.decrypt(damage(_file()), SPEC_IDENTITY)


@given(st.binary(max_size=400))
def test_any_bytes_get_an_answer(data: bytes) -> None:
    """Bytes of strangers raise one kind of error, never another."""
    for candidate in (data, b"age-encryption.org/v1\n" + data):
        with pytest.raises(StatementError):
            age.check_header(candidate)


def test_stanzas_are_counted_without_the_random_one() -> None:
    """The header check tells native recipients from the stanza an implementation adds at random."""
    file = age.encrypt(b"x", [age.recipient_of(age.generate()) for _ in range(3)])
    assert age.check_header(file) == 3
