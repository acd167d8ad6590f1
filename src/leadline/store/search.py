"""Searching studies: ranked or newest first, filtered, in pages that stay put while others register.

A search is answered as of a log index, and its cursor carries that index. Newest-first pages go on below the last
index shown. Ranked pages go on through a list made once, with the first page, because the ranking's word statistics
move with every registration; the cursor holds the rest of that list.

What a study says in its freeze never changes, but its status and verdict do, and so may membership in a listing
that asks for them. Newest first, each page asks again: a study that satisfies the filter throughout is shown
exactly once, one that comes to satisfy it or ceases to is shown if it does when its page is made. A ranked listing
shows what satisfied the filter when its first page was made. No listing ever shows a study twice.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from leadline.errors import InputError
from leadline.store.cursor import Cursor
from leadline.store.projections.search import STUDY_TEXT
from leadline.store.projections.studies import StudyRow, studies_at
from leadline.store.protocol import ReadView
from leadline.store.query import Query
from leadline.store.text import Filter, TextQuestion, split_words

#: Ranked listings end here; whoever wants more asks for newest first, or for something narrower.
RANKED_DEPTH = 500
MAX_PAGE = 100
Synonyms = Callable[[str], Sequence[str]]
WordGroups = tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Page:
    """One page of studies, as of a log size.

    `capped`: ranked among the newest 5,000 matches only. `relaxed`: no study has all the words, so these have
    some of them. `cursor`: pass it to the next call for the next page; None at the end.
    """

    studies: tuple[StudyRow, ...]
    as_of: int
    capped: bool
    relaxed: bool
    cursor: str | None


def search_studies(
    view: ReadView,
    query: Query,
    *,
    cursor: str | None = None,
    synonyms: Synonyms | None = None,
    today: date | None = None,
) -> Page:
    """A page of studies that answer `query`; `synonyms` gives further words that may stand for a word.

    `today` (UTC) decides what is overdue; a query for a status needs it. Raises InputError for a page size, text,
    filter or cursor that makes no sense.
    """
    if not 1 <= query.limit <= MAX_PAGE:
        raise InputError(f"a page of {query.limit} studies", remedy=f"ask for 1 to {MAX_PAGE}")
    words = word_groups(query, synonyms)
    filters = query.filters(today)
    if query.text.strip() and not words:
        return Page((), view.size(), capped=False, relaxed=False, cursor=None)
    at = Cursor.decode(cursor, query) if cursor else Cursor(as_of=view.size())
    if query.order == "newest" or not words:
        return _newest(view, query, words, filters, at)
    if cursor is None:
        at = _rank(view, words, filters, at.as_of)
    return _ranked(view, query, at)


def word_groups(query: Query, synonyms: Synonyms | None = None) -> WordGroups:
    """The words asked for, each with what may stand for it."""
    return tuple((word, *(synonyms(word) if synonyms else ())) for word in split_words(query.text))


def _newest(view: ReadView, query: Query, words: WordGroups, filters: tuple[Filter, ...], at: Cursor) -> Page:
    found = view.match_text(
        TextQuestion(
            STUDY_TEXT,
            words,
            as_of=at.as_of,
            limit=query.limit + 1,
            filters=filters,
            ranked=False,
            before=at.before,
        )
    ).indexes
    shown, more = found[: query.limit], len(found) > query.limit
    following = Cursor(at.as_of, before=shown[-1]).encode(query) if more else None
    return Page(_rows(view, shown), at.as_of, capped=False, relaxed=False, cursor=following)


def _ranked(view: ReadView, query: Query, at: Cursor) -> Page:
    shown, rest = at.rest[: query.limit], at.rest[query.limit :]
    following = Cursor(at.as_of, None, rest, at.capped, at.relaxed).encode(query) if rest else None
    return Page(_rows(view, shown), at.as_of, at.capped, at.relaxed, following)


def _rank(view: ReadView, words: WordGroups, filters: tuple[Filter, ...], as_of: int) -> Cursor:
    for every in (True, False):
        question = TextQuestion(
            STUDY_TEXT, words, as_of=as_of, limit=RANKED_DEPTH, filters=filters, every=every
        )
        answer = view.match_text(question)
        if answer.indexes or len(words) == 1:
            break
    relaxed = not every and bool(answer.indexes)
    return Cursor(as_of, None, tuple(answer.indexes), answer.capped, relaxed)


def _rows(view: ReadView, indexes: Sequence[int]) -> tuple[StudyRow, ...]:
    return tuple(studies_at(view, indexes))


__all__ = [
    "MAX_PAGE",
    "RANKED_DEPTH",
    "Page",
    "Query",
    "Synonyms",
    "WordGroups",
    "search_studies",
    "word_groups",
]
