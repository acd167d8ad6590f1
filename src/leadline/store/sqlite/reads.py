"""All reads of the store protocol, over whatever connection the caller's state lives in."""

import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import wraps
from typing import BinaryIO, Concatenate, ParamSpec, TypeVar

from leadline.errors import NotFoundError
from leadline.ledger import tlog
from leadline.ledger.tlog import tile as tiling
from leadline.store.blobs import BlobFolder
from leadline.store.model import BlobInfo
from leadline.store.projection import Row, Table, Value
from leadline.store.projections.leaves import LEAF
from leadline.store.sqlite.errors import DATABASE_ERRORS, explain
from leadline.store.sqlite.record import Record
from leadline.store.sqlite.tables import SqliteTables
from leadline.store.sqlite.text import match_text
from leadline.store.text import TextAnswer, TextQuestion

_P = ParamSpec("_P")
_R = TypeVar("_R")


def _guarded(
    method: Callable[Concatenate["SqliteReads", _P], _R],
) -> Callable[Concatenate["SqliteReads", _P], _R]:
    """Say in our own words what SQLite could not do."""

    @wraps(method)
    def inner(self: "SqliteReads", /, *args: _P.args, **kwargs: _P.kwargs) -> _R:
        try:
            return method(self, *args, **kwargs)
        except DATABASE_ERRORS as error:
            raise explain(error, self.where, "reading") from error

    return inner


