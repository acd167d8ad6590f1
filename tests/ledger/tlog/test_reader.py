"""Proofs made from somebody else's tiles are the proofs made from the tree itself."""

import pytest

from leadline.errors import IntegrityError
from leadline.ledger.tlog import (
    Frontier,
    leaf_hash,
    prove_consistency,
    prove_inclusion,
    tree_hash,
)
from leadline.ledger.tlog.reader import TileReader
from leadline.ledger.tlog.tile import Tile, tile_data

SIZE = 70_000
NODES: list[bytes] = []
EDGE = Frontier()
for number in range(SIZE):
    NODES += EDGE.append(leaf_hash(b"%d" % number))


def own(indexes: object) -> list[bytes]:
    """The tree's own hashes."""
    return [NODES[index] for index in indexes]  # type: ignore[attr-defined]


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 65_535, 65_536, 65_537, SIZE])
def test_root_and_proofs_through_tiles(size: int) -> None:
    """Root, inclusion and consistency for a few leaves and sizes, at one tile per level and many."""
    reader = TileReader(lambda tile: tile_data(tile, own), size)
    assert tree_hash(size, reader) == tree_hash(size, own)
    for index in {0, size // 3, size - 1}:
        assert prove_inclusion(size, index, reader) == prove_inclusion(size, index, own)
    for old in {1, size // 2 or 1, size}:
        assert prove_consistency(old, size, reader) == prove_consistency(old, size, own)


def test_longer_tiles_serve_as_well_and_others_are_refused() -> None:
    """A log may have dropped the partial tile; a short, long or missing one is named."""
    size = 300
    longer = TileReader(lambda tile: tile_data(Tile(tile.level, tile.index), own), size)
    assert tree_hash(size, longer) == tree_hash(size, own)
    for wrong in (b"", bytes(31), bytes(32 * 43)):
        with pytest.raises(IntegrityError, match="length") as caught:
            tree_hash(size, TileReader(lambda tile: wrong, size))  # noqa: B023
        assert str(caught.value.where).startswith("tile/")


def test_a_tile_is_fetched_once_while_it_is_at_hand() -> None:
    """Two proofs in a row ask for the same few tiles only once."""
    asked: list[str] = []

    def fetch(tile: Tile) -> bytes:
        asked.append(tile.path())
        return tile_data(tile, own)

    reader = TileReader(fetch, SIZE)
    prove_inclusion(SIZE, 12_345, reader)
    prove_inclusion(SIZE, 12_346, reader)
    assert len(asked) == len(set(asked)) <= 6
