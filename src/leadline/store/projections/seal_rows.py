"""Seals as tables and rows: what the projection `seals` keeps, and how it is read."""

from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from leadline.ledger.canon import parse_strict
from leadline.ledger.sealing.periods import period_of, quarter, quarter_end
from leadline.store.projection import Column, Row, Table, TableReader, Value
from leadline.store.projections.authority import KEY
from leadline.store.projections.authority import key as find_key
from leadline.store.projections.rows import typed

Tier = Literal["ordinary", "hazard"]

SEAL = Table(
    "seal",
    (
        Column("ix", "integer"),
        Column("id", "text"),
        Column("leaf", "blob"),
        Column("keyid", "text"),
        Column("tier", "text"),
        Column("period", "text"),
        Column("embargo", "text"),
        Column("state", "text"),
        Column("revealed_ix", "integer", nullable=True),
        Column("closed", "integer", nullable=True),
        Column("body", "text"),
        Column("fields", "text"),
    ),
    key=("ix",),
    indexes=(("id",), ("keyid", "state", "embargo"), ("tier", "state", "embargo"), ("state", "embargo")),
)
BATCH = Table(
    "seal_batch",
    (Column("ix", "integer"), Column("period", "text"), Column("body", "text"), Column("slots", "integer")),
    key=("ix",),
    indexes=(("period",),),
)
SLOT = Table(
    "seal_slot",
    (Column("study", "text"), Column("batch", "integer"), Column("commitment", "blob")),
    key=("study", "batch"),
)
OPENED = Table(
    "seal_field",
    (Column("study", "text"), Column("field", "text"), Column("value", "text"), Column("ix", "integer")),
    key=("study", "field"),
)
SPOKEN = Table(
    "sealed_statement",
    (
        Column("leaf", "text"),
        Column("study", "text"),
        Column("batch", "integer"),
        Column("position", "integer"),
    ),
    key=("leaf", "study"),
    indexes=(("study",),),
)
FAULT = Table("seal_fault", (Column("ix", "integer"), Column("what", "text")), key=("ix",))


@dataclass(frozen=True, slots=True)
class SealRow:
    """A sealed study: `ix` is the log index of its seal, `leaf` that entry's leaf hash, `keyid` who sealed it.

    `period` is the first day of the week it belongs to, `embargo` the day until which it may stay sealed.
    `revealed_ix` is the index of its whole reveal, `closed` that of the statement that closed it as undisclosed.
    A closed study may be revealed later; its state is then ``revealed``.
    """

    ix: int
    id: str
    leaf: bytes
    keyid: str
    tier: Tier
    period: str
    embargo: str
    state: Literal["sealed", "revealed", "closed"]
    revealed_ix: int | None
    closed: int | None


@dataclass(frozen=True, slots=True)
class SealCounts:
    """How many studies were ever sealed, and what became of them.

    `revealed` as a whole; `overdue` past the embargo, neither revealed nor closed; `undisclosed` closed and not
    revealed. What is left of `sealed` is still under embargo. In the hazard tier all but `revealed` are upper bounds:
    an installation pads it with decoys, which nobody can open and which close with the others.
    """

    sealed: int
    revealed: int
    overdue: int
    undisclosed: int


@dataclass(frozen=True, slots=True)
class BatchRow:
    """A period's batch: its log index, the first day of the period, the digest of its bytes, and its slots."""

    ix: int
    period: str
    body: str
    slots: int


@dataclass(frozen=True, slots=True)
class SpokenRow:
    """A statement made under seal: its leaf hash (hex), and the log index of the batch that committed to it."""

    leaf: str
    study: str
    batch: int
    position: int


def seal(view: TableReader, study: str) -> SealRow | None:
    """The sealed (or once sealed) study with this id, or None."""
    row = seal_row(view, study)
    return None if row is None else typed_row(row)


def seals(
    view: TableReader,
    *,
    keyid: str | None = None,
    tier: Tier | None = None,
    state: Literal["sealed", "revealed", "closed"] | None = None,
    before: int | None = None,
    limit: int | None = None,
) -> list[SealRow]:
    """Sealed studies, newest first, strictly below log index `before`."""
    given = (("keyid", keyid), ("tier", tier), ("state", state))
    where: dict[str, Value] = {column: value for column, value in given if value is not None}
    rows = view.select(SEAL, where, order="ix", descending=True, after=before, limit=limit)
    return [typed_row(row) for row in rows]


