"""Which 32 bytes are an acceptable Ed25519 public key.

Verifiers disagree about signatures under odd keys: points of small order, for which anybody can make
"signatures", and encodings that stand for a point under a second spelling. None of them ever comes out
of honest key generation, so they are refused when a key first enters, and no later disagreement is
possible. The arithmetic is RFC 8032 section 5.1, slow and plain: it handles public values only.
"""

from functools import lru_cache

from leadline.errors import SignatureError

PUBLIC_SIZE = 32
_P = 2**255 - 19
_D = -121665 * pow(121666, _P - 2, _P) % _P
_SQRT_MINUS_1 = pow(2, (_P - 1) // 4, _P)


@lru_cache(maxsize=65_536)
def check_public_key(public: bytes) -> None:
    """Raise `SignatureError` unless `public` is the one encoding of a curve point of large order."""
    if len(public) != PUBLIC_SIZE:
        raise _refused(f"has {len(public)} bytes instead of {PUBLIC_SIZE}")
    encoded = int.from_bytes(public, "little")
    sign, y = encoded >> 255, encoded & (1 << 255) - 1
    if y >= _P:
        raise _refused("is a non-canonical encoding: its coordinate is not reduced")
    x = _recover_x(y)
    if x is None:
        raise _refused("is not a point of the curve")
    if x == 0 and sign:
        raise _refused("is a non-canonical encoding: it gives a sign to zero")
    for _ in range(3):
        x, y = _double(x, y)
    if x == 0:  # (0, 1) or (0, -1): eight times the point is the neutral element, or nearly so
        raise _refused("is a point of small order: anybody can sign for it")


def _recover_x(y: int) -> int | None:
    """A square root of (y^2 - 1) / (d y^2 + 1), or None: RFC 8032 section 5.1.3."""
    u, v = (y * y - 1) % _P, (_D * y * y + 1) % _P
    x = u * pow(v, 3, _P) * pow(u * pow(v, 7, _P), (_P - 5) // 8, _P) % _P
    if (v * x * x - u) % _P == 0:
        return x
    x = x * _SQRT_MINUS_1 % _P
    return x if (v * x * x - u) % _P == 0 else None


def _double(x: int, y: int) -> tuple[int, int]:
    """Twice a point in affine coordinates; the addition law of RFC 8032 section 5.1.4 is complete."""
    t = _D * x * x * y * y % _P
    return 2 * x * y * pow(1 + t, -1, _P) % _P, (y * y + x * x) * pow(1 - t, -1, _P) % _P


def _refused(why: str) -> SignatureError:
    return SignatureError(
        f"this Ed25519 public key {why}",
        remedy="generate a fresh key with `leadline key new`; keys made by ordinary software never look like this",
    )
