"""The shared store: one schema of a PostgreSQL database, and a remembered checkpoint on each machine that signs."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import BinaryIO, Self

import psycopg

from leadline.errors import Explained, StateError, StoreError
from leadline.ledger import keys
from leadline.ledger.fsck import Problem
from leadline.ledger.keys import VerifyKey
from leadline.store.committer import Build, GroupCommitter, Outcome
from leadline.store.memory import RememberedCheckpoint
from leadline.store.model import Appended, CheckpointSigner, Draft, Rebuilt
from leadline.store.postgres import blobs as blob_rows
from leadline.store.postgres.address import Address
from leadline.store.postgres.append import Appender, Placed
from leadline.store.postgres.check import check, check_remembered
from leadline.store.postgres.errors import explained
from leadline.store.postgres.mend import mend_tree
from leadline.store.postgres.reads import Handle, PostgresReads, PostgresView
from leadline.store.postgres.rebuild import current, rebuild
from leadline.store.postgres.schema import computed_tables, identify, place
from leadline.store.postgres.shelf import PostgresShelf
from leadline.store.postgres.transactions import Transactions, UnknownOutcomeError
from leadline.store.projection import Projection
from leadline.store.projections import BUILT_IN
from leadline.store.protocol import ReadView

#: The file in the keys folder that remembers the newest signed checkpoint.
REMEMBERED = "newest.checkpoint"
#: Below this many entries any plan is good.
_WORTH_COUNTING = 1_000
_UNKNOWN = "submit the same statements again: what is in the log already is answered with its first index"


class PostgresStore(PostgresReads):
    """A `Store` in schema `leadline` of one PostgreSQL database.

    Threads may share it: each call borrows a connection, and appends take turns. Processes and machines may share
    the database: a lock in it makes their appends take turns too, for at most `timeout` seconds.
    """

    def __init__(
        self, address: Address, projections: Sequence[Projection], *, timeout: float, read_only: bool
    ) -> None:
        self.address = address
        self.where = str(address)
        self.read_only = read_only
        self._projections = tuple(projections)
        self._remembered = RememberedCheckpoint(address.keys_folder() / REMEMBERED)
        self._appender = Appender(self._projections, self._remembered)
        self.transactions = Transactions(
            address, timeout=timeout, read_only=read_only, undone=self._appender.forget
        )
        self._committer = GroupCommitter(self._append_together, where=self.where, patience=timeout)
        self._shelf = PostgresShelf(self.transactions.shelved)

    @classmethod
    def open(
        cls,
        address: Address | str,
        *,
        projections: Sequence[Projection] = (),
        create: bool = True,
        read_only: bool = False,
        timeout: float = 30.0,
    ) -> Self:
        """Open the store at `address`, making its schema if asked; `projections` come on top of the built-in ones.

        A database whose projections were made by another version is rebuilt at once. Raises InputError,
        NotFoundError, StateError (another program's schema, a newer format), StoreError or IntegrityError.
        """
        address = Address.parse(address) if isinstance(address, str) else address
        names = [projection.name for projection in (*BUILT_IN, *projections)]
        if len(set(names)) != len(names):
            raise ValueError(f"two projections have the same name: {sorted(names)}")
        store = cls(address, (*BUILT_IN, *projections), timeout=timeout, read_only=read_only)
        if not read_only:
            with suppress(OSError):  # as when remembering: the database is what must be durable
                address.keys_folder().mkdir(parents=True, mode=0o700, exist_ok=True)
        try:
            store._prepare(create=create)
            if not read_only:
                store._remembered.tidy()
        except BaseException:
            store.close()
            raise
        return store

    def _prepare(self, *, create: bool) -> None:
        with explained(self.address, "opening"), self.transactions.pool.lend() as session:
            identify(session, self.where, create=create, read_only=self.read_only)
            if current(session, self._projections):
                return
        if self.read_only:
            raise StateError(
                "the tables computed from the log were made by another version of Leadline",
                where=self.where,
                remedy="run `leadline rebuild` with write permission, then read again",
            )
        with self.transactions.repeatable("rebuilding") as at:
            if not current(at.session, self._projections):  # another process may have been first
                mend_tree(at.record)
                rebuild(at, self._projections)

    # -- writing -------------------------------------------------------------------------------

    def append(
        self, build: Callable[[ReadView], Sequence[Draft]], *, sign: CheckpointSigner
    ) -> list[Appended]:
        """Append what `build` returns, in one durable transaction; one receipt per draft, in order."""
        self.transactions.check_may_write()
        return self._committer.append(build, sign)

    def _append_together(self, builds: Sequence[Build], sign: CheckpointSigner) -> list[Outcome]:
        """Run builds in one transaction; what became of each."""
        placed = Placed()
        try:
            with self.transactions.write("appending") as at:
                batch = self._appender.begin(at)
                with self.transactions.seen_through(batch.reads):
                    placed = self._appender.append(batch, builds, sign)
        except UnknownOutcomeError:
            self._settle(placed)
        if placed.note is not None:
            self._remembered.write(placed.note)
            self._take_stock(placed)
        return placed.outcomes()

    def _take_stock(self, placed: Placed) -> None:
        """Have the server count words again whenever the log has doubled, so that it searches by the right index."""
        grown = [index for index, _ in placed.new]
        if grown[-1] >= _WORTH_COUNTING and grown[0].bit_length() < (grown[-1] + 1).bit_length():
            with suppress(psycopg.Error, Explained), self.transactions.pool.lend() as session:
                session.script(*(f"ANALYZE {place(name)}" for name in computed_tables(self._projections)))

    def _settle(self, placed: Placed) -> None:
        """Find out whether a commit whose answer was lost took place; StoreError unless it did."""
        if not placed.new:
            return
        new = placed.new[-1]
        try:
            with self.transactions.write(
                "asking for the outcome of a commit"
            ) as at:  # in turn: the lost one has ended by now
                found = at.record.leaf_hash(new[0]) if at.record.size() > new[0] else None
        except (Explained, UnknownOutcomeError):
            raise StoreError(
                "the connection was lost during the commit, and whether it took place is unknown",
                where=self.where,
                remedy=_UNKNOWN,
            ) from None
        if found != new[1]:
            raise StoreError(
                "the connection to the database was lost before the commit; nothing was acknowledged",
                where=self.where,
                remedy=_UNKNOWN,
            )

    def put_blob(self, data: bytes | BinaryIO) -> str:
        """Keep bytes under their SHA-256, durably, and return it in hex; the same bytes are kept once."""
        with blob_rows.receive(data, self.where) as incoming:
            with self.transactions.repeatable("storing a blob", in_turn=False) as at:
                blob_rows.add(at.record, incoming)
            return incoming.digest

    def take_down(self, digest: str, reason: str, *, absent: bool = False) -> None:
        """Remove a blob's bytes; the digest and the reason stay, and projections forget what they read in it."""
        with self.transactions.repeatable("taking down a blob") as at:
            blob_rows.take_down(at.record, digest, reason, absent=absent)
            rebuild(at, self._projections)
        with (
            suppress(psycopg.Error),
            self.transactions.pool.lend() as session,
        ):  # the server's own cleaning may take its time
            session.script("VACUUM leadline.blob")
            session.script("VACUUM leadline.blob_chunk")

    def rebuild(self) -> Rebuilt:
        """Empty every projection and replay the log into it; correct tree nodes that entries contradict.

        Raises IntegrityError when the entries are not those of the newest signed checkpoint.
        """
        with self.transactions.repeatable("rebuilding") as at:
            nodes = mend_tree(at.record)
            entries = rebuild(at, self._projections)
        return Rebuilt(entries, nodes, tuple(projection.name for projection in self._projections))

    # -- reading -------------------------------------------------------------------------------

    @contextmanager
    def snapshot(self) -> Iterator[ReadView]:
        """A view in which all reads see the same state, whatever others append meanwhile."""
        with self.transactions.whole() as at:
            yield PostgresView(at)

    def fsck(
        self,
        *,
        log_keys: Sequence[VerifyKey],
        origin: str,
        processes: int = 1,
        verify: Callable[[bytes, bytes, bytes], None] = keys.verify,
    ) -> Iterator[Problem]:
        """Every problem of the schema, the record, the remembered checkpoint and the projections, as found."""
        with self.transactions.whole() as at:
            yield from check(
                at, self._projections, log_keys=log_keys, origin=origin, processes=processes, verify=verify
            )
            yield from check_remembered(at, self._remembered, log_keys=log_keys, origin=origin)

    def _reading(self) -> AbstractContextManager[Handle]:
        return self.transactions.reading()

    def _reading_whole(self) -> AbstractContextManager[Handle]:
        return self.transactions.whole()

    def projections(self) -> Sequence[Projection]:
        """The projections this store keeps."""
        return self._projections

    @property
    def shelf(self) -> PostgresShelf:
        """Durable values beside the log."""
        return self._shelf

    def close(self) -> None:
        """Release the database; further calls fail."""
        self.transactions.pool.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()
