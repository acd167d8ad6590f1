"""The tree rebuilt from the entries, beside the stored nodes and checkpoints.

When an entry and its stored leaf hash differ, one of the two was altered. Both trees are carried on until
the next checkpoint, whose signed root says which one is genuine; so a single altered byte is one problem
with one name, and what follows it is checked as usual.
"""

from collections.abc import Generator, Iterator, Sequence
from copy import copy
from dataclasses import dataclass, field
from typing import Final

from leadline.errors import SignatureError
from leadline.ledger.keys import VerifyKey
from leadline.ledger.problems import REBUILD, RESTORE, SHORTER, Problem
from leadline.ledger.signatures import Check
from leadline.ledger.tlog.checkpoint import Checkpoint, parse_body
from leadline.ledger.tlog.frontier import Frontier
from leadline.ledger.tlog.note import split_note
from leadline.ledger.tlog.tree import HASH_SIZE, stored_index, stored_position


@dataclass(slots=True)
class _Dispute:
    """The tree of the stored leaf hashes where they differ from the entries', until a checkpoint decides.

    `entries` are the indexes whose leaf hashes differ; `nodes` hold storage index, stored value, and
    the values of both trees for every node since.
    """

    stored: Frontier
    entries: list[int] = field(default_factory=list)
    nodes: list[tuple[int, bytes | None, bytes, bytes]] = field(default_factory=list)


