"""Keyed random streams: the same label gives the same numbers on every machine and thread count."""

import hashlib

import numpy as np

_MASK = (1 << 64) - 1


def key_of(seed: bytes | str | int, *labels: bytes | str | int) -> tuple[int, int]:
    """A 128-bit Philox key from a seed and labels; lengths are hashed too, so ("ab", "c") is not ("a", "bc")."""
    digest = hashlib.sha256(b"leadline.stats.rng/1")
    for part in (seed, *labels):
        data = _bytes(part)
        digest.update(len(data).to_bytes(8, "big") + data)
    number = int.from_bytes(digest.digest()[:16], "little")
    return number & _MASK, number >> 64


def stream(seed: bytes | str | int, *labels: bytes | str | int, start: int = 0) -> np.random.Philox:
    """A Philox4x64-10 bit generator keyed by ``seed`` and ``labels``, at block ``start`` (4 words a block).

    Source: Salmon, Moraes, Dror and Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3", SC '11.
    Streams of different labels are different bijections of the counter; they cannot overlap as seeds
    ``seed + i * constant`` of a sequential generator do.
    """
    return keyed(key_of(seed, *labels), start)


def keyed(key: tuple[int, int], start: int = 0) -> np.random.Philox:
    """The Philox generator of a key from `key_of`, at block ``start``."""
    counter = np.array([(start >> (64 * word)) & _MASK for word in range(4)], dtype=np.uint64)
    return np.random.Philox(counter=counter, key=np.array(key, dtype=np.uint64))


def _bytes(part: bytes | str | int) -> bytes:
    if isinstance(part, bytes):
        return b"b" + part
    if isinstance(part, str):
        return b"s" + part.encode()
    return b"i" + str(part).encode()
