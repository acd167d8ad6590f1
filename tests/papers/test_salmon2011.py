"""Salmon, Moraes, Dror and Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3", SC '11."""

import pytest

from leadline.stats.rng import keyed

#: Random123's published known-answer vectors for philox4x64-10: (counter, key, four words).
ANSWERS = [
    (0, (0, 0), ("16554d9eca36314c", "db20fe9d672d0fdc", "d7e772cee186176b", "7e68b68aec7ba23b")),
    (
        (1 << 256) - 1,
        ((1 << 64) - 1, (1 << 64) - 1),
        ("87b092c3013fe90b", "438c3c67be8d0224", "9cc7d7c69cd777b6", "a09caebf594f0ba0"),
    ),
]


@pytest.mark.parametrize(("counter", "key", "words"), ANSWERS)
def test_known_answers(counter: int, key: tuple[int, int], words: tuple[str, ...]) -> None:
    """The authors' known-answer vectors of Philox4x64-10 (NumPy steps the counter before it generates)."""
    stream = keyed(key, (counter - 1) % (1 << 256))
    assert tuple(f"{word:016x}" for word in stream.random_raw(4)) == words
