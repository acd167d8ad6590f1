"""Searching studies: ranked or newest first, filtered, in pages that stay put while others register.

A search is answered as of a log index, and its cursor carries that index. Newest-first pages go on below the last
index shown. Ranked pages go on through a list made once, with the first page, because the ranking's word statistics
move with every registration; the cursor holds the rest of that list.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from leadline.errors import InputError
from leadline.store.cursor import Cursor
from leadline.store.projections.search import STUDY_TEXT
from leadline.store.projections.studies import AREA, AUTHOR, STUDY, State, StudyRow, study_at
from leadline.store.protocol import ReadView
from leadline.store.text import Filter, TextQuestion, split_words

#: Ranked listings end here; whoever wants more asks for newest first, or for something narrower.
RANKED_DEPTH = 500
MAX_PAGE = 100
Synonyms = Callable[[str], Sequence[str]]


@dataclass(frozen=True, slots=True)
class Query:
    """What to look for: words and "phrases" that must all occur, and properties of the study.

    `order` is relevance unless there are no words; `limit` is the page size, 1 to 100.
    """

    text: str = ""
    area: str | None = None
    author: str | None = None
    state: State | None = None
    protocol: str | None = None
    keyid: str | None = None
    order: Literal["relevance", "newest"] = "relevance"
    limit: int = 10

    def filters(self) -> tuple[Filter, ...]:
        """The properties asked for, as filters."""
        given = (
            Filter(AREA, "ix", "area", self.area),
            Filter(AUTHOR, "ix", "name", self.author),
            Filter(STUDY, "ix", "state", self.state),
            Filter(STUDY, "ix", "protocol", self.protocol),
            Filter(STUDY, "ix", "keyid", self.keyid),
        )
        return tuple(item for item in given if item.value is not None)


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
    view: ReadView, query: Query, *, cursor: str | None = None, synonyms: Synonyms | None = None
) -> Page:
    """A page of studies that answer `query`; `synonyms` gives further words that may stand for a word.

    Raises InputError for a page size, text or cursor that makes no sense.
    """
    if not 1 <= query.limit <= MAX_PAGE:
        raise InputError(f"a page of {query.limit} studies", remedy=f"ask for 1 to {MAX_PAGE}")
    words = tuple((word, *(synonyms(word) if synonyms else ())) for word in split_words(query.text))
    if query.text.strip() and not words:
        return Page((), view.size(), capped=False, relaxed=False, cursor=None)
    at = Cursor.decode(cursor, query) if cursor else Cursor(as_of=view.size())
    if query.order == "newest" or not words:
        return _newest(view, query, words, at)
    return _ranked(view, query, words, at, first=cursor is None)


def _newest(view: ReadView, query: Query, words: tuple[tuple[str, ...], ...], at: Cursor) -> Page:
    found = view.match_text(
        TextQuestion(
            STUDY_TEXT,
            words,
            as_of=at.as_of,
            limit=query.limit + 1,
            filters=query.filters(),
            ranked=False,
            before=at.before,
        )
    ).indexes
    shown, more = found[: query.limit], len(found) > query.limit
    following = Cursor(at.as_of, before=shown[-1]).encode(query) if more else None
    return Page(_rows(view, shown), at.as_of, capped=False, relaxed=False, cursor=following)


def _ranked(
    view: ReadView, query: Query, words: tuple[tuple[str, ...], ...], at: Cursor, *, first: bool
) -> Page:
    if first:
        at = _rank(view, query, words, at.as_of)
    shown, rest = at.rest[: query.limit], at.rest[query.limit :]
    following = Cursor(at.as_of, None, rest, at.capped, at.relaxed).encode(query) if rest else None
    return Page(_rows(view, shown), at.as_of, at.capped, at.relaxed, following)


def _rank(view: ReadView, query: Query, words: tuple[tuple[str, ...], ...], as_of: int) -> Cursor:
    for every in (True, False):
        question = TextQuestion(
            STUDY_TEXT, words, as_of=as_of, limit=RANKED_DEPTH, filters=query.filters(), every=every
        )
        answer = view.match_text(question)
        if answer.indexes or len(words) == 1:
            break
    relaxed = not every and bool(answer.indexes)
    return Cursor(as_of, None, tuple(answer.indexes), answer.capped, relaxed)


def _rows(view: ReadView, indexes: Sequence[int]) -> tuple[StudyRow, ...]:
    found = (study_at(view, index) for index in indexes)
    return tuple(row for row in found if row is not None)
