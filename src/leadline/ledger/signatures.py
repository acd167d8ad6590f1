"""Many signature checks at once, on more than one processor where that pays."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Final, NamedTuple, Self

from leadline.errors import StoreError
from leadline.ledger.helper import AVAILABLE, MOST, Helper, Triple, failing
from leadline.ledger.keys import verify

#: Below this many checks so far, starting another process costs more than it saves.
_WORTH_A_PROCESS: Final = 512
#: Parts that a helper may hold: enough to be busy with while the caller prepares the next batch or checks a part
#: itself, few enough that the caller has little to wait for at the end.
_AHEAD: Final = 4


class Check(NamedTuple):
    """One signature to check; `position` and `subject` say where it stands."""

    position: int
    subject: str
    public: bytes
    message: bytes
    signature: bytes


class SignatureChecker:
    """Checks batches of signatures; a context manager, because it may hold helper processes.

    `check` must be `keys.verify` for more than one process to be used, and the system one that has helpers.

    A helper that ends early changes no answer: what it held is checked again here, and it is not replaced, since
    whatever ended it, such as a machine short of memory, would end the next one too.
    """

    def __init__(self, processes: int, check: Callable[[bytes, bytes, bytes], None] = verify) -> None:
        self._most = processes - 1 if check is verify and AVAILABLE else 0
        self._check = check
        self._helpers: list[Helper] = []
        self._begun = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        while self._helpers:
            self._helpers.pop().close()

    def start(self, checks: Sequence[Check]) -> "Batch":
        """Begin on `checks`; the caller goes on preparing the next batch meanwhile.

        What helpers have no room for is checked here and now. They always have some left, so neither they nor the
        caller wait for each other. Raises StoreError when a helper cannot be started.
        """
        parts = []
        for at in range(0, len(checks), MOST):
            part = _Part(checks[at : at + MOST])
            self._begun += len(part.checks)
            part.begin(self._free(), self._check)
            parts.append(part)
        return Batch(parts)

    def _free(self) -> Helper | None:
        """A helper that has room for a part, if there is one."""
        for helper in self._helpers:
            _heard(helper, wait=False)
        idlest = min((helper for helper in self._helpers if not helper.lost), key=len, default=None)
        if idlest is not None and len(idlest) < _AHEAD:
            return idlest
        # One more at a time, as long as all are busy: on many processors, who prepares the checks is soon outrun.
        settled = all(helper.started and not helper.lost for helper in self._helpers)
        if settled and len(self._helpers) < self._most and self._begun >= _WORTH_A_PROCESS:
            self._helpers.append(Helper())
            return self._helpers[-1]
        return None


class Batch:
    """Checks that were begun together."""

    def __init__(self, parts: "Sequence[_Part]") -> None:
        self._parts = parts

    @property
    def done(self) -> bool:
        """Whether there is nothing left to wait for, as far as the caller has heard."""
        return not any(part.awaited for part in self._parts)

    def failures(self) -> list[Check]:
        """Those that do not hold, in their order; waits until all are checked."""
        return [check for part in self._parts for check in part.failures()]


class _Part:
    """Checks that one process makes in a row; `bad` gets a bit for each that does not hold."""

    __slots__ = ("_helper", "bad", "checks")

    def __init__(self, checks: Sequence[Check]) -> None:
        self.checks = checks
        self.bad: int | None = None
        self._helper: Helper | None = None

    def begin(self, helper: Helper | None, check: Callable[[bytes, bytes, bytes], None]) -> None:
        if helper is not None:
            with suppress(StoreError):
                helper.give(self._triples(), self._settle)
                self._helper = helper
                return
        self.bad = failing(self._triples(), check)

    @property
    def awaited(self) -> bool:
        """Whether a helper is still to answer."""
        return self.bad is None and self._helper is not None and not self._helper.lost

    def failures(self) -> list[Check]:
        while self.bad is None and self._helper is not None:
            if not _heard(self._helper, wait=True):
                self.bad = failing(self._triples())
        bad = self.bad or 0
        return [check for place, check in enumerate(self.checks) if bad >> place & 1] if bad else []

    def _triples(self) -> list[Triple]:
        return [check[2:] for check in self.checks]

    def _settle(self, bad: int) -> None:
        self.bad = bad


def _heard(helper: Helper, *, wait: bool) -> bool:
    """Listen to a helper; False where it has ended, and nothing more will be heard of it."""
    if not helper.lost:
        with suppress(StoreError):
            helper.listen(wait=wait)
    return not helper.lost
