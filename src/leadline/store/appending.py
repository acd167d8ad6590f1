"""What every engine does alike when it appends: signing only what continues the log, and never naming absent bytes."""

from leadline.errors import IntegrityError, SignatureError, StateError
from leadline.ledger.tlog import Frontier
from leadline.store.memory import stated
from leadline.store.model import CheckpointSigner
from leadline.store.projection import BlobReader, LogEntry

_RESTORE = "run `leadline fsck`; restore the database from a backup or a mirror before anything is appended"


def check_agreement(where: str, edge: Frontier, newest: bytes | None) -> None:
    """A log never signs what contradicts a checkpoint it signed before, so the stored tree must match it."""
    said = None if newest is None else stated(newest)
    found = None if edge.size == 0 else (edge.size, edge.root())
    if found != (None if said is None else (said.size, said.root)):
        raise IntegrityError(
            f"the stored tree of {edge.size} entries is not the one in the newest signed checkpoint",
            where=where,
            remedy=_RESTORE,
        )


def signed(edge: Frontier, sign: CheckpointSigner) -> bytes:
    """The checkpoint of the tree as it stands; SignatureError when the signer signed something else."""
    root = edge.root()
    note = sign(edge.size, root)
    said = stated(note)
    if (said.size, said.root) != (edge.size, root):
        raise SignatureError(
            f"the signer returned a checkpoint for {said.size} entries instead of the one asked for",
            where=f"size {edge.size}",
            remedy="sign exactly the size and root that were given",
        )
    return note


def check_references(where: str, entry: LogEntry, blobs: BlobReader, *, restored: bool) -> None:
    """Bytes come before the statement that names them, so that nothing in the log ever points at nothing.

    A `restored` statement may also name bytes that were taken down since it was made.
    """
    for name, digest in entry.statement.predicate.blobs():
        if blobs.has_blob(digest) or (restored and blobs.taken_down(digest) is not None):
            continue
        raise StateError(
            f"the {entry.statement.kind} statement names {name} {digest}, which is not stored",
            where=where,
            remedy="put the blob first, then append the statement",
        )
