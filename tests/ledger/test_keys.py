"""Keys: which are acceptable, how they are written, and what verifies."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.errors import InputError, SignatureError
from leadline.ledger.curve import check_public_key
from leadline.ledger.keys import SigningKey, VerifyKey, verify
from ledger.record import ALICE, LOG, key

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P


def encode(x: int, y: int) -> bytes:
    """The RFC 8032 encoding of a point."""
    return (y | (x & 1) << 255).to_bytes(32, "little")


def add(a: tuple[int, int], b: tuple[int, int]) -> tuple[int, int]:
    """The sum of two points."""
    t = D * a[0] * b[0] * a[1] * b[1]
    return (
        (a[0] * b[1] + b[0] * a[1]) * pow(1 + t, -1, P) % P,
        (a[1] * b[1] + a[0] * b[0]) * pow(1 - t, -1, P) % P,
    )


def times(n: int, point: tuple[int, int]) -> tuple[int, int]:
    """A multiple of a point."""
    result = (0, 1)
    while n:
        if n & 1:
            result = add(result, point)
        point = add(point, point)
        n >>= 1
    return result


def some_point(y: int) -> tuple[int, int]:
    """A curve point with this y, or with the next one that has one."""
    while True:
        ratio = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
        x = pow(ratio, (P + 3) // 8, P)
        if x * x % P != ratio:
            x = x * pow(2, (P - 1) // 4, P) % P
        if x * x % P == ratio:
            return x, y
        y += 1


def small_order_points() -> set[tuple[int, int]]:
    """All eight points of the torsion subgroup, by multiplying arbitrary points with the group order."""
    found: set[tuple[int, int]] = set()
    y = 2
    while len(found) < 8:
        point = some_point(y)
        found.add(times(L, point))
        y = point[1] + 1
    return found


SMALL = sorted(small_order_points())


def test_there_are_eight_points_of_small_order() -> None:
    """The torsion subgroup of the curve has eight elements."""
    assert len(SMALL) == 8
    assert all(times(8, point) == (0, 1) for point in SMALL)


@pytest.mark.parametrize("point", SMALL, ids=range(8))
def test_small_order_keys_are_refused(point: tuple[int, int]) -> None:
    """Each of the eight points of small order is refused as a key, under both signs of zero."""
    for encoded in (encode(*point), encode(point[0] | 1 if point[0] == 0 else point[0], point[1])):
        with pytest.raises(SignatureError):
            check_public_key(encoded)


@pytest.mark.parametrize("y", range(19))
@pytest.mark.parametrize("sign", [0, 1])
def test_non_canonical_keys_are_refused(y: int, sign: int) -> None:
    """All encodings whose coordinate is not reduced modulo the prime are refused."""
    with pytest.raises(SignatureError, match="not reduced"):
        check_public_key((P + y | sign << 255).to_bytes(32, "little"))


def test_points_off_the_curve_are_refused() -> None:
    """A coordinate without a point is refused, and about half of them have none."""
    refused = 0
    for y in range(2, 102):
        try:
            check_public_key(y.to_bytes(32, "little"))
        except SignatureError:
            refused += 1
    assert 30 < refused < 70


@given(st.binary(min_size=32, max_size=32))
def test_honest_keys_are_accepted(seed: bytes) -> None:
    """Every key that ordinary generation makes is acceptable and signs verifiably."""
    made = SigningKey("k", "author", seed)
    verify(made.public.public, b"message", made.sign(b"message"))


@pytest.mark.parametrize("length", [0, 31, 33])
def test_keys_of_another_length_are_refused(length: int) -> None:
    """A key has 32 bytes."""
    with pytest.raises(SignatureError, match="32"):
        check_public_key(bytes(length))


def test_every_flipped_bit_of_signature_key_and_message_is_noticed() -> None:
    """No bit of the three parts can change."""
    parts = [ALICE.public.public, b"message", ALICE.sign(b"message")]
    for which, part in enumerate(parts):
        for at in range(len(part) * 8):
            bad = bytearray(part)
            bad[at // 8] ^= 1 << at % 8
            with pytest.raises(SignatureError):
                verify(*[bytes(bad) if which == i else p for i, p in enumerate(parts)])  # type: ignore[arg-type]


def test_malleable_signatures_are_refused() -> None:
    """Adding the group order to the second half gives a signature that is refused."""
    signature = ALICE.sign(b"message")
    s = int.from_bytes(signature[32:], "little") + L
    with pytest.raises(SignatureError):
        verify(ALICE.public.public, b"message", signature[:32] + s.to_bytes(32, "little"))


@pytest.mark.parametrize("signature", [b"", bytes(63), bytes(64), bytes(65)])
def test_signatures_of_any_length_fail_cleanly(signature: bytes) -> None:
    """Whatever comes in as a signature, the answer is SignatureError."""
    with pytest.raises(SignatureError):
        verify(ALICE.public.public, b"", signature)


def test_vkeys_round_trip() -> None:
    """A vkey text gives the key back."""
    assert VerifyKey.parse(ALICE.public.vkey) == ALICE.public
    assert ALICE.fingerprint == ALICE.public.fingerprint
    assert len(ALICE.fingerprint) == 64


def test_every_flipped_bit_of_a_vkey_is_refused_or_harmless() -> None:
    """A changed vkey text never gives a key: name and key are bound by the id."""
    text = ALICE.public.vkey.encode()
    for at in range(len(text) * 8):
        bad = bytearray(text)
        bad[at // 8] ^= 1 << at % 8
        with pytest.raises(SignatureError):
            VerifyKey.parse(bad.decode("latin-1"))


@pytest.mark.parametrize(
    "name", ["", "a b", "a+b", "a\u00a0b", "a\nb", "a\x7fb", "x" * 201, "a\u202eb", "\u2003"]
)
def test_names_that_a_note_cannot_carry(name: str) -> None:
    """Spaces of any alphabet, plus signs and control characters cannot name a key."""
    with pytest.raises(SignatureError, match="cannot name a key"):
        VerifyKey(name, ALICE.public.public)
    with pytest.raises(SignatureError, match="cannot name a key"):
        SigningKey(name, "author", bytes(32))


def test_roles_and_seeds_are_checked() -> None:
    """Unknown roles and short seeds are input errors."""
    with pytest.raises(InputError, match="role"):
        SigningKey("a", "boss", bytes(32))  # type: ignore[arg-type]
    with pytest.raises(InputError, match="32 bytes"):
        SigningKey("a", "author", bytes(31))


def test_a_signing_key_does_not_show_its_seed() -> None:
    """The printed form of a private key has no secret in it."""
    secret = key("x")
    assert repr(secret.seed) not in repr(secret)
    assert secret.seed.hex() not in repr(secret)


def test_generated_keys_differ() -> None:
    """Two generated keys are two keys."""
    assert SigningKey.generate("a").seed != SigningKey.generate("a").seed
    assert LOG.role == "log"
