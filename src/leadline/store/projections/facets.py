"""Facets: what a study is about, as values to filter and count by.

A facet row is one mark, ``kind:value``, of one study: the areas, techniques, models, tasks, datasets, measures, claim
kinds and gap axes that its frozen protocol names, and the outcomes and standings of its newest report. The
reader is tolerant: a store holds protocols of any schema version, and a document of another shape gives the marks
that can be read in it, at worst none.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, Literal

from leadline.landscape import technique
from leadline.ledger.predicates import Report
from leadline.store.projection import Column, Table, TableReader, TableWriter

FacetKind = Literal[
    "area",
    "technique",
    "model",
    "task",
    "dataset",
    "measure",
    "claim",
    "gap",
    "verdict",
    "standing",
]
FACET = Table(
    "facet",
    (Column("ix", "integer"), Column("mark", "text")),
    key=("ix", "mark"),
    indexes=(("mark", "ix"),),
)
#: Marks of one kind beyond this many are left out: who names everything is found under nothing in particular.
MAX_EACH: Final = 40
_MAX_VALUE: Final = 120
#: Distances a gap axis can be marked with; an unknown one is no mark.
DISTANCES: Final = ("same", "near", "far")
#: Kinds whose values are compared without regard to case.
_FOLDED: Final = frozenset({"task", "measure", "technique"})


def mark(kind: FacetKind, value: str) -> str:
    """The mark of a value: spaces collapsed, techniques by their usual name, at most 120 characters."""
    text = value[: 4 * _MAX_VALUE]
    if not text.isprintable():
        text = "".join(character if character.isprintable() else " " for character in text)
    text = " ".join(text.split())[:_MAX_VALUE]
    known = technique(text) if kind == "technique" else None
    if known is not None:
        return f"{kind}:{known.id}"
    return f"{kind}:{text.casefold() if kind in _FOLDED else text}"


def facet_rows(document: object, area: Iterable[str] = ()) -> list[str]:
    """The marks of a protocol (parsed JSON of any shape) registered under these areas, sorted, each once.

    An area ``control/monitoring`` also marks its group ``control``, and a task ``package/name`` also ``name``.
    """
    found: dict[str, None] = {}
    counts: dict[str, int] = {}
    for kind, value in _values(document, area):
        item = mark(kind, value)
        if item in found or item.endswith(":") or counts.get(kind, 0) >= MAX_EACH:
            continue
        found[item] = None
        counts[kind] = counts.get(kind, 0) + 1
    return sorted(found)


def _values(document: object, area: Iterable[str]) -> Iterator[tuple[FacetKind, str]]:
    for name in area:
        yield "area", name
        if "/" in name:
            yield "area", name.partition("/")[0]
    if not isinstance(document, Mapping):
        return
    for arm in _blocks(document, "arms"):
        yield from _texts("technique", arm, "technique")
    for model in _blocks(document, "models"):
        yield from _texts("model", model, "id")
    for task in _blocks(document, "tasks"):
        yield from _texts("task", task, "task")
        full = task.get("task")
        if isinstance(full, str) and "/" in full:  # the same task is known with and without its package
            yield "task", full.rpartition("/")[2]
        dataset = task.get("dataset")
        if isinstance(dataset, Mapping):
            yield from _texts("dataset", dataset, "sha256", "name")
    for measure in _blocks(document, "measures"):
        yield from _texts("measure", measure, "name", "score")
    for hypothesis in _blocks(document, "hypotheses"):
        yield from _texts("claim", hypothesis, "kind")
    yield from _gaps(document)


def _gaps(document: Mapping[str, Any]) -> Iterator[tuple[FacetKind, str]]:
    """Stated distances as ``axis:distance``; an axis that is not mentioned is unknown and gives nothing."""
    gap = document.get("gap")
    if not isinstance(gap, Mapping):
        return
    for axis, said in gap.items():
        distance = said.get("distance") if isinstance(said, Mapping) else said
        if isinstance(axis, str) and distance in DISTANCES:
            yield "gap", f"{axis}:{distance}"


def _blocks(document: Mapping[str, Any], name: str) -> Iterator[Mapping[str, Any]]:
    blocks = document.get(name)
    if isinstance(blocks, list):
        yield from (block for block in blocks[:500] if isinstance(block, Mapping))


def _texts(kind: FacetKind, block: Mapping[str, Any], *names: str) -> Iterator[tuple[FacetKind, str]]:
    for name in names:
        value = block.get(name)
        if isinstance(value, str):
            yield kind, value


def write_marks(tables: TableWriter, index: int, marks: Iterable[str]) -> None:
    """Add the marks of the study at log index `index`."""
    for item in marks:
        tables.insert(FACET, {"ix": index, "mark": item})


def write_verdicts(tables: TableWriter, index: int, said: Report) -> None:
    """Replace the outcomes and standings of the study at `index` by those of its newest report."""
    drop_verdicts(tables, index)
    outcomes = {mark("verdict", verdict.outcome) for verdict in said.verdicts.values()}
    standings = {mark("standing", verdict.standing) for verdict in said.verdicts.values()}
    write_marks(tables, index, sorted(outcomes | standings))


def drop_verdicts(tables: TableWriter, index: int) -> None:
    """Take away the outcomes and standings of the study at `index`."""
    for item in marks_of(tables, index):
        if item.startswith(("verdict:", "standing:")):
            tables.delete(FACET, index, item)


def marks_of(view: TableReader, index: int) -> list[str]:
    """The marks of the study at log index `index`, sorted."""
    return [str(row["mark"]) for row in view.select(FACET, {"ix": index})]
