"""Tiles and entry bundles as C2SP tlog-tiles defines them."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.errors import InputError, IntegrityError
from leadline.ledger import tlog
from leadline.ledger.tlog import tile
from leadline.ledger.tlog.tile import Tile


def test_worked_sizes_of_the_specification() -> None:
    """70,000 leaves and 256 leaves have the tiles the specification counts."""
    counts = Counter((t.level, t.width) for t in tile.tiles(70_000))
    assert counts == {(0, 256): 273, (0, 112): 1, (1, 256): 1, (1, 17): 1, (2, 1): 1}
    assert tile.tiles(256) == [Tile(0, 0, 256), Tile(1, 0, 1)]
    assert tile.tiles(0) == []


@given(st.integers(0, 2**64 - 1))
def test_number_encoding_round_trips(index: int) -> None:
    """Every index comes back from its path groups."""
    assert tile.decode_index(tile.encode_index(index)) == index


def test_paths() -> None:
    """Paths are those of the specification, and reading them back gives the tile."""
    assert Tile(0, 1234067).path() == "tile/0/x001/x234/067"
    assert Tile(2, 5, 17).path() == "tile/2/005.p/17"
    assert tile.entries_path(1000, 3) == "tile/entries/x001/000.p/3"
    assert tile.parse_path("tile/0/x001/x234/067") == ("tile", Tile(0, 1234067))
    assert tile.parse_path("tile/63/000.p/255") == ("tile", Tile(63, 0, 255))
    assert tile.parse_path("tile/entries/x001/000.p/3") == ("entries", Tile(0, 1000, 3))


@pytest.mark.parametrize(
    "path",
    [
        "tile/0/1", "tile/0/0001", "tile/0/x000/001", "tile/0/001/002", "tile/0/x001", "tile/64/000", "tile/00/000",
        "tile/-1/000", "tile/0/000.p/0", "tile/0/000.p/256", "tile/0/000.p/01", "tile/0/000.p/", "tile/0/", "tile/data/000",
        "tile/0/٠٠١", "/tile/0/000", "tile/0/x999/x999/x999/x999/x999/x999/x999/999", "tile/0/000/", "", "tile/+1/000",
        "tile/0/00 ", "tile/0/" + "x000/" * 100 + "000",
    ],
)  # fmt: skip
def test_other_paths_are_refused(path: str) -> None:
    """A path that this log would not print itself is refused."""
    with pytest.raises(InputError):
        tile.parse_path(path)


def test_tile_data_is_the_hashes_of_the_subtrees() -> None:
    """A level-1 tile holds the roots of full level-0 tiles."""
    leaves = [tlog.leaf_hash(b"%d" % i) for i in range(600)]
    stored: list[bytes] = []
    frontier = tlog.Frontier()
    for leaf in leaves:
        stored += frontier.append(leaf)

    def reader(indexes: object) -> list[bytes]:
        return [stored[i] for i in indexes]  # type: ignore[attr-defined]

    assert tile.tile_data(Tile(0, 2, 88), reader) == b"".join(leaves[512:])
    assert tile.tile_data(Tile(1, 0, 2), reader) == tlog.root(leaves[:256]) + tlog.root(leaves[256:512])


@given(st.integers(0, 3000), st.integers(0, 3000))
def test_new_tiles_are_what_the_old_tree_lacks(a: int, b: int) -> None:
    """Growing from one size to another adds exactly the tiles that were not there."""
    old, new = sorted((a, b))
    assert set(tile.new_tiles(old, new)) == set(tile.tiles(new)) - set(tile.tiles(old))


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=20))
def test_bundles_round_trip(entries: list[bytes]) -> None:
    """Entries come back from their bundle, and no cut or lengthened bundle is accepted."""
    data = tile.encode_bundle(entries)
    assert tile.decode_bundle(data, len(entries)) == entries
    for bad in (data[:-1], data + b"\x00"):
        with pytest.raises(IntegrityError):
            tile.decode_bundle(bad, len(entries))


def test_an_entry_of_65536_bytes_is_refused() -> None:
    """The longest entry fits; one byte more is refused with a remedy."""
    assert len(tile.encode_bundle([bytes(65_535)])) == 65_537
    with pytest.raises(InputError, match="blob"):
        tile.encode_bundle([bytes(65_536)])
