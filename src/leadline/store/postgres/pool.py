"""A few connections shared by many threads: opened when needed, dropped when lost, never more than a limit."""

import os
import select
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from leadline.errors import StateError, StoreError
from leadline.store.postgres.session import Session


class Pool:
    """Sessions that wait for their next use; the most recently used is lent first.

    `open_session` makes a new one. Whoever finds all `most` of them lent waits up to `patience` seconds. A session
    that comes back broken or inside a transaction is closed, and all that were waiting are looked at before they
    are lent again, so that a restart of the server costs at most the calls that were under way.
    """

    def __init__(
        self, open_session: Callable[[], Session], *, where: str, most: int, patience: float
    ) -> None:
        self._open = open_session
        self._where = where
        self._most = most
        self._patience = patience
        self._free = threading.Condition()
        self._idle: list[Session] = []
        self._lent = 0
        self._closed = False
        self._process = os.getpid()

    @contextmanager
    def lend(self) -> Iterator[Session]:
        """A session for the length of the block."""
        session = self._take()
        try:
            yield session
        finally:
            self._give_back(session)

    def close(self) -> None:
        """Close what is idle now, and the rest when it comes back."""
        with self._free:
            self._closed = True
            while self._idle:
                self._idle.pop().close()
            self._free.notify_all()

    def check_open(self) -> None:
        """StateError after `close`."""
        if self._closed:
            raise StateError("this store is closed", where=self._where, remedy="open it again")

    def _take(self) -> Session:
        with self._free:
            self._leave_to_parent()
            deadline = time.monotonic() + self._patience
            while True:
                self.check_open()
                while self._idle:
                    session = self._idle.pop()
                    if session.usable and not _has_news(session):
                        self._lent += 1
                        return session
                    session.close()
                if self._lent < self._most:
                    self._lent += 1
                    break
                if not self._free.wait(deadline - time.monotonic()) and time.monotonic() >= deadline:
                    raise StoreError(
                        f"all {self._most} connections of this process are in use",
                        where=self._where,
                        remedy="try again; fewer requests at once, or shorter ones, would have helped",
                    )
        try:
            return self._open()
        except BaseException:
            with self._free:
                self._lent -= 1
                self._free.notify()
            raise

    def _give_back(self, session: Session) -> None:
        with self._free:
            self._lent -= 1
            if self._closed or not session.usable:
                session.close()
            else:
                self._idle.append(session)
            self._free.notify()

    def _leave_to_parent(self) -> None:
        """After a fork, the connections are the parent's: closing them here would end them there."""
        if self._process != os.getpid():
            _INHERITED.extend(self._idle)
            self._idle, self._lent, self._process = [], 0, os.getpid()


#: Kept, so that a child process never finalises a connection of its parent.
_INHERITED: list[Session] = []


def _has_news(session: Session) -> bool:
    """Whether the server has sent something to an idle connection: the end of it, in all likelihood."""
    if not hasattr(select, "poll"):  # Windows
        return bool(select.select([session.db.fileno()], [], [], 0)[0])
    poll = select.poll()
    poll.register(session.db.fileno(), select.POLLIN)
    return bool(poll.poll(0))
