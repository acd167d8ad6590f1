"""Which entry has which leaf hash: how a double submission finds its first index."""

from leadline.store.projection import BlobReader, Column, LogEntry, Table, TableWriter, TextIndex

LEAF = Table("leaf", (Column("hash", "blob"), Column("ix", "integer")), key=("hash",))


class Leaves:
    """One row per entry, by leaf hash."""

    name = "leaves"
    version = 1
    tables: tuple[Table, ...] = (LEAF,)
    texts: tuple[TextIndex, ...] = ()

    def apply(self, tables: TableWriter, entry: LogEntry, blobs: BlobReader) -> None:  # noqa: ARG002
        """Add the entry."""
        tables.insert(LEAF, {"hash": entry.leaf_hash, "ix": entry.index})
