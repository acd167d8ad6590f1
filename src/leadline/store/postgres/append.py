"""Appending inside one write transaction: leaves, tree nodes, blobs, projections, signed checkpoint."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from leadline.errors import StateError
from leadline.ledger import dsse, tlog
from leadline.store.appending import check_agreement, check_references, signed
from leadline.store.memory import RememberedCheckpoint
from leadline.store.model import Appended, CheckpointSigner, Draft
from leadline.store.postgres import blobs as blob_rows
from leadline.store.postgres.buffer import BufferedTables
from leadline.store.postgres.reads import Handle, PostgresView
from leadline.store.postgres.rebuild import stamps
from leadline.store.projection import Projection
from leadline.store.projections.leaves import LEAF
from leadline.store.protocol import ReadView
from leadline.store.replay import Folder

#: Everything an append must know before it builds on it, in one round trip.
_STATE = (
    "SELECT (SELECT coalesce(max(ix) + 1, 0) FROM leadline.entry), "
    "(SELECT note FROM leadline.checkpoint ORDER BY size DESC LIMIT 1), "
    "(SELECT json_object_agg(name, stamp) FROM leadline.projection)"
)


@dataclass
class Placed:
    """What one append has written so far, and the checkpoint that covers it once it was signed."""

    receipts: list[tuple[int, bytes, bool]] = field(default_factory=list)
    note: bytes | None = None
    covering: bytes = b""

    @property
    def last_new(self) -> tuple[int, bytes] | None:
        """Index and leaf hash of the newest entry that was not there before."""
        return next(((ix, leaf) for ix, leaf, duplicate in reversed(self.receipts) if not duplicate), None)

    def appended(self) -> list[Appended]:
        """The receipts."""
        return [Appended(index, leaf, self.covering, duplicate) for index, leaf, duplicate in self.receipts]


class Appender:
    """Appends drafts through a handle, and keeps the tree's right edge between appends.

    The edge is only trusted while it matches what the database says: another process may have appended.
    """

    def __init__(self, projections: Sequence[Projection], remembered: RememberedCheckpoint) -> None:
        self._projections = projections
        self._stamps = stamps(projections)
        self._remembered = remembered
        self._edge: tlog.Frontier | None = None
        self._newest: bytes | None = None

    def append(
        self, at: Handle, build: Callable[[ReadView], Sequence[Draft]], sign: CheckpointSigner
    ) -> Placed:
        """Write every draft, and a signed checkpoint unless all were in the log before."""
        edge = self._open_edge(at)
        before = edge.size
        drafts = build(PostgresView(at))
        placed = Placed()
        with at.session.db.pipeline():  # writes are not waited for one by one
            batch = _Batch(at, self._projections, edge)
            placed.receipts += [batch.place(draft) for draft in drafts]
            batch.write(before)
            if edge.size != before:
                placed.note = self._newest = signed(edge, sign)
                at.record.add_checkpoint(edge.size, placed.note)
        placed.covering = self._newest or b""
        return placed

    def forget(self) -> None:
        """The transaction was undone: the edge may be ahead of the database."""
        self._edge = None

    def _open_edge(self, at: Handle) -> tlog.Frontier:
        size, newest, found = at.session.row(_STATE) or (0, None, None)
        if found != self._stamps:
            raise StateError(
                "another version of Leadline has changed the computed tables of this database meanwhile",
                where=at.where,
                remedy="open the store again; it rebuilds them if that is needed",
            )
        if self._edge is not None and self._edge.size == size and self._newest == newest:
            return self._edge
        edge = tlog.Frontier.load(size, at.record.nodes)
        check_agreement(at.where, edge, newest)
        self._remembered.check(size, lambda then: tlog.tree_hash(then, at.record.nodes))
        self._edge, self._newest = edge, newest
        return edge


class _Batch:
    """The drafts of one append on their way into the tables."""

    def __init__(self, at: Handle, projections: Sequence[Projection], edge: tlog.Frontier) -> None:
        self._at = at
        self._tables = BufferedTables(at.session)
        self._folder = Folder(projections, self._tables, at.record)
        self._edge = edge
        self._envelopes: list[bytes] = []
        self._hashes: list[bytes] = []

    def place(self, draft: Draft) -> tuple[int, bytes, bool]:
        """Index and leaf hash of a draft, and whether it was in the log before; otherwise it now will be."""
        leaf = tlog.leaf_hash(draft.envelope)
        first = self._tables.get(LEAF, leaf)
        if first is not None:
            return int(first["ix"] or 0), leaf, True
        record = self._at.record
        entry = self._folder.read(self._edge.size, draft.envelope)
        dsse.check_signature(entry.parts.envelope, entry.parts.key)
        for data in draft.blobs:
            with blob_rows.receive(data, record.where) as incoming:
                blob_rows.add(record, incoming)
        check_references(record.where, entry, record, restored=draft.restored)
        self._envelopes.append(entry.data)
        self._hashes += self._edge.append(leaf)
        self._folder.fold(entry)
        return entry.index, leaf, False

    def write(self, start: int) -> None:
        """Send what is still kept; the entries begin at index `start`."""
        if self._envelopes:
            self._at.record.add_entries(start, self._envelopes, self._hashes)
        self._tables.flush()
