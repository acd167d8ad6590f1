"""The embedded store: one SQLite file, a folder of large blobs, and a remembered checkpoint beside them."""

import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Self

from leadline.errors import StateError
from leadline.ledger import keys
from leadline.ledger.fsck import Problem
from leadline.ledger.keys import VerifyKey
from leadline.store.blobs import BlobFolder
from leadline.store.committer import Build, GroupCommitter, Outcome
from leadline.store.memory import RememberedCheckpoint, blob_folder, sidecar
from leadline.store.model import Appended, CheckpointSigner, Draft, Rebuilt
from leadline.store.projection import Projection
from leadline.store.projections import BUILT_IN
from leadline.store.protocol import ReadView
from leadline.store.sqlite import blobs as blob_rows
from leadline.store.sqlite.append import Appender
from leadline.store.sqlite.check import check_file, check_remembered, check_text, check_view
from leadline.store.sqlite.connection import connect, identify, prepare
from leadline.store.sqlite.errors import explain, explained
from leadline.store.sqlite.mend import mend_tree
from leadline.store.sqlite.reads import SqliteReads, SqliteView
from leadline.store.sqlite.rebuild import current, rebuild
from leadline.store.sqlite.record import Record
from leadline.store.sqlite.shelf import SqliteShelf
from leadline.store.sqlite.tables import SqliteTables


