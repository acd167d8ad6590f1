"""Small projections that put tables to uses the built-in ones do not."""

import json

from leadline.ledger.predicates import Freeze
from leadline.store import BlobReader, Column, LogEntry, Table, TableWriter, TextIndex

NOTE = Table(
    "note",
    (
        Column("ix", "integer"),
        Column("title", "text"),
        Column("length", "integer", nullable=True),
        Column("share", "real"),
    ),
    key=("ix",),
    indexes=(("title",), ("length", "title")),
)
TEXT = Table(
    "text_kept",
    (Column("ix", "integer"), Column("text", "text"), Column("position", "integer")),
    key=("ix", "text"),
    indexes=(("text",),),
)
COUNT = Table(
    "tally", (Column("title", "text"), Column("n", "integer"), Column("latest", "integer")), key=("title",)
)


class Notes:
    """One row per study; the length, in bytes, only of what is not plain lower case."""

    name = "notes"
    version = 1
    tables: tuple[Table, ...] = (NOTE,)
    texts: tuple[TextIndex, ...] = ()

    def apply(self, tables: TableWriter, entry: LogEntry, blobs: BlobReader) -> None:
        """Note the title."""
        said = entry.statement.predicate
        if isinstance(said, Freeze):
            plain = said.title.isascii() and said.title.strip() in ("a", "b", "B", "Z")
            row = {"ix": entry.index, "title": said.title, "share": 1}
            tables.insert(NOTE, row if plain else {**row, "length": len(said.title.encode()) - 1})


class Texts:
    """One row per text in a protocol that is a list of texts."""

    name = "texts"
    version = 1
    tables: tuple[Table, ...] = (TEXT,)
    texts: tuple[TextIndex, ...] = ()

    def apply(self, tables: TableWriter, entry: LogEntry, blobs: BlobReader) -> None:
        """Keep the texts."""
        said = entry.statement.predicate
        if isinstance(said, Freeze):
            for position, text in enumerate(json.loads(blobs.blob(said.protocol))):
                tables.insert(TEXT, {"ix": entry.index, "text": text, "position": position})


class Counts:
    """How often each title was frozen, with every kind of read and write; a title `drop` leaves no row."""

    name = "counts"
    version = 1
    tables: tuple[Table, ...] = (COUNT,)
    texts: tuple[TextIndex, ...] = ()

    def apply(self, tables: TableWriter, entry: LogEntry, blobs: BlobReader) -> None:
        """Count the title."""
        said = entry.statement.predicate
        if not isinstance(said, Freeze):
            return
        before = tables.get(COUNT, said.title)
        number = entry.index - 1
        if before is None:
            tables.insert(COUNT, {"title": said.title, "n": 1, "latest": number})
        elif number % 2:
            tables.update(COUNT, (said.title,), {"n": int(before["n"] or 0) + 1, "latest": number})
        else:
            tables.put(COUNT, {"title": said.title, "n": int(before["n"] or 0) + 1, "latest": number})
        if said.title == "drop":
            assert tables.count(COUNT, {"title": "drop"}) == 1
            tables.delete(COUNT, "drop")
            assert tables.get(COUNT, "drop") is None
            assert tables.select(COUNT, {"title": "drop"}) == []
