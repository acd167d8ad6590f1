"""Projections: tables computed from the record, thrown away and made again at will.

A projection declares tables in words every engine understands and one function that folds a log entry into
them. It never sees SQL, a clock, randomness or the network, so that replaying the same entries always gives the
same rows: `rebuild` relies on that, and `fsck` uses it to check the tables.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Literal, NamedTuple, Protocol, runtime_checkable

from leadline.ledger.authority import Entry
from leadline.ledger.statements import Statement

ColumnType = Literal["integer", "real", "text", "blob"]
Value = int | float | str | bytes | None
Row = dict[str, Value]


class Column(NamedTuple):
    """One column of a projection table; `nullable` says whether the value may be None."""

    name: str
    type: ColumnType
    nullable: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A projection table: named columns, a primary key, and the column groups that are looked up by value."""

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    indexes: tuple[tuple[str, ...], ...] = ()
    names: tuple[str, ...] = field(init=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", tuple(column.name for column in self.columns))
        unknown = {name for group in (self.key, *self.indexes) for name in group} - set(self.names)
        if unknown or not self.key or len(set(self.names)) != len(self.names):
            raise ValueError(
                f"table {self.name}: keys and indexes must name its columns, once each: {unknown}"
            )

    def __hash__(self) -> int:  # asked for at every read and write: it need not look at the columns
        return hash(self.name)


@dataclass(frozen=True, slots=True)
class TextIndex:
    """A full-text index over named columns, one document per log index, with a ranking weight per column."""

    name: str
    columns: tuple[str, ...]
    weights: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.columns) != len(self.weights):
            raise ValueError(f"text index {self.name}: one weight for each column")

    def __hash__(self) -> int:
        return hash(self.name)


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One entry as projections see it: its log index, its exact bytes, and what the ledger reads in them."""

    index: int
    data: bytes
    parts: Entry

    @property
    def leaf_hash(self) -> bytes:
        """The RFC 6962 leaf hash."""
        return self.parts.leaf_hash

    @property
    def statement(self) -> Statement:
        """The parsed statement."""
        return self.parts.statement

    @property
    def keyid(self) -> str:
        """The fingerprint of the key that signed."""
        return self.parts.envelope.keyid


class TableReader(Protocol):
    """Typed reads of projection tables, without SQL."""

    def get(self, table: Table, *key: Value) -> Row | None:
        """The row with this primary key, or None."""
        ...

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
        ...

    def count(self, table: Table, where: Mapping[str, Value] | None = None) -> int:
        """How many rows are equal to `where`."""
        ...


class TableWriter(TableReader, Protocol):
    """What a projection may do to its own tables while it folds in one entry."""

    def insert(self, table: Table, row: Mapping[str, Value]) -> None:
        """Add one row; every column must be given, except nullable ones."""
        ...

    def put(self, table: Table, row: Mapping[str, Value]) -> None:
        """Add one row, or replace the one with the same primary key."""
        ...

    def update(self, table: Table, key: Sequence[Value], changes: Mapping[str, Value]) -> None:
        """Change columns of the row with this primary key; the row must exist."""
        ...

    def delete(self, table: Table, *key: Value) -> None:
        """Remove the row with this primary key, if it exists."""
        ...

    def index_text(self, index: TextIndex, rowid: int, texts: Sequence[str]) -> None:
        """Add or replace the document at log index `rowid`."""
        ...


class BlobReader(Protocol):
    """Content-addressed bytes, checked against their digest on every read."""

    def has_blob(self, digest: str) -> bool:
        """Whether the bytes are stored and have not been taken down."""
        ...

    def blob(self, digest: str, *, limit: int | None = None) -> bytes:
        """The bytes with this hex SHA-256.

        Raises NotFoundError (absent, or taken down), IntegrityError (other bytes), StoreError (above `limit`).
        """
        ...

    def taken_down(self, digest: str) -> str | None:
        """The reason these bytes were taken down, or None."""
        ...


@runtime_checkable
class Projection(Protocol):
    """A named set of tables and the pure function that folds log entries into them.

    Raise `version` whenever `apply` would produce different rows from the same entries.
    """

    name: str
    version: int
    tables: tuple[Table, ...]
    texts: tuple[TextIndex, ...]

    def apply(self, tables: TableWriter, entry: LogEntry, blobs: BlobReader) -> None:
        """Fold one entry into the tables; entries arrive in log order, each exactly once."""
        ...


def stamp(projection: Projection) -> str:
    """A short digest of a projection's name, version and tables; a change of it calls for a rebuild."""
    shape = (projection.name, projection.version, projection.tables, projection.texts)
    return sha256(repr(shape).encode()).hexdigest()[:32]
