"""Verification of inclusion and consistency proofs (RFC 9162 sections 2.1.3.2 and 2.1.4.2).

Both functions return nothing when the proof holds and raise `ProofError` when it does not, so that
a forgotten comparison cannot turn a bad proof into a good one.
"""

from collections.abc import Sequence
from hashlib import sha256
from typing import Final

from leadline.errors import ProofError
from leadline.ledger.encoding import UINT64_MAX
from leadline.ledger.tlog.tree import HASH_SIZE

_ONLY_HASHES: Final = {HASH_SIZE}
_REMEDY = "do not rely on this record; fetch the proof again from the log, or from a mirror of it"


def verify_inclusion(leaf_hash: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """Raise `ProofError` unless `proof` shows `leaf_hash` at `index` in the tree of `size` leaves under `root`.

    All hashes are 32 bytes; `proof` runs from the leaf's sibling upward and must have exactly the
    length that index and size demand.
    """
    if not 0 <= index < size <= UINT64_MAX:
        raise _failed(f"a tree of {size} leaves has no leaf {index}")
    if len(leaf_hash) != HASH_SIZE or len(root) != HASH_SIZE:
        raise _failed("a leaf hash and a root have 32 bytes")
    # Up to the level where leaf and last leaf share an ancestor the index bits say left or right;
    # above it, every remaining sibling is a complete subtree to the left.
    inner = (index ^ (size - 1)).bit_length()
    expected = inner + (index >> inner).bit_count()
    if len(proof) != expected or not set(map(len, proof)) <= _ONLY_HASHES:
        raise _failed(f"an inclusion proof for leaf {index} of {size} has {expected} hashes of 32 bytes")
    value = leaf_hash
    for level, sibling in enumerate(proof):
        if level >= inner or index >> level & 1:
            value = sha256(b"\x01" + sibling + value).digest()
        else:
            value = sha256(b"\x01" + value + sibling).digest()
    if value != root:
        raise _failed(
            f"the proof for leaf {index} leads to another root than that of the tree of {size} leaves"
        )


def verify_consistency(size1: int, size2: int, proof: Sequence[bytes], root1: bytes, root2: bytes) -> None:
    """Raise `ProofError` unless `proof` shows the tree (size1, root1) to be a prefix of (size2, root2).

    A first size of 0 is an error even when both are 0: every tree extends the empty one, so the
    answer would say nothing. With equal sizes the proof must be empty and the roots equal; the length
    of roots is for the caller to check, as `checkpoint.parse_body` does.
    """
    if not 1 <= size1 <= size2 <= UINT64_MAX:
        raise _failed(f"no consistency proof leads from size {size1} to size {size2}")
    if size1 == size2:
        if proof:
            raise _failed("a consistency proof between equal sizes is empty")
        if root1 != root2:
            raise _failed(f"two different roots for the same size {size1}: the log shows two histories")
        return
    if not proof or not set(map(len, proof)) <= _ONLY_HASHES:
        raise _failed("a consistency proof consists of 32-byte hashes")
    old, new = _replay(size1, size2, proof, root1)
    if old != root1 or new != root2:
        raise _failed(f"the tree of {size2} leaves does not extend the tree of {size1} leaves")


def _replay(size1: int, size2: int, proof: Sequence[bytes], root1: bytes) -> tuple[bytes, bytes]:
    """Both roots as the proof implies them: RFC 9162 section 2.1.4.2, steps 2 to 7."""
    path = list(proof)
    if size1 & (size1 - 1) == 0:
        path.insert(0, root1)  # a complete old tree is itself the first node of the path
    first, second = size1 - 1, size2 - 1
    while first & 1:
        first >>= 1
        second >>= 1
    old = new = path[0]
    for sibling in path[1:]:
        if second == 0:
            raise _failed("the consistency proof is too long")
        if first & 1 or first == second:
            old = sha256(b"\x01" + sibling + old).digest()
            new = sha256(b"\x01" + sibling + new).digest()
            while first and not first & 1:
                first >>= 1
                second >>= 1
        else:
            new = sha256(b"\x01" + new + sibling).digest()
        first >>= 1
        second >>= 1
    if second != 0:
        raise _failed("the consistency proof is too short")
    return old, new


def _failed(what: str) -> ProofError:
    return ProofError(what, remedy=_REMEDY)
