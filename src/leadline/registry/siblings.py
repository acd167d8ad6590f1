"""Siblings: registrations by the same authors that share dataset, measure and technique.

Registering many variants of a study and showing the one that came out well is not stopped; it is shown. A
sibling shares a key lineage and at least one (dataset, measure, technique) with the study. Key identity bounds
this: two keys may belong to one person, and every page that lists siblings says so.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from leadline.errors import Explained
from leadline.store import ReadView
from leadline.store.projections.authority import keys_of, right, studies_of
from leadline.store.projections.studies import StudyRow, studies, studies_named
from leadline.store.projections.studies import study as find_study

#: Said wherever siblings are listed.
BOUND: Final = "found by the keys that signed; two keys may belong to one person"
#: At most this many studies of the same authors are compared, the newest ones by each of their newest keys.
MOST: Final = 200
_MOST_KEYS: Final = 20
_MOST_BYTES: Final = 1 << 18

Trait = tuple[str, str, str]
"""Dataset, measure and technique, in lower case."""


@dataclass(frozen=True, slots=True)
class Sibling:
    """A study of the same authors, and the (dataset, measure, technique) that both have, sorted."""

    row: StudyRow
    shared: tuple[Trait, ...]


def siblings(view: ReadView, study: str) -> list[Sibling]:
    """Siblings of a study, newest first. A study that is unknown, sealed, or without its protocol has none."""
    own = find_study(view, study)
    record = right(view, study)
    if own is None or record is None:
        return []
    mine = _traits_of(view, own)
    others = {row.id: row for row in _of_lineages(view, record.lineages) if row.id != study}
    rows = sorted(others.values(), key=lambda row: -row.ix)[:MOST]
    found = ((row, _traits_of(view, row) & mine) for row in rows)
    return [Sibling(row, tuple(sorted(shared))) for row, shared in found if shared]


def _of_lineages(view: ReadView, lineages: Iterable[str]) -> Iterator[StudyRow]:
    """Studies that keys of these lineages signed, and some of those that name them."""
    for lineage in sorted(lineages)[:_MOST_KEYS]:
        for keyid in keys_of(view, lineage, limit=_MOST_KEYS):
            yield from studies(view, keyid=keyid, limit=MOST)
        yield from studies_named(view, studies_of(view, lineage, limit=MOST))


def traits(protocol: Any) -> frozenset[Trait]:
    """Every (dataset, measure, technique) of a protocol given as plain JSON values; none where it is odd.

    The dataset is its content digest where the protocol binds one, else its name, else the task's.
    """
    if not isinstance(protocol, dict):
        return frozenset()
    tasks = {str(task.get("name")): _dataset(task) for task in _dicts(protocol.get("tasks"))}
    measures = {_text(one.get("score") or one.get("name")) for one in _dicts(protocol.get("measures"))}
    arms = _dicts(protocol.get("arms"))
    pairs = {(tasks.get(str(arm.get("task")), ""), _text(arm.get("technique"))) for arm in arms}
    found = ((dataset, measure, technique) for dataset, technique in pairs for measure in measures)
    return frozenset(trait for trait in found if all(trait))


def _traits_of(view: ReadView, row: StudyRow) -> frozenset[Trait]:
    try:
        return traits(json.loads(view.blob(row.protocol, limit=_MOST_BYTES)))
    except (Explained, ValueError, RecursionError):  # taken down, or of another making
        return frozenset()


def _dataset(task: dict[str, Any]) -> str:
    dataset = task.get("dataset")
    found = dataset if isinstance(dataset, dict) else {}
    return _text(found.get("sha256") or found.get("name") or task.get("task") or task.get("name"))


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _text(value: Any) -> str:
    return " ".join(str(value or "").casefold().split())
