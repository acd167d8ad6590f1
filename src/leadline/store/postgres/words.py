"""Text as words, and words as PostgreSQL's vectors and queries.

The words are made here and not by the server: its parser splits addresses, numbers and hyphenated words in ways of
its own, and its dictionaries differ from installation to installation. As in the embedded engine, a word is a run
of letters and digits, folded to lower case without diacritics, and stemmed; for scripts that write vowels as marks
the two engines may draw the line between words differently.
"""

import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache
from hashlib import sha256
from typing import Final

from leadline.store.postgres.porter import stem
from leadline.store.projection import TextIndex

#: Longer words are indexed under a digest: 20,000 of them must fit into a vector, which holds 1 MiB.
LONGEST: Final = 32
#: A vector counts positions up to here; words beyond it share the last one.
LAST_POSITION: Final = 16_383
#: A vector notes this many positions of a word.
_MOST_PLACES: Final = 255
_LABELS: Final = "ABCD"


def words_of(text: str) -> list[str]:
    """The words of a text, in order, each as it is indexed."""
    return [_indexed(word) for word in _split(text)]


def vector(index: TextIndex, texts: Sequence[str]) -> str:
    """A document as text that casts to ``tsvector``: every word with its positions, labelled by column.

    Between two columns a position stays empty, so that no phrase runs from one into the next.
    """
    places: dict[str, list[str]] = {}
    position = 0
    for text, label in zip(texts, labels(index), strict=True):
        for word in words_of(text):
            position += 1
            spots = places.setdefault(word, [])
            if len(spots) < _MOST_PLACES:
                spots.append(f"{min(position, LAST_POSITION)}{label}")
        position += 1
    return " ".join(f"'{word}':{','.join(spots)}" for word, spots in sorted(places.items()))


def labels(index: TextIndex) -> list[str]:
    """A to D for each column, by weight; columns of the smallest weights share D where there are more."""
    ranks = {weight: place for place, weight in enumerate(sorted(set(index.weights), reverse=True))}
    return [_LABELS[min(ranks[weight], 3)] for weight in index.weights]


def label_weights(index: TextIndex) -> list[float]:
    """The weights of labels D, C, B and A, as ``ts_rank`` takes them: the largest is 1."""
    largest = max(index.weights)
    given = dict(zip(reversed(labels(index)), reversed(index.weights), strict=True))
    return [given.get(label, 0.0) / largest for label in reversed(_LABELS)]


def phrase(text: str) -> str:
    """A word or phrase as text that casts to ``tsquery``: its words one after the other; empty without words."""
    words = [f"'{word}'" for word in words_of(text)]
    return words[0] if len(words) == 1 else f"({' <-> '.join(words)})" if words else ""


def group(alternatives: Sequence[str]) -> str:
    """Words or phrases, any of which will do, as text that casts to ``tsquery``."""
    terms = [term for term in dict.fromkeys(map(phrase, alternatives)) if term]
    return terms[0] if len(terms) == 1 else f"({' | '.join(terms)})" if terms else ""


def _split(text: str) -> Iterator[str]:
    """Runs of letters, digits and private-use characters, folded; marks belong to the word and vanish."""
    word: list[str] = []
    for character in text:
        folded = _folded(character)
        if folded is not None:
            word.append(folded)
        elif word:
            yield "".join(word)
            word = []
    if word:
        yield "".join(word)


@lru_cache(maxsize=1 << 16)
def _folded(character: str) -> str | None:
    """What a character contributes to its word, or None where it separates words."""
    category = unicodedata.category(character)
    if category[0] == "M":
        return ""
    if category[0] not in "LN" and category != "Co":
        return None
    base = unicodedata.normalize("NFD", character)
    bare = "".join(c for c in base if unicodedata.category(c) != "Mn") if len(base) > 1 else character
    if not bare.isascii():  # FTS5 takes accents off Latin letters only
        bare = character
    folded = bare.casefold()
    return folded if len(folded) == len(bare) else bare.lower()


def _indexed(word: str) -> str:
    stemmed = stem(word)
    if len(stemmed.encode()) <= LONGEST:
        return stemmed
    return sha256(stemmed.encode()).hexdigest()[:LONGEST]
