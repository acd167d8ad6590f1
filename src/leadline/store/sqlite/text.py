"""Full-text questions in FTS5, with the ranking cap.

FTS5 scores every match before it applies LIMIT, so a common word costs a full ranking. Therefore the newest
`RANK_CAP` matches are found first, by a scan from the high end that never scores, and only they are ranked.
Filters stand inside that scan: applied after it, a selective filter could leave an empty page although matches
exist. How a filter is applied follows from how many rows it selects, counted up to a bound:

* few: its rows are gone through, and each is looked up in the text index;
* some: they are made a set once, and the scan asks the set;
* many, or not countable: a lookup by primary key or index for each row of the scan, which soon has enough;
* none: nothing is looked for.

The unary plus before `rowid` keeps the planner from turning a set round into one text query per member, which is
a hundred times slower. With filters the rank is a plain expression (`+rank`), computed for the rows that passed;
without them FTS5's own sorter is faster, and a second ORDER BY key would disable it, so ties keep its order.
"""

# ruff: noqa: S608 -- names in SQL come from this package's own table definitions; values are always bound

import json
import sqlite3
from collections.abc import Sequence
from typing import Final, NamedTuple

from leadline.store.projection import Value
from leadline.store.sqlite.expression import fts_expression
from leadline.store.sqlite.ranking import ranking_words
from leadline.store.text import RANK_CAP, Filter, TextAnswer, TextQuestion

_OPERATORS: Final = {"=": "=", "<": "<", ">=": ">=", "in": "IN"}
#: A filter that selects at most this many rows leads the search.
_FEW: Final = 200
#: A filter that selects at most this many rows is made a set.
_SOME: Final = 25_000
_MANY: Final = _SOME + 1


class _Sql(NamedTuple):
    """A piece of SQL and the values bound in it, in order."""

    text: str
    bound: tuple[Value, ...] = ()


def match_text(db: sqlite3.Connection, question: TextQuestion) -> TextAnswer:
    """Answer `question` from the FTS5 table of its index; without words, from the newest documents."""
    sizes = [_selected(db, item) for item in question.filters]
    if 0 in sizes:
        return TextAnswer([], capped=False)
    if not question.ranked or not question.words:
        return TextAnswer(_newest(db, question, sizes, question.limit), capped=False)
    words = ranking_words(db, question)
    if words == question.words and min(sizes, default=_MANY) <= RANK_CAP:
        return TextAnswer(_best_filtered(db, question, sizes), capped=False)
    newest = _newest(db, question, sizes, RANK_CAP + 1)
    candidates = newest[:RANK_CAP]
    ranked = _best(db, question, words, candidates)
    if len(ranked) < min(question.limit, len(candidates)):
        # Studies that have none of the words that rank come last, newest first.
        others = set(candidates) - set(ranked)
        ranked += sorted(others, reverse=True)[: question.limit - len(ranked)]
    return TextAnswer(ranked, capped=len(newest) > RANK_CAP)


def _best(
    db: sqlite3.Connection, question: TextQuestion, words: tuple[tuple[str, ...], ...], candidates: list[int]
) -> list[int]:
    """The candidates (highest log index first) that have these words, best first."""
    if not candidates:
        return []
    name = question.index.name
    expression = fts_expression(words, every=question.every)
    terms = [
        _Sql(f"{name} MATCH ?", (expression,)),
        _Sql("rowid <= ? AND rowid >= ?", (candidates[0], candidates[-1])),
    ]
    order = "rank"
    if question.filters or words != question.words:
        terms.append(_Sql("+rowid IN (SELECT value FROM json_each(?))", (json.dumps(candidates),)))
        order = "+rank"
    condition = _all_of(terms)
    sql = f"SELECT rowid FROM {name} WHERE {condition.text} ORDER BY {order} LIMIT ?"
    return _column(db, sql, (*condition.bound, question.limit))


def _best_filtered(db: sqlite3.Connection, question: TextQuestion, sizes: Sequence[int]) -> list[int]:
    """The best of what passes the filters, where they let through fewer than the cap."""
    condition = _scan(question, sizes)
    sql = f"SELECT rowid FROM {question.index.name} WHERE {condition.text} ORDER BY +rank LIMIT ?"
    return _column(db, sql, (*condition.bound, question.limit))


def _newest(db: sqlite3.Connection, question: TextQuestion, sizes: Sequence[int], limit: int) -> list[int]:
    """Log indexes of the newest documents that answer, highest first."""
    lead = min(range(len(sizes)), key=sizes.__getitem__, default=None)
    if lead is not None and not question.filters[lead].absent and (sizes[lead] <= _FEW or not question.words):
        return _led(db, question, lead, sizes, limit)
    condition = _scan(question, sizes)
    sql = f"SELECT rowid FROM {question.index.name} WHERE {condition.text} ORDER BY rowid DESC LIMIT ?"
    return _column(db, sql, (*condition.bound, limit))


