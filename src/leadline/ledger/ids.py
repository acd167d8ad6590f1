"""Study ids: short names that follow from the log and that nobody can choose or reuse."""

import re
from functools import lru_cache

from leadline.errors import InputError

PREFIX = "LL-"
_DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32: no i, l, o or u
# Digits are looked up two at a time; a first one stands alone.
_PAIRS = [first + second for first in _DIGITS for second in _DIGITS]
_PLACES = (50, 40, 30, 20, 10, 0)
# 13 digits hold 65 bits, so the first is at most f.
_SPELLING = re.compile(rf"{PREFIX}[0-9a-f][{_DIGITS}]{{12}}", re.ASCII)
_READ_AS = str.maketrans("oil", "011")


@lru_cache(maxsize=4096)  # every statement about a study asks more than once
def study_id(leaf_hash: bytes) -> str:
    """The id of the study frozen by the entry with this leaf hash (32 bytes).

    ``LL-`` and the first 8 bytes of the hash as a big-endian number in 13 base-32 digits (Crockford's
    alphabet, lower case). Within one log it is unique: a freeze whose id is taken is refused.
    """
    if len(leaf_hash) != 32:
        raise InputError(f"a leaf hash has 32 bytes, not {len(leaf_hash)}")
    number = int.from_bytes(leaf_hash[:8], "big")
    pairs = "".join([_PAIRS[number >> place & 1023] for place in _PLACES])
    return f"{PREFIX}{_DIGITS[number >> 60]}{pairs}"


def is_study_id(text: str) -> bool:
    """Whether `text` is spelled as `study_id` spells."""
    return _SPELLING.fullmatch(text) is not None


def read_study_id(text: str) -> str:
    """The study id that a person typed: any case, with O for 0 and I or L for 1; `InputError` if it is none."""
    plain = text.strip().lower()
    candidate = PREFIX + plain.removeprefix(PREFIX.lower()).translate(_READ_AS)
    if not is_study_id(candidate):
        raise InputError(
            f"{text[:40]!r} is not a study id",
            remedy="ids look like LL-0123456789abc; copy it from the study's page",
        )
    return candidate
