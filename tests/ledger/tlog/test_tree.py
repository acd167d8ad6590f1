"""The Merkle tree against a direct reading of RFC 6962, for every size up to 100."""

from collections.abc import Sequence
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.errors import InputError, IntegrityError
from leadline.ledger import tlog
from leadline.ledger.tlog.tree import cover

LIMIT = 100


def mth(entries: Sequence[bytes]) -> bytes:
    """MTH of RFC 6962 section 2.1, word for word."""
    if not entries:
        return sha256(b"").digest()
    if len(entries) == 1:
        return sha256(b"\x00" + entries[0]).digest()
    k = 1
    while k * 2 < len(entries):
        k *= 2
    return sha256(b"\x01" + mth(entries[:k]) + mth(entries[k:])).digest()


ENTRIES = [b"entry %d" % i for i in range(LIMIT)]
LEAVES = [tlog.leaf_hash(entry) for entry in ENTRIES]


def storage(size: int) -> list[bytes]:
    """Stored hashes of the first `size` entries, appended one by one."""
    stored: list[bytes] = []

    def so_far(indexes: Sequence[int]) -> list[bytes]:
        return [stored[i] for i in indexes]

    for index in range(size):
        stored.extend(tlog.stored_hashes(index, LEAVES[index], so_far))
    return stored


STORED = storage(LIMIT)


def reader(indexes: Sequence[int]) -> list[bytes]:
    """A hash reader over the whole storage."""
    return [STORED[index] for index in indexes]


def test_roots_agree_with_the_recursive_definition() -> None:
    """Five ways to a root give the recursive definition of the RFC, at every size to 100."""
    frontier = tlog.Frontier()
    for size in range(LIMIT + 1):
        expected = mth(ENTRIES[:size])
        assert tlog.root(LEAVES[:size]) == expected
        assert tlog.tree_hash(size, reader) == expected
        assert tlog.Frontier.load(size, reader).root() == expected
        assert frontier.root() == expected
        if size < LIMIT:
            frontier.append(LEAVES[size])


def test_frontier_appends_what_storage_gains() -> None:
    """Appending through a frontier gives the storage sequence, also after loading it midway."""
    for start in (0, 1, 37, 64):
        frontier = tlog.Frontier.load(start, reader)
        added = [value for leaf in LEAVES[start:] for value in frontier.append(leaf)]
        assert added == STORED[tlog.stored_count(start) :]


def test_every_stored_node_is_the_root_of_its_subtree() -> None:
    """Node n at level l holds the tree hash of entries n * 2^l onwards."""
    for index, value in enumerate(STORED):
        level, n = tlog.stored_position(index)
        assert value == mth(ENTRIES[n << level : (n + 1) << level])
        assert tlog.stored_index(level, n) == index


@given(st.integers(0, 60), st.integers(0, 2**60))
def test_storage_numbering_is_a_bijection(level: int, n: int) -> None:
    """A node's storage index leads back to it, far beyond any real log."""
    assert tlog.stored_position(tlog.stored_index(level, n)) == (level, n)


@given(st.integers(0, 2**62))
def test_a_leaf_is_stored_where_the_count_ends(size: int) -> None:
    """The next leaf goes to the first free storage index."""
    assert tlog.stored_index(0, size) == tlog.stored_count(size)


@given(st.integers(1, 2**40))
def test_a_cover_is_the_binary_expansion_of_the_size(size: int) -> None:
    """The complete subtrees of a tree have the sizes of the one bits, largest first."""
    levels = [tlog.stored_position(index)[0] for index in cover(0, size)]
    assert sum(1 << level for level in levels) == size
    assert levels == sorted(set(levels), reverse=True)


def test_eight_leaf_tree_of_certificate_transparency() -> None:
    """The classic eight entries have the published roots, restated here as facts."""
    inputs = [
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    ]
    leaves = [tlog.leaf_hash(bytes.fromhex(text)) for text in inputs]
    assert tlog.root([]).hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert tlog.root(leaves[:1]).hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    assert tlog.root(leaves).hex() == "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"


def test_a_root_of_things_that_are_no_hashes_is_refused() -> None:
    """Passing entries instead of leaf hashes names the first culprit."""
    with pytest.raises(InputError, match="leaf 1"):
        tlog.root([LEAVES[0], b"short"])


@pytest.mark.parametrize("size", [-1, 1 << 64])
def test_a_size_no_log_can_have_is_refused(size: int) -> None:
    """Negative sizes and 2^64 are refused before anything is read."""
    with pytest.raises(InputError):
        tlog.tree_hash(size, reader)


@pytest.mark.parametrize("answer", [[], [b"short"], [bytes(32), bytes(32)]])
def test_a_reader_that_answers_wrongly_is_found_out(answer: list[bytes]) -> None:
    """A store that returns too few, too many or misshapen hashes raises IntegrityError."""
    with pytest.raises(IntegrityError):
        tlog.tree_hash(1, lambda _: answer)


def test_appending_reads_once_and_only_left_siblings() -> None:
    """Storage is asked once per append, for as many hashes as nodes get completed."""
    asked: list[Sequence[int]] = []

    def spy(indexes: Sequence[int]) -> list[bytes]:
        asked.append(indexes)
        return reader(indexes)

    tlog.stored_hashes(63, LEAVES[63], spy)
    assert [len(indexes) for indexes in asked] == [6]
    asked.clear()
    tlog.stored_hashes(64, LEAVES[64], spy)
    assert asked == []
