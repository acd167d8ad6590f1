"""Every proof of every tree up to 100 leaves verifies, and no altered one does."""

from collections.abc import Iterator, Sequence

import pytest

from leadline.errors import InputError, ProofError
from leadline.ledger import tlog

LIMIT = 100
LEAVES = [tlog.leaf_hash(b"leaf %d" % i) for i in range(LIMIT)]
ROOTS = [tlog.root(LEAVES[:size]) for size in range(LIMIT + 1)]
STORED: list[bytes] = []
_frontier = tlog.Frontier()
for _leaf in LEAVES:
    STORED += _frontier.append(_leaf)


def reader(indexes: Sequence[int]) -> list[bytes]:
    """A hash reader over the storage of all leaves."""
    return [STORED[index] for index in indexes]


def flipped(proof: list[bytes]) -> Iterator[list[bytes]]:
    """`proof` with one bit of one hash changed, one bit position per hash byte."""
    for position, value in enumerate(proof):
        for at in range(32):
            bad = bytearray(value)
            bad[at] ^= 1 << (at % 8)
            yield [*proof[:position], bytes(bad), *proof[position + 1 :]]


def test_every_inclusion_proof_to_100() -> None:
    """All 5,050 proofs verify, in one read each, and fail for every other index of the tree."""
    for size in range(1, LIMIT + 1):
        for index in range(size):
            proof = tlog.prove_inclusion(size, index, reader)
            tlog.verify_inclusion(LEAVES[index], index, size, proof, ROOTS[size])
            other = (index + 1) % size
            if other != index:
                with pytest.raises(ProofError):
                    tlog.verify_inclusion(LEAVES[index], other, size, proof, ROOTS[size])


def test_every_consistency_proof_to_100() -> None:
    """All 5,050 proofs verify and none verifies with a wrong old or new root."""
    for new in range(1, LIMIT + 1):
        for old in range(1, new + 1):
            proof = tlog.prove_consistency(old, new, reader)
            tlog.verify_consistency(old, new, proof, ROOTS[old], ROOTS[new])
            for roots in ((ROOTS[old - 1], ROOTS[new]), (ROOTS[old], ROOTS[new - 1])):
                with pytest.raises(ProofError):
                    tlog.verify_consistency(old, new, proof, *roots)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 33, 100])
def test_flipped_truncated_and_extended_inclusion_proofs_fail(size: int) -> None:
    """Any flipped bit, missing or additional hash makes an inclusion proof fail."""
    for index in range(size):
        proof = tlog.prove_inclusion(size, index, reader)
        bad = [*flipped(proof), [*proof, bytes(32)], [bytes(32), *proof]] + (
            [proof[:-1], proof[1:]] if proof else []
        )
        for altered in bad:
            with pytest.raises(ProofError):
                tlog.verify_inclusion(LEAVES[index], index, size, altered, ROOTS[size])


@pytest.mark.parametrize("new", [2, 3, 7, 8, 33])
def test_flipped_truncated_and_extended_consistency_proofs_fail(new: int) -> None:
    """Any flipped bit, missing or additional hash makes a consistency proof fail."""
    for old in range(1, new):
        proof = tlog.prove_consistency(old, new, reader)
        for altered in [*flipped(proof), [*proof, bytes(32)], [bytes(32), *proof], proof[:-1], proof[1:]]:
            with pytest.raises(ProofError):
                tlog.verify_consistency(old, new, altered, ROOTS[old], ROOTS[new])


def test_proofs_read_storage_once() -> None:
    """A proof is one call to the reader, so that a store can answer it with one query."""
    calls: list[int] = []

    def spy(indexes: Sequence[int]) -> list[bytes]:
        calls.append(len(indexes))
        return reader(indexes)

    tlog.prove_inclusion(100, 70, spy)
    tlog.prove_consistency(70, 100, spy)
    assert len(calls) == 2
    assert max(calls) <= 14


@pytest.mark.parametrize(("size", "index"), [(0, 0), (5, 5), (5, -1), (1 << 64, 0)])
def test_no_inclusion_proof_for_a_leaf_that_is_not_there(size: int, index: int) -> None:
    """Asking beyond the tree is an input error that says so."""
    with pytest.raises(InputError, match="leaves"):
        tlog.prove_inclusion(size, index, reader)


@pytest.mark.parametrize(("old", "new"), [(0, 0), (0, 5), (6, 5), (-1, 5)])
def test_no_consistency_proof_from_nothing_or_backwards(old: int, new: int) -> None:
    """The empty tree is consistent with everything, so no proof of it is made."""
    with pytest.raises(InputError, match="consistency"):
        tlog.prove_consistency(old, new, reader)


@pytest.mark.parametrize("size", [0, 1])
def test_consistency_with_the_empty_tree_is_an_error(size: int) -> None:
    """A first size of 0 is refused even where the second is 0 and the roots are equal."""
    with pytest.raises(ProofError):
        tlog.verify_consistency(0, size, [], ROOTS[0], ROOTS[size])


def test_hashes_of_another_length_are_refused() -> None:
    """An empty leaf hash and an empty root match each other; both are refused."""
    with pytest.raises(ProofError, match="32 bytes"):
        tlog.verify_inclusion(b"", 0, 1, [], b"")
    with pytest.raises(ProofError):
        tlog.verify_inclusion(LEAVES[0], 0, 2, [LEAVES[1][:31]], ROOTS[2])
    with pytest.raises(ProofError):
        tlog.verify_consistency(1, 2, [LEAVES[1] + b"\x00"], ROOTS[1], ROOTS[2])


def test_sizes_beyond_uint64_are_refused() -> None:
    """Numbers that no checkpoint can state never reach the arithmetic."""
    with pytest.raises(ProofError):
        tlog.verify_inclusion(LEAVES[0], 0, 1 << 64, [], ROOTS[1])
    with pytest.raises(ProofError):
        tlog.verify_consistency(1, 1 << 64, [], ROOTS[1], ROOTS[1])


def test_two_roots_of_one_size_are_called_two_histories() -> None:
    """Equal sizes with different roots are the split view itself, and the message says so."""
    with pytest.raises(ProofError, match="two histories"):
        tlog.verify_consistency(3, 3, [], ROOTS[3], ROOTS[4])
