"""The right edge of a growing tree: all the state that appending needs, in at most 64 hashes."""

from hashlib import sha256

from leadline.ledger.tlog.tree import EMPTY_ROOT, HashReader, check_size, cover, fold, read


class Frontier:
    """An append-only tree reduced to the roots of its complete subtrees, largest first.

    Appending costs two hashes on average and reads nothing, so bulk appends and checks need memory
    that does not grow with the log. `size` is the number of leaves so far.
    """

    __slots__ = ("_hashes", "size")

    def __init__(self) -> None:
        self.size = 0
        self._hashes: list[bytes] = []

    @classmethod
    def load(cls, size: int, reader: HashReader) -> "Frontier":
        """The edge of a stored tree of `size` leaves; one call to `reader`."""
        check_size(size)
        frontier = cls()
        frontier.size = size
        frontier._hashes = list(read(reader, cover(0, size)))
        return frontier

    def __copy__(self) -> "Frontier":
        twin = Frontier()
        twin.size = self.size
        twin._hashes = self._hashes.copy()
        return twin

    def append(self, leaf: bytes) -> list[bytes]:
        """Add a leaf hash; returns what storage gains, exactly as `tree.stored_hashes` does."""
        added = [leaf]
        index, value = self.size, leaf
        while index & 1:
            value = sha256(b"\x01" + self._hashes.pop() + value).digest()
            added.append(value)
            index >>= 1
        self._hashes.append(value)
        self.size += 1
        return added

    def root(self) -> bytes:
        """Root of the tree as it stands."""
        return fold(self._hashes) if self._hashes else EMPTY_ROOT
