"""Group commit: what many threads append at the same time goes into one transaction.

A durable commit costs about the same for one statement as for fifty. Whoever comes while nobody commits does so at
once, alone; whoever comes meanwhile waits, and the first of them commits for all that wait. Each build runs in
turn and sees the entries of those before it, exactly as if it had been alone. After a group, the next one waits a
moment for those just served: under load they come back at once, and threads that wake up one by one would
otherwise take the processor from the very commit they wait for.

A build that raises fails alone. Where a draft is refused while it is written, the transaction is undone and each of
its builds runs again in one of its own, so that the fault is its author's alone too. A build may therefore be
called more than once.
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from copy import copy
from time import monotonic
from typing import Final, TypeAlias

from leadline.errors import StoreError
from leadline.ledger.backlog import Backlog
from leadline.store.model import Appended, CheckpointSigner, Draft
from leadline.store.protocol import ReadView

Build: TypeAlias = Callable[[ReadView], Sequence[Draft]]
"""Makes drafts from the state it reads; see `Store.append`."""
Outcome: TypeAlias = list[Appended] | Exception
"""What one build came to: receipts in the order of its drafts, or its error."""
Placed: TypeAlias = tuple[int, bytes, bool]
"""Index and leaf hash of a draft, and whether it was in the log before."""

#: Builds in one transaction, and waiting for one, at most.
MOST_TOGETHER: Final = 128
MOST_WAITING: Final = 1_024
#: How long those just served are waited for at most: this share of their commit, and this many seconds.
_SHARE: Final = 0.2
_LONGEST: Final = 0.005


class RefusedDraftError(Exception):
    """Not everything that several builds returned can be written; `leadline.store` does not let it out."""


def run_builds(
    builds: Sequence[Build],
    view: ReadView,
    place: Callable[[Draft], Placed],
    flush: Callable[[], None],
    backlog: Backlog,
    fatal: tuple[type[Exception], ...],
    writing: Callable[[], AbstractContextManager[object]] = nullcontext,
) -> list[list[Placed] | Exception]:
    """Run builds in turn and place what they return, each seeing through `view` what was placed before; then flush.

    An error of a build is its answer. Of a single one it is raised, as is what refuses one of its drafts, the
    earliest first. With several builds that is a RefusedDraftError, and so is an error of a build that is one of
    `fatal`, what the database raises: the caller undoes the transaction. `writing` is the context of what writes.
    """
    alone = len(builds) == 1
    placed: list[list[Placed] | Exception] = []
    try:
        for build in builds:
            try:
                drafts = build(view)
            except Exception as error:
                if alone or isinstance(error, fatal):
                    raise
                placed.append(error)
            else:
                with writing():
                    placed.append([place(draft) for draft in drafts])
        backlog.start()  # the database writes without Python's lock
        with writing():
            flush()
        _raise_bad_signature(backlog)
    except Exception as error:
        if not alone:
            raise RefusedDraftError from error
        _raise_bad_signature(backlog)  # of this draft or an earlier one: that comes first
        raise
    return placed


def _raise_bad_signature(backlog: Backlog) -> None:
    found = backlog.settle()
    if found is not None:
        raise found


class _Writer:
    """One caller of `append`, waiting for its turn or for what became of it."""

    __slots__ = ("build", "gate", "leads", "outcome", "sign")

    def __init__(self, build: Build, sign: CheckpointSigner) -> None:
        self.build = build
        self.sign = sign
        self.outcome: Outcome | None = None
        self.leads = False
        self.gate = threading.Lock()  # opened once: with the outcome, or to lead
        self.gate.acquire()


class GroupCommitter:
    """Makes transactions of what threads append at the same time.

    `commit` runs builds in one transaction and says what became of each; it raises RefusedDraftError when only one
    at a time will do, and any other error when nothing was acknowledged to anybody. Writers are served in the order
    in which they came. Nobody commits for others more than once in a row, so nobody's own answer waits for them.
    """

    def __init__(
        self,
        commit: Callable[[Sequence[Build], CheckpointSigner], list[Outcome]],
        *,
        where: str,
        patience: float | None = None,
    ) -> None:
        self._commit = commit
        self._where = where
        self._patience = -1 if patience is None else patience
        self._lock = threading.Lock()
        self._waiting: deque[_Writer] = deque()
        self._busy = False
        self._expected = 1  # writers at the end of the last group: those served, and those waiting
        self._moment = self._ended = 0.0
        self._gathered: threading.Lock | None = None

    def append(self, build: Build, sign: CheckpointSigner) -> list[Appended]:
        """Append what `build` returns, together with whoever else comes at this time; see `Store.append`.

        Not to be called from within a build. StoreError when too many wait, or waited too long.
        """
        me = _Writer(build, sign)
        with self._lock:
            if len(self._waiting) >= MOST_WAITING:
                raise self._refusal(f"{MOST_WAITING:,} others wait to write")
            self._waiting.append(me)
            me.leads, self._busy = not self._busy, True
            if self._gathered is not None and len(self._waiting) >= self._expected:
                self._gathered.release()
                self._gathered = None
        if not me.leads:
            self._wait(me)
        if me.leads:
            self._lead(me)
        if isinstance(me.outcome, Exception):
            raise me.outcome
        assert me.outcome is not None, "whoever is woken has an outcome, or leads to one"
        return me.outcome

    def _wait(self, me: _Writer) -> None:
        try:
            if me.gate.acquire(timeout=self._patience):
                return
        except BaseException:
            self._give_up(me)
            raise
        if self._give_up(me):
            raise self._refusal("another thread holds the database")
        me.gate.acquire()  # the commit that takes this build in is under way

    def _give_up(self, me: _Writer) -> bool:
        """Leave the queue, if still in it; whoever was to lead passes that on."""
        with self._lock:
            if me not in self._waiting:
                return False
            self._waiting.remove(me)
            if me.leads:
                self._pass_on()
        return True

    def _lead(self, me: _Writer) -> None:
        group: list[_Writer] = []
        outcomes: list[Outcome] | None = None
        began = 0.0
        try:
            self._gather()
            group = self._take(me)
            began = monotonic()
            outcomes = self._run(group)
        except Exception as error:  # noqa: BLE001 -- it is raised again, in every thread concerned
            me.outcome = error
            outcomes = [error if one is me else _told(error) for one in group]
        finally:
            with self._lock:
                if me in self._waiting:  # interrupted before anything was taken
                    self._waiting.remove(me)
                self._ended = monotonic()
                self._moment = min(_SHARE * (self._ended - began), _LONGEST)
                self._expected = min(len(group) + len(self._waiting), MOST_TOGETHER)
                self._pass_on()
            for one, outcome in zip(group, outcomes or [self._interrupted()] * len(group), strict=True):
                one.outcome = outcome
                if one is not me:
                    one.gate.release()

    def _gather(self) -> None:
        """Wait a moment for as many as there were last time, unless that is long ago."""
        with self._lock:
            left = self._ended + self._moment - monotonic()
            if left <= 0 or len(self._waiting) >= self._expected:
                return
            self._gathered = gate = threading.Lock()
            gate.acquire()
        gate.acquire(timeout=left)
        with self._lock:
            self._gathered = None

    def _take(self, me: _Writer) -> list[_Writer]:
        """Those at the head of the queue whose checkpoints the same signer signs; the first of them is `me`."""
        with self._lock:
            group: list[_Writer] = []
            while self._waiting and len(group) < MOST_TOGETHER and self._waiting[0].sign == me.sign:
                group.append(self._waiting.popleft())
            return group

    def _run(self, group: Sequence[_Writer]) -> list[Outcome]:
        try:
            return self._commit([one.build for one in group], group[0].sign)
        except RefusedDraftError:
            return [self._run_alone(one) for one in group]

    def _run_alone(self, writer: _Writer) -> Outcome:
        try:
            return self._commit([writer.build], writer.sign)[0]
        except Exception as error:  # noqa: BLE001 -- it is raised again in the thread whose build it is
            return error

    def _pass_on(self) -> None:
        """Have the first who waits lead next; the caller holds the lock."""
        self._busy = bool(self._waiting)
        if self._waiting:
            self._waiting[0].leads = True
            self._waiting[0].gate.release()

    def _interrupted(self) -> StoreError:
        return StoreError(
            "the write was interrupted, and whether it took place is unknown",
            where=self._where,
            remedy="look whether it did; a signed statement that is sent again is answered with its first index",
        )

    def _refusal(self, why: str) -> StoreError:
        return StoreError(f"{why}; nothing was acknowledged", where=self._where, remedy="try again")


def _told(error: Exception) -> Exception:
    """The error for one of several threads: each gets its own, since whoever handles it may add to it."""
    try:
        return copy(error)
    except Exception:  # noqa: BLE001 -- an error that cannot be copied is told as it is
        return error
