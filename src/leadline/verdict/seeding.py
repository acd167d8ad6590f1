"""Seeds a run must use when the protocol says they derive from the freeze."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from leadline.ledger.seeds import MODEL_SEED, SHUFFLE, seed

#: Value of a registered seed or item order that is derived from the freeze.
FROM_FREEZE = "from_freeze"


@dataclass(frozen=True, slots=True)
class Seeds:
    """What the freeze decides: the decoding seed, and the seed of the harness's own shuffle of the items."""

    generate: int
    shuffle: int

    @classmethod
    def of(cls, leaf_hash: bytes) -> "Seeds":
        """The seeds of the study whose freeze has this leaf hash (32 bytes)."""
        return cls(generate_seed(leaf_hash), shuffle_seed(leaf_hash))


def generate_seed(leaf_hash: bytes) -> int:
    """The decoding seed of a study: 24 bits, so that every provider's integer type holds it."""
    return int(seed(leaf_hash, MODEL_SEED, bits=24))


def shuffle_seed(leaf_hash: bytes) -> int:
    """The seed of Inspect's `--sample-shuffle`: 24 bits plus 2, for Inspect takes 0 and 1 for "no" and "yes"."""
    return 2 + int(seed(leaf_hash, SHUFFLE, bits=24))


def shuffled(items: Sequence[str], seed: int) -> list[str]:
    """The items in the order Inspect's shuffle with this seed gives them: Python's own, which is fixed by the seed."""
    found = list(items)
    random.Random(seed).shuffle(found)  # noqa: S311 (a published order, not a secret)
    return found
