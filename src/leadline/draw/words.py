"""Fitting words into pictures without a font at hand: widths are estimated, never measured."""

import unicodedata

_NARROW = frozenset("iIlj.,:;'|!()[]{}ft ")
_BROAD = frozenset("mwMW@%—")


def width_of(words: str, size: float = 13.0) -> float:
    """Estimated width in user units of ``words`` set in a sans-serif face of ``size``; errs wide."""
    total = 0.0
    for character in words:
        if unicodedata.combining(character):
            continue
        if unicodedata.east_asian_width(character) in "WF":
            total += 1.0
        elif character in _NARROW:
            total += 0.34
        elif character in _BROAD:
            total += 0.9
        else:
            total += 0.68 if character.isupper() else 0.57
    return total * size


def shorten(words: str, room: float, size: float = 13.0) -> str:
    """``words`` cut with an ellipsis to fit ``room``."""
    if width_of(words, size) <= room:
        return words
    kept = words
    while kept and width_of(kept + "…", size) > room:
        kept = kept[:-1]
    return kept.rstrip() + "…"


def wrap(words: str, room: float, size: float = 13.0, lines: int = 2) -> tuple[str, ...]:
    """``words`` broken at spaces into at most ``lines`` lines that fit ``room``; the rest is cut."""
    done: list[str] = []
    rest = words[:2000].split()
    while rest and len(done) < lines - 1:
        current = rest.pop(0)
        while rest and width_of(f"{current} {rest[0]}", size) <= room:
            current = f"{current} {rest.pop(0)}"
        done.append(shorten(current, room, size))
    if rest:
        done.append(shorten(" ".join(rest), room, size))
    return tuple(done)
