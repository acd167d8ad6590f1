"""Finding one's way in the vocabularies."""

import re
from difflib import get_close_matches
from functools import cache

from leadline.errors import NotFoundError
from leadline.landscape.areas import AREAS, Area, Leaf
from leadline.landscape.axes import AXES, Axis
from leadline.landscape.techniques import TECHNIQUES, Technique

_COMMON = frozenset({"and", "for", "from", "how", "its", "the", "what", "with", "model", "models", "other"})


def areas() -> tuple[Area, ...]:
    """All areas, in the order of the map."""
    return AREAS


def axes() -> tuple[Axis, ...]:
    """The axes of difference, in the order protocols list them."""
    return AXES


def leaves() -> tuple[Leaf, ...]:
    """All leaves of all areas."""
    return tuple(leaf for area in AREAS for leaf in area.leaves)


def area(identifier: str) -> Area | Leaf:
    """The area (`control`) or leaf (`control/monitoring`) of that id; `NotFoundError` suggests others."""
    for group in AREAS:
        if group.id == identifier:
            return group
        for leaf in group.leaves:
            if leaf.id == identifier:
                return leaf
    near = get_close_matches(identifier, [group.id for group in AREAS], n=1) or suggest(identifier)
    raise NotFoundError(
        f"the landscape has no area {identifier!r}",
        remedy=f"did you mean {near[0]!r}?"
        if near
        else f"begin with one of: {', '.join(a.id for a in AREAS)}",
    )


def is_area(identifier: str) -> bool:
    """Whether `identifier` is an area or a leaf."""
    return any(
        identifier == group.id or any(identifier == leaf.id for leaf in group.leaves) for group in AREAS
    )


def suggest(text: str, limit: int = 5) -> list[str]:
    """Ids of the leaves that `text` most likely means, best first; empty when nothing is near.

    A leaf scores for each word it shares with the text, more for words of its id, and for a
    spelling close to its id.
    """
    asked = _stems(text)
    close = get_close_matches(text.lower(), [leaf.id for leaf in leaves()], n=limit, cutoff=0.6)
    scores: dict[str, float] = {}
    for leaf in leaves():
        named = _stems(leaf.id)
        described = _stems(leaf.title) | {stem for words in leaf.words for stem in _stems(words)}
        score = 2.0 * len(asked & named) + len(asked & (described - named))
        score += len(close) - close.index(leaf.id) if leaf.id in close else 0
        if score:
            scores[leaf.id] = score
    return sorted(scores, key=lambda identifier: (-scores[identifier], identifier))[:limit]


def mentioned(text: str) -> list[str]:
    """Ids of the leaves that `text` names outright, in the order of the map.

    Unlike `suggest`, one shared word of several is not enough: all words of the leaf's own name, of its
    title or of one of its terms must be there ("examples" does not mean "adversarial examples").
    """
    asked = _stems(text)
    return [
        leaf.id
        for leaf in leaves()
        if any(
            (stems := _stems(term)) and stems <= asked
            for term in (leaf.id.rpartition("/")[2], leaf.title, *leaf.words)
        )
    ]


def _stems(text: str) -> set[str]:
    """Words cut to a stem: enough that `probes` meets `probe`, and `monitors` meets `monitoring`."""
    words = set(re.findall(r"[a-z0-9]{3,}", text.lower())) - _COMMON
    return {re.sub(r"(ings?|ies|es|s|ors?|ed|e|y)$", "", word) or word for word in words}


def technique(text: str) -> Technique | None:
    """The technique of that name or alias, compared without case, dashes and spaces; None if unknown."""
    return _techniques().get(_folded(text))


@cache
def _techniques() -> dict[str, Technique]:
    """Techniques by every folded name; where two share an alias, the first one has it."""
    found: dict[str, Technique] = {}
    for known in TECHNIQUES:
        for name in (known.id, *known.aliases):
            found.setdefault(_folded(name), known)
    return found


def _folded(text: str) -> str:
    return re.sub(r"[\s_-]+", "", text.casefold())
