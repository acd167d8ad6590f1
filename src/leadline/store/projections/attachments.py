"""Attachments: the evaluation logs that belong to a study."""

from collections.abc import Sequence
from dataclasses import dataclass

from leadline.ledger.predicates import Attach
from leadline.store.projection import BlobReader, Column, LogEntry, Table, TableReader, TableWriter, TextIndex
from leadline.store.projections.rows import typed
from leadline.store.protocol import ReadView

ATTACHMENT = Table(
    "attachment",
    (
        Column("ix", "integer"),
        Column("position", "integer"),
        Column("study", "text"),
        Column("attempt", "integer", nullable=True),
        Column("sha256", "text"),
        Column("name", "text"),
        Column("size", "integer"),
        Column("format", "text"),
        Column("eval_id", "text", nullable=True),
        Column("samples", "integer", nullable=True),
        Column("task", "text", nullable=True),
        Column("model", "text", nullable=True),
        Column("dataset", "text", nullable=True),
        Column("items", "text", nullable=True),
        Column("keyid", "text"),
        Column("created", "text"),
    ),
    key=("ix", "position"),
    indexes=(("study",), ("sha256",)),
)


@dataclass(frozen=True, slots=True)
class AttachmentRow:
    """One attached log file; `ix` is the log index of the statement that attached it."""

    ix: int
    position: int
    study: str
    attempt: int | None
    sha256: str
    name: str
    size: int
    format: str
    eval_id: str | None
    samples: int | None
    task: str | None
    model: str | None
    dataset: str | None
    items: str | None
    keyid: str
    created: str


class Attachments:
    """One row per log file of each attach statement."""

    name = "attachments"
    version = 2
    tables: tuple[Table, ...] = (ATTACHMENT,)
    texts: tuple[TextIndex, ...] = ()

    def apply(self, tables: TableWriter, entry: LogEntry, blobs: BlobReader) -> None:  # noqa: ARG002
        """Add every log file."""
        said = entry.statement.predicate
        if not isinstance(said, Attach):
            return
        for position, log in enumerate(said.logs):
            tables.insert(
                ATTACHMENT,
                {
                    "ix": entry.index,
                    "position": position,
                    "study": said.study,
                    "attempt": said.attempt,
                    "sha256": log.sha256,
                    "name": log.name,
                    "size": log.size,
                    "format": log.format,
                    "eval_id": log.eval_id,
                    "samples": log.samples,
                    "task": log.task,
                    "model": log.model,
                    "dataset": log.dataset,
                    "items": log.items,
                    "keyid": entry.keyid,
                    "created": said.created,
                },
            )


def attachments_among(view: ReadView, studies: Sequence[str]) -> list[AttachmentRow]:
    """Attached log files of these studies, oldest first."""
    return [typed(AttachmentRow, row) for row in view.select_among(ATTACHMENT, "study", studies)]


def attachments(
    view: TableReader, study: str | None = None, *, sha256: str | None = None
) -> list[AttachmentRow]:
    """Attached log files of a study, or all places where one file was attached, oldest first."""
    given = (("study", study), ("sha256", sha256))
    where = {column: value for column, value in given if value is not None}
    return [typed(AttachmentRow, row) for row in view.select(ATTACHMENT, where)]
