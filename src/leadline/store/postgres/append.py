"""Appending inside one write transaction: leaves, tree nodes, blobs, projections, signed checkpoint."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import psycopg

from leadline.errors import StateError, StoreError
from leadline.ledger import tlog
from leadline.ledger.backlog import Backlog
from leadline.store.appending import check_agreement, check_references, signed
from leadline.store.committer import Build, Outcome, run_builds
from leadline.store.committer import Placed as Place
from leadline.store.memory import RememberedCheckpoint
from leadline.store.model import Appended, CheckpointSigner, Draft
from leadline.store.postgres import blobs as blob_rows
from leadline.store.postgres.buffer import BufferedTables
from leadline.store.postgres.reads import Handle, PostgresView
from leadline.store.postgres.rebuild import stamps
from leadline.store.postgres.record import Record
from leadline.store.postgres.session import Session
from leadline.store.postgres.tables import PostgresTables
from leadline.store.projection import Projection
from leadline.store.projections.leaves import LEAF
from leadline.store.replay import Folder

#: Everything an append must know before it builds on it, in one round trip.
_STATE = (
    "SELECT (SELECT coalesce(max(ix) + 1, 0) FROM leadline.entry), "
    "(SELECT note FROM leadline.checkpoint ORDER BY size DESC LIMIT 1), "
    "(SELECT json_object_agg(name, stamp) FROM leadline.projection)"
)


@dataclass
class Placed:
    """What one transaction has written so far, and the checkpoint that covers it once it was signed."""

    builds: list[list[Place] | Exception] = field(default_factory=list)
    note: bytes | None = None
    covering: bytes = b""

    @property
    def new(self) -> list[tuple[int, bytes]]:
        """Index and leaf hash of every entry that was not there before, in order."""
        done = [one for one in self.builds if not isinstance(one, Exception)]
        return [(ix, leaf) for receipts in done for ix, leaf, duplicate in receipts if not duplicate]

    def outcomes(self) -> list[Outcome]:
        """What became of each build."""
        return [
            one
            if isinstance(one, Exception)
            else [Appended(index, leaf, self.covering, duplicate) for index, leaf, duplicate in one]
            for one in self.builds
        ]


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

    def append(self, batch: "Batch", builds: Sequence[Build], sign: CheckpointSigner) -> Placed:
        """Write what builds return, and a signed checkpoint unless nothing was new.

        RefusedDraftError when a draft could not be written: the transaction must be undone.
        """
        before = batch.edge.size
        placed = Placed()
        placed.builds = run_builds(
            builds,
            PostgresView(batch.reads),
            batch.place,
            batch.flush,
            batch.backlog,
            (psycopg.Error, StoreError),
            batch.at.session.db.pipeline,  # writes are not waited for one by one
        )
        if batch.edge.size != before:
            placed.note = self._newest = signed(batch.edge, sign)
            batch.at.record.add_checkpoint(batch.edge.size, placed.note)
        placed.covering = self._newest or b""
        return placed

    def begin(self, at: Handle) -> "Batch":
        """What is appended in the transaction behind `at`, to be filled by `append`."""
        return Batch(at, self._projections, self._open_edge(at))

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


class Batch:
    """Drafts on their way into one transaction; `reads` sees them, and `flush` writes what is still kept."""

    def __init__(self, at: Handle, projections: Sequence[Projection], edge: tlog.Frontier) -> None:
        self.at = at
        self.edge = edge
        self.tables = BufferedTables(at.session)
        self.backlog = Backlog()
        self.reads = _BatchHandle(self)
        self._folder = Folder(projections, self.tables, at.record)
        self._first = edge.size
        self._envelopes: list[bytes] = []
        self._hashes: list[bytes] = []

    def place(self, draft: Draft) -> Place:
        """Index and leaf hash of a draft, and whether it was in the log before; otherwise it now is.

        Its signature is left to the backlog.
        """
        leaf = tlog.leaf_hash(draft.envelope)
        first = self.tables.get(LEAF, leaf)
        if first is not None:
            return int(first["ix"] or 0), leaf, True
        record = self.at.record
        entry = self._folder.read(self.edge.size, draft.envelope)
        self.backlog.add(entry.parts.envelope, entry.parts.key)
        for data in draft.blobs:
            with blob_rows.receive(data, record.where) as incoming:
                blob_rows.add(record, incoming)
        check_references(record.where, entry, record, restored=draft.restored)
        self._envelopes.append(entry.data)
        self._hashes += self.edge.append(leaf)
        self._folder.fold(entry)
        return entry.index, leaf, False

    def flush(self) -> None:
        """Send everything that is kept."""
        if self._envelopes:
            self.at.record.add_entries(self._first, self._envelopes, self._hashes)
            self._first += len(self._envelopes)
            self._envelopes.clear()
            self._hashes.clear()
        self.tables.flush()


class _BatchHandle(Handle):
    """The handle of a transaction as builds see it: with all that was placed before."""

    def __init__(self, batch: Batch) -> None:
        self._batch = batch
        self.where = batch.at.where

    @property
    def session(self) -> Session:  # type: ignore[override]
        """The session, once everything was sent."""
        self._batch.flush()
        return self._batch.at.session

    @property
    def record(self) -> Record:  # type: ignore[override]
        """The record, once everything was sent."""
        self._batch.flush()
        return self._batch.at.record

    @property
    def tables(self) -> PostgresTables:  # type: ignore[override]
        """The projection tables, which answer from what is kept where they can."""
        return self._batch.tables
