"""Signature checks made beside other work, on another processor where there is one."""

import os
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache

from leadline.errors import SignatureError
from leadline.ledger.dsse import Envelope, check_signature
from leadline.ledger.keys import VerifyKey


class Backlog:
    """Envelopes whose signatures are checked together, beside what else their caller has to do.

    The check itself runs without Python's lock, so one thread beside the caller keeps a second processor busy, as
    long as the caller does not hold that lock: each check must get it twice. `settle` works off what is left, so
    nothing depends on that thread ever getting its turn. For one caller.
    """

    def __init__(self, check: Callable[[Envelope, VerifyKey], None] = check_signature) -> None:
        self._check = check
        self._left: deque[tuple[int, Envelope, VerifyKey]] = deque()
        self._count = 0
        self._failed: list[tuple[int, SignatureError]] = []
        self._beside: Future[None] | None = None

    def add(self, envelope: Envelope, key: VerifyKey) -> None:
        """Take in one more signature to check."""
        self._left.append((self._count, envelope, key))
        self._count += 1

    def start(self) -> None:
        """Begin on what was added, beside a caller that is about to leave Python's lock alone."""
        helper = _helper()
        if helper is not None and len(self._left) > 1:
            self._beside = helper.submit(self._drain)

    def settle(self) -> SignatureError | None:
        """Once all are checked: the error of the first that does not hold, or None."""
        self._drain()
        if self._beside is not None and not self._beside.cancel():
            self._beside.result()
        self._beside = None
        return min(self._failed, key=lambda item: item[0])[1] if self._failed else None

    def _drain(self) -> None:
        while True:
            try:
                number, envelope, key = self._left.popleft()
            except IndexError:
                return
            try:
                self._check(envelope, key)
            except SignatureError as error:
                self._failed.append((number, error))


@cache
def _helper() -> ThreadPoolExecutor | None:
    """One thread for the whole process; None where there is no second processor."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return ThreadPoolExecutor(1, thread_name_prefix="signatures") if cores > 1 else None