class SqliteReads(ABC):
    """The `ReadView` methods; a subclass says which connection they read."""

    where: str

    @property
    @abstractmethod
    def record(self) -> Record:
        """The record tables on the connection to read."""

    @property
    @abstractmethod
    def tables(self) -> SqliteTables:
        """The projection tables on the connection to read."""

    @_guarded
    def size(self) -> int:
        """The number of entries."""
        return self.record.size()

    @_guarded
    def entry(self, index: int) -> bytes:
        """The exact envelope at `index`; NotFoundError beyond the end, IntegrityError on altered bytes."""
        return self.record.entry(index)

    def entries(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """Envelopes from `start` up to but not including `stop` (default: the end), in log order."""
        try:
            yield from self.record.entries(start, stop)
        except DATABASE_ERRORS as error:
            raise explain(error, self.where, "reading") from error

    @_guarded
    def leaf_hash(self, index: int) -> bytes:
        """The RFC 6962 leaf hash at `index`."""
        return self.record.leaf_hash(index)

    @_guarded
    def index_of(self, leaf_hash: bytes) -> int | None:
        """The index of the entry with this leaf hash, or None."""
        row = self.tables.get(LEAF, leaf_hash)
        return None if row is None else int(row["ix"] or 0)

    @_guarded
    def root(self, size: int | None = None) -> bytes:
        """The tree's root hash at `size` (default: now)."""
        return tlog.tree_hash(self._within(size), self.record.nodes)

    @_guarded
    def checkpoint(self, size: int | None = None) -> bytes:
        """The signed checkpoint at exactly `size`, or the newest; NotFoundError where none was signed."""
        return self.record.checkpoint(size)

    @_guarded
    def checkpoint_covering(self, index: int) -> bytes:
        """The oldest signed checkpoint whose tree contains the entry at `index`."""
        return self.record.checkpoint_covering(index)

    @_guarded
    def inclusion_proof(self, index: int, size: int | None = None) -> list[bytes]:
        """Hashes from the leaf's sibling upward that tie entry `index` to the root at `size`."""
        return tlog.prove_inclusion(self._within(size), index, self.record.nodes)

    @_guarded
    def consistency_proof(self, old: int, new: int | None = None) -> list[bytes]:
        """Hashes that show the tree of `new` entries to begin with the tree of `old` entries."""
        return tlog.prove_consistency(old, self._within(new), self.record.nodes)

    @_guarded
    def tile(self, level: int, n: int, width: int = tiling.WIDTH) -> bytes:
        """Concatenated hashes of one tile (C2SP tlog-tiles); NotFoundError unless the tree holds them all."""
        self._require_tile(level, n, width)
        return tiling.tile_data(tiling.Tile(level, n, width), self.record.nodes)

    @_guarded
    def entry_bundle(self, n: int, width: int = tiling.WIDTH) -> bytes:
        """Entries `256 n` and on, each behind its 16-bit length; NotFoundError unless all are there."""
        self._require_tile(0, n, width)
        start = n * tiling.WIDTH
        return tiling.encode_bundle(self.record.entries(start, start + width))

    @_guarded
    def get(self, table: Table, *key: Value) -> Row | None:
        """The projection row with this primary key, or None."""
        return self.tables.get(table, *key)

    @_guarded
    def select(
        self,
        table: Table,
        where: Mapping[str, Value] | None = None,
        *,
        order: str | None = None,
        descending: bool = False,
        after: Value = None,
        limit: int | None = None,
    ) -> list[Row]:
        """Rows equal to `where`, ordered by `order` (default: the key), strictly past `after`, at most `limit`."""
        return self.tables.select(table, where, order=order, descending=descending, after=after, limit=limit)

    @_guarded
    def count(self, table: Table, where: Mapping[str, Value] | None = None) -> int:
        """How many rows are equal to `where`."""
        return self.tables.count(table, where)

    @_guarded
    def select_among(
        self, table: Table, where: str, among: Sequence[int] | Sequence[str], *, limit: int | None = None
    ) -> list[Row]:
        """Rows whose column `where` is one of `among`, ordered by the key, at most `limit`."""
        return self.tables.select_among(table, where, among, limit=limit)

    @_guarded
    def count_by(
        self,
        table: Table,
        group: Sequence[str],
        *,
        where: str,
        among: Sequence[int] | Sequence[str],
        starting: tuple[str, str] | None = None,
        limit: int | None = None,
    ) -> list[tuple[tuple[Value, ...], int]]:
        """Rows of `table` with `where` in `among`, counted for each combination of `group`; most rows first."""
        return self.tables.count_by(table, group, where=where, among=among, starting=starting, limit=limit)

    @_guarded
    def match_text(self, question: TextQuestion) -> TextAnswer:
        """Log indexes of the documents that answer a full-text question."""
        return match_text(self.record.db, question)

    @_guarded
    def has_blob(self, digest: str) -> bool:
        """Whether the bytes are stored and have not been taken down."""
        return self.record.has_blob(digest)

    @_guarded
    def blob(self, digest: str, *, limit: int | None = None) -> bytes:
        """All bytes of a blob, checked against the digest."""
        return self.record.blob(digest, limit=limit)

    @_guarded
    def open_blob(self, digest: str) -> BinaryIO:
        """The bytes as a seekable file, after they were checked against the digest."""
        return self.record.open_blob(digest)

    @_guarded
    def taken_down(self, digest: str) -> str | None:
        """The reason these bytes were taken down, or None."""
        return self.record.taken_down(digest)

    def blobs(self) -> Iterator[BlobInfo]:
        """Every blob the store knows, in order of digest."""
        try:
            yield from self.record.blobs()
        except DATABASE_ERRORS as error:
            raise explain(error, self.where, "reading") from error

    def _within(self, size: int | None) -> int:
        now = self.record.size()
        if size is None:
            return now
        if not 0 <= size <= now:
            raise NotFoundError(
                f"the log has {now} entries, so there is no tree of {size}",
                where=self.where,
                remedy=f"ask for a size from 0 to {now}",
            )
        return size

    def _require_tile(self, level: int, n: int, width: int) -> None:
        ok = 0 <= level <= tiling.MAX_LEVEL and n >= 0 and 1 <= width <= tiling.WIDTH
        if not ok or n * tiling.WIDTH + width > self.record.size() >> (tiling.HEIGHT * level):
            raise NotFoundError(
                f"the tree has no tile {level}/{n} of width {width} yet",
                where=self.where,
                remedy="ask only for tiles that the newest checkpoint's size implies",
            )


class SqliteView(SqliteReads):
    """Reads over one connection whose transaction the caller holds."""

    def __init__(self, db: sqlite3.Connection, folder: BlobFolder, where: str) -> None:
        self.where = where
        self._record = Record(db, folder, where=where)
        self._tables = SqliteTables(db)

    @property
    def record(self) -> Record:
        """The record tables on this view's connection."""
        return self._record

    @property
    def tables(self) -> SqliteTables:
        """The projection tables on this view's connection."""
        return self._tables
