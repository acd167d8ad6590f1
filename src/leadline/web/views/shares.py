"""The registry as a small honest picture: states of promises, and outcomes of reports."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from leadline.draw.share import Fill, Share, share_bar, swatch
from leadline.protocol.blocks.claims import Outcome
from leadline.store.projections.status import Status
from leadline.verdict import words
from leadline.web.views.words import STATUS

_STATES: Final[dict[Status, Fill]] = {
    "reported": "full",
    "running": "tint",
    "registered": "outline",
    "overdue": "hatch",
    "closed-undisclosed": "dashed",
    "withdrawn": "open",
    "sealed": "cross",
}
_OUTCOMES: Final[dict[Outcome, Fill]] = {
    "supported": "full",
    "null": "tint",
    "inconclusive": "open",
    "refuted": "hatch",
}
Href = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Legend:
    """A part of a picture in words, with the search that lists it."""

    label: str
    count: int
    href: str
    swatch: Markup


def states(counts: Mapping[str, int], href: Href) -> tuple[Markup | None, tuple[Legend, ...]]:
    """The bar of studies by state, and its legend; None for the bar when there is nothing."""
    parts = [(name, Share(STATUS[name], counts.get(name, 0), fill)) for name, fill in _STATES.items()]
    return _picture(parts, "Studies by state", href)


def state_key() -> tuple[tuple[str, Markup], ...]:
    """Every state a study in a picture can have, with its swatch: a legend for several bars."""
    shown = ((name, fill) for name, fill in _STATES.items() if name != "sealed")
    return tuple((STATUS[name], Markup(swatch(fill))) for name, fill in shown)  # noqa: S704 (our own drawing)


def outcomes(counts: Mapping[str, int], href: Href) -> tuple[Markup | None, tuple[Legend, ...]]:
    """The bar of outcomes, and its legend; None for the bar when there is nothing."""
    parts = [
        (name, Share(words.OUTCOMES[name], counts.get(name, 0), fill)) for name, fill in _OUTCOMES.items()
    ]
    return _picture(parts, "Reported studies by outcome", href)


def percent(part: int, whole: int) -> str:
    """A share; a small one is not said to be nothing, nor a large one everything."""
    if not whole:
        return ""
    if 0 < 100 * part < whole:
        return "under 1 %"
    if 0 < 100 * (whole - part) < whole:
        return "over 99 %"
    return f"{100 * part / whole:.0f} %"


def _picture(
    parts: list[tuple[Status, Share]] | list[tuple[Outcome, Share]], title: str, href: Href
) -> tuple[Markup | None, tuple[Legend, ...]]:
    shown = [(name, part) for name, part in parts if part.count]
    if not shown:
        return None, ()
    legend = tuple(
        Legend(part.label, part.count, href(name), Markup(swatch(part.fill)))  # noqa: S704 (our own drawing)
        for name, part in shown
    )
    return Markup(share_bar([part for _, part in shown], title=title).inline()), legend  # noqa: S704
