"""Appending inside one write transaction: leaves, tree nodes, blobs, projections, signed checkpoint."""

from collections.abc import Callable, Sequence

from leadline.errors import IntegrityError, NotFoundError, SignatureError, StateError
from leadline.ledger import dsse, tlog
from leadline.store.memory import RememberedCheckpoint, stated
from leadline.store.model import Appended, CheckpointSigner, Draft
from leadline.store.projection import LogEntry, Projection
from leadline.store.projections.leaves import LEAF
from leadline.store.protocol import ReadView
from leadline.store.replay import Folder
from leadline.store.sqlite import blobs as blob_rows
from leadline.store.sqlite.reads import SqliteView
from leadline.store.sqlite.rebuild import current

_RESTORE = "run `leadline fsck`; restore the database from a backup or a mirror before anything is appended"


class Appender:
    """Appends drafts through a view, and keeps the tree's right edge between appends.

    The edge is only trusted while it matches what the database says: another process may have appended.
    """

    def __init__(self, projections: Sequence[Projection], remembered: RememberedCheckpoint) -> None:
        self._projections = projections
        self._remembered = remembered
        self._edge: tlog.Frontier | None = None
        self._newest: bytes | None = None
        self._schema: int | None = None

    def append(
        self, view: SqliteView, build: Callable[[ReadView], Sequence[Draft]], sign: CheckpointSigner
    ) -> tuple[list[Appended], bytes | None]:
        """Receipts for every draft, and the new signed checkpoint unless all were duplicates."""
        edge = self._open_edge(view)
        before = edge.size
        self._check_projections(view)
        folder = Folder(self._projections, view.tables, view.record)
        placed = [_place(view, folder, edge, draft) for draft in build(view)]
        note = None
        if edge.size != before:
            note = self._newest = self._checkpoint(view, edge, sign)
        covering = self._newest or b""
        return [Appended(index, leaf, covering, duplicate) for index, leaf, duplicate in placed], note

    def forget(self) -> None:
        """The transaction was undone: the edge may be ahead of the database."""
        self._edge = None

    def _open_edge(self, view: SqliteView) -> tlog.Frontier:
        newest = _newest_checkpoint(view)
        size = view.record.size()
        if self._edge is not None and self._edge.size == size and self._newest == newest:
            return self._edge
        edge = tlog.Frontier.load(size, view.record.nodes)
        _check_agreement(view.where, edge, newest)
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

    def _checkpoint(self, view: SqliteView, edge: tlog.Frontier, sign: CheckpointSigner) -> bytes:
        root = edge.root()
        note = sign(edge.size, root)
        said = stated(note)
        if (said.size, said.root) != (edge.size, root):
            raise SignatureError(
                f"the signer returned a checkpoint for {said.size} entries instead of the one asked for",
                where=f"size {edge.size}",
                remedy="sign exactly the size and root that were given",
            )
        view.record.add_checkpoint(edge.size, note)
        return note


def _place(view: SqliteView, folder: Folder, edge: tlog.Frontier, draft: Draft) -> tuple[int, bytes, bool]:
    """Index and leaf hash of a draft, and whether it was in the log before; otherwise it now is."""
    leaf = tlog.leaf_hash(draft.envelope)
    first = view.tables.get(LEAF, leaf)
    if first is not None:
        return int(first["ix"] or 0), leaf, True
    entry = folder.read(edge.size, draft.envelope)
    dsse.check_signature(entry.parts.envelope, entry.parts.key)
    for data in draft.blobs:
        blob_rows.add(view.record, blob_rows.receive(view.record.folder, data))
    _check_references(view, entry)
    view.record.add_entry(entry.index, entry.data, edge.append(leaf))
    folder.fold(entry)
    return entry.index, leaf, False


def _newest_checkpoint(view: SqliteView) -> bytes | None:
    try:
        return view.record.checkpoint()
    except NotFoundError:
        return None


def _check_agreement(where: str, edge: tlog.Frontier, newest: bytes | None) -> None:
    """A log never signs what contradicts a checkpoint it signed before, so the stored tree must match it."""
    said = None if newest is None else stated(newest)
    found = None if edge.size == 0 else (edge.size, edge.root())
    if found != (None if said is None else (said.size, said.root)):
        raise IntegrityError(
            f"the stored tree of {edge.size} entries is not the one in the newest signed checkpoint",
            where=where,
            remedy=_RESTORE,
        )


def _check_references(view: SqliteView, entry: LogEntry) -> None:
    """Bytes come before the statement that names them, so that nothing in the log ever points at nothing."""
    for name, digest in entry.statement.predicate.blobs():
        if not view.record.has_blob(digest):
            raise StateError(
                f"the {entry.statement.kind} statement names {name} {digest}, which is not stored",
                where=view.where,
                remedy="put the blob first, then append the statement",
            )
