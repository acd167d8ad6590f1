"""Bech32 (BIP 173) as age uses it: no limit on the length. Only what writing and reading age keys needs."""

from typing import Final

_ALPHABET: Final = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_GENERATOR: Final = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)


def encode(prefix: str, data: bytes) -> str:
    """`data` behind a lower-case human-readable `prefix`, in lower case."""
    digits = _regroup(data, 8, 5, pad=True)
    return f"{prefix}1" + "".join(_ALPHABET[digit] for digit in [*digits, *_checksum(prefix, digits)])


def decode(text: str) -> tuple[str, bytes]:
    """(lower-case prefix, data) of a Bech32 text; ValueError for mixed case, a wrong checksum or bad padding."""
    plain = text.lower()
    if text not in (plain, text.upper()):
        raise ValueError("mixed case")
    prefix, separator, rest = plain.rpartition("1")
    if not separator or not prefix or len(rest) < 6 or set(rest) - set(_ALPHABET) or not prefix.isascii():
        raise ValueError("not Bech32")
    digits = [_ALPHABET.index(character) for character in rest]
    if _checksum(prefix, digits[:-6]) != digits[-6:]:
        raise ValueError("wrong checksum")
    return prefix, bytes(_regroup(digits[:-6], 5, 8, pad=False))


def _checksum(prefix: str, digits: list[int]) -> list[int]:
    spread = [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix]
    value = _polymod([*spread, *digits, 0, 0, 0, 0, 0, 0]) ^ 1
    return [value >> 5 * (5 - place) & 31 for place in range(6)]


def _polymod(values: list[int]) -> int:
    state = 1
    for value in values:
        top = state >> 25
        state = (state & 0x1FFFFFF) << 5 ^ value
        for place, generator in enumerate(_GENERATOR):
            if top >> place & 1:
                state ^= generator
    return state


def _regroup(data: bytes | list[int], source: int, target: int, *, pad: bool) -> list[int]:
    state = bits = 0
    out: list[int] = []
    for value in data:
        state = state << source | value
        bits += source
        while bits >= target:
            bits -= target
            out.append(state >> bits & (1 << target) - 1)
        state &= (1 << bits) - 1
    if pad:
        if bits:
            out.append(state << (target - bits) & (1 << target) - 1)
    elif bits >= source or state:
        raise ValueError("bad padding")
    return out