def seal_body(view: TableReader, study: str) -> str | None:
    """The digest of a seal's encrypted body, or None when no such study was sealed."""
    row = seal_row(view, study)
    return None if row is None else str(row["body"])


def live(view: TableReader) -> list[str]:
    """Ids of the studies that are sealed now, neither revealed nor closed, sorted: each gets a slot in a batch."""
    return sorted(str(row["id"]) for row in view.select(SEAL, {"state": "sealed"}))


def batches(view: TableReader, *, period: str | None = None, after: int | None = None) -> list[BatchRow]:
    """Batches, oldest first, strictly above log index `after`; those of one period, where it is given."""
    where: dict[str, Value] | None = None if period is None else {"period": period}
    return [typed(BatchRow, row) for row in view.select(BATCH, where, order="ix", after=after)]


def slots(view: TableReader, study: str) -> list[tuple[int, bytes]]:
    """(log index of the batch, commitment) of each slot of a study, oldest first."""
    rows = view.select(SLOT, {"study": study}, order="batch")
    return [(int(row["batch"] or 0), _bytes(row["commitment"])) for row in rows]


def opened_fields(view: TableReader, study: str) -> dict[str, Any]:
    """The values of the fields that were opened one by one, by name."""
    rows = view.select(OPENED, {"study": study}, order="field")
    return {str(row["field"]): parse_strict(str(row["value"]).encode()) for row in rows}


def spoken(view: TableReader, study: str) -> list[SpokenRow]:
    """The statements a revealed study had made under seal, in their order, whether or not they are in the log."""
    return [typed(SpokenRow, row) for row in view.select(SPOKEN, {"study": study}, order="position")]


def committed_at(view: TableReader, study: str, leaf: bytes) -> int | None:
    """The log index of the batch that committed to a statement of a once sealed study; None for any other."""
    row = view.get(SPOKEN, leaf.hex(), study)
    return None if row is None else int(row["batch"] or 0)


def faults(view: TableReader) -> list[tuple[int, str]]:
    """(log index, what is wrong) of every batch and reveal in the log whose bytes are not what it says."""
    return [(int(row["ix"] or 0), str(row["what"])) for row in view.select(FAULT, order="ix")]


def seal_counts(view: TableReader, keyid: str, today: date) -> SealCounts:
    """What became of the studies sealed under a key and the keys of its lineage, as of `today`.

    Exact for an author. For an installation's own key they are counts of hazard seals, which include decoys.
    """
    record = find_key(view, keyid)
    lineage = [] if record is None else view.select(KEY, {"lineage": record.lineage})
    each = [_counts(view, {"keyid": row["fingerprint"]}, today) for row in lineage]
    names = SealCounts.__slots__
    return SealCounts(*(sum(int(getattr(one, name)) for one in each) for name in names))


def installation_counts(view: TableReader, today: date) -> SealCounts:
    """What became of the installation's hazard seals, as of the first day of the week of `today`.

    Upper bounds, but for `revealed`: decoys are among them, and nothing public tells which they are.
    """
    return _counts(view, {"tier": "hazard"}, period_of(today))


def _counts(view: TableReader, where: Row, today: date) -> SealCounts:
    """Embargoes end with quarters, so that "overdue" is a sum over few dates."""
    oldest = view.select(SEAL, {**where, "state": "sealed"}, order="embargo", limit=1)
    overdue = 0
    if oldest:
        first = quarter(date.fromisoformat(str(oldest[0]["embargo"])))
        for number in range(first, quarter(today) + 1):
            end = quarter_end(number)
            if end < today:
                overdue += view.count(SEAL, {**where, "state": "sealed", "embargo": end.isoformat()})
    revealed = view.count(SEAL, {**where, "state": "revealed"})
    return SealCounts(
        view.count(SEAL, where), revealed, overdue, view.count(SEAL, {**where, "state": "closed"})
    )


def typed_row(row: Row) -> SealRow:
    """A row of the table as a value."""
    return typed(SealRow, {name: value for name, value in row.items() if name not in ("body", "fields")})


def seal_row(view: TableReader, study: str) -> Row | None:
    """The row of a seal as the table has it, with the digests of body and fields; None when there is none."""
    rows = view.select(SEAL, {"id": study}, limit=1)
    return rows[0] if rows else None


def _bytes(value: Value) -> bytes:
    return value if isinstance(value, bytes) else b""
