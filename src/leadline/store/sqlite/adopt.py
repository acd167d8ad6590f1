"""Taking over a log that another installation writes: entries and checkpoint as they are, all or nothing.

What `Store.append` does for a log's own operator, without its two privileges: nothing is signed here, and a blob
that the other side no longer has is recorded as absent, with the reason, instead of being demanded.
"""

from collections.abc import Iterable, Mapping
from typing import BinaryIO

from leadline.errors import IntegrityError
from leadline.ledger import dsse, tlog
from leadline.ledger.tlog.checkpoint import Checkpoint
from leadline.store.memory import stated
from leadline.store.replay import Folder
from leadline.store.sqlite import blobs as blob_rows
from leadline.store.sqlite.rebuild import rebuild
from leadline.store.sqlite.store import SqliteStore


def adopt(
    store: SqliteStore, entries: Iterable[bytes], note: bytes, *, absent: Mapping[str, str] | None = None
) -> int:
    """Append another log's `entries` (those behind the ones held already) under its signed checkpoint `note`.

    The caller has verified the note's signature. Here the tree, every statement's signature and its rights are
    checked; the blobs they name must be stored already or be in `absent` with a reason. One durable transaction:
    any error leaves the store as it was. Returns how many entries were added; IntegrityError when they are not those
    of the checkpoint, SignatureError or StatementError for an entry that may not stand where it stands.
    """
    said = stated(note)
    with store._write("taking over a log") as view:
        for digest, reason in (absent or {}).items():
            if view.record.taken_down(digest) is None:
                blob_rows.take_down(view.record, digest, reason, absent=True)
        before = view.record.size()
        edge = tlog.Frontier.load(before, view.record.nodes)
        folder = Folder(store.projections(), view.tables, view.record)
        for data in entries:
            entry = folder.read(edge.size, data)
            dsse.check_signature(entry.parts.envelope, entry.parts.key)
            for name, digest in entry.statement.predicate.blobs():
                _require(store, view.record.has_blob(digest) or view.record.taken_down(digest), name, digest)
            view.record.add_entry(entry.index, data, edge.append(tlog.leaf_hash(data)))
            folder.fold(entry)
        _require_tree(store, said, edge)
        if edge.size != before:
            view.record.add_checkpoint(edge.size, note)
    store._remembered.write(note)
    return edge.size - before


def readmit(store: SqliteStore, blobs: Mapping[str, BinaryIO]) -> None:
    """Put back blobs that were recorded as absent, and read them into the projections.

    IntegrityError when bytes do not have their digest.
    """
    with store._write("putting blobs back") as view:
        for digest, data in blobs.items():
            incoming = blob_rows.receive(view.record.folder, data)
            if incoming.digest != digest:
                raise IntegrityError(
                    f"these bytes have the digest {incoming.digest}, not {digest}",
                    where=store.where,
                    remedy="fetch them again, from another copy",
                )
            view.record.db.execute(
                "UPDATE blob SET content = ?, notice = NULL WHERE sha256 = ?",
                (incoming.content, bytes.fromhex(digest)),
            )
        rebuild(view, store.projections())


def _require(store: SqliteStore, there: object, name: str, digest: str) -> None:
    if not there:
        raise IntegrityError(
            f"a statement names {name} {digest}, which is neither here nor recorded as absent",
            where=store.where,
            remedy="fetch the blob first",
        )


def _require_tree(store: SqliteStore, said: Checkpoint, edge: tlog.Frontier) -> None:
    if (edge.size, edge.root()) != (said.size, said.root):
        raise IntegrityError(
            f"the entries make a tree of {edge.size} that is not the one in the checkpoint of {said.size}",
            where=store.where,
            remedy="fetch the entries again; if it stays so, the other side serves damaged data",
        )
