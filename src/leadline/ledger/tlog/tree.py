"""The Merkle tree of RFC 6962, as pure functions over a reader of stored hashes.

A tree of `size` leaves is kept as the hashes of its *complete* subtrees only: the node at level `l`
and position `n` covers the leaves ``[n * 2**l, (n + 1) * 2**l)``. Hashes that still depend on the
right edge are never stored, so a stored hash never changes.

Stored hashes are numbered in the order in which appending completes them (the numbering of Go's
``sumdb/tlog``): leaf 0, leaf 1, their parent, leaf 2, leaf 3, their parent, its parent, and so on.
Storage is therefore append-only, and leaf `i` with the nodes it completes is one contiguous run.
"""

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from typing import TypeAlias

from leadline.errors import InputError, IntegrityError
from leadline.ledger.encoding import UINT64_MAX

HASH_SIZE = 32
#: Root of the tree without leaves: the SHA-256 of nothing (RFC 6962 section 2.1).
EMPTY_ROOT = sha256().digest()

HashReader: TypeAlias = Callable[[Sequence[int]], Sequence[bytes]]
"""Given storage indexes, the stored hashes in the same order; raises where one is missing."""


def leaf_hash(entry: bytes) -> bytes:
    """Hash of a log entry as a leaf, SHA-256(0x00 || entry): RFC 6962 section 2.1."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash of an interior node, SHA-256(0x01 || left || right): RFC 6962 section 2.1."""
    return sha256(b"\x01" + left + right).digest()


def root(leaf_hashes: Iterable[bytes]) -> bytes:
    """Root of the tree over `leaf_hashes` (32 bytes each), in O(n) time.

    Raises `InputError` when a leaf hash is not 32 bytes long.
    """
    level = list(leaf_hashes)
    for position, value in enumerate(level):
        if len(value) != HASH_SIZE:
            raise InputError(
                f"a leaf hash has {len(value)} bytes instead of {HASH_SIZE}",
                where=f"leaf {position}",
                remedy="pass leaf_hash(entry) of every entry, not the entries themselves",
            )
    if not level:
        return EMPTY_ROOT
    while len(level) > 1:
        level = parents(level) + level[len(level) & ~1 :]
    return level[0]


def parents(level: Sequence[bytes]) -> list[bytes]:
    """Hashes of all complete pairs of one level; an odd last hash has no parent yet."""
    pairs = iter(level)
    return [sha256(b"\x01" + left + right).digest() for left, right in zip(pairs, pairs, strict=False)]


def stored_index(level: int, n: int) -> int:
    """Storage index of node `n` at `level` (0 = leaves)."""
    # The node is completed by its last leaf; 2m - popcount(m) hashes precede any leaf m.
    last = ((n + 1) << level) - 1
    return 2 * last - last.bit_count() + level


def stored_position(index: int) -> tuple[int, int]:
    """``(level, n)`` of a storage index: the inverse of `stored_index`."""
    leaf = index >> 1
    at = 2 * leaf - leaf.bit_count()
    # The guess is never too far right, and too far left by at most half the bit length.
    while (following := at + 1 + trailing_ones(leaf)) <= index:
        leaf += 1
        at = following
    level = index - at
    return level, leaf >> level


def stored_count(size: int) -> int:
    """How many hashes are stored for a tree of `size` leaves."""
    return 2 * size - size.bit_count()


def trailing_ones(value: int) -> int:
    """Number of consecutive one bits at the low end: how many nodes leaf `value` completes."""
    return (~value & (value + 1)).bit_length() - 1


def stored_hashes(index: int, leaf: bytes, reader: HashReader) -> list[bytes]:
    """What appending leaf hash `leaf` at `index` adds to storage: the leaf, then each node it completes.

    The result goes to storage indexes ``stored_index(0, index)`` onwards. `reader` is asked once, for
    the left siblings only.
    """
    completed = trailing_ones(index)
    left = read(reader, [stored_index(level, (index >> level) - 1) for level in range(completed)])
    added = [leaf]
    for sibling in left:
        added.append(node_hash(sibling, added[-1]))
    return added


def tree_hash(size: int, reader: HashReader) -> bytes:
    """Root of the tree of the first `size` leaves."""
    check_size(size)
    if size == 0:
        return EMPTY_ROOT
    return fold(read(reader, cover(0, size)))


def cover(low: int, high: int) -> list[int]:
    """Storage indexes of the complete subtrees that make up the RFC 6962 subtree over ``[low, high)``."""
    indexes = []
    while low < high:
        level = (high - low).bit_length() - 1
        indexes.append(stored_index(level, low >> level))
        low += 1 << level
    return indexes


def fold(hashes: Sequence[bytes]) -> bytes:
    """Hash of a subtree from the hashes of the complete subtrees that `cover` lists."""
    value = hashes[-1]
    for left in reversed(hashes[:-1]):
        value = sha256(b"\x01" + left + value).digest()
    return value


def read(reader: HashReader, indexes: Sequence[int]) -> Sequence[bytes]:
    """Ask `reader` once, and refuse an answer that is not one 32-byte hash per index."""
    if not indexes:
        return []
    hashes = reader(indexes)
    if len(hashes) != len(indexes) or not set(map(len, hashes)) <= {HASH_SIZE}:
        raise IntegrityError(
            "the store did not return one 32-byte hash for each node asked for",
            where=f"tree nodes {list(indexes)[:4]}",
            remedy="run `leadline fsck` to find the damaged node, then restore it from a backup or mirror",
        )
    return hashes


def check_size(size: int) -> None:
    """Refuse a tree size that no log can have."""
    if not 0 <= size <= UINT64_MAX:
        raise InputError(f"a tree cannot have {size} leaves", remedy="sizes lie between 0 and 2^64 - 1")
