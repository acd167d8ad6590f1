"""Many signature checks at once, on more than one processor where that pays."""

from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from types import TracebackType
from typing import Self

from leadline.errors import SignatureError
from leadline.ledger.keys import verify

#: Below this many checks so far, starting another process costs more than it saves.
_WORTH_A_PROCESS = 8_192
#: What preparing a check (parsing, hashing, authority) costs beside the check itself.
_PREPARATION = 0.3


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

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def start(self, checks: Sequence[Check]) -> Callable[[], list[Check]]:
        """Begin on `checks`; the result, asked for later, is those that do not hold, in their order.

        The caller goes on preparing the next batch meanwhile, so its own share here is the smaller one.
        """
        self._done += len(checks)
        if self._workers < 1 or self._done < _WORTH_A_PROCESS:
            bad = [check for check in checks if not _holds(check, self._check)]
            return lambda: bad
        if self._pool is None:
            # Spawned, not forked: the caller may hold open databases and threads.
            self._pool = ProcessPoolExecutor(self._workers, mp_context=get_context("spawn"))
        own = int(len(checks) * max(0.0, (1 + _PREPARATION) / (self._workers + 1) - _PREPARATION))
        share = max(1, -(-(len(checks) - own) // self._workers))
        parts = [checks[at : at + share] for at in range(own, len(checks), share)]
        futures = [self._pool.submit(bad_signatures, _bare(part)) for part in parts]
        mine = [check for check in checks[:own] if not _holds(check, self._check)]

        def collect() -> list[Check]:
            answers = zip(parts, futures, strict=True)
            return mine + [part[position] for part, future in answers for position in future.result()]

        return collect


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
