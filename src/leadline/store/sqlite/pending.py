"""What one write transaction appends: rows and entries that are kept until something reads them or it ends."""

from collections.abc import Sequence

from leadline.ledger import tlog
from leadline.ledger.backlog import Backlog
from leadline.store.appending import check_references
from leadline.store.model import Draft
from leadline.store.projection import Projection
from leadline.store.projections.leaves import LEAF
from leadline.store.replay import Folder
from leadline.store.sqlite import blobs as blob_rows
from leadline.store.sqlite.buffer import BufferedTables
from leadline.store.sqlite.known import KnownBlobs
from leadline.store.sqlite.reads import SqliteReads, SqliteView
from leadline.store.sqlite.record import Record
from leadline.store.sqlite.tables import SqliteTables


class Pending:
    """Drafts on their way into one transaction; `reads` sees them, and `flush` writes what is still kept."""

    def __init__(self, view: SqliteView, projections: Sequence[Projection], edge: tlog.Frontier) -> None:
        self.edge = edge
        self.record = view.record
        self.tables = BufferedTables(view.record.db)
        self.blobs = KnownBlobs(view.record)
        self.backlog = Backlog()
        self.reads = PendingReads(self, view.where)
        self._folder = Folder(projections, self.tables, self.blobs)
        self._first = edge.size
        self._envelopes: list[bytes] = []
        self._hashes: list[bytes] = []

    def place(self, draft: Draft) -> tuple[int, bytes, bool]:
        """Index and leaf hash of a draft, and whether it was in the log before; otherwise it now is.

        Its signature is left to the backlog.
        """
        leaf = tlog.leaf_hash(draft.envelope)
        first = self.tables.get(LEAF, leaf)
        if first is not None:
            return int(first["ix"] or 0), leaf, True
        entry = self._folder.read(self.edge.size, draft.envelope)
        self.backlog.add(entry.parts.envelope, entry.parts.key)
        for data in draft.blobs:
            self.blobs.add(blob_rows.receive(self.record.folder, data))
        check_references(self.record.where, entry, self.blobs, restored=draft.restored)
        self._envelopes.append(entry.data)
        self._hashes += self.edge.append(leaf)
        self._folder.fold(entry)
        return entry.index, leaf, False

    def flush(self) -> None:
        """Write everything that is kept."""
        self.blobs.flush()
        if self._envelopes:
            self.record.add_entries(self._first, self._envelopes, self._hashes)
            self._first += len(self._envelopes)
            self._envelopes.clear()
            self._hashes.clear()
        self.tables.flush()


class PendingReads(SqliteReads):
    """Reads inside the transaction that see what it appends."""

    def __init__(self, pending: Pending, where: str) -> None:
        self.where = where
        self._pending = pending

    @property
    def record(self) -> Record:
        """The record tables, once everything is written that is kept."""
        self._pending.flush()
        return self._pending.record

    @property
    def tables(self) -> SqliteTables:
        """The projection tables, which answer from what is kept where they can."""
        return self._pending.tables

    def size(self) -> int:
        """The number of entries."""
        return self._pending.edge.size
