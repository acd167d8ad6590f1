"""Which tables a dump has, and how their rows are read in order without holding them all."""

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any, Final, Literal, TypeVar

from leadline.ledger.dsse import decode
from leadline.ledger.ids import study_id
from leadline.ledger.tlog.tree import leaf_hash
from leadline.store.projection import Column, Row, Table, TableReader, Value
from leadline.store.projections.reports import REPORT
from leadline.store.projections.studies import AREA, AUTHOR, STUDY
from leadline.store.protocol import ReadView

PAGE: Final = 5_000
#: Studies whose rows a delta reads together.
_TOGETHER: Final = 500
T = TypeVar("T")
Kind = Literal["integer", "real", "text", "blob", "texts"]
Touched = frozenset[str]


@dataclass(frozen=True, slots=True)
class Field:
    """A column of a sheet; ``texts`` is a list of texts."""

    name: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table of a dump: its name, its columns, and its rows in a fixed order, as tuples.

    `rows` takes the view, the first log index of a delta (0: everything), and the ids of the studies that
    statements from there on are about.
    """

    name: str
    fields: tuple[Field, ...]
    rows: Callable[[ReadView, int, Touched], Iterator[tuple[Any, ...]]]


#: Sheet -> projection table, and the column its rows are read by: a log index, or a study.
_PLAIN: Final[dict[str, tuple[str, str]]] = {
    "hypotheses": ("hypothesis", "ix"),
    "amendments": ("amendment", "ix"),
    "attempts": ("attempt", "study"),
    "attachments": ("attachment", "ix"),
    "reports": ("report", "ix"),
    "verdicts": ("verdict", "ix"),
    "judgements": ("judgement", "ix"),
    "imports": ("import_record", "ix"),
    "seals": ("seal", "ix"),
    "keys": ("signing_key", "fingerprint"),
}
#: Tables whose rows belong to the log index of another table's row: that table, and its column with the study.
_OF: Final[dict[str, tuple[Table, str]]] = {"hypotheses": (STUDY, "id"), "verdicts": (REPORT, "study")}
#: Rows of these tables change after their entry, so a delta has them whole.
_SMALL_AND_CHANGING: Final = frozenset({"keys", "seals", "judgements"})


def sheets(tables: Mapping[str, Table]) -> list[Sheet]:
    """Every sheet that a store with these projection tables has, in the order of the manifest."""
    found = [_studies(), _statements()]
    for name, (table, by) in _PLAIN.items():
        if table in tables:
            found.append(_plain(name, tables[table], by))
    return sorted(found, key=lambda sheet: sheet.name)


def touched(view: ReadView, since: int) -> Touched:
    """Ids of the studies that statements from `since` on freeze, seal, change or close."""
    found: set[str] = set()
    for envelope in view.entries(since):
        _, said = _said(envelope)
        if isinstance(study := said.get("study"), str):
            found.add(study)
        if isinstance(studies := said.get("studies"), list):
            found.update(study for study in studies if isinstance(study, str))
        found.add(study_id(leaf_hash(envelope)))
    return frozenset(found)


# -- sheets ---------------------------------------------------------------------------------------


def _plain(name: str, table: Table, by: str) -> Sheet:
    def rows(view: ReadView, since: int, studies: Touched) -> Iterator[tuple[Any, ...]]:
        found = _changed(view, name, table, since, studies) if since else scan(view, table, by)
        return (tuple(row[column] for column in table.names) for row in found)

    return Sheet(name, tuple(_field(column) for column in table.columns), rows)


def _changed(view: ReadView, name: str, table: Table, since: int, studies: Touched) -> Iterator[Row]:
    """The rows a delta has: those of touched studies, whole; of small tables that change, all."""
    if name in _SMALL_AND_CHANGING:
        yield from scan(view, table, table.key[0])
    elif name in _OF:
        parent, column = _OF[name]
        for some in _batched(sorted(studies)):
            parents = sorted(view.select_among(parent, column, some), key=itemgetter(column, "ix"))
            for indexes in _batched([row["ix"] for row in parents]):
                yield from _among(view, table, "ix", indexes)
    elif "study" in table.names:
        for some in _batched(sorted(studies)):
            yield from _among(view, table, "study", some)
    else:
        yield from scan(view, table, "ix", after=since - 1)


def _studies() -> Sheet:
    """One row per public study, with its authors and areas as lists."""

    def rows(view: ReadView, since: int, studies: Touched) -> Iterator[tuple[Any, ...]]:
        if since:
            chosen = [
                row for some in _batched(sorted(studies)) for row in view.select_among(STUDY, "id", some)
            ]
            for some in _batched(sorted(chosen, key=itemgetter("ix"))):
                indexes = [row["ix"] for row in some]
                authors, areas = _by(view, AUTHOR, "ix", indexes), _by(view, AREA, "ix", indexes)
                for row in some:
                    yield (
                        *(row[name] for name in STUDY.names),
                        [one["name"] for one in authors[row["ix"]]],
                        [one["area"] for one in areas[row["ix"]]],
                    )
            return
        authors_of, areas_of = _Lists(view, AUTHOR, "name"), _Lists(view, AREA, "area")
        for row in scan(view, STUDY, "ix"):
            yield (*(row[name] for name in STUDY.names), authors_of(row["ix"]), areas_of(row["ix"]))

    fields = (
        *(_field(column) for column in STUDY.columns),
        Field("authors", "texts"),
        Field("areas", "texts"),
    )
    return Sheet("studies", fields, rows)


def _statements() -> Sheet:
    """One row per log entry: what it is, what it is about, who signed it, and the signed bytes."""

    def rows(view: ReadView, since: int, studies: Touched) -> Iterator[tuple[Any, ...]]:  # noqa: ARG001
        for index, envelope in enumerate(view.entries(since), since):
            opened = decode(envelope)
            kind, said = _said(envelope)
            study = said.get("study")
            created = said.get("created") or said.get("time")
            yield (
                index,
                leaf_hash(envelope),
                kind,
                study if isinstance(study, str) else None,
                opened.keyid,
                created if isinstance(created, str) else None,
                envelope,
            )

    fields = (
        Field("ix", "integer"),
        Field("leaf", "blob"),
        Field("kind", "text"),
        Field("study", "text"),
        Field("keyid", "text"),
        Field("created", "text"),
        Field("envelope", "blob"),
    )
    return Sheet("statements", fields, rows)


def _said(envelope: bytes) -> tuple[str, dict[str, Any]]:
    """Kind and predicate of an entry of the log; its rights and form were checked when it was accepted."""
    document = json.loads(decode(envelope).payload)
    return str(document["predicateType"]).split("/")[-2], dict(document["predicate"])


def _field(column: Column) -> Field:
    return Field(column.name, column.type)


# -- reading in order -----------------------------------------------------------------------------


def scan(view: TableReader, table: Table, by: str, *, after: Value = None) -> Iterator[Row]:
    """Every row of a table ordered by one column and then the key, a page at a time.

    Pages end between values of `by`: rows of one value are never split, however many there are.
    """
    limit = PAGE
    while True:
        page = view.select(table, order=by, after=after, limit=limit)
        if len(page) < limit:
            yield from page
            return
        last = page[-1][by]
        whole = [row for row in page if row[by] != last]
        if not whole:  # one value fills the page
            limit *= 2
            continue
        yield from whole
        after, limit = whole[-1][by], PAGE


def _batched(values: Sequence[T]) -> Iterator[Sequence[T]]:
    """The values, some hundreds at a time: that many are looked up in one query."""
    return (values[at : at + _TOGETHER] for at in range(0, len(values), _TOGETHER))


def _among(view: ReadView, table: Table, by: str, values: Sequence[Any]) -> Iterator[Row]:
    """Rows whose column `by` is one of `values`, in the order of these, each one's by the key."""
    found = _by(view, table, by, values)
    return (row for value in values for row in found[value])


def _by(view: ReadView, table: Table, by: str, values: Sequence[Any]) -> Mapping[Value, list[Row]]:
    found: dict[Value, list[Row]] = defaultdict(list)
    for row in view.select_among(table, by, values):
        found[row[by]].append(row)
    return found


class _Lists:
    """Values of a table that belong to rising log indexes, read beside another scan."""

    def __init__(self, view: TableReader, table: Table, column: str) -> None:
        self._groups = groupby(scan(view, table, "ix"), key=itemgetter("ix"))
        self._column = column
        self._next = self._pull()

    def _pull(self) -> tuple[int, list[str]] | None:
        for ix, rows in self._groups:
            return int(str(ix)), [str(row[self._column]) for row in rows]
        return None

    def __call__(self, ix: Value) -> Sequence[str]:
        """The values at this index; indexes must not fall."""
        wanted = int(str(ix))
        while self._next is not None and self._next[0] < wanted:
            self._next = self._pull()
        return self._next[1] if self._next is not None and self._next[0] == wanted else []