class TreeCheck:
    """Takes leaf hashes in order and yields problems of nodes and checkpoints as they come up.

    `nodes` and `checkpoints` are what is stored, each with the number it is filed under, ascending.
    """

    def __init__(
        self,
        nodes: Iterator[tuple[int, bytes]],
        checkpoints: Iterator[tuple[int, bytes]],
        log_keys: dict[tuple[str, bytes], VerifyKey],
        origin: str,
    ) -> None:
        self.frontier = Frontier()
        self.keys = log_keys
        self.origin = origin
        self._nodes = nodes
        self._node = next(nodes, None)
        self._checkpoints = checkpoints
        self._checkpoint = next(checkpoints, None)
        self._newest = 0
        self._dispute: _Dispute | None = None
        self._wrong_roots = 0
        self._checks: list[Check] = []

    def append(self, leaf: bytes | None) -> Sequence[Problem]:
        """Add the leaf hash of the next entry, or None when that entry is missing; then its checkpoints."""
        first = stored_index(0, self.frontier.size)
        if leaf is not None and self._dispute is None and self._node == (first, leaf):
            found = self._agreed(first, leaf)
        else:
            found = list(self._doubtful(first, leaf))
        if self._checkpoint is not None and self._checkpoint[0] <= self.frontier.size:
            found.extend(self._checkpoints_at_size())
        return found

    def _agreed(self, first: int, leaf: bytes) -> list[Problem]:
        """Go on where the stored leaf hash is that of the entry, which it nearly always is."""
        found: list[Problem] = []
        for index, value in enumerate(self.frontier.append(leaf), first):
            if self._node == (index, value):
                self._node = next(self._nodes, None)
            else:
                found.extend(self._compare(index, value))
        return found

    def _compare(self, index: int, value: bytes) -> Iterator[Problem]:
        stored = yield from self._stored(index)
        if stored is not None and stored != value:
            yield Problem("node-hash", node_name(index), _NODE, REBUILD)

    def _doubtful(self, first: int, leaf: bytes | None) -> Iterator[Problem]:
        """Go on where leaf hashes are missing or differ, or did so since the last checkpoint."""
        stored = yield from self._stored(first)
        if stored is not None and len(stored) != HASH_SIZE:
            yield Problem(
                "node-hash", node_name(first), f"it has {len(stored)} bytes, not {HASH_SIZE}", REBUILD
            )
            stored = None
        if leaf is None:
            # A lost entry leaves its leaf hash, so that everything after it can still be checked.
            leaf = bytes(HASH_SIZE) if stored is None else stored
        elif stored is not None and stored != leaf:
            self._dispute = self._dispute or _Dispute(copy(self.frontier))
            self._dispute.entries.append(self.frontier.size)
        yield from self._complete(first, stored, leaf)

    def _complete(self, first: int, stored_leaf: bytes | None, leaf: bytes) -> Iterator[Problem]:
        """Compare the nodes that this leaf completes with the stored ones."""
        mine = self.frontier.append(leaf)
        dispute = self._dispute
        others = dispute.stored.append(leaf if stored_leaf is None else stored_leaf) if dispute else mine
        for offset, (value, other) in enumerate(zip(mine, others, strict=True)):
            index = first + offset
            stored = stored_leaf if offset == 0 else (yield from self._stored(index))
            if dispute is not None:
                dispute.nodes.append((index, stored, value, other))
            elif stored is not None and stored != value:
                yield Problem("node-hash", node_name(index), _NODE, REBUILD)

    def _stored(self, index: int) -> Generator[Problem, None, bytes | None]:
        """The stored node at `index`, or None with a problem when there is none."""
        while self._node is not None and self._node[0] < index:
            yield Problem(
                "node-order", node_name(self._node[0]), "it is out of order, or stored twice", REBUILD
            )
            self._node = next(self._nodes, None)
        if self._node is None or self._node[0] != index:
            yield Problem("node-missing", node_name(index), "this tree node is not stored", REBUILD)
            return None
        value = self._node[1]
        self._node = next(self._nodes, None)
        return value

    def _checkpoints_at_size(self) -> Iterator[Problem]:
        """Check the checkpoints filed under the present size (or, out of order, under a smaller one)."""
        while self._checkpoint is not None and self._checkpoint[0] <= self.frontier.size:
            size, note = self._checkpoint
            self._checkpoint = next(self._checkpoints, None)
            yield from self._check(size, note)

    def _check(self, size: int, note: bytes) -> Iterator[Problem]:
        """Form, keys, origin, size and root of one checkpoint; its signatures join the chunk's."""
        where = f"checkpoint {size}"
        if size != self.frontier.size or size <= self._newest:
            yield Problem(
                "checkpoint-order", where, "it is out of order, stored twice, or of no entries", RESTORE
            )
        try:
            text, lines = split_note(note)
            body = parse_body(text)
        except SignatureError as error:
            yield Problem("checkpoint-form", where, error.message, RESTORE)
            return
        self._newest = max(self._newest, size)
        names = {(line.name, line.key_id) for line in lines}
        if not names <= self.keys.keys() or len(names) != len(lines):
            # A line that no known key vouches for would be bytes that nothing covers.
            yield Problem(
                "checkpoint-key", where, "not every signature is by a known key of this log", RESTORE
            )
        for line in lines:
            if key := self.keys.get((line.name, line.key_id)):
                self._checks.append(Check(self.frontier.size - 1, where, key.public, text, line.signature))
        if body.origin != self.origin:
            yield Problem("checkpoint-origin", where, f"it is one of {body.origin[:100]!r}", RESTORE)
        elif body.size != size:
            yield Problem("checkpoint-size", where, f"it states the size {body.size}", RESTORE)
        elif text != Checkpoint(self.origin, size, body.root).body():
            yield Problem(
                "checkpoint-form", where, "it has extension lines, which this log never writes", RESTORE
            )
        else:
            yield from self._settle(body.root)
            yield from self._root(where, body.root)

    def _settle(self, root: bytes | None) -> Iterator[Problem]:
        """Let a signed root decide a dispute; with no root, or one that fits neither, the entries count."""
        dispute, self._dispute = self._dispute, None
        if dispute is None:
            return
        entries_altered = root is not None and root != self.frontier.root() and root == dispute.stored.root()
        for index in dispute.entries if entries_altered else ():
            yield Problem("entry-hash", f"entry {index}", _ENTRY, RESTORE)
        for index, stored, mine, other in dispute.nodes:
            if stored is not None and stored != (other if entries_altered else mine):
                yield Problem("node-hash", node_name(index), _NODE, REBUILD)
        if entries_altered:
            self.frontier = dispute.stored

    def _root(self, where: str, root: bytes) -> Iterator[Problem]:
        """Compare a signed root; of a run of wrong ones, which share a cause, only the first is named."""
        if root == self.frontier.root():
            yield from self._end_of_run()
            return
        if not self._wrong_roots:
            yield Problem(
                "checkpoint-root", where, "its root is not that of the entries up to its size", RESTORE
            )
        self._wrong_roots += 1

    def _end_of_run(self) -> Iterator[Problem]:
        if self._wrong_roots > 1:
            where = f"{self._wrong_roots - 1} further checkpoints"
            yield Problem(
                "checkpoint-root", where, "nor do they fit the entries, since they cover the same", RESTORE
            )
        self._wrong_roots = 0

    def take_checks(self) -> list[Check]:
        """The checkpoint signatures that came up since the last call."""
        checks, self._checks = self._checks, []
        return checks

    def finish(self) -> Iterator[Problem]:
        """After the last entry: what is stored beyond it, what was lost, what nothing covers."""
        yield from self._settle(None)
        yield from self._end_of_run()
        while self._node is not None:
            yield Problem(
                "node-surplus", node_name(self._node[0]), "it is stored beyond the last entry", REBUILD
            )
            self._node = next(self._nodes, None)
        while self._checkpoint is not None:
            size = self._checkpoint[0]
            what = (
                f"the log signed a tree of {size} entries and now has {self.frontier.size}: entries were lost"
            )
            yield Problem("log-shorter", f"checkpoint {size}", what, SHORTER)
            self._checkpoint = next(self._checkpoints, None)
        if self._newest < self.frontier.size:
            what = "no checkpoint covers the entries from here on"
            yield Problem("checkpoint-missing", f"entry {self._newest}", what, RESTORE)


def node_name(index: int) -> str:
    """How a stored node is called in messages."""
    if index < 0:
        return f"node {index}"
    level, n = stored_position(index)
    return f"node {index} (level {level}, position {n})"


_NODE: Final = "the stored hash is not that of the entries below it"
_ENTRY: Final = "its bytes are not those that were logged: their leaf hash is not the one in the signed tree"
