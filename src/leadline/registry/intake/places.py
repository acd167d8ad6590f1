"""How much is computed at once, and who pays for it: places for processes, and purses of seconds."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import BoundedSemaphore, Lock
from typing import Final, Protocol

from leadline.errors import QuotaError
from leadline.logs.apart import ApartLimits, run_apart
from leadline.registry.access import Access, Caller

_PATIENCE: Final = 20.0


class Places:
    """Room for `count` processes at once. A few callers may wait for a place; more are sent away at once.

    Whoever waits holds a thread of the server: only so many may, and only for `patience` seconds.
    """

    def __init__(self, count: int, *, waiting: int, patience: float = _PATIENCE) -> None:
        self._free = BoundedSemaphore(count)
        self._patience = patience
        self._most = count + waiting
        self._inside = 0
        self._lock = Lock()

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Around a computation; QuotaError when no place becomes free."""
        with self._lock:
            if self._inside >= self._most:
                raise self._busy()
            self._inside += 1
        try:
            if not self._free.acquire(timeout=self._patience):
                raise self._busy()
            try:
                yield
            finally:
                self._free.release()
        finally:
            with self._lock:
                self._inside -= 1

    def _busy(self) -> QuotaError:
        return QuotaError(
            "this server is busy computing what others sent",
            retry_after=self._patience,
            remedy=f"send the same request again in {self._patience:.0f} seconds; nothing of it was done",
        )


_CORES: Final = os.cpu_count() or 2
#: For statements that somebody signed.
SIGNED: Final = Places(max(2, _CORES), waiting=16)
#: For drafts that nobody signed: apart from the others, so that no flood of them keeps a statement waiting.
UNSIGNED: Final = Places(max(1, _CORES // 2), waiting=8)


class Purse(Protocol):
    """Pays for seconds of computing: all that it may take before it begins, and gets back what it did not."""

    def charge(self, seconds: float) -> None:
        """QuotaError when there is not enough left."""
        ...

    def forgive(self, seconds: float) -> None:
        """So much was not used."""
        ...


@dataclass(frozen=True, slots=True)
class AddressPurse:
    """The seconds that one address may have computed for it."""

    access: Access
    caller: Caller

    def charge(self, seconds: float) -> None:
        """QuotaError when the address has used up what it may."""
        self.access.charge_computing(self.caller, seconds)

    def forgive(self, seconds: float) -> None:
        """So much was not used."""
        self.access.forgive_computing(self.caller, seconds)


class _Free:
    def charge(self, seconds: float) -> None:
        pass

    def forgive(self, seconds: float) -> None:
        pass


#: Where nothing is charged: a signature has paid, or the registry is one's own.
FREE: Final[Purse] = _Free()


def apart(
    function: str, payload: bytes, limits: ApartLimits, *, places: Places = SIGNED, purse: Purse = FREE
) -> bytes:
    """As `run_apart`, a few at a time and paid for beforehand; QuotaError where either is refused."""
    with turn(limits.wall_seconds, places=places, purse=purse):
        return run_apart(function, payload, limits=limits)


@contextmanager
def turn(seconds: float, *, places: Places = SIGNED, purse: Purse = FREE) -> Iterator[None]:
    """Around work of at most `seconds`, paid for beforehand and in its place; QuotaError where either is refused."""
    with paid(purse, seconds) as clock, places.taken(), clock.running():
        yield


class Clock:
    """Counts the seconds that a computation takes, without those it waits for its place."""

    def __init__(self) -> None:
        self.seconds = 0.0

    @contextmanager
    def running(self) -> Iterator[None]:
        """Around what is counted."""
        began = time.monotonic()
        try:
            yield
        finally:
            self.seconds += time.monotonic() - began


@contextmanager
def paid(purse: Purse, most: float) -> Iterator[Clock]:
    """Around a computation of at most `most` seconds, charged now; what its clock did not count is given back."""
    purse.charge(most)
    clock = Clock()
    try:
        yield clock
    finally:
        purse.forgive(max(0.0, most - clock.seconds))
