"""A full-text question in words every engine understands, and the answer to it."""

import unicodedata
from dataclasses import dataclass
from typing import Literal, NamedTuple

from leadline.errors import InputError
from leadline.store.projection import Table, TextIndex, Value

#: Only the newest this many matches are ranked: scoring every match of a common word costs a second at 10^6.
RANK_CAP = 5_000
MAX_QUERY = 1_000
MAX_WORDS = 32


#: `=`, `<` and `>=` compare with one value, `in` with each of a tuple; texts compare bytewise, NULL never matches.
Comparison = Literal["=", "<", ">=", "in"]


class Filter(NamedTuple):
    """Keep a document only if `table` has a row whose `link` is its log index and whose `column` compares so.

    The comparison is `column` `op` `value`. With `absent` the document is kept only if there is no such row.
    Each filter asks for a row of its own; two filters need not be satisfied by the same row.
    """

    table: Table
    link: str
    column: str
    value: Value | tuple[Value, ...]
    op: Comparison = "="
    absent: bool = False


@dataclass(frozen=True, slots=True)
class TextQuestion:
    """Documents in which every group of `words` has a match, and that pass all filters.

    A group is a tuple of alternatives (a word or phrase and its synonyms). Only documents below log index
    `as_of` count. Best first when `ranked`, otherwise newest first and below `before`.
    """

    index: TextIndex
    words: tuple[tuple[str, ...], ...]
    as_of: int
    limit: int
    filters: tuple[Filter, ...] = ()
    every: bool = True
    ranked: bool = True
    before: int | None = None


class TextAnswer(NamedTuple):
    """Log indexes of matching documents; `capped` when only the newest `RANK_CAP` matches were ranked."""

    indexes: list[int]
    capped: bool


def split_words(text: str) -> tuple[str, ...]:
    """Words and "quoted phrases" of what a person typed; everything else in it is plain text, never syntax.

    Control characters are spaces, and pieces without a letter or digit are dropped. Raises InputError above 1,000 characters or 32 words.
    """
    if len(text) > MAX_QUERY:
        raise InputError(
            f"the search text has {len(text):,} characters", remedy=f"use at most {MAX_QUERY:,} characters"
        )
    text = "".join(" " if unicodedata.category(c) in ("Cc", "Cs") else c for c in text)
    pieces: list[str] = []
    for position, part in enumerate(text.split('"')):
        pieces += [part] if position % 2 else part.split()
    words = tuple(dict.fromkeys(" ".join(piece.split()) for piece in pieces if _speaks(piece)))
    if len(words) > MAX_WORDS:
        raise InputError(f"the search text has {len(words)} words", remedy=f"use at most {MAX_WORDS} words")
    return words


def _speaks(piece: str) -> bool:
    return any(unicodedata.category(character)[0] in "LN" for character in piece)
