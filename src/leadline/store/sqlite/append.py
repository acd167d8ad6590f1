"""Appending inside one write transaction: leaves, tree nodes, blobs, projections, signed checkpoint."""

import sqlite3
from collections.abc import Sequence

from leadline.errors import NotFoundError, StateError, StoreError
from leadline.ledger import tlog
from leadline.store.appending import check_agreement, signed
from leadline.store.committer import Build, Outcome, run_builds
from leadline.store.memory import RememberedCheckpoint
from leadline.store.model import Appended, CheckpointSigner
from leadline.store.projection import Projection
from leadline.store.sqlite.pending import Pending
from leadline.store.sqlite.reads import SqliteView
from leadline.store.sqlite.rebuild import current


class Appender:
    """Appends what builds return through a view, and keeps the tree's right edge between appends.

    The edge is only trusted while it matches what the database says: another process may have appended.
    """

    def __init__(self, projections: Sequence[Projection], remembered: RememberedCheckpoint) -> None:
        self._projections = projections
        self._remembered = remembered
        self._edge: tlog.Frontier | None = None
        self._newest: bytes | None = None
        self._schema: int | None = None

    def begin(self, view: SqliteView) -> Pending:
        """What is appended in the transaction behind `view`, to be filled by `append`."""
        edge = self._open_edge(view)
        self._check_projections(view)
        return Pending(view, self._projections, edge)

    def append(
        self, pending: Pending, builds: Sequence[Build], sign: CheckpointSigner
    ) -> tuple[list[Outcome], bytes | None]:
        """What became of each build, and the new signed checkpoint unless nothing was new.

        RefusedDraftError when a draft could not be written: the transaction must be undone.
        """
        before = pending.edge.size
        placed = run_builds(
            builds, pending.reads, pending.place, pending.flush, pending.backlog, (sqlite3.Error, StoreError)
        )
        note = None
        if pending.edge.size != before:
            note = self._newest = signed(pending.edge, sign)
            pending.record.add_checkpoint(pending.edge.size, note)
        covering = self._newest or b""
        return [
            one
            if isinstance(one, Exception)
            else [Appended(index, leaf, covering, duplicate) for index, leaf, duplicate in one]
            for one in placed
        ], note

    def forget(self) -> None:
        """The transaction was undone: the edge may be ahead of the database."""
        self._edge = None

    def _open_edge(self, view: SqliteView) -> tlog.Frontier:
        newest = _newest_checkpoint(view)
        size = view.record.size()
        if self._edge is not None and self._edge.size == size and self._newest == newest:
            return self._edge
        edge = tlog.Frontier.load(size, view.record.nodes)
        check_agreement(view.where, edge, newest)
        self._remembered.check(size, lambda at: tlog.tree_hash(at, view.record.nodes))
        self._edge, self._newest = edge, newest
        return edge

    def _check_projections(self, view: SqliteView) -> None:
        (schema,) = view.record.db.execute("PRAGMA schema_version").fetchone()
        if schema != self._schema and not current(view.record.db, self._projections):
            raise StateError(
                "another version of Leadline has changed the computed tables of this database meanwhile",
                where=view.where,
                remedy="open the store again; it rebuilds them if that is needed",
            )
        self._schema = schema


def _newest_checkpoint(view: SqliteView) -> bytes | None:
    try:
        return view.record.checkpoint()
    except NotFoundError:
        return None
