"""Which entries say something of a study or of a key: its statements are looked up, not searched for in the log."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from leadline.ledger.ids import study_id
from leadline.ledger.keys import VerifyKey
from leadline.ledger.predicates import Close, Freeze, Key, Seal
from leadline.store.projection import BlobReader, Column, LogEntry, Row, Table, TableWriter, TextIndex
from leadline.store.projections.rows import typed
from leadline.store.protocol import ReadView

ABOUT = Table(
    "statement_about",
    (Column("subject", "text"), Column("ix", "integer"), Column("kind", "text"), Column("keyid", "text")),
    key=("subject", "ix"),
)


@dataclass(frozen=True, slots=True)
class AboutRow:
    """The statement of a kind at log index `ix`, signed by `keyid`, is about `subject`: a study, or a key's fingerprint."""

    subject: str
    ix: int
    kind: str
    keyid: str


class Statements:
    """One row per study that a statement freezes, seals or names, and per key that a statement of kind key is about.

    A closing has a row for each study it closes. A batch of slots has none: which studies have a slot in it is told
    by their reveals (`leadline.store.projections.seals`).
    """

    name = "statements"
    version = 1
    tables: tuple[Table, ...] = (ABOUT,)
    texts: tuple[TextIndex, ...] = ()

    def apply(self, tables: TableWriter, entry: LogEntry, blobs: BlobReader) -> None:  # noqa: ARG002
        """Add the subjects of the statement."""
        for subject in _subjects(entry):
            row: Row = {
                "subject": subject,
                "ix": entry.index,
                "kind": entry.statement.kind,
                "keyid": entry.keyid,
            }
            tables.insert(ABOUT, row)


def _subjects(entry: LogEntry) -> Iterator[str]:
    match entry.statement.predicate:
        case Freeze() | Seal(action="study"):
            yield study_id(entry.leaf_hash)
        case Close() as said:
            yield from said.studies
        case Key() as said:
            yield VerifyKey.parse(said.public).fingerprint
        case said:
            study = getattr(said, "study", None)
            if study is not None:
                yield study


def about(view: ReadView, subjects: Iterable[str], size: int) -> Sequence[AboutRow]:
    """What the first `size` entries say of studies (by id) and keys (by fingerprint), in log order for each."""
    rows = (typed(AboutRow, row) for row in view.select_among(ABOUT, "subject", sorted(subjects)))
    return [row for row in rows if row.ix < size]
