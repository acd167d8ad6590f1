"""A process that checks signatures beside the caller's: both ends of the pipes between them.

It is this interpreter, started afresh: the caller may hold open databases and threads, and its main module may do
anything when it is imported. A part goes out as the lengths and the bytes of its checks, and comes back as 64 bits,
one per check that does not hold. The helper ends with the caller: nothing more comes in then.
"""

import os
import select
import subprocess
import sys
from array import array
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue
from struct import Struct
from threading import Thread
from typing import BinaryIO, Final, TypeAlias

from leadline.errors import SignatureError, StoreError
from leadline.ledger.keys import verify

Triple: TypeAlias = tuple[bytes, bytes, bytes]
"""What one check is about: public key, message, signature."""

Verifier: TypeAlias = Callable[[bytes, bytes, bytes], None]
"""`keys.verify`, or something that remembers its answers."""

MOST: Final = 64
"""Checks in one part, at most."""

AVAILABLE: Final = hasattr(select, "poll")
"""Whether this system can tell which pipes have something to read; where it cannot, a caller checks by itself."""

_HEAD: Final = Struct("=II")  # how many pieces follow, and how many bytes they have together
_ANSWER: Final = Struct("=Q")
_CODE: Final = "import sys; sys.path[:] = sys.argv[1:]; from leadline.ledger.helper import serve; serve()"


class Helper:
    """One helper process. Answers come back in the order in which parts were given; `started` once one has.

    Raises StoreError when the process cannot be started or has ended: what it held is then unchecked. `lost` says
    that it has ended.
    """

    def __init__(self) -> None:
        folder = str(Path(__file__).resolve().parents[2])
        try:
            self._child = subprocess.Popen(  # noqa: S603 (this interpreter, and its own import path)
                [sys.executable, "-I", "-c", _CODE, *filter(None, sys.path), folder],
                bufsize=0,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,  # what interrupts the caller is the caller's to handle
            )
        except OSError as error:
            raise _lost(f"cannot be started: {error.strerror or error}") from error
        assert self._child.stdin is not None and self._child.stdout is not None, "both are pipes"
        self._out = self._child.stdin.fileno()
        self._in = self._child.stdout.fileno()
        self._answers = select.poll()  # not select(), which knows no file beyond the first thousand
        self._answers.register(self._in, select.POLLIN)
        self._told: deque[Callable[[int], None]] = deque()
        self.started = False
        self.lost = False

    def __len__(self) -> int:
        """How many parts it holds, as far as its answers have been read."""
        return len(self._told)

    def give(self, triples: Sequence[Triple], told: Callable[[int], None]) -> None:
        """Hand over a part of at most `MOST` checks; `told` gets the bits of those that do not hold."""
        left = memoryview(_packed(triples))
        try:
            while left:
                left = left[os.write(self._out, left) :]
        except OSError:
            raise self._ended() from None
        self._told.append(told)

    def listen(self, *, wait: bool) -> None:
        """Read the answers that are there; with `wait`, one at least."""
        while self._told and (wait or self._answers.poll(0)):
            answer = os.read(self._in, _ANSWER.size)  # never less: so short a write is one piece
            if len(answer) != _ANSWER.size:
                raise self._ended()
            self.started = True
            self._told.popleft()(*_ANSWER.unpack(answer))
            wait = False

    def close(self) -> None:
        """End the process; what it still holds is nobody's concern any more."""
        with self._child:
            self._child.kill()

    def _ended(self) -> StoreError:
        self.lost = True
        with suppress(subprocess.TimeoutExpired):
            self._child.wait(timeout=1)
        return _lost(f"ended before it answered (status {self._child.returncode})")


def serve(source: BinaryIO | None = None, sink: BinaryIO | None = None) -> None:
    """Check what comes in until nothing more does: the helper's whole life."""
    source, sink = source or sys.stdin.buffer, sink or sys.stdout.buffer
    # Another thread takes parts in, so that the caller never waits for a check to end before it can hand one over.
    parts: SimpleQueue[list[bytes] | None] = SimpleQueue()
    Thread(target=_receive, args=(source, parts), daemon=True).start()
    while (pieces := parts.get()) is not None:
        taken = iter(pieces)
        triples = zip(taken, taken, taken, strict=True)
        sink.write(_ANSWER.pack(failing(triples)))
        sink.flush()


def failing(triples: Iterable[Triple], check: Verifier = verify) -> int:
    """A bit for each check that does not hold, the first one lowest."""
    bad = 0
    for place, triple in enumerate(triples):
        try:
            check(*triple)
        except SignatureError:
            bad |= 1 << place
    return bad


def _packed(triples: Sequence[Triple]) -> bytes:
    pieces = [piece for triple in triples for piece in triple]
    lengths = array("I", map(len, pieces))
    return b"".join((_HEAD.pack(len(pieces), sum(lengths)), lengths.tobytes(), *pieces))


def _receive(source: BinaryIO, parts: "SimpleQueue[list[bytes] | None]") -> None:
    while len(head := source.read(_HEAD.size)) == _HEAD.size:
        count, size = _HEAD.unpack(head)
        lengths = array("I")
        lengths.frombytes(source.read(count * lengths.itemsize))
        parts.put(list(_cut(source.read(size), lengths)))
    parts.put(None)


def _cut(data: bytes, lengths: Sequence[int]) -> Iterator[bytes]:
    at = 0
    for length in lengths:
        yield data[at : (at := at + length)]


def _lost(what: str) -> StoreError:
    return StoreError(
        f"a process that checks signatures {what}",
        where="signature checks",
        remedy="check memory and the number of processes, and run this again with one process",
    )
