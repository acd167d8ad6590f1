"""Randomness that nobody knew before the freeze: seeds derived from the freeze's leaf hash.

A run that uses these seeds cannot have been made before its protocol was frozen (the idea of preRNG:
Mazor, Mazor and Mukamel 2018, European Journal of Neuroscience). A match proves *after*, not *unbiased*:
an author can compose many harmless variants of a protocol and submit the one with a pleasant seed.
Where that matters, pass a `beacon` the author does not choose, such as the root of the first witnessed
checkpoint that covers the leaf, and say that it was used.

Every use has a label of its own with a version, ``item-order/v1``; a derivation is never changed under an
old label, so that old matches stay matches. Seeds travel as decimal strings, because canonical JSON has
no integers beyond 2**53 - 1.
"""

import hmac
import re
from collections.abc import Iterable
from typing import Final

from leadline.errors import InputError

ITEM_ORDER: Final = "item-order/v1"
SHUFFLE: Final = "shuffle/v1"
SUBSAMPLE: Final = "subsample/v1"
BOOTSTRAP: Final = "bootstrap/v1"
MODEL_SEED: Final = "model-seed/v1"

_LABEL = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*/v[1-9][0-9]*", re.ASCII)
_HASH_SIZE = 32


def derive(leaf_hash: bytes, label: str, length: int = 32, *, beacon: bytes | None = None) -> bytes:
    """`length` bytes (at most 8,160) for one use: HKDF-SHA-256 (RFC 5869).

    Key material is the 32-byte leaf hash, info the label, salt the beacon (none: zeros). Raises
    `InputError` for a label that is not of the form ``name/v1``.
    """
    if len(leaf_hash) != _HASH_SIZE or not _LABEL.fullmatch(label) or not 1 <= length <= 255 * _HASH_SIZE:
        raise InputError(
            f"no seed can be derived for the label {label[:80]!r}",
            remedy="pass a 32-byte leaf hash, a label such as item-order/v1 and a length of 1 to 8,160 bytes",
        )
    key = hmac.digest(beacon or bytes(_HASH_SIZE), leaf_hash, "sha256")
    output = block = b""
    counter = 1
    while len(output) < length:
        block = hmac.digest(key, block + label.encode() + bytes([counter]), "sha256")
        output += block
        counter += 1
    return output[:length]


def seed(leaf_hash: bytes, label: str, *, bits: int = 64, beacon: bytes | None = None) -> str:
    """A uniform whole number below ``2**bits`` (`bits` a multiple of 8) as a decimal string."""
    if bits % 8 or bits < 8:
        raise InputError(f"a seed of {bits} bits cannot be derived", remedy="ask for a multiple of 8 bits")
    return str(int.from_bytes(derive(leaf_hash, label, bits // 8, beacon=beacon), "big"))


def order(
    leaf_hash: bytes, ids: Iterable[str], label: str = ITEM_ORDER, *, beacon: bytes | None = None
) -> list[str]:
    """A permutation of `ids` that depends only on the set of ids, the leaf hash and the label.

    Ids are sorted by HMAC-SHA-256 of their UTF-8 bytes under the derived key, so the order of any subset
    is the order within the whole. Raises `InputError` for duplicate ids.
    """
    key = derive(leaf_hash, label, beacon=beacon)
    names = list(ids)
    ranks = {hmac.digest(key, name.encode("utf-8", "surrogatepass"), "sha256"): name for name in names}
    if len(ranks) != len(names):
        raise InputError(
            "two items have one id", remedy="make the ids unique, for example task and id together"
        )
    return [ranks[rank] for rank in sorted(ranks)]
