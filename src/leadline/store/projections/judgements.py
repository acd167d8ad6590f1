"""Judgements: who said what of a study, in which type's own words, and what was taken back."""

import json
from dataclasses import dataclass
from typing import Any, Literal

from leadline.ledger.fields import Outcome
from leadline.ledger.judging import Critique, Observed, Review, Trust
from leadline.ledger.predicates import Judgement
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
from leadline.store.projections.authority import key
from leadline.store.projections.rows import typed

JudgementType = Literal["forecast", "review", "critique", "trust", "outcome"]
#: A judgement's own part, by its type: the field of the statement that holds it.
PARTS: dict[JudgementType, str] = {
    "forecast": "probabilities",
    "review": "review",
    "critique": "critique",
    "trust": "trust",
    "outcome": "outcome",
}

JUDGEMENT = Table(
    "judgement",
    (
        Column("ix", "integer"),
        Column("leaf", "text"),
        Column("type", "text"),
        Column("study", "text", nullable=True),
        Column("target", "text"),
        Column("verdict", "text", nullable=True),
        Column("text", "text", nullable=True),
        Column("part", "text", nullable=True),
        Column("minutes", "integer", nullable=True),
        Column("body", "text", nullable=True),
        Column("keyid", "text"),
        Column("lineage", "text"),
        Column("created", "text"),
        Column("revokes", "text", nullable=True),
        Column("revoked", "integer", nullable=True),
    ),
    key=("ix",),
    indexes=(("study",), ("leaf",), ("lineage",), ("type",), ("target",)),
)


@dataclass(frozen=True, slots=True)
class JudgementRow:
    """A judgement: `keyid` signed it, of the lineage `lineage`; `minutes` is what its signer says it took.

    `part` is the JSON of its type's own part; the properties read it. `revoked` is the log index of the statement
    that took it back, `revokes` the leaf hash of one that this took back; a mere revocation has no part and no
    text.
    """

    ix: int
    leaf: str
    type: JudgementType
    study: str | None
    target: str
    verdict: str | None
    text: str | None
    part: str | None
    minutes: int | None
    body: str | None
    keyid: str
    lineage: str
    created: str
    revokes: str | None
    revoked: int | None

    @property
    def probabilities(self) -> dict[str, dict[Outcome, float]]:
        """A forecast's probabilities of the outcomes, by hypothesis; empty for other types."""
        return self._part("forecast") or {}

    @property
    def review(self) -> Review | None:
        """A review's chances, where it gives any."""
        part = self._part("review")
        return None if part is None else Review.model_validate(part)

    @property
    def critique(self) -> Critique | None:
        """A critique's question and what belongs to it."""
        part = self._part("critique")
        return None if part is None else Critique.model_validate(part)

    @property
    def trust(self) -> Trust | None:
        """How far the target is trusted, on what basis."""
        part = self._part("trust")
        return None if part is None else Trust.model_validate(part)

    @property
    def outcome(self) -> Observed | None:
        """What came true, and how that is known."""
        part = self._part("outcome")
        return None if part is None else Observed.model_validate(part)

    @property
    def says_something(self) -> bool:
        """False for a statement that only takes an earlier one back."""
        return any(value is not None for value in (self.part, self.text, self.verdict, self.body))

    def _part(self, kind: JudgementType) -> Any:
        # Statement models are lax about tuples only: lists of JSON become the tuples they were.
        return json.loads(self.part) if self.type == kind and self.part is not None else None


class Judgements:
    """One row per judgement statement."""

    name = "judgements"
    version = 1
    tables: tuple[Table, ...] = (JUDGEMENT,)
    texts: tuple[TextIndex, ...] = ()

    def apply(self, tables: TableWriter, entry: LogEntry, blobs: BlobReader) -> None:  # noqa: ARG002
        """Add the judgement, and mark the one it revokes."""
        said = entry.statement.predicate
        if not isinstance(said, Judgement):
            return
        if said.revokes is not None:
            for row in tables.select(JUDGEMENT, {"leaf": said.revokes}):
                tables.update(JUDGEMENT, (row["ix"],), {"revoked": entry.index})
        signer = key(tables, entry.keyid)
        assert signer is not None, "the authority projection has admitted the signer"
        plain = said.model_dump(mode="json", exclude_none=True)
        part = plain.get(PARTS[said.type])
        row = {
            "ix": entry.index,
            "leaf": entry.leaf_hash.hex(),
            "part": None if part is None else json.dumps(part, sort_keys=True, ensure_ascii=False),
            "keyid": entry.keyid,
            "lineage": signer.lineage,
        }
        same = ("type", "study", "target", "verdict", "text", "minutes", "body", "created", "revokes")
        tables.insert(JUDGEMENT, {**row, **{name: plain.get(name) for name in same}})


def judgements(
    view: TableReader, study: str, type_: JudgementType | None = None, *, revoked: bool = False
) -> list[JudgementRow]:
    """What was said of a study, oldest first; what was taken back, and mere revocations, only if `revoked`."""
    return _select(view, {"study": study}, type_, revoked=revoked)


def judgements_by(
    view: TableReader, lineage: str, type_: JudgementType | None = None, *, revoked: bool = False
) -> list[JudgementRow]:
    """What keys of one lineage said, oldest first."""
    return _select(view, {"lineage": lineage}, type_, revoked=revoked)


def judgements_of(
    view: TableReader, target: str, type_: JudgementType | None = None, *, revoked: bool = False
) -> list[JudgementRow]:
    """What was said of a target, such as the id of a model, oldest first."""
    return _select(view, {"target": target}, type_, revoked=revoked)


def newest_judgements(
    view: TableReader, type_: JudgementType, *, before: int | None = None, limit: int = 50
) -> list[JudgementRow]:
    """Judgements of a type over all studies, newest first, strictly below log index `before`."""
    found: list[JudgementRow] = []
    while len(found) < limit:
        rows = view.select(JUDGEMENT, {"type": type_}, order="ix", descending=True, after=before, limit=limit)
        found += [row for row in map(_row, rows) if row.revoked is None and row.says_something]
        if len(rows) < limit:
            break
        before = _row(rows[-1]).ix
    return found[:limit]


def judgement_at(view: TableReader, index: int) -> JudgementRow | None:
    """The judgement at this log index, or None."""
    row = view.get(JUDGEMENT, index)
    return None if row is None else _row(row)


def _select(
    view: TableReader, where: dict[str, Value], type_: JudgementType | None, *, revoked: bool
) -> list[JudgementRow]:
    narrowed: dict[str, Value] = where if type_ is None else {**where, "type": type_}
    rows = [_row(row) for row in view.select(JUDGEMENT, narrowed, order="ix")]
    return rows if revoked else [row for row in rows if row.revoked is None and row.says_something]


def _row(row: Row) -> JudgementRow:
    return typed(JudgementRow, row)
