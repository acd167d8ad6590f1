"""How much a hostile log may ask of this machine."""

from dataclasses import dataclass

MIB = 1 << 20
GIB = 1 << 30


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on one log file; what lies beyond them is refused before memory or time is spent on it.

    A compressed log declares the size of each member, so a few kilobytes can promise terabytes. Sizes are
    bytes; `ratio` bounds the sum of declared sizes against the size of the file, above `total_free`. `id` is
    the longest sample id, in characters: arrays of ids are as wide as the widest. `line` is the longest line of a
    file of lines, `rows` the most rows of one file.
    """

    member: int = 512 * MIB
    document: int = GIB
    total: int = 256 * GIB
    total_free: int = 256 * MIB
    ratio: int = 1000
    members: int = 1_000_000
    id: int = 4096
    line: int = 64 * MIB
    rows: int = 20_000_000


DEFAULT = Limits()
