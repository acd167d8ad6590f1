"""Full-text questions in FTS5, with the ranking cap.

FTS5 scores every match before it applies LIMIT, so a common word costs a full ranking. Therefore the newest
`RANK_CAP` matches are found first, by a scan from the high end that never scores, and only they are ranked.
Filters stand inside that scan: applied after it, a selective filter could leave an empty page although matches
exist. They are correlated EXISTS lookups by primary key or index, so that the planner cannot turn the query
around and drop the text index. Ties keep FTS5's own order: a second ORDER BY key would disable its sorter.
"""

# ruff: noqa: S608 -- names in SQL come from this package's own table definitions; values are always bound

import sqlite3

from leadline.store.projection import Value
from leadline.store.text import RANK_CAP, Filter, TextAnswer, TextQuestion


def match_text(db: sqlite3.Connection, question: TextQuestion) -> TextAnswer:
    """Answer `question` from the FTS5 table of its index; without words, from the newest documents."""
    name = question.index.name
    below = question.as_of if question.before is None else min(question.before, question.as_of)
    condition, bound = _condition(question)
    if not question.ranked or not question.words:
        sql = f"SELECT rowid FROM {name} WHERE {condition} ORDER BY rowid DESC LIMIT ?"
        return TextAnswer(_column(db, sql, (*bound, below, question.limit)), capped=False)
    newest = f"SELECT rowid AS r FROM {name} WHERE {condition} ORDER BY rowid DESC LIMIT {RANK_CAP}"
    floor, found = db.execute(
        f"SELECT coalesce(min(r), 0), count(*) FROM ({newest})", (*bound, below)
    ).fetchone()
    if not found:
        return TextAnswer([], capped=False)
    capped = found == RANK_CAP and bool(
        _column(db, f"{newest[: newest.rindex('LIMIT')]} LIMIT 1", (*bound, floor))
    )
    best = f"SELECT rowid FROM {name} WHERE {condition} AND rowid >= ? ORDER BY rank LIMIT ?"
    return TextAnswer(_column(db, best, (*bound, below, floor, question.limit)), capped)


def _condition(question: TextQuestion) -> tuple[str, tuple[Value, ...]]:
    """The WHERE terms shared by all queries, ending in `rowid < ?`, and the values bound before that one."""
    name = question.index.name
    terms: list[str] = []
    bound: list[Value] = []
    if question.words:
        terms.append(f"{name} MATCH ?")
        bound.append(fts_expression(question.words, every=question.every))
    for item in question.filters:
        terms.append(_exists(name, item))
        bound.append(item.value)
    terms.append("rowid < ?")
    return " AND ".join(terms), tuple(bound)


def _exists(name: str, item: Filter) -> str:
    known = set(item.table.names)
    if not {item.link, item.column} <= known:
        raise ValueError(f"table {item.table.name} has no columns {item.link}, {item.column}")
    table = item.table.name
    return f"EXISTS (SELECT 1 FROM {table} WHERE {table}.{item.link} = {name}.rowid AND {table}.{item.column} = ?)"


def fts_expression(words: tuple[tuple[str, ...], ...], *, every: bool) -> str:
    """An FTS5 expression in which user text occurs only inside double quotes, so none of it is syntax."""
    groups = [
        "(" + " OR ".join('"' + word.replace('"', '""') + '"' for word in group) + ")" for group in words
    ]
    return (" AND " if every else " OR ").join(groups)


def _column(db: sqlite3.Connection, sql: str, bound: tuple[Value, ...]) -> list[int]:
    return [row[0] for row in db.execute(sql, bound)]
