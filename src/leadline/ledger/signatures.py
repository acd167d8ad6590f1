"""Many signature checks at once, on more than one processor where that pays."""

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from types import TracebackType
from typing import Final, Self

from leadline.errors import SignatureError
from leadline.ledger.keys import verify

#: Below this many checks so far, starting another process costs more than it saves.
_WORTH_A_PROCESS: Final = 4_096
#: Checks handed to a process at once, and how many such parts may wait for each: enough to be busy with while the
#: caller prepares the next batch, few enough that the caller is not the one who waits.
_PART: Final = 128
_AHEAD: Final = 5


@dataclass(frozen=True, slots=True)
class Check:
    """One signature to check; `position` and `subject` say where it stands."""

    position: int
    subject: str
    public: bytes
    message: bytes
    signature: bytes


class SignatureChecker:
    """Checks batches of signatures; a context manager, because it may hold worker processes.

    `check` must be `keys.verify` for more than one process to be used.
    """

    def __init__(self, processes: int, check: Callable[[bytes, bytes, bytes], None] = verify) -> None:
        self._workers = processes - 1 if check is verify else 0
        self._check = check
        self._pool: Executor | None = None
        self._done = 0
        self._out: deque[Future[list[int]]] = deque()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def start(self, checks: Sequence[Check]) -> Callable[[], list[Check]]:
        """Begin on `checks`; the result, asked for later, is those that do not hold, in their order.

        The caller goes on preparing the next batch meanwhile. Until other processes have started, and whenever
        they have enough to do, it checks what it brings itself.
        """
        self._done += len(checks)
        if self._workers < 1 or self._done < _WORTH_A_PROCESS:
            bad = [check for check in checks if not _holds(check, self._check)]
            return lambda: bad
        if self._pool is None:
            # Spawned, not forked: the caller may hold open databases and threads.
            self._pool = ProcessPoolExecutor(self._workers, mp_context=get_context("spawn"))
        answers = [self._part(self._pool, checks[at : at + _PART]) for at in range(0, len(checks), _PART)]
        return lambda: [check for answer in answers for check in answer()]

    def _part(self, pool: Executor, checks: Sequence[Check]) -> Callable[[], list[Check]]:
        """Have a part checked by whoever has time: a process that has little to do, or else the caller."""
        while self._out and self._out[0].done():
            self._out.popleft()
        if len(self._out) >= _AHEAD * self._workers:
            mine = [check for check in checks if not _holds(check, self._check)]
            return lambda: mine
        future = pool.submit(bad_signatures, _bare(checks))
        self._out.append(future)
        return lambda: [checks[position] for position in future.result()]


def bad_signatures(checks: Sequence[tuple[bytes, bytes, bytes]]) -> list[int]:
    """Positions of the ``(public, message, signature)`` triples that do not verify; runs in a worker."""
    bad = []
    for position, (public, message, signature) in enumerate(checks):
        try:
            verify(public, message, signature)
        except SignatureError:
            bad.append(position)
    return bad


def _holds(check: Check, verifier: Callable[[bytes, bytes, bytes], None]) -> bool:
    try:
        verifier(check.public, check.message, check.signature)
    except SignatureError:
        return False
    return True


def _bare(checks: Sequence[Check]) -> list[tuple[bytes, bytes, bytes]]:
    return [(check.public, check.message, check.signature) for check in checks]
