"""Inclusion and consistency proofs from stored hashes (RFC 6962 sections 2.1.1 and 2.1.2)."""

from collections.abc import Sequence

from leadline.errors import InputError
from leadline.ledger.tlog.tree import HashReader, check_size, cover, fold, read


def prove_inclusion(size: int, index: int, reader: HashReader) -> list[bytes]:
    """The audit path of leaf `index` in the tree of `size` leaves, from the leaf's sibling upward.

    `reader` is asked once, for at most 2 log2(size) hashes. Raises `InputError` when there is no such
    leaf.
    """
    check_size(size)
    if not 0 <= index < size:
        raise InputError(
            f"a tree of {size} leaves has no leaf {index}",
            remedy="ask for an index below the tree size, or for a newer checkpoint",
        )
    siblings = []
    low, high = 0, size
    while high - low > 1:
        middle = low + _split(high - low)
        if index < middle:
            siblings.append((middle, high))
            high = middle
        else:
            siblings.append((low, middle))
            low = middle
    return _hashes(siblings, reader)


def prove_consistency(old: int, new: int, reader: HashReader) -> list[bytes]:
    """The proof that the tree of `old` leaves is a prefix of the tree of `new` leaves.

    Empty when the sizes are equal. Raises `InputError` unless 1 <= old <= new: consistency with the
    empty tree says nothing, and verifiers refuse it.
    """
    check_size(new)
    if not 1 <= old <= new:
        raise InputError(
            f"no consistency proof leads from size {old} to size {new}",
            remedy="the old size must be at least 1 and at most the new size",
        )
    siblings = []
    low, high = 0, new
    whole = True  # the subtree still starts at leaf 0, so the verifier knows its hash: it is the old root
    while old != high:
        middle = low + _split(high - low)
        if old <= middle:
            siblings.append((middle, high))
            high = middle
        else:
            siblings.append((low, middle))
            low = middle
            whole = False
    if not whole:
        siblings.append((low, high))
    return _hashes(siblings, reader)


def _split(width: int) -> int:
    """The largest power of two below `width`: where RFC 6962 divides a tree."""
    return 1 << ((width - 1).bit_length() - 1)


def _hashes(ranges: Sequence[tuple[int, int]], reader: HashReader) -> list[bytes]:
    """Hash of each subtree, last range first, with one read for all of them."""
    covers = [cover(low, high) for low, high in reversed(ranges)]
    stored = read(reader, [index for indexes in covers for index in indexes])
    proof = []
    start = 0
    for indexes in covers:
        stop = start + len(indexes)
        proof.append(fold(stored[start:stop]))
        start = stop
    return proof
