"""Two checkpoints of one log: one history, or two?

A log that shows different readers different histories is found out when their checkpoints meet. This decides about
such a meeting, and keeps both checkpoints as evidence, so that anybody with the log's key can judge for themselves.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from leadline.errors import InputError, IntegrityError, ProofError
from leadline.ledger.encoding import parse_uint64
from leadline.ledger.keys import VerifyKey
from leadline.ledger.tlog.checkpoint import SignedCheckpoint, open_checkpoint
from leadline.ledger.tlog.verify import verify_consistency

ProofSource = Callable[[int, int], Sequence[bytes]]
"""The consistency proof from an old size to a new one, as the log (or a mirror) gives it."""

_HEADER: Final = b"leadline.dev/split-view@v1: two checkpoints, each with its length in bytes before it\n"


@dataclass(frozen=True, slots=True)
class Consistent:
    """The newer checkpoint extends the older one."""

    older: SignedCheckpoint
    newer: SignedCheckpoint


@dataclass(frozen=True, slots=True)
class Split:
    """The two checkpoints were not shown to be of one history.

    `proven`: both are signed and cannot both be true (two roots for one size). Otherwise the log did not show
    that one extends the other, which it owes to anybody who asks.
    """

    older: SignedCheckpoint
    newer: SignedCheckpoint
    why: str
    proven: bool

    def evidence(self) -> bytes:
        """Both checkpoints, byte for byte, in one file; `read_evidence` reads it."""
        parts = [_HEADER]
        for one in (self.older, self.newer):
            parts += [b"%d\n" % len(one.note), one.note]
        return b"".join(parts)

    def error(self, where: str | None = None) -> IntegrityError:
        """The error that says so."""
        return IntegrityError(
            f"the log {self.older.checkpoint.origin} shows two histories: {self.why}"
            if self.proven
            else f"the log {self.older.checkpoint.origin} does not show that it only grew: {self.why}",
            where=where,
            remedy="keep both checkpoints and show them to others who use this log; do not rely on either history "
            "until its operator has explained it",
        )


def compare_checkpoints(
    first: bytes, second: bytes, keys: Sequence[VerifyKey], fetch_proof: ProofSource
) -> Consistent | Split:
    """Compare two checkpoints of one log, each signed by one of its `keys`.

    `fetch_proof` is asked once, unless sizes are equal or one is zero. Raises `SignatureError` when a checkpoint
    is not signed, `InputError` when they are of two logs, and whatever `fetch_proof` raises: a proof that could
    not be had decides nothing.
    """
    one, two = (open_checkpoint(note, keys) for note in (first, second))
    older, newer = sorted((one, two), key=lambda signed: signed.checkpoint.size)
    old, new = older.checkpoint, newer.checkpoint
    if old.origin != new.origin:
        raise InputError(
            f"these are checkpoints of two logs: {old.origin[:100]!r} and {new.origin[:100]!r}",
            remedy="compare checkpoints of one log",
        )
    if old.size == new.size and old.root != new.root:
        return Split(older, newer, f"two roots are signed for the size {old.size}", True)
    if old.size in (0, new.size):
        return Consistent(older, newer)
    try:
        verify_consistency(old.size, new.size, fetch_proof(old.size, new.size), old.root, new.root)
    except ProofError as error:
        return Split(older, newer, error.message, False)
    return Consistent(older, newer)


def read_evidence(data: bytes) -> tuple[bytes, bytes]:
    """The two checkpoints of an evidence file; `InputError` when it is none."""
    notes = []
    rest = data.removeprefix(_HEADER)
    try:
        if not data.startswith(_HEADER):
            raise ValueError
        for _ in range(2):
            length, _, rest = rest.partition(b"\n")
            count = parse_uint64(length[:9])
            notes.append(rest[:count])
            rest = rest[count:]
            if len(notes[-1]) != count:
                raise ValueError
        if rest:
            raise ValueError
    except ValueError:
        raise InputError(
            "this is no file of evidence", remedy="name one that Leadline wrote beside a mirror or in seen/"
        ) from None
    return notes[0], notes[1]
