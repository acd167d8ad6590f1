"""All reads of the store protocol, over whatever session the caller's state lives in."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import BinaryIO

from leadline.errors import NotFoundError
from leadline.ledger import tlog
from leadline.ledger.tlog import tile as tiling
from leadline.store.model import BlobInfo
from leadline.store.postgres.record import BATCH, Record
from leadline.store.postgres.session import Session
from leadline.store.postgres.tables import PostgresTables
from leadline.store.postgres.text import match_text
from leadline.store.projection import Row, Table, Value
from leadline.store.projections.leaves import LEAF
from leadline.store.text import TextAnswer, TextQuestion


class Handle:
    """A session as reads and writes see it: its record and its projection tables."""

    def __init__(self, session: Session, where: str) -> None:
        self.session = session
        self.where = where
        self.record = Record(session, where=where)
        self.tables = PostgresTables(session)

    def size_within(self, size: int | None) -> int:
        """`size`, or the present one; NotFoundError where the log is not that long."""
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

    def require_tile(self, level: int, n: int, width: int) -> None:
        """NotFoundError unless the tree holds every hash of this tile."""
        ok = 0 <= level <= tiling.MAX_LEVEL and n >= 0 and 1 <= width <= tiling.WIDTH
        if not ok or n * tiling.WIDTH + width > self.record.size() >> (tiling.HEIGHT * level):
            raise NotFoundError(
                f"the tree has no tile {level}/{n} of width {width} yet",
                where=self.where,
                remedy="ask only for tiles that the newest checkpoint's size implies",
            )


class PostgresReads(ABC):
    """The `ReadView` methods; a subclass says which session they read, and explains what goes wrong there."""

    @abstractmethod
    def _reading(self) -> AbstractContextManager[Handle]:
        """A handle for the length of one read."""

    @abstractmethod
    def _reading_whole(self) -> AbstractContextManager[Handle]:
        """A handle for several statements that must see one state."""

    def size(self) -> int:
        """The number of entries."""
        with self._reading() as at:
            return at.record.size()

    def entry(self, index: int) -> bytes:
        """The exact envelope at `index`; NotFoundError beyond the end, IntegrityError on altered bytes."""
        with self._reading() as at:
            return at.record.entry(index)

    def entries(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """Envelopes from `start` up to but not including `stop` (default: the end), in log order."""
        stop = self.size() if stop is None else stop
        while start < stop:
            upto = min(stop, start + BATCH)
            with self._reading() as at:
                batch = at.record.batch(start, upto)
            yield from batch
            start = upto

    def leaf_hash(self, index: int) -> bytes:
        """The RFC 6962 leaf hash at `index`."""
        with self._reading() as at:
            return at.record.leaf_hash(index)

    def index_of(self, leaf_hash: bytes) -> int | None:
        """The index of the entry with this leaf hash, or None."""
        with self._reading() as at:
            row = at.tables.get(LEAF, leaf_hash)
        return None if row is None else int(row["ix"] or 0)

    def root(self, size: int | None = None) -> bytes:
        """The tree's root hash at `size` (default: now)."""
        with self._reading() as at:
            return tlog.tree_hash(at.size_within(size), at.record.nodes)

    def checkpoint(self, size: int | None = None) -> bytes:
        """The signed checkpoint at exactly `size`, or the newest; NotFoundError where none was signed."""
        with self._reading() as at:
            return at.record.checkpoint(size)

    def checkpoint_covering(self, index: int) -> bytes:
        """The oldest signed checkpoint whose tree contains the entry at `index`."""
        with self._reading() as at:
            return at.record.checkpoint_covering(index)

    def inclusion_proof(self, index: int, size: int | None = None) -> list[bytes]:
        """Hashes from the leaf's sibling upward that tie entry `index` to the root at `size`."""
        with self._reading() as at:
            return tlog.prove_inclusion(at.size_within(size), index, at.record.nodes)

    def consistency_proof(self, old: int, new: int | None = None) -> list[bytes]:
        """Hashes that show the tree of `new` entries to begin with the tree of `old` entries."""
        with self._reading() as at:
            return tlog.prove_consistency(old, at.size_within(new), at.record.nodes)

    def tile(self, level: int, n: int, width: int = tiling.WIDTH) -> bytes:
        """Concatenated hashes of one tile (C2SP tlog-tiles); NotFoundError unless the tree holds them all."""
        with self._reading() as at:
            at.require_tile(level, n, width)
            return tiling.tile_data(tiling.Tile(level, n, width), at.record.nodes)

    def entry_bundle(self, n: int, width: int = tiling.WIDTH) -> bytes:
        """Entries `256 n` and on, each behind its 16-bit length; NotFoundError unless all are there."""
        with self._reading() as at:
            at.require_tile(0, n, width)
            start = n * tiling.WIDTH
            return tiling.encode_bundle(at.record.entries(start, start + width))

    def get(self, table: Table, *key: Value) -> Row | None:
        """The projection row with this primary key, or None."""
        with self._reading() as at:
            return at.tables.get(table, *key)

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
        with self._reading() as at:
            return at.tables.select(
                table, where, order=order, descending=descending, after=after, limit=limit
            )

    def count(self, table: Table, where: Mapping[str, Value] | None = None) -> int:
        """How many rows are equal to `where`."""
        with self._reading() as at:
            return at.tables.count(table, where)

    def select_among(
        self, table: Table, where: str, among: Sequence[int] | Sequence[str], *, limit: int | None = None
    ) -> list[Row]:
        """Rows whose column `where` is one of `among`, ordered by the key, at most `limit`."""
        with self._reading() as at:
            return at.tables.select_among(table, where, among, limit=limit)

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
        with self._reading() as at:
            return at.tables.count_by(table, group, where=where, among=among, starting=starting, limit=limit)

    def match_text(self, question: TextQuestion) -> TextAnswer:
        """Log indexes of the documents that answer a full-text question."""
        with self._reading() as at:
            return match_text(at.session, question)

    def has_blob(self, digest: str) -> bool:
        """Whether the bytes are stored and have not been taken down."""
        with self._reading() as at:
            return at.record.has_blob(digest)

    def blob(self, digest: str, *, limit: int | None = None) -> bytes:
        """All bytes of a blob, checked against the digest."""
        with self._reading_whole() as at:
            return at.record.blob(digest, limit=limit)

    def open_blob(self, digest: str) -> BinaryIO:
        """The bytes as a seekable file, after they were checked against the digest."""
        with self._reading_whole() as at:
            return at.record.open_blob(digest)

    def taken_down(self, digest: str) -> str | None:
        """The reason these bytes were taken down, or None."""
        with self._reading() as at:
            return at.record.taken_down(digest)

    def blobs(self) -> Iterator[BlobInfo]:
        """Every blob the store knows, in order of digest."""
        with self._reading_whole() as at:
            found = list(at.record.blobs())
        yield from found


class PostgresView(PostgresReads):
    """Reads over one session whose transaction the caller holds."""

    def __init__(self, handle: Handle) -> None:
        self.handle = handle

    def _reading(self) -> AbstractContextManager[Handle]:
        return nullcontext(self.handle)

    def _reading_whole(self) -> AbstractContextManager[Handle]:
        return nullcontext(self.handle)
