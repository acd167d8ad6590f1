"""A quorum of trustees: a secret split so that any k of n shares give it back, and fewer tell nothing (Shamir 1979).

What is split is the X25519 secret of an age identity made for one seal; its two halves of 16 bytes are shared over
GF(2^128). Needs the extra ``seal``.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from leadline.errors import InputError, MissingExtraError, StatementError

SECRET_SIZE: Final = 32
MAX_TRUSTEES: Final = 16
_MAGIC: Final = b"LLshare1"
_FORM: Final = struct.Struct(">8sBBB32s32s")
SHARE_SIZE: Final = _FORM.size


@dataclass(frozen=True, slots=True)
class Share:
    """One trustee's share: `quorum` shares of one `tag` (32 bytes, the seal's commitment) open the seal."""

    quorum: int
    trustees: int
    number: int
    value: bytes
    tag: bytes

    def encode(self) -> bytes:
        """Fixed-size bytes."""
        return _FORM.pack(_MAGIC, self.quorum, self.trustees, self.number, self.value, self.tag)

    @classmethod
    def decode(cls, data: bytes) -> "Share":
        """The share in these bytes; StatementError when they hold none."""
        if len(data) == SHARE_SIZE:
            magic, quorum, trustees, number, value, tag = _FORM.unpack(data)
            if magic == _MAGIC and 1 <= quorum <= trustees <= MAX_TRUSTEES and 1 <= number <= trustees:
                return cls(quorum, trustees, number, value, tag)
        raise StatementError("this is not a trustee's share", remedy="ask the trustee to make it again")


def split(secret: bytes, quorum: int, trustees: int, tag: bytes) -> list[Share]:
    """Shares of a 32-byte secret, any `quorum` of which give it back; InputError for an impossible quorum."""
    if len(secret) != SECRET_SIZE or not 1 <= quorum <= trustees <= MAX_TRUSTEES:
        raise InputError(
            f"{quorum} of {trustees} trustees is not a quorum",
            remedy=f"name 1 to {MAX_TRUSTEES} trustees, and a quorum of at least 1 and at most all of them",
        )
    shamir = _shamir()
    halves = [shamir.split(quorum, trustees, half) for half in (secret[:16], secret[16:])]
    return [
        Share(quorum, trustees, number, first + second, tag)
        for (number, first), (_, second) in zip(*halves, strict=True)
    ]


def combine(shares: Sequence[Share]) -> bytes:
    """The secret that enough shares of one seal give back.

    Raises InputError when they are of different seals or too few. Shares that were altered give a wrong secret:
    what it opens is checked by whoever uses it.
    """
    distinct = {share.number: share for share in shares}
    kinds = {(share.quorum, share.trustees, share.tag) for share in shares}
    if len(kinds) != 1:
        raise InputError(
            "these shares are not of one seal", remedy="give shares that trustees made for this study"
        )
    quorum = next(iter(kinds))[0]
    if len(distinct) < quorum:
        raise InputError(
            f"{quorum} shares of different trustees open this seal; here are {len(distinct)}",
            remedy="ask further trustees for theirs: `leadline sealed share ID --out FILE`",
        )
    used = [distinct[number] for number in sorted(distinct)][:quorum]
    shamir = _shamir()
    halves = [
        shamir.combine([(s.number, s.value[part]) for s in used]) for part in (slice(16), slice(16, 32))
    ]
    return bytes(halves[0] + halves[1])


def _shamir() -> Any:
    try:
        from Crypto.Protocol.SecretSharing import Shamir
    except ImportError:
        raise MissingExtraError(
            "trustees need secret sharing, which is not installed", remedy="pip install 'leadline[seal]'"
        ) from None
    return Shamir
