"""Counting what a search finds: how many studies of each area, technique, model, verdict, status and gap."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final, Literal, get_args

from leadline.store.projections.facets import FACET
from leadline.store.projections.search import STUDY_TEXT
from leadline.store.projections.studies import STUDY
from leadline.store.protocol import ReadView
from leadline.store.query import Query, status_at
from leadline.store.search import Synonyms, WordGroups, word_groups
from leadline.store.text import RANK_CAP, TextQuestion

Facet = Literal["area", "technique", "model", "verdict", "standing", "status", "gap"]
FACETS: Final[tuple[Facet, ...]] = get_args(Facet)
#: Only the newest this many matches are counted.
COUNT_CAP: Final = RANK_CAP
Counts = list[tuple[str, int]]


@dataclass(frozen=True, slots=True)
class Facets(Mapping[str, Counts]):
    """For each facet, its values and how many of the studies found have them, most first.

    The counts of a facet leave the query's own choice in that facet out, so that the other values stay in sight.
    A study with several values of a facet counts under each. `total` is how many studies the whole query finds
    as of log index `as_of`. `capped`: there are more than 5,000, and `total` and the counts are of the newest
    5,000. `relaxed`: no study has all the words, and those with some of them were counted.
    """

    counts: dict[str, Counts]
    total: int
    as_of: int
    capped: bool
    relaxed: bool

    def __getitem__(self, facet: str) -> Counts:
        return self.counts[facet]

    def __iter__(self) -> Iterator[str]:
        return iter(self.counts)

    def __len__(self) -> int:
        return len(self.counts)


def facets(
    view: ReadView,
    query: Query,
    *,
    today: date | None = None,
    as_of: int | None = None,
    limit: int = 20,
    synonyms: Synonyms | None = None,
) -> Facets:
    """Count the studies that answer `query` by every facet, with at most `limit` values each.

    `today` (UTC) decides what is overdue; without it there is no facet ``status``. `as_of` is the log index a
    page of the same search was answered as of (default: now). Raises InputError as `search_studies` does.
    """
    words = word_groups(query, synonyms)
    tally = _Tally(view, words, view.size() if as_of is None else as_of, today)
    shown = [facet for facet in FACETS if facet != "status" or today is not None]
    if query.text.strip() and not words:
        return Facets({facet: [] for facet in shown}, 0, tally.as_of, capped=False, relaxed=False)
    found = tally.find(query)
    relaxed = not found and tally.relax(query)
    found = tally.find(query) if relaxed else found
    values = tally.values(found)
    counts: dict[str, Counts] = {}
    for facet in shown:
        here = values
        if getattr(query, facet) is not None:
            unchosen: dict[str, Any] = {facet: None}
            here = tally.values(tally.find(replace(query, **unchosen)), only=facet)
        ordered = sorted(here[facet].items(), key=lambda item: (-item[1], item[0]))
        counts[facet] = ordered[:limit]
    total, capped = min(len(found), COUNT_CAP), len(found) > COUNT_CAP
    return Facets(counts, total, tally.as_of, capped, relaxed)


class _Tally:
    """Finds and counts under one set of words, as of one log index."""

    def __init__(self, view: ReadView, words: WordGroups, as_of: int, today: date | None) -> None:
        self._view = view
        self._words = words
        self._today = today
        self._every = True
        self.as_of = as_of

    def relax(self, query: Query) -> bool:
        """Let some of the words suffice, where a page of this query would."""
        self._every = len(self._words) <= 1 or query.order == "newest"
        return not self._every

    def find(self, query: Query) -> list[int]:
        """Log indexes of the newest matches; one more than the cap where there are more."""
        question = TextQuestion(
            STUDY_TEXT,
            self._words,
            as_of=self.as_of,
            limit=COUNT_CAP + 1,
            filters=query.filters(self._today),
            every=self._every,
            ranked=False,
        )
        return self._view.match_text(question).indexes

    def values(self, found: Sequence[int], *, only: Facet | None = None) -> dict[str, Counter[str]]:
        """Values of every facet, or of one, among these studies, counted."""
        among = found[:COUNT_CAP]
        counts: dict[str, Counter[str]] = {facet: Counter() for facet in FACETS}
        if only != "status":
            starting = None if only is None else ("mark", f"{only}:")
            for (mark,), number in self._view.count_by(
                FACET, ("mark",), where="ix", among=among, starting=starting
            ):
                kind, _, value = str(mark).partition(":")
                if kind in counts:
                    counts[kind][value] = number
        if self._today is not None and only in (None, "status"):
            for (state, due), number in self._view.count_by(STUDY, ("state", "due"), where="ix", among=among):
                status = status_at(str(state), None if due is None else str(due), self._today)
                counts["status"][status] += number
        return counts
