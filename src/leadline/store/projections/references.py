"""Which statements name which stored bytes: what makes a blob part of the public record."""

from leadline.store.projection import BlobReader, Column, LogEntry, Table, TableReader, TableWriter, TextIndex

REFERENCE = Table(
    "blob_reference",
    (Column("digest", "text"), Column("ix", "integer"), Column("what", "text")),
    key=("digest", "ix"),
    indexes=(("ix",),),
)


class References:
    """One row per blob that a statement names, with what the statement calls it."""

    name = "references"
    version = 1
    tables: tuple[Table, ...] = (REFERENCE,)
    texts: tuple[TextIndex, ...] = ()

    def apply(self, tables: TableWriter, entry: LogEntry, blobs: BlobReader) -> None:  # noqa: ARG002
        """Add every blob the statement names."""
        for what, digest in entry.statement.predicate.blobs():
            tables.put(REFERENCE, {"digest": digest, "ix": entry.index, "what": what})


def is_referenced(view: TableReader, digest: str) -> bool:
    """Whether some statement of the log names these bytes."""
    return bool(view.select(REFERENCE, {"digest": digest}, limit=1))


def referring(view: TableReader, digest: str, *, limit: int | None = None) -> list[int]:
    """Log indexes of the statements that name these bytes, oldest first."""
    rows = view.select(REFERENCE, {"digest": digest}, order="ix", limit=limit)
    return [int(row["ix"] or 0) for row in rows]
