"""What a round of tending did."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Event:
    """One thing a round of tending did, or in a dry run would do.

    ``published``: an automatic report stands at log index `index`. ``failed``: the analysis cannot be had, and
    `detail` says why. ``postponed``: the publication of `studies` is left for the next round. ``released``: a seal was opened at its embargo's end. ``closed``: `studies` were closed as
    undisclosed, in the batch of the period `detail`.
    """

    kind: Literal["published", "failed", "postponed", "released", "closed"]
    studies: tuple[str, ...]
    detail: str = ""
    index: int | None = None
