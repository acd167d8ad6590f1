"""Hashes of somebody else's tree, read from the tiles they serve."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Final

from leadline.errors import IntegrityError
from leadline.ledger.tlog.tile import HEIGHT, WIDTH, Tile
from leadline.ledger.tlog.tree import HASH_SIZE, parents, stored_position

#: Tiles kept at hand: a proof needs at most a few per level.
_KEPT: Final = 64


class TileReader:
    """A `HashReader` over the tiles of a tree of `size` leaves.

    `fetch` gives a tile's bytes, or of a longer tile the same bytes and more. Nothing read here is evidence: it
    becomes so when the proof made from it is verified against a signed root. Raises IntegrityError for a tile of the
    wrong length, and whatever `fetch` raises.
    """

    def __init__(self, fetch: Callable[[Tile], bytes], size: int) -> None:
        self._fetch = fetch
        self._size = size
        self._tiles: OrderedDict[tuple[int, int], bytes] = OrderedDict()

    def __call__(self, indexes: Sequence[int]) -> list[bytes]:
        """The stored hashes at these storage indexes, in this order."""
        return [self._hash(*stored_position(index)) for index in indexes]

    def _hash(self, level: int, n: int) -> bytes:
        row, above = divmod(level, HEIGHT)
        first = n << above
        data = self._tile(row, first // WIDTH)
        start = first % WIDTH
        hashes = [data[at * HASH_SIZE : (at + 1) * HASH_SIZE] for at in range(start, start + (1 << above))]
        while len(hashes) > 1:
            hashes = parents(hashes)
        return hashes[0]

    def _tile(self, row: int, index: int) -> bytes:
        found = self._tiles.get((row, index))
        if found is None:
            width = min(WIDTH, (self._size >> HEIGHT * row) - index * WIDTH)
            tile = Tile(row, index, width)
            found = self._fetch(tile)[: width * HASH_SIZE] if width > 0 else b""
            if width <= 0 or len(found) != width * HASH_SIZE:
                raise IntegrityError(
                    "a tile has not the length that the tree's size demands",
                    where=tile.path() if width > 0 else f"tile {row}/{index}",
                    remedy="fetch it again; if it stays so, the log serves damaged data",
                )
            self._tiles[row, index] = found
            while len(self._tiles) > _KEPT:
                self._tiles.popitem(last=False)
        return found
