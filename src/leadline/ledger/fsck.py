"""Check every stored byte of a record against its own hashes and signatures.

A store takes part by implementing `RecordReader`, which must hand out what is *stored*, raw: no cache, no
recomputation. `fsck` then refetches every entry, rebuilds every tree node, compares each with what is
stored, checks every checkpoint's signature and root, every statement's form, signature and authority,
and every blob's digest. It goes on after a fault, so that one run names all it can, in the order of the log.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice
from typing import Final, NamedTuple, Protocol, TypeVar

from leadline.errors import Explained, SignatureError
from leadline.ledger import keys
from leadline.ledger.authority import Authority, read
from leadline.ledger.dsse import Envelope, decode
from leadline.ledger.keys import VerifyKey
from leadline.ledger.problems import FOREIGN, RESTORE, RESTORE_BLOB, Problem
from leadline.ledger.signatures import Batch, Check, SignatureChecker
from leadline.ledger.statements import Statement
from leadline.ledger.tlog.tree import leaf_hash, tree_hash
from leadline.ledger.treecheck import TreeCheck

__all__ = ["Problem", "RecordReader", "StoredBlob", "fsck"]

_CHUNK: Final = 64
#: Gaps longer than this are one problem, not one per missing entry.
_LONGEST_GAP: Final = 10_000

_In = TypeVar("_In")
_Out = TypeVar("_Out")


@dataclass(frozen=True, slots=True)
class StoredBlob:
    """A blob the store holds under `sha256` (64 hex digits).

    `chunks` are its bytes, read afresh. `taken_down` is the reason when the bytes were removed on
    purpose and only the digest remains (`chunks` is then empty).
    """

    sha256: str
    chunks: Iterable[bytes] = ()
    taken_down: str | None = None


class RecordReader(Protocol):
    """Raw, uncached reading of the four record tables.

    Every method hands out the stored values together with the stored numbers they are filed under, in
    ascending order, so that a gap, a duplicate or a changed number shows. A value that cannot be read at
    all raises `IntegrityError` or `StoreError`; the rest of that table then counts as unreadable.
    """

    def entries(self) -> Iterator[tuple[int, bytes]]:
        """``(index, entry bytes)`` of every log entry."""

    def nodes(self) -> Iterator[tuple[int, bytes]]:
        """``(storage index, hash)`` of every stored tree node; numbering of `tlog.stored_index`."""

    def checkpoints(self) -> Iterator[tuple[int, bytes]]:
        """``(tree size, signed note)`` of every checkpoint kept."""

    def node_hashes(self, indexes: Sequence[int]) -> Sequence[bytes]:
        """The stored hashes at these storage indexes: a `tlog.HashReader`."""

    def blobs(self) -> Iterator[StoredBlob]:
        """Every blob, in any order, each once."""

    def own_problems(self) -> Iterator[Problem]:
        """What only the engine can check: its file format, schema, redundant columns, projections."""


def fsck(
    reader: RecordReader,
    *,
    log_keys: Sequence[VerifyKey],
    origin: str,
    processes: int = 1,
    verify: Callable[[bytes, bytes, bytes], None] = keys.verify,
) -> Iterator[Problem]:
    """All problems of a record, as they are found; nothing when the record is sound.

    `log_keys` are the log's public keys and `origin` its identity: they come from the verifier, not from
    the store. `processes` above 1 spreads the signature checks of long logs. `verify` may be replaced by
    something that remembers earlier answers, for the same bytes only.
    """
    yield from _guarded(reader.own_problems(), "store")
    wanted: dict[str, str] = {}
    with SignatureChecker(processes, verify) as checker:
        replay = _Replay(reader, log_keys, origin, wanted)
        yield from _guarded(replay.run(checker), "log")
    yield from _guarded(_blobs(reader, wanted), "blobs")


class _Replay:
    """Entries in order, with all that hangs on it: nodes, checkpoints, statements, rights, signatures."""

    def __init__(
        self, reader: RecordReader, log_keys: Sequence[VerifyKey], origin: str, wanted: dict[str, str]
    ) -> None:
        self.reader = reader
        self.log_keys = log_keys
        self.origin = origin
        self.wanted = wanted
        self.authority = Authority(
            log_keys=log_keys, origin=origin, root_at=lambda size: tree_hash(size, reader.node_hashes)
        )
        self.leaves: dict[bytes, int] = {}
        self.damaged: int | None = None
        self.checks: list[Check] = []
        self.found: list[tuple[int, Problem]] = []

    def run(self, checker: SignatureChecker) -> Iterator[Problem]:
        """All problems, chunk by chunk, those of a chunk in the order of the log."""
        known = {(key.name, key.key_id): key for key in self.log_keys}
        tree = TreeCheck(self.reader.nodes(), self.reader.checkpoints(), known, self.origin)
        source = iter(self.reader.entries())
        # Signatures of some chunks are checked elsewhere while the next chunk is read here.
        pending: deque[_Chunk] = deque()
        try:
            while chunk := list(islice(source, _CHUNK)):
                pending.append(self.chunk(tree, chunk, checker))
                while pending and pending[0].signatures.done:
                    yield from pending.popleft().problems()
        except Explained:  # what was found before the reader refused still counts
            for earlier in pending:
                yield from earlier.problems()
            raise
        for earlier in pending:
            yield from earlier.problems()
        yield from tree.finish()

    def chunk(
        self, tree: TreeCheck, stored: Sequence[tuple[int, bytes]], checker: SignatureChecker
    ) -> "_Chunk":
        """Some stored entries, up to their signatures, which are only begun on.

        What needs no knowledge of the log is done for all of them, step by step: a processor is faster at that than
        at all steps in turn.
        """
        envelopes = [_tried(decode, data) for _, data in stored]
        parts = [_tried(_read, envelope) for envelope in envelopes]
        leaves = [leaf_hash(data) for _, data in stored]
        self.found, self.checks = [], []
        for (index, _), leaf, part in zip(stored, leaves, parts, strict=True):
            if self.place(tree, index, leaf):
                self.statement(index, leaf, part)
        return _Chunk(self.found, checker.start(self.checks + tree.take_checks()))

    def place(self, tree: TreeCheck, index: int, leaf: bytes) -> bool:
        """The place that an entry is filed at; whether it is one of the log's at all."""
        position = tree.frontier.size
        if index < position:
            self.problem("entry-order", index, "it is out of order, or stored twice")
            return False
        if index - position > _LONGEST_GAP:
            what = f"after entry {position - 1} comes this one: it is misfiled, or what lies between is lost"
            self.problem("entry-order", index, what)
            return False
        for missing in range(position, index):
            self.found.append(
                (index, Problem("entry-missing", f"entry {missing}", "it is not stored", RESTORE))
            )
            self.damaged = missing if self.damaged is None else self.damaged
            self.found.extend((index, problem) for problem in tree.append(None))
        if (first := self.leaves.setdefault(leaf, index)) != index:
            what = f"it is the same as entry {first}; a log takes a statement once"
            self.problem("entry-twice", index, what, FOREIGN)
        if problems := tree.append(leaf):
            self.found.extend((index, problem) for problem in problems)
        return True

    def statement(self, index: int, leaf: bytes, parts: tuple[Envelope, Statement] | Explained) -> None:
        """Form and authority of one entry; its signature joins the chunk's."""
        code, entry = "entry-form", None
        try:
            if isinstance(parts, Explained):
                raise parts
            entry = self.authority.opened(leaf, *parts)
            code = "entry-authority"
            self.authority.apply(index, entry)
        except Explained as error:
            if entry is None and isinstance(error, SignatureError):
                code = "entry-key"
            what = error.message
            if self.damaged is not None:
                what += f" (this may follow from entry {self.damaged}, which is damaged)"
            else:
                self.damaged = index
            self.problem(code, index, what)
        if entry is not None:
            envelope = entry.envelope
            self.checks.append(
                Check(index, "entry", entry.key.public, envelope.message(), envelope.signature)
            )
            for name, digest in entry.statement.predicate.blobs():
                self.wanted.setdefault(digest, f"entry {index} ({name})")

    def problem(self, code: str, index: int, what: str, remedy: str = RESTORE) -> None:
        """Note what is wrong with an entry."""
        self.found.append((index, Problem(code, f"entry {index}", what, remedy)))


