"""Freezing a protocol, changing it, taking it back."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from leadline.errors import StateError
from leadline.ledger.ids import study_id
from leadline.protocol.diff import diff
from leadline.protocol.model import Protocol
from leadline.registry.publication import require_live
from leadline.store import Appended, ReadView
from leadline.store.projections.studies import StudyRow, studies

if TYPE_CHECKING:
    from leadline.registry.registry import Registry, Said

Progress = Callable[[int, int], None]


class _AlreadyFrozenError(Exception):
    """Leaves the write transaction without writing: the study exists."""

    def __init__(self, study: str) -> None:
        super().__init__(study)
        self.study = study


def freeze(
    registry: "Registry",
    protocol: Protocol,
    *,
    characteristics: bytes | None,
    simulate: bool,
    progress: Progress | None,
) -> str:
    """Freeze a protocol and return the study's id; that of an earlier freeze of it by the same key, if there is one.

    Raises ProtocolError when the plan does not execute.
    """
    key = registry.author()
    registry.computing.rehearse(protocol)
    if characteristics is None and simulate:
        characteristics = registry.computing.characteristics(protocol, progress)
    store = registry.store
    digest = store.put_blob(protocol.canonical_bytes())
    blob = None if characteristics is None else store.put_blob(characteristics)
    first = protocol.authors[0]

    def build(view: ReadView) -> "list[Said]":
        known = frozen_before(view, digest, key.fingerprint)
        if known is not None:
            raise _AlreadyFrozenError(known)
        said = {**frozen_fields(protocol), "characteristics": blob, "created": registry.time()}
        return [*registry.introduce(view, first.name, first.kind), ("freeze", said, key)]

    try:
        receipt = registry.append(build)[-1]
    except _AlreadyFrozenError as known:
        return known.study
    return study_id(receipt.leaf_hash)


def frozen_fields(protocol: Protocol) -> dict[str, Any]:
    """What a freeze says of its protocol: every field that follows from the protocol alone."""
    checkpoint = protocol.timeline.checkpoint
    return {
        "title": protocol.title,
        "protocol": protocol.digest,
        "authors": [author.name for author in protocol.authors],
        "area": list(protocol.area),
        "due": None if protocol.timeline.due is None else protocol.timeline.due.isoformat(),
        "seen_checkpoint": None if checkpoint is None else checkpoint.model_dump(mode="json"),
        "hypotheses": [{"id": h.id, "kind": h.kind, "claim": h.claim} for h in protocol.hypotheses],
    }


def frozen_before(view: ReadView, digest: str, keyid: str) -> str | None:
    """The id of the newest study that this key froze with this very protocol, or None."""
    rows = studies(view, protocol=digest, keyid=keyid, limit=1)
    return rows[0].id if rows else None


def amend(registry: "Registry", study: str, protocol: Protocol, *, reason: str, seen: str) -> Appended:
    """Record a changed protocol, why, and what had been seen; the first freeze stays the one compared with.

    Raises StateError when nothing changed or the study is withdrawn.
    """
    current = registry.study(study)
    require_not_withdrawn(current.row)
    changed = [change.pointer for change in diff(current.protocol, protocol)]
    if not changed:
        raise StateError("the new protocol promises exactly the same", remedy="nothing needs to be amended")
    digest = registry.store.put_blob(protocol.canonical_bytes())
    said = {
        "study": current.id,
        "protocol": digest,
        "changed": changed[:200],
        "reason": reason,
        "seen": seen,
        "created": registry.time(),
    }

    def build(view: ReadView) -> "list[Said]":
        require_live(view, current.id, "its plan is not changed any more")
        return [("amend", said, registry.author())]

    return registry.append(build)[0]


def withdraw(registry: "Registry", study: str, reason: str) -> Appended:
    """Put a tombstone on a study; its history stays. StateError when it is withdrawn already."""
    current = registry.study(study)
    require_not_withdrawn(current.row)
    said = {"study": current.id, "reason": reason, "created": registry.time()}
    return registry.append(lambda view: [("withdraw", said, registry.author())])[0]  # noqa: ARG005


def require_not_withdrawn(row: StudyRow) -> None:
    """StateError when the study is withdrawn."""
    if row.state == "withdrawn":
        raise StateError(
            f"the study is withdrawn already: {row.reason}",
            where=row.id,
            remedy=f"see it with `leadline show {row.id}`; its history stays",
        )
