"""Studies: what was frozen, by whom, and what state it is in."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from leadline.ledger.ids import study_id
from leadline.ledger.predicates import Amend, Attach, Attempt, Close, Freeze, Report, Reveal, Withdraw
from leadline.store.projection import (
    BlobReader,
    Column,
    LogEntry,
    Row,
    Table,
    TableReader,
    TableWriter,
    TextIndex,
    Value,
)
from leadline.store.projections.rows import typed
from leadline.store.projections.seals import opened_study
from leadline.store.protocol import ReadView

State = Literal["registered", "running", "attached", "reported", "closed", "withdrawn"]

STUDY = Table(
    "study",
    (
        Column("ix", "integer"),
        Column("id", "text"),
        Column("leaf", "blob"),
        Column("title", "text"),
        Column("state", "text"),
        Column("protocol", "text"),
        Column("keyid", "text"),
        Column("due", "text", nullable=True),
        Column("created", "text"),
        Column("characteristics", "text", nullable=True),
        Column("reason", "text", nullable=True),
        Column("promised", "integer"),
        Column("closed", "integer", nullable=True),
    ),
    key=("ix",),
    indexes=(("id",), ("state", "due"), ("created",), ("protocol",), ("keyid",), ("due",)),
)
CLOSING = Table(
    "closing",
    (Column("ix", "integer"), Column("period", "text"), Column("studies", "integer")),
    key=("ix",),
    indexes=(("period",),),
)
AUTHOR = Table(
    "study_author",
    (Column("ix", "integer"), Column("position", "integer"), Column("name", "text")),
    key=("ix", "position"),
    indexes=(("name",),),
)
AREA = Table(
    "study_area", (Column("ix", "integer"), Column("area", "text")), key=("ix", "area"), indexes=(("area",),)
)
HYPOTHESIS = Table(
    "hypothesis",
    (
        Column("ix", "integer"),
        Column("position", "integer"),
        Column("id", "text"),
        Column("kind", "text"),
        Column("claim", "text"),
    ),
    key=("ix", "position"),
)
AMENDMENT = Table(
    "amendment",
    (
        Column("ix", "integer"),
        Column("study", "text"),
        Column("protocol", "text"),
        Column("seen", "text"),
        Column("reason", "text"),
        Column("keyid", "text"),
        Column("created", "text"),
    ),
    key=("ix",),
    indexes=(("study",),),
)

_RANK = {"registered": 0, "running": 1, "attached": 2, "closed": 3, "reported": 4, "withdrawn": 5}


@dataclass(frozen=True, slots=True)
class StudyRow:
    """A study: `ix` is the log index that made it public, `keyid` who signed its freeze.

    `promised` is the log index at which it was promised, and `leaf` that entry's leaf hash, from which id, seeds
    and tokens derive. For a study frozen in the open that is the freeze, `ix` too; for one that was sealed it is
    the seal, and `ix` its reveal. `closed` is the index at which it was closed as undisclosed, if it was, also
    where it reported later; `reason` is why it was withdrawn, if it was.
    """

    ix: int
    id: str
    leaf: bytes
    title: str
    state: State
    protocol: str
    keyid: str
    due: str | None
    created: str
    characteristics: str | None
    reason: str | None
    promised: int
    closed: int | None


@dataclass(frozen=True, slots=True)
class ClosingRow:
    """A statement that closed silent studies: its log index, the period of its batch, and how many it names."""

    ix: int
    period: str
    studies: int


@dataclass(frozen=True, slots=True)
class HypothesisRow:
    """A registered hypothesis of the study frozen at `ix`."""

    ix: int
    position: int
    id: str
    kind: str
    claim: str


@dataclass(frozen=True, slots=True)
class AmendmentRow:
    """An amendment: the new protocol digest, and what its author had seen of the data."""

    ix: int
    study: str
    protocol: str
    seen: Literal["nothing_run", "not_looked", "looked", "results_known"]
    reason: str
    keyid: str
    created: str


class Studies:
    """One row per freeze, with its authors, areas, hypotheses and amendments."""

    name = "studies"
    version = 2
    tables: tuple[Table, ...] = (STUDY, AUTHOR, AREA, HYPOTHESIS, AMENDMENT, CLOSING)
    texts: tuple[TextIndex, ...] = ()

    def apply(self, tables: TableWriter, entry: LogEntry, blobs: BlobReader) -> None:
        """Freeze, amend, or move the study to a later state."""
        match entry.statement.predicate:
            case Freeze() as said:
                add_study(tables, entry.index, said, keyid=entry.keyid, leaf=entry.leaf_hash)
            case Reveal():
                _opened(tables, entry, blobs)
            case Amend() as said:
                _amend(tables, entry, said)
            case Attempt(action="open") as said:
                _move(tables, said.study, "running")
            case Attach() as said:
                _move(tables, said.study, "attached")
            case Report() as said:
                _move(tables, said.study, "reported")
            case Withdraw() as said:
                _move(tables, said.study, "withdrawn", {"reason": said.reason})
            case Close() as said:
                _close(tables, entry.index, said)
            case _:
                pass


def add_study(
    tables: TableWriter,
    index: int,
    said: Freeze,
    *,
    keyid: str,
    leaf: bytes,
    promised: int | None = None,
    closed: int | None = None,
) -> None:
    """The rows of a study made public at log index `index`, by its freeze or by the reveal of its seal.

    `leaf` is the leaf hash of the freeze or seal, `promised` the latter's index where it is not `index`; `closed`
    the index at which it had been closed as undisclosed before, if it was.
    """
    tables.insert(
        STUDY,
        {
            "ix": index,
            "id": study_id(leaf),
            "leaf": leaf,
            "title": said.title,
            "state": "registered" if closed is None else "closed",
            "protocol": said.protocol,
            "keyid": keyid,
            "due": said.due,
            "created": said.created,
            "characteristics": said.characteristics,
            "promised": index if promised is None else promised,
            "closed": closed,
        },
    )
    for position, author in enumerate(said.authors):
        tables.insert(AUTHOR, {"ix": index, "position": position, "name": author})
    for area in sorted(set(said.area)):
        tables.insert(AREA, {"ix": index, "area": area})
    for position, item in enumerate(said.hypotheses):
        row: Row = {
            "ix": index,
            "position": position,
            "id": item.id,
            "kind": item.kind,
            "claim": item.claim,
        }
        tables.insert(HYPOTHESIS, row)


def _opened(tables: TableWriter, entry: LogEntry, blobs: BlobReader) -> None:
    """A matching whole reveal makes a sealed study public, as promised by the seal."""
    found = opened_study(tables, entry, blobs)
    if found is not None:
        add_study(
            tables,
            entry.index,
            found.freeze,
            keyid=found.keyid,
            leaf=found.leaf,
            promised=found.promised,
            closed=found.closed,
        )


def _amend(tables: TableWriter, entry: LogEntry, said: Amend) -> None:
    tables.insert(
        AMENDMENT,
        {
            "ix": entry.index,
            "study": said.study,
            "protocol": said.protocol,
            "seen": said.seen,
            "reason": said.reason,
            "keyid": entry.keyid,
            "created": said.created,
        },
    )


def _close(tables: TableWriter, index: int, said: Close) -> None:
    tables.insert(CLOSING, {"ix": index, "period": said.period, "studies": len(said.studies)})
    for id_ in said.studies:
        row = _row(tables, id_)
        if row is not None:  # a sealed study shows nothing here
            tables.update(STUDY, (row["ix"],), {"closed": index})
            _move(tables, id_, "closed")


def _move(tables: TableWriter, id_: str, state: State, more: dict[str, Value] | None = None) -> None:
    """States only advance: a study reported once stays reported, a withdrawn one stays withdrawn."""
    row = _row(tables, id_)
    if row is None:  # a sealed study has rights and attempts, and shows nothing here before it is revealed
        return
    if _RANK[state] > _RANK[str(row["state"])]:
        tables.update(STUDY, (row["ix"],), {"state": state, **(more or {})})


def _row(tables: TableReader, id_: str) -> Row | None:
    rows = tables.select(STUDY, {"id": id_}, limit=1)
    return rows[0] if rows else None


def study(view: TableReader, id_: str) -> StudyRow | None:
    """The study with this id, or None."""
    row = _row(view, id_)
    return None if row is None else typed(StudyRow, row)


def study_at(view: TableReader, index: int) -> StudyRow | None:
    """The study made public at this log index, or None."""
    row = view.get(STUDY, index)
    return None if row is None else typed(StudyRow, row)


def studies_at(view: ReadView, indexes: Sequence[int]) -> list[StudyRow]:
    """The studies made public at these log indexes, in the order of these; where none was, none."""
    found = {row["ix"]: typed(StudyRow, row) for row in view.select_among(STUDY, "ix", indexes)}
    return [found[index] for index in indexes if index in found]


def studies_named(view: ReadView, ids: Sequence[str]) -> list[StudyRow]:
    """The studies with these ids, in the order of these; what is no public study is left out."""
    found = {row["id"]: typed(StudyRow, row) for row in view.select_among(STUDY, "id", ids)}
    return [found[name] for name in ids if name in found]


def studies(
    view: TableReader,
    *,
    state: State | None = None,
    protocol: str | None = None,
    keyid: str | None = None,
    before: int | None = None,
    limit: int | None = None,
) -> list[StudyRow]:
    """Studies, newest first, strictly below log index `before`; `keyid` is the key that signed the freeze."""
    given = (("state", state), ("protocol", protocol), ("keyid", keyid))
    where: dict[str, Value] = {column: value for column, value in given if value is not None}
    rows = view.select(STUDY, where, order="ix", descending=True, after=before, limit=limit)
    return [typed(StudyRow, row) for row in rows]


def authors(view: TableReader, index: int) -> list[str]:
    """Names of the authors of the study frozen at `index`, in their order."""
    return [str(row["name"]) for row in view.select(AUTHOR, {"ix": index})]


def areas(view: TableReader, index: int) -> list[str]:
    """Areas of the study frozen at `index`, sorted."""
    return [str(row["area"]) for row in view.select(AREA, {"ix": index})]


def hypotheses(view: TableReader, index: int) -> list[HypothesisRow]:
    """Hypotheses of the study frozen at `index`, in their order."""
    return [typed(HypothesisRow, row) for row in view.select(HYPOTHESIS, {"ix": index})]


def amendments(view: TableReader, id_: str) -> list[AmendmentRow]:
    """Amendments of a study, oldest first."""
    return [typed(AmendmentRow, row) for row in view.select(AMENDMENT, {"study": id_}, order="ix")]


def closings(view: TableReader, period: str | None = None) -> list[ClosingRow]:
    """Statements that closed silent studies, oldest first; those of one period, where it is given."""
    where: dict[str, Value] | None = None if period is None else {"period": period}
    return [typed(ClosingRow, row) for row in view.select(CLOSING, where, order="ix")]
