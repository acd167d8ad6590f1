"""Transactions over borrowed connections: one state for a read, all or nothing for a write, turns between writers."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import psycopg

from leadline.errors import StateError, StoreError
from leadline.store.postgres.address import Address
from leadline.store.postgres.errors import explained, is_lost
from leadline.store.postgres.pool import Pool
from leadline.store.postgres.reads import Handle
from leadline.store.postgres.schema import WRITERS
from leadline.store.postgres.session import Session, connect

#: Connections of one process at most.
MOST_CONNECTIONS: Final = 16
_WRITE: Final = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"
_TURN: Final = f"SELECT pg_advisory_xact_lock({WRITERS[0]}, {WRITERS[1]})"
_SNAPSHOT: Final = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"


class UnknownOutcomeError(Exception):
    """The connection was lost while a commit was under way; leaves this package only as a StoreError."""


class Transactions:
    """Handles on the database for the length of a block, for any number of threads.

    A thread inside a transaction gets that one again for its reads, and is refused a second one to write.
    `undone` is called whenever a write was, or may have been, undone.
    """

    def __init__(
        self, address: Address, *, timeout: float, read_only: bool, undone: Callable[[], None]
    ) -> None:
        self.address = address
        self.where = str(address)
        self.read_only = read_only
        self.pool = Pool(
            lambda: connect(address, read_only=read_only, lock_seconds=timeout),
            where=self.where,
            most=MOST_CONNECTIONS,
            patience=timeout,
        )
        self._timeout = timeout
        self._undone = undone
        self._turn = threading.Lock()
        self._local = threading.local()

    @property
    def held(self) -> Handle | None:
        """The handle whose transaction this thread is in."""
        found: Handle | None = getattr(self._local, "held", None)
        return found

    @contextmanager
    def reading(self) -> Iterator[Handle]:
        """A handle for one statement."""
        self.pool.check_open()
        held = self.held
        with explained(self.address, "reading"):
            if held is not None:
                yield held
                return
            with self.pool.lend() as session:
                yield Handle(session, self.where)

    @contextmanager
    def whole(self) -> Iterator[Handle]:
        """A transaction that sees one state from its beginning; inside another one, that one."""
        self.pool.check_open()
        held = self.held
        with explained(self.address, "reading"):
            if held is not None:
                yield held
                return
            with self.pool.lend() as session:
                session.script(
                    _SNAPSHOT, "SELECT 1"
                )  # the state is fixed by the first statement, not by BEGIN
                try:
                    with self._holding(session) as at:
                        yield at
                finally:
                    session.roll_back()

    @contextmanager
    def write(self, doing: str, *, in_turn: bool = True) -> Iterator[Handle]:
        """One write transaction: committed durably at the end of the block, or undone as a whole.

        `in_turn`: no other process or thread is in such a block at the same time. UnknownOutcomeError when the
        connection was lost during the commit.
        """
        self.check_may_write()
        if in_turn and not self._turn.acquire(timeout=self._timeout):
            raise StoreError(
                f"another thread holds the database ({doing}); nothing was acknowledged",
                where=self.where,
                remedy="try again",
            )
        try:
            with explained(self.address, doing), self.pool.lend() as session:
                try:
                    session.script(_WRITE, *([_TURN] if in_turn else []))
                    session.writing = True
                    with self._holding(session) as at:
                        yield at
                except BaseException:
                    self._undo(session)
                    raise
                finally:
                    session.writing = False
                self._commit(session)
        finally:
            if in_turn:
                self._turn.release()

    @contextmanager
    def repeatable(self, doing: str, *, in_turn: bool = True) -> Iterator[Handle]:
        """A write that may be done twice without harm: a lost commit is a StoreError, whatever became of it."""
        try:
            with self.write(doing, in_turn=in_turn) as at:
                yield at
        except UnknownOutcomeError:
            raise StoreError(
                "the connection was lost during the commit, and whether it took place is unknown",
                where=self.where,
                remedy="do the same again; where it took place, that changes nothing",
            ) from None

    @contextmanager
    def shelved(self, writing: bool) -> Iterator[Session]:
        """A session for one call of the shelf."""
        held = self.held
        if held is not None and held.session.writing:
            raise StateError(
                "the shelf is not at hand inside the function given to append",
                where=self.where,
                remedy="read it before, and write it after",
            )
        with self.repeatable("writing the shelf", in_turn=False) if writing else self.reading() as at:
            yield at.session

    @contextmanager
    def _holding(self, session: Session) -> Iterator[Handle]:
        at = Handle(session, self.where)
        self._local.held = at
        try:
            yield at
        finally:
            self._local.held = None

    def _commit(self, session: Session) -> None:
        try:
            session.commit()
        except psycopg.Error as error:
            self._undo(session)
            if is_lost(error):
                raise UnknownOutcomeError from None
            raise

    def _undo(self, session: Session) -> None:
        self._undone()
        session.roll_back()

    @contextmanager
    def seen_through(self, handle: Handle) -> Iterator[None]:
        """Inside a transaction of this thread: its reads go through `handle` for the length of the block."""
        before = self.held
        self._local.held = handle
        try:
            yield
        finally:
            self._local.held = before

    def check_may_write(self) -> None:
        """StateError unless a write may begin in this thread."""
        self.pool.check_open()
        if self.read_only:
            raise StateError(
                "this store was opened for reading only", where=self.where, remedy="open it for writing"
            )
        if self.held is not None:
            raise StateError(
                "a write cannot begin inside another transaction of the same thread",
                where=self.where,
                remedy="return the drafts from the function given to append; put blobs before it",
            )
