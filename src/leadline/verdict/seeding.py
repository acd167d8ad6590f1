"""Seeds a run must use when the protocol says they derive from the freeze."""

from leadline.ledger.seeds import MODEL_SEED, seed

#: Value of a registered seed that is derived from the freeze.
FROM_FREEZE = "from_freeze"


def generate_seed(leaf_hash: bytes) -> int:
    """The decoding seed of a study: 24 bits, so that every provider's integer type holds it."""
    return int(seed(leaf_hash, MODEL_SEED, bits=24))