def _scan(question: TextQuestion, sizes: Sequence[int]) -> _Sql:
    """Every condition of the question, for a scan of the text index."""
    rowid = f"{question.index.name}.rowid"
    terms = [_match(question)] if question.words else []
    looked_up: dict[str, list[Filter]] = {}
    for item, size in zip(question.filters, sizes, strict=True):
        if size > _SOME and not item.absent and item.table.key == (item.link,):
            looked_up.setdefault(item.table.name, []).append(item)
        else:
            terms.append(_filtered(rowid, item, size))
    terms += [_of_one_row(rowid, items) for items in looked_up.values()]
    terms.append(_Sql("rowid < ?", (_below(question),)))
    return _all_of(terms)


def _of_one_row(rowid: str, items: Sequence[Filter]) -> _Sql:
    """Several filters on the one row that a table has for a document: one look-up."""
    table, link = items[0].table.name, items[0].link
    compared = _all_of([_compared(item) for item in items])
    text = f"EXISTS (SELECT 1 FROM {table} WHERE {table}.{link} = {rowid} AND {compared.text})"
    return _Sql(text, compared.bound)


def _led(
    db: sqlite3.Connection, question: TextQuestion, lead: int, sizes: Sequence[int], limit: int
) -> list[int]:
    """The same, going through the rows of one filter's table."""
    first = question.filters[lead]
    # Under a name of its own: another filter may ask the same table for another row.
    link, name = f"lead.{first.link}", question.index.name
    terms = [_compared(first, "lead"), _Sql(f"{link} < ?", (_below(question),))]
    terms += [
        _filtered(link, item, size)
        for position, (item, size) in enumerate(zip(question.filters, sizes, strict=True))
        if position != lead
    ]
    document = [*([_match(question)] if question.words else []), _Sql(f"{name}.rowid = {link}")]
    there = _all_of(document)
    terms.append(_Sql(f"EXISTS (SELECT 1 FROM {name} WHERE {there.text})", there.bound))
    condition = _all_of(terms)
    sql = f"SELECT DISTINCT {link} FROM {first.table.name} AS lead WHERE {condition.text} ORDER BY {link} DESC LIMIT ?"
    return _column(db, sql, (*condition.bound, limit))


def _below(question: TextQuestion) -> int:
    return question.as_of if question.before is None else min(question.before, question.as_of)


def _match(question: TextQuestion) -> _Sql:
    return _Sql(f"{question.index.name} MATCH ?", (fts_expression(question.words, every=question.every),))


def _selected(db: sqlite3.Connection, item: Filter) -> int:
    """How many rows the filter selects, where an index tells it quickly; counted up to a bound."""
    indexed = {group[0] for group in (item.table.key, *item.table.indexes)}
    if item.absent or item.column not in indexed:
        return _MANY
    where = _compared(item)
    sql = f"SELECT count(*) FROM (SELECT 1 FROM {item.table.name} WHERE {where.text} LIMIT {_MANY})"
    (number,) = db.execute(sql, where.bound).fetchone()
    return int(number)


def _filtered(rowid: str, item: Filter, size: int) -> _Sql:
    """The condition that the document at `rowid` passes a filter which selects `size` rows."""
    compared, table = _compared(item), item.table.name
    if size <= _SOME:
        return _Sql(
            f"+{rowid} IN (SELECT {table}.{item.link} FROM {table} WHERE {compared.text})", compared.bound
        )
    verb = "NOT EXISTS" if item.absent else "EXISTS"
    text = f"{verb} (SELECT 1 FROM {table} WHERE {table}.{item.link} = {rowid} AND {compared.text})"
    return _Sql(text, compared.bound)


def _compared(item: Filter, alias: str | None = None) -> _Sql:
    if not {item.link, item.column} <= set(item.table.names):
        raise ValueError(f"table {item.table.name} has no columns {item.link}, {item.column}")
    several = isinstance(item.value, tuple)
    if several != (item.op == "in"):
        raise ValueError(f"the comparison {item.op!r} does not fit the value {item.value!r}")
    bound = item.value if isinstance(item.value, tuple) else (item.value,)
    wanted = f"({', '.join('?' * len(bound))})" if several else "?"
    return _Sql(f"{alias or item.table.name}.{item.column} {_OPERATORS[item.op]} {wanted}", bound)


def _all_of(terms: Sequence[_Sql]) -> _Sql:
    return _Sql(
        " AND ".join(term.text for term in terms), tuple(value for term in terms for value in term.bound)
    )


def _column(db: sqlite3.Connection, sql: str, bound: tuple[Value, ...]) -> list[int]:
    return [row[0] for row in db.execute(sql, bound)]
