"""Siblings: registrations by the same authors that share dataset, measure and technique.

Registering many variants of a study and showing the one that came out well is not stopped; it is shown. A
sibling shares a key lineage and at least one (dataset, measure, technique) with the study. Key identity bounds
this: two keys may belong to one person, and every page that lists siblings says so.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from leadline.errors import Explained
from leadline.store import ReadView
from leadline.store.projections.authority import keys_of, right, studies_of
from leadline.store.projections.studies import StudyRow, studies, studies_named
from leadline.store.projections.studies import study as find_study
from leadline.verdict.kinship import Trait, traits

#: Said wherever siblings are listed.
BOUND: Final = "found by the keys that signed; two keys may belong to one person"
#: At most this many studies of the same authors are compared, the newest ones by each of their newest keys.
MOST: Final = 200
_MOST_KEYS: Final = 20
#: A protocol longer than this is not compared.
MOST_BYTES: Final = 1 << 18


@dataclass(frozen=True, slots=True)
class Sibling:
    """A study of the same authors, and the (dataset, measure, technique) that both have, sorted."""

    row: StudyRow
    shared: tuple[Trait, ...]


def siblings(view: ReadView, study: str) -> list[Sibling]:
    """Siblings of a study, newest first. A study that is unknown, sealed, or without its protocol has none."""
    own = find_study(view, study)
    if own is None:
        return []
    mine = _traits_of(view, own)
    found = ((row, _traits_of(view, row) & mine) for row in relatives(view, study))
    return [Sibling(row, tuple(sorted(shared))) for row, shared in found if shared]


def relatives(view: ReadView, study: str) -> list[StudyRow]:
    """Other public studies of the same authors, whatever they are about, newest first; at most `MOST`."""
    record = right(view, study)
    if record is None:
        return []
    others = {row.id: row for row in _of_lineages(view, record.lineages) if row.id != study}
    return sorted(others.values(), key=lambda row: -row.ix)[:MOST]


def _of_lineages(view: ReadView, lineages: Iterable[str]) -> Iterator[StudyRow]:
    """Studies that keys of these lineages signed, and some of those that name them."""
    for lineage in sorted(lineages)[:_MOST_KEYS]:
        for keyid in keys_of(view, lineage, limit=_MOST_KEYS):
            yield from studies(view, keyid=keyid, limit=MOST)
        yield from studies_named(view, studies_of(view, lineage, limit=MOST))


def _traits_of(view: ReadView, row: StudyRow) -> frozenset[Trait]:
    try:
        return traits(json.loads(view.blob(row.protocol, limit=MOST_BYTES)))
    except (Explained, ValueError, RecursionError):  # taken down, or of another making
        return frozenset()
