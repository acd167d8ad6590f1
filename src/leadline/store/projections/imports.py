"""Imports: records made from data of elsewhere, always retrospective."""

from dataclasses import dataclass
from typing import Literal

from leadline.ledger.predicates import Import
from leadline.store.projection import BlobReader, Column, LogEntry, Table, TableReader, TableWriter, TextIndex
from leadline.store.projections.rows import typed

IMPORT = Table(
    "import_record",
    (
        Column("ix", "integer"),
        Column("content", "text"),
        Column("digest", "text"),
        Column("title", "text"),
        Column("source", "text"),
        Column("note", "text", nullable=True),
        Column("keyid", "text"),
        Column("created", "text"),
    ),
    key=("ix",),
    indexes=(("digest",),),
)


@dataclass(frozen=True, slots=True)
class ImportRow:
    """An imported report or table, by digest, with where it came from."""

    ix: int
    content: Literal["report", "table"]
    digest: str
    title: str
    source: str
    note: str | None
    keyid: str
    created: str


class Imports:
    """One row per import statement."""

    name = "imports"
    version = 1
    tables: tuple[Table, ...] = (IMPORT,)
    texts: tuple[TextIndex, ...] = ()

    def apply(self, tables: TableWriter, entry: LogEntry, blobs: BlobReader) -> None:  # noqa: ARG002
        """Add the record."""
        said = entry.statement.predicate
        if not isinstance(said, Import):
            return
        tables.insert(
            IMPORT,
            {
                "ix": entry.index,
                "content": said.content,
                "digest": said.digest,
                "title": said.title,
                "source": said.source,
                "note": said.note,
                "keyid": entry.keyid,
                "created": said.created,
            },
        )


def imports(view: TableReader, *, digest: str | None = None) -> list[ImportRow]:
    """Imported records, or those of one digest, oldest first."""
    return [typed(ImportRow, row) for row in view.select(IMPORT, {"digest": digest} if digest else None)]
