"""The badge: a small picture for a paper's repository that says what became of a study."""

from typing import Final

from leadline.draw.mark import mark
from leadline.draw.svg import el, rect, text
from leadline.draw.theme import LIGHT, SANS
from leadline.draw.words import width_of
from leadline.protocol.blocks.claims import Outcome

_HEIGHT: Final = 20.0
_SIZE: Final = 11.0
_STYLE: Final = (
    f"text{{font:{_SIZE:g}px {SANS}}}"
    f".name{{fill:{LIGHT['--ll-ink']}}}.left{{fill:{LIGHT['--ll-ground']}}}"
    f".name-ground{{fill:{LIGHT['--ll-accent']}}}.word-ground{{fill:{LIGHT['--ll-raised']}}}"
    f".ll-full{{fill:{LIGHT['--ll-accent']};stroke:{LIGHT['--ll-accent']}}}"
    f".ll-ring,.ll-dashed{{fill:{LIGHT['--ll-ground']};stroke:{LIGHT['--ll-accent']};stroke-width:1.5}}"
    f".ll-dashed{{stroke-dasharray:2 1.5}}.ll-cross{{stroke:{LIGHT['--ll-ground']};stroke-width:1.25}}"
)


def badge_svg(words: str, outcome: Outcome | None) -> str:
    """A badge that reads "leadline" and then `words`, with the outcome's shape before them where there is one."""
    left = width_of("leadline", _SIZE) + 14
    sign = 16.0 if outcome is not None else 0.0
    right = width_of(words, _SIZE) + 14 + sign
    shapes = [] if outcome is None else [mark(outcome, left + 13, _HEIGHT / 2, 4.2)]
    return el(
        "svg",
        el("title", f"Leadline: {words}"),
        el("style", _STYLE),
        rect(0, 0, left + right, _HEIGHT, "word-ground", rx=3),
        rect(0, 0, left, _HEIGHT, "name-ground", rx=3),
        rect(left - 4, 0, 4, _HEIGHT, "name-ground"),
        text(left / 2, 14, "leadline", "left", "middle"),
        *shapes,
        text(left + 7 + sign, 14, words, "name"),
        xmlns="http://www.w3.org/2000/svg",
        width=left + right,
        height=_HEIGHT,
        viewBox=f"0 0 {left + right:g} {_HEIGHT:g}",
        role="img",
        aria_label=f"Leadline: {words}",
    ).render()
