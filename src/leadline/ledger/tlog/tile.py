"""Tiles and entry bundles: the tree cut into files that never change (C2SP tlog-tiles).

A full tile is 256 hashes side by side at one level; the tiles one level up hold the roots of full
tiles. The last tile of a level may be partial. Entry bundles hold the entries themselves.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from leadline.errors import InputError, IntegrityError
from leadline.ledger.encoding import parse_uint64
from leadline.ledger.tlog.tree import HashReader, check_size, read, stored_index

HEIGHT = 8
WIDTH = 1 << HEIGHT
MAX_LEVEL = 63
#: An entry stands behind a 16-bit length in its bundle.
MAX_ENTRY = 65_535


@dataclass(frozen=True, slots=True, order=True)
class Tile:
    """Address of one tile: tile `level`, `index` within the level, and how many hashes it holds."""

    level: int
    index: int
    width: int = WIDTH

    def path(self) -> str:
        """The tile's path below the log's prefix, such as ``tile/0/x001/234.p/5``."""
        return f"tile/{self.level}/{encode_index(self.index)}{_suffix(self.width)}"

    def nodes(self) -> list[int]:
        """Storage indexes of the tile's hashes, left to right."""
        first = self.index * WIDTH
        return [stored_index(self.level * HEIGHT, first + i) for i in range(self.width)]


def entries_path(index: int, width: int = WIDTH) -> str:
    """Path of the entry bundle that belongs to the level-0 tile of the same index and width."""
    return f"tile/entries/{encode_index(index)}{_suffix(width)}"


def encode_index(index: int) -> str:
    """A tile index in groups of three digits, all but the last marked ``x``: 1234067 is ``x001/x234/067``."""
    groups = [f"{index % 1000:03}"]
    while index := index // 1000:
        groups.append(f"x{index % 1000:03}")
    return "/".join(reversed(groups))


def decode_index(text: str) -> int:
    """The inverse of `encode_index`; any other spelling raises `InputError`."""
    *marked, last = text.split("/")
    groups = [group[1:] for group in marked if group[:1] == "x"] + [last]
    digits = "".join(groups)
    if len(groups) == len(marked) + 1 and all(len(group) == 3 for group in groups) and digits.isascii():
        try:
            index = parse_uint64((digits.lstrip("0") or "0").encode())
        except ValueError:
            index = -1
        if index >= 0 and encode_index(index) == text:
            return index
    raise InputError(f"{text[:80]!r} is not a tile index", remedy="indexes look like x001/x234/067")


def parse_path(path: str) -> tuple[str, Tile]:
    """What a served path asks for: ``("tile", Tile)`` or, for an entry bundle, ``("entries", Tile)`` at level 0.

    Raises `InputError` for any path that this log would not print itself.
    """
    head, _, rest = path[:200].partition("/")
    kind, _, number = rest.partition("/")
    number, partial, width_text = number.partition(".p/")
    try:
        width = parse_uint64(width_text.encode()) if partial else WIDTH
        level = 0 if kind == "entries" else parse_uint64(kind.encode())
    except ValueError:
        raise _no_such_path(path) from None
    if head != "tile" or level > MAX_LEVEL or (partial and not 1 <= width < WIDTH):
        raise _no_such_path(path)
    return ("entries" if kind == "entries" else "tile"), Tile(level, decode_index(number), width)


def tiles(size: int) -> list[Tile]:
    """All tiles of a tree of `size` leaves, level by level."""
    return new_tiles(0, size)


def new_tiles(old: int, new: int, *, height: int = HEIGHT) -> list[Tile]:
    """The tiles that a tree of `new` leaves has and a tree of `old` leaves had not, level by level.

    A partial tile that grew counts as new; only its last width is listed, not the widths between.
    """
    check_size(new)
    found: list[Tile] = []
    for level in range(MAX_LEVEL + 1):
        before, after = old >> level * height, new >> level * height
        if not after:
            break
        if before != after:
            full = after >> height
            found.extend(Tile(level, index, 1 << height) for index in range(before >> height, full))
            if width := after & ((1 << height) - 1):
                found.append(Tile(level, full, width))
    return found


def tile_data(tile: Tile, reader: HashReader) -> bytes:
    """The bytes served for `tile`: its hashes one after the other, with one call to `reader`."""
    return b"".join(read(reader, tile.nodes()))


def encode_bundle(entries: Iterable[bytes]) -> bytes:
    """The bytes of an entry bundle: a big-endian 16-bit length before each entry.

    Raises `InputError` for an entry longer than 65,535 bytes.
    """
    parts = []
    for entry in entries:
        check_entry_length(len(entry))
        parts.append(len(entry).to_bytes(2, "big"))
        parts.append(entry)
    return b"".join(parts)


def decode_bundle(data: bytes, count: int) -> Sequence[bytes]:
    """The `count` entries (1 to 256) of a bundle; `IntegrityError` unless they fill it exactly."""
    entries: list[bytes] = []
    at = 0
    for _ in range(count):
        start = at + 2
        at = start + int.from_bytes(data[start - 2 : start], "big")
        if start > len(data) or at > len(data):
            raise IntegrityError(
                f"an entry bundle ends inside entry {len(entries)} of {count}", remedy=_REFETCH
            )
        entries.append(data[start:at])
    if at != len(data):
        raise IntegrityError(
            f"an entry bundle has {len(data) - at} bytes after its last entry", remedy=_REFETCH
        )
    return entries


def check_entry_length(length: int) -> None:
    """Refuse an entry that no bundle can carry, before anything is written."""
    if length > MAX_ENTRY:
        raise InputError(
            f"a log entry of {length:,} bytes is longer than {MAX_ENTRY:,}",
            remedy="keep long content in a blob and put only its SHA-256 digest into the statement",
        )


_REFETCH = "fetch the bundle again; if it stays so, the log serves damaged data"


def _suffix(width: int) -> str:
    return "" if width == WIDTH else f".p/{width}"


def _no_such_path(path: str) -> InputError:
    return InputError(
        f"{path[:80]!r} is not the path of a tile or entry bundle",
        remedy="paths look like tile/0/x001/234, tile/1/005.p/17 or tile/entries/000.p/3",
    )
