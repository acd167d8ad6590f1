"""What must hold of a registry whose server was killed: all that was acknowledged, once, proven, and nothing torn."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import pairwise

from kills.stages import Stage
from kills.writer import Acknowledged
from leadline.ledger.dsse import decode
from leadline.ledger.keys import VerifyKey
from leadline.ledger.statements import parse
from leadline.ledger.tlog import leaf_hash, verify_consistency, verify_inclusion
from leadline.ledger.tlog.checkpoint import Checkpoint, open_checkpoint
from leadline.store import ReadView, Store, open_store


@dataclass
class Audited:
    """What was looked at, and what was wrong; no problem is good news."""

    entries: int = 0
    statements: int = 0
    checkpoints: int = 0
    problems: tuple[str, ...] = ()


def audit(stage: Stage, acknowledged: Sequence[Acknowledged]) -> Audited:
    """Look at the registry while no server runs."""
    key = VerifyKey.parse((stage.keys / "log.vkey").read_text().strip())
    with open_store(stage.url, create=False) as store:
        notes = {one.checkpoint for one in acknowledged}
        found = Audited(store.size(), len(acknowledged), len(notes))
        problems: list[str] = []
        for check in (
            held(store, acknowledged, key),
            Once().again(store),
            consistent(store, notes, key),
            named_blobs(store),
            (f"fsck: {problem}" for problem in store.fsck(log_keys=[key], origin=key.name)),
            _rebuilt(store),
        ):
            problems += check
        found.problems = tuple(problems)
        return found


def held(store: ReadView, acknowledged: Sequence[Acknowledged], key: VerifyKey) -> Iterator[str]:
    """Every acknowledged statement is where it was said to be, now and in the checkpoint that came with it."""
    newest = _opened(store.checkpoint().decode(), key)
    if newest.size != store.size():
        yield f"the newest checkpoint is of {newest.size} entries, the log has {store.size()}"
    for one in acknowledged:
        leaf = leaf_hash(one.envelope)
        if one.index >= newest.size or store.entry(one.index) != one.envelope:
            yield f"acknowledged statement {leaf.hex()} is not at index {one.index}"
            continue
        if one.leaf_hash != leaf.hex():
            yield f"index {one.index} was acknowledged with another leaf hash"
        verify_inclusion(
            leaf, one.index, newest.size, store.inclusion_proof(one.index, newest.size), newest.root
        )
        then = _opened(one.checkpoint, key)
        verify_inclusion(
            leaf, one.index, then.size, [bytes.fromhex(value) for value in one.hashes], then.root
        )


class Once:
    """No bytes are twice in the log, and no key said the same thing twice: entry after entry, as the log grows."""

    def __init__(self) -> None:
        self.size = 0
        self._bytes: dict[bytes, int] = {}
        self._said: dict[bytes, int] = {}

    def again(self, store: ReadView) -> Iterator[str]:
        """Look at the entries that came since the last time."""
        stop = store.size()
        for index, envelope in enumerate(store.entries(self.size, stop), self.size):
            opened = decode(envelope)
            fields = parse(opened.payload).predicate.model_dump(exclude={"created", "time"})
            meaning = sha256(repr((opened.keyid, fields)).encode()).digest()
            same = self._bytes.setdefault(sha256(envelope).digest(), index)
            alike = self._said.setdefault(meaning, index)
            if same != index:
                yield f"index {index} holds the bytes of index {same} again"
            if alike != index:
                yield f"index {index} says what index {alike} says"
        self.size = stop


def consistent(store: ReadView, notes: set[str], key: VerifyKey) -> Iterator[str]:
    """Each checkpoint that somebody was given is a beginning of the log, and no two differ in one size."""
    checkpoints = sorted({_opened(note, key) for note in notes}, key=lambda one: one.size)
    for one, other in pairwise(checkpoints):
        if one.size == other.size:
            yield f"two roots were signed for size {one.size}"
    size, root = store.size(), store.root()
    for one in checkpoints:
        if one.size > size:
            yield f"a checkpoint was given for {one.size} entries, the log has {size}"
            continue
        verify_consistency(one.size, size, store.consistency_proof(one.size, size), one.root, root)


def named_blobs(store: ReadView, start: int = 0) -> Iterator[str]:
    """Whatever a statement names from index `start` on can be read."""
    for index, envelope in enumerate(store.entries(start), start):
        for name, digest in parse(decode(envelope).payload).predicate.blobs():
            if not store.has_blob(digest) or len(store.blob(digest)) == 0:
                yield f"{name} {digest} of index {index} is gone"


def _rebuilt(store: Store) -> Iterator[str]:
    """Tables computed from the log anew are those that were there."""
    before = _tables(store)
    rebuilt = store.rebuild()
    if rebuilt.nodes:
        yield f"rebuilding corrected {rebuilt.nodes} tree nodes"
    after = _tables(store)
    yield from (
        f"table {name} differs from the rebuilt one" for name in before if before[name] != after[name]
    )


def _tables(store: Store) -> dict[str, list[object]]:
    with store.snapshot() as view:
        return {
            table.name: sorted((tuple(row.items()) for row in view.select(table)), key=repr)
            for projection in store.projections()
            for table in projection.tables
        }


def _opened(note: str, key: VerifyKey) -> Checkpoint:
    return open_checkpoint(note.encode(), [key]).checkpoint
