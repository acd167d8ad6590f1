"""What everybody may know of a sealed study: that there is one, in which week, until when, and what was opened."""

from dataclasses import dataclass
from datetime import date
from typing import Any, Literal, TypeAlias

from leadline.errors import NotFoundError, StateError
from leadline.ledger.ids import read_study_id
from leadline.store.projection import TableReader
from leadline.store.projections.seals import SealRow, opened_fields, slots
from leadline.store.projections.seals import seal as find_seal
from leadline.store.protocol import Store

Standing: TypeAlias = Literal["sealed", "overdue", "revealed", "closed-undisclosed"]


def standing_of(row: SealRow, today: date) -> Standing:
    """Where a seal stands on a day; overdue is one past its embargo, neither revealed nor closed.

    It follows from what the log says in public of every seal alike, and from nothing that is sealed.
    """
    if row.state != "sealed":
        return "revealed" if row.state == "revealed" else "closed-undisclosed"
    return "overdue" if date.fromisoformat(row.embargo) < today else "sealed"


@dataclass(frozen=True, slots=True)
class SealedStudy:
    """A sealed study as the public sees it.

    `slots` is in how many batches it had a slot, whether or not it said something; `fields` are those that were
    opened one by one.
    """

    row: SealRow
    slots: int
    fields: dict[str, Any]

    @property
    def id(self) -> str:
        """The study's id, which it keeps when it is revealed."""
        return self.row.id

    def standing(self, today: date) -> "Standing":
        """Where it stands on a day."""
        return standing_of(self.row, today)


def sealed(store: Store, study: str) -> SealedStudy:
    """The sealed (or once sealed) study with this id; NotFoundError when no seal made this id."""
    name = read_study_id(study)
    with store.snapshot() as view:
        row = find_seal(view, name)
        if row is None:
            raise NotFoundError(
                f"there is no sealed study {name}", remedy="find studies with `leadline search`"
            )
        return SealedStudy(row, len(slots(view, name)), opened_fields(view, name))


def require_unsealed(view: TableReader, study: str) -> None:
    """StateError when the study with this id is sealed: the same words whatever it holds."""
    row = find_seal(view, study)
    if row is not None:
        raise StateError(
            f"{study} is sealed until {row.embargo} at the latest, so there is nothing more to see",
            where=study,
            remedy=f"see what is public of it: `leadline sealed show {study}`",
        )