def _blobs(reader: RecordReader, wanted: dict[str, str]) -> Iterator[Problem]:
    """Every stored blob against its digest, and every digest that statements rely on against the store."""
    seen: set[str] = set()
    for blob in reader.blobs():
        where = f"blob {blob.sha256[:100]}"
        if blob.sha256 in seen:
            yield Problem("blob-twice", where, "it is stored twice", RESTORE_BLOB)
        seen.add(blob.sha256)
        if blob.taken_down is not None:
            continue
        digest = sha256()
        try:
            for chunk in blob.chunks:
                digest.update(chunk)
        except Explained as error:
            yield Problem("blob-unreadable", where, error.message, error.remedy() or RESTORE_BLOB)
            continue
        if digest.hexdigest() != blob.sha256:
            yield Problem(
                "blob-hash", where, "its bytes do not have the digest it is filed under", RESTORE_BLOB
            )
    for digest_text, first in wanted.items():
        if digest_text not in seen:
            what = f"it is missing, and {first} relies on it"
            yield Problem("blob-missing", f"blob {digest_text}", what, RESTORE_BLOB)


def _guarded(problems: Iterator[Problem], where: str) -> Iterator[Problem]:
    """Turn a reader's refusal into a problem: what could not be read is not sound."""
    try:
        yield from problems
    except Explained as error:
        yield Problem("unreadable", error.where or where, error.message, error.remedy() or RESTORE)


class _Chunk(NamedTuple):
    """What was found in some entries, each with its place in the log, and their signatures."""

    found: list[tuple[int, Problem]]
    signatures: Batch

    def problems(self) -> Iterator[Problem]:
        """All problems of these entries, by place in the log."""
        self.found.extend((check.position, _bad_signature(check)) for check in self.signatures.failures())
        self.found.sort(key=lambda item: item[0])
        yield from (problem for _, problem in self.found)


def _read(envelope: Envelope) -> tuple[Envelope, Statement]:
    return envelope, read(envelope)


def _tried(step: Callable[[_In], _Out], value: _In | Explained) -> _Out | Explained:
    """What `step` makes of `value`, or the error that it, or an earlier step, raised instead."""
    if isinstance(value, Explained):
        return value
    try:
        return step(value)
    except Explained as error:
        error.__context__ = None  # which would keep whatever the refused document was made into
        return error.with_traceback(None)


def _bad_signature(check: Check) -> Problem:
    where = f"entry {check.position}" if check.subject == "entry" else check.subject
    code = "entry-signature" if check.subject == "entry" else "checkpoint-signature"
    return Problem(code, where, "the signature does not belong to these bytes and this key", RESTORE)
