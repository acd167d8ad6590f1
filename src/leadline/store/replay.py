"""Folding log entries into projections, the same way when they arrive and when they are replayed."""

from collections.abc import Iterable, Sequence

from leadline.ledger.authority import Authority
from leadline.store.projection import BlobReader, LogEntry, Projection, TableWriter
from leadline.store.projections.authority import TableState


class Folder:
    """Reads entries and folds them into projections, over one set of tables.

    Signatures are not checked here: `append` checks them once, and `fsck` again.
    """

    def __init__(self, projections: Sequence[Projection], tables: TableWriter, blobs: BlobReader) -> None:
        self._projections = projections
        self._tables = tables
        self._blobs = blobs
        self._authority = Authority(TableState(tables))

    def read(self, index: int, data: bytes) -> LogEntry:
        """The entry as projections see it.

        Raises StatementError for a malformed envelope or statement, SignatureError for an unknown key.
        """
        return LogEntry(index, data, self._authority.open(data))

    def fold(self, entry: LogEntry) -> None:
        """Fold one entry into every projection; the entry's rights are checked by the first of them."""
        for projection in self._projections:
            projection.apply(self._tables, entry, self._blobs)

    def replay(self, entries: Iterable[bytes]) -> int:
        """Fold all entries, in order from index 0, into empty projections; returns how many there were."""
        count = 0
        for index, data in enumerate(entries):
            self.fold(self.read(index, data))
            count = index + 1
        return count
