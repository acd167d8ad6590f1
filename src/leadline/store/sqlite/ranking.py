"""Which words rank, in an index so large that the ranking itself must be rationed.

FTS5's bm25 counts the documents of each phrase anew for every query: milliseconds for 100,000 documents, 20 ms per
common word for a million, 130 ms for a phrase of common words. A word found in more than half of all documents
has next to no weight in bm25, so in a large index the commonest words only select, and the rarer ones rank.
"""

# ruff: noqa: S608 -- names in SQL come from this package's own table definitions; values are always bound

import re
import sqlite3
from typing import Final

from leadline.store.sqlite.expression import fts_expression
from leadline.store.text import TextQuestion

Groups = tuple[tuple[str, ...], ...]

#: Up to this many documents every word ranks.
LARGE: Final = 200_000
#: Documents that may be counted for one ranking.
_BUDGET: Final = 350_000
#: How many newest log indexes are looked at to guess how common a word is.
_WINDOW: Final = 10_000
#: What looking for a phrase in a document costs, in plain words.
_PHRASE: Final = 6
_WORD = re.compile(r"\w+")


def ranking_words(db: sqlite3.Connection, question: TextQuestion) -> Groups:
    """The groups of words to rank by: all of them, or the rarest that can be counted in time, at least one."""
    name = question.index.name
    (top,) = db.execute(
        f"SELECT max(rowid) FROM (SELECT rowid FROM {name} ORDER BY rowid DESC LIMIT 1)"
    ).fetchone()
    if top is None or top < LARGE:
        return question.words
    groups = question.words
    costs = {group: _cost(db, name, group, top) for group in dict.fromkeys(groups)}
    if question.every and min(costs.values()) > _BUDGET:
        # Every group is too dear, so there is a phrase among them or it has many synonyms: rank by single words.
        groups = tuple((word,) for group in groups[:4] for word in _WORD.findall(group[0])[:4]) or groups
        costs = {group: _cost(db, name, group, top) for group in dict.fromkeys(groups)}
    chosen: list[tuple[str, ...]] = []
    spent = 0.0
    for group in sorted(costs, key=costs.__getitem__):
        enough = bool(chosen) if question.every else spent > 0
        spent += costs[group]
        if enough and spent > _BUDGET:
            break
        chosen.append(group)
    return tuple(chosen)


def _cost(db: sqlite3.Connection, name: str, group: tuple[str, ...], top: int) -> float:
    """About how many documents must be counted for a group, guessed from the newest ones."""
    sql = f"SELECT count(*) FROM {name} WHERE {name} MATCH ? AND rowid > ?"
    total = 0.0
    for alternative in group:
        (recent,) = db.execute(sql, (fts_expression(((alternative,),), every=True), top - _WINDOW)).fetchone()
        total += recent * (_PHRASE if len(_WORD.findall(alternative)) > 1 else 1)
    return total * top / _WINDOW