class SqliteStore(SqliteReads):
    """A `Store` in one SQLite database.

    Threads may share it: each gets a connection of its own, and writes take turns. Processes may share the file:
    SQLite's lock makes them take turns too, for at most `timeout` seconds.
    """

    def __init__(
        self, path: Path, projections: Sequence[Projection], *, timeout: float, read_only: bool
    ) -> None:
        self.path = path
        self.where = str(path)
        self.read_only = read_only
        self._timeout = timeout
        self._projections = tuple(projections)
        self._folder = BlobFolder(blob_folder(path))
        self._remembered = RememberedCheckpoint(sidecar(path))
        self._local = threading.local()
        self._connections: list[tuple[threading.Thread, sqlite3.Connection]] = []
        self._connecting = threading.Lock()
        self._writing = threading.RLock()
        self._appender = Appender(self._projections, self._remembered)
        self._committer = GroupCommitter(self._commit, where=self.where)
        self._shelf = SqliteShelf(self._shelf_reading, self._shelf_writing)
        self._closed = False

    @classmethod
    def open(
        cls,
        path: Path | str,
        *,
        projections: Sequence[Projection] = (),
        create: bool = True,
        read_only: bool = False,
        timeout: float = 30.0,
    ) -> Self:
        """Open the store at `path`, creating it if asked; `projections` come on top of the built-in ones.

        A database whose projections were made by another version is rebuilt at once. Raises NotFoundError,
        StateError (another program's database, a newer format), StoreError or IntegrityError.
        """
        path = Path(path)
        names = [projection.name for projection in (*BUILT_IN, *projections)]
        if len(set(names)) != len(names):
            raise ValueError(f"two projections have the same name: {sorted(names)}")
        prepare(path, create=create, read_only=read_only)
        store = cls(path, (*BUILT_IN, *projections), timeout=timeout, read_only=read_only)
        try:
            store._prepare()
            if not read_only:
                store._remembered.tidy()
        except BaseException:
            store.close()
            raise
        return store

    def _prepare(self) -> None:
        db = self._connection()
        identify(db, self.path)
        with explained(self.path, "opening"):
            if current(db, self._projections):
                return
        if self.read_only:
            raise StateError(
                "the tables computed from the log were made by another version of Leadline",
                where=self.where,
                remedy="run `leadline rebuild` with write permission, then read again",
            )
        self.rebuild()

    @property
    def record(self) -> Record:
        """The record tables on this thread's connection."""
        return self._view().record

    @property
    def tables(self) -> SqliteTables:
        """The projection tables on this thread's connection."""
        return self._view().tables

    def append(
        self, build: Callable[[ReadView], Sequence[Draft]], *, sign: CheckpointSigner
    ) -> list[Appended]:
        """Append what `build` returns, in one durable transaction; one receipt per draft, in order."""
        self._require_free(self._connection())
        return self._committer.append(build, sign)

    def _commit(self, builds: Sequence[Build], sign: CheckpointSigner) -> list[Outcome]:
        """Run builds in one transaction; what became of each."""
        with self._write("appending") as view:
            pending = self._appender.begin(view)
            self._local.view = pending.reads  # what a build reads elsewhere in this thread is the same state
            try:
                outcomes, note = self._appender.append(pending, builds, sign)
            finally:
                self._local.view = view
        if note is not None:
            self._remembered.write(note)
        return outcomes

    @contextmanager
    def snapshot(self) -> Iterator[ReadView]:
        """A view in which all reads see the same state, whatever others append meanwhile."""
        db = self._connection()
        if db.in_transaction:  # inside `append` or another snapshot: that state is already fixed
            yield self._view()
            return
        with explained(self.path, "reading"):
            db.execute("BEGIN")
        try:
            yield self._view()
        finally:
            with suppress(sqlite3.Error):
                db.execute("COMMIT")

    def put_blob(self, data: bytes | BinaryIO) -> str:
        """Keep bytes under their SHA-256, durably, and return it in hex; the same bytes are kept once."""
        incoming = blob_rows.receive(self._folder, data)
        with self._write("storing a blob") as view:
            blob_rows.add(view.record, incoming)
        return incoming.digest

    def take_down(self, digest: str, reason: str, *, absent: bool = False) -> None:
        """Remove a blob's bytes; the digest and the reason stay, and projections forget what they read in it."""
        if self.taken_down(digest) is None or not self._folder.has(digest):
            with self._write("taking down a blob") as view:
                blob_rows.take_down(view.record, digest, reason, absent=absent)
                rebuild(view, self._projections)
            with explained(self.path, "taking down a blob"):  # the bytes must leave the write-ahead log too
                self._connection().execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._folder.remove(digest)  # also where an earlier takedown was interrupted just before this line

    def rebuild(self) -> Rebuilt:
        """Drop every projection and replay the log into new ones; correct tree nodes that entries contradict.

        Raises IntegrityError when the entries are not those of the newest signed checkpoint.
        """
        with self._write("rebuilding") as view:
            nodes = mend_tree(view.record)
            entries = rebuild(view, self._projections)
        return Rebuilt(entries, nodes, tuple(projection.name for projection in self._projections))

    def fsck(
        self,
        *,
        log_keys: Sequence[VerifyKey],
        origin: str,
        processes: int = 1,
        verify: Callable[[bytes, bytes, bytes], None] = keys.verify,
    ) -> Iterator[Problem]:
        """Every problem of the file, the record, the remembered checkpoint and the projections, as found."""
        if (
            not self.read_only
        ):  # text indexes first: their check needs the write lock, which is soon given back
            with self._writing:
                found = list(check_text(self._connection(), self._projections))
            yield from found
        yield from check_file(self.path)
        with self.snapshot():
            view = SqliteView(self._connection(), self._folder, self.where)
            yield from check_view(
                view,
                self._projections,
                log_keys=log_keys,
                origin=origin,
                processes=processes,
                verify=verify,
            )
            yield from check_remembered(view, self._remembered, log_keys=log_keys, origin=origin)

    @property
    def shelf(self) -> SqliteShelf:
        """Durable values beside the log."""
        return self._shelf

    def projections(self) -> Sequence[Projection]:
        """The projections this store keeps."""
        return self._projections

    def close(self) -> None:
        """Release the database; further calls fail."""
        self._closed = True
        with self._connecting:
            while self._connections:
                self._connections.pop()[1].close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    @contextmanager
    def _write(self, doing: str) -> Iterator[SqliteView]:
        """One write transaction: committed durably at the end of the block, or undone as a whole."""
        if self.read_only:
            raise StateError(
                "this store was opened for reading only", where=self.where, remedy="open it for writing"
            )
        with self._writing:
            db = self._connection()
            self._require_free(db)
            view: SqliteView = self._local.view
            try:
                db.execute("BEGIN IMMEDIATE")
                try:
                    self._local.writing = True
                    yield view
                    db.execute("COMMIT")
                except BaseException:
                    self._appender.forget()
                    with suppress(sqlite3.Error):
                        db.execute("ROLLBACK")
                    raise
                finally:
                    self._local.writing = False
            except sqlite3.Error as error:
                raise explain(error, self.path, doing) from error

    def _require_free(self, db: sqlite3.Connection) -> None:
        if db.in_transaction:
            raise StateError(
                "a write cannot begin inside another transaction of the same thread",
                where=self.where,
                remedy="return the drafts from the function given to append; put blobs before it",
            )

    @contextmanager
    def _shelf_reading(self) -> Iterator[sqlite3.Connection]:
        db = self._connection()
        if getattr(self._local, "writing", False):
            raise StateError(
                "the shelf is not at hand inside the function given to append",
                where=self.where,
                remedy="read it before, and write it after",
            )
        with explained(self.path, "reading the shelf"):
            yield db

    @contextmanager
    def _shelf_writing(self) -> Iterator[sqlite3.Connection]:
        with self._write("writing the shelf") as view:
            yield view.record.db

    def _view(self) -> SqliteReads:
        self._connection()
        view: SqliteReads = self._local.view
        return view

    def _connection(self) -> sqlite3.Connection:
        if self._closed:
            raise StateError("this store is closed", where=self.where, remedy="open it again")
        found: sqlite3.Connection | None = getattr(self._local, "db", None)
        if found is None:
            found = connect(self.path, timeout=self._timeout, read_only=self.read_only)
            self._hold(found)
            self._local.db = found
            self._local.view = SqliteView(found, self._folder, self.where)
        return found

    def _hold(self, db: sqlite3.Connection) -> None:
        """Remember this thread's connection, and close those of threads that have ended: a server's come and go."""
        with self._connecting:
            ended = [one for one in self._connections if not one[0].is_alive()]
            for one in ended:
                self._connections.remove(one)
                one[1].close()
            self._connections.append((threading.current_thread(), db))
