"""Counts over the whole registry, exact however large it is: what the front page says of everybody.

Facets of a search describe its newest 5,000 matches; a picture of the registry must not leave older work out.
"""

from datetime import date
from typing import Final, get_args

from leadline.protocol.blocks.claims import Outcome
from leadline.store.projections.facets import FACET, mark
from leadline.store.projections.status import Status
from leadline.store.projections.studies import STUDY, State
from leadline.store.protocol import ReadView
from leadline.store.query import status_at

#: States whose status does not depend on the day, counted from the index alone.
_ENDED: Final[tuple[State, ...]] = ("reported", "closed", "withdrawn")
_OPEN: Final[tuple[State, ...]] = ("registered", "running", "attached")


def states_of_all(view: ReadView, today: date) -> dict[str, int]:
    """How many open studies have each status on a day; those that none has are left out."""
    found: dict[str, int] = {}
    for ended in _ENDED:
        _add(found, status_at(ended, None, today), view.count(STUDY, {"state": ended}))
    for (state, due), number in view.count_by(STUDY, ("state", "due"), where="state", among=_OPEN):
        _add(found, status_at(str(state), None if due is None else str(due), today), number)
    return found


def outcomes_of_all(view: ReadView) -> dict[str, int]:
    """How many studies have each outcome on some claim in their newest report."""
    counts = {name: view.count(FACET, {"mark": mark("verdict", name)}) for name in get_args(Outcome)}
    return {name: number for name, number in counts.items() if number}


def _add(found: dict[str, int], status: Status, number: int) -> None:
    if number:
        found[status] = found.get(status, 0) + number
