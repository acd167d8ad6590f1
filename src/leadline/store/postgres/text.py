"""Full-text questions over GIN indexes, with the same ranking cap as the embedded engine.

The newest `RANK_CAP` matches are found first and only they are ranked; filters stand inside that search, so that a
selective filter never leaves an empty page although matches exist. A document's score is the sum, over the groups
of words asked for, of `ts_rank` with the columns' weights, which divides by the logarithm of the document's length.
Where some of the groups suffice, each counts by how telling it is: by the logarithm of how few candidates have it,
as in BM25. Ties are broken by newest.
"""

# ruff: noqa: S608 -- names in SQL come from this package's own table definitions; values are always bound

from collections.abc import Sequence
from typing import Any, Final

from leadline.store.postgres.schema import place, quoted
from leadline.store.postgres.session import Session
from leadline.store.postgres.tables import bound, cast_of
from leadline.store.postgres.words import group, label_weights
from leadline.store.text import RANK_CAP, Filter, TextAnswer, TextQuestion

_OPERATORS: Final = {"=": "= {}", "<": "< {}", ">=": ">= {}", "in": "= ANY({})"}


def match_text(session: Session, question: TextQuestion) -> TextAnswer:
    """Answer `question` from the vectors of its index; without words, from the newest documents."""
    groups = [group(alternatives) for alternatives in question.words]
    if groups and not (all(groups) if question.every else any(groups)):
        return TextAnswer([], capped=False)  # a group without any word occurs nowhere
    groups = [text for text in groups if text]
    condition, values = _condition(question, groups)
    newest = f"FROM {place(question.index.name)} AS d WHERE {condition} ORDER BY ix DESC LIMIT %s::bigint"
    if not question.ranked or not groups:
        rows = session.planned(f"SELECT ix {newest}", (*values, question.limit))
        return TextAnswer([index for (index,) in rows], capped=False)
    sql, ranking = _ranked(question, groups, newest)
    rows = session.planned(sql, (*values, RANK_CAP + 1, *ranking, RANK_CAP, question.limit))
    return TextAnswer([index for index, _ in rows], capped=bool(rows) and rows[0][1] > RANK_CAP)


def _ranked(question: TextQuestion, groups: Sequence[str], newest: str) -> tuple[str, list[Any]]:
    """The ranking query, and the values bound in its scores."""
    weights = label_weights(question.index)
    scores: list[str] = []
    values: list[Any] = []
    for number, text in enumerate(groups):
        score = "ts_rank(%s::real[], words, %s::tsquery, 1)"
        values += [weights, text]
        if "<->" in text:  # ts_rank by itself also rewards the phrase's words apart from each other
            score = f"CASE WHEN words @@ %s::tsquery THEN {score} ELSE 0 END"
            values[-2:] = [text, *values[-2:]]
        scores.append(f"{score} AS r{number}")
    several = len(groups) > 1 and not question.every
    terms = [f"r{number} * t{number}" if several else f"r{number}" for number in range(len(groups))]
    sql = (
        f"WITH candidate AS MATERIALIZED (SELECT ix, words {newest}), "
        f"scored AS MATERIALIZED (SELECT ix, {', '.join(scores)} FROM "
        f"(SELECT ix, words FROM candidate ORDER BY ix DESC LIMIT %s::bigint) AS newest)"
        f"{_telling(len(groups)) if several else ''} "
        f"SELECT ix, (SELECT count(*) FROM candidate) FROM scored{', telling' if several else ''} "
        f"ORDER BY {' + '.join(terms)} DESC, ix DESC LIMIT %s::bigint"
    )
    return sql, values


def _telling(groups: int) -> str:
    """How telling each group is among the candidates, as BM25 has it; ts_rank says 1e-20 for "not at all"."""
    having = [f"count(*) FILTER (WHERE r{number} > 1e-9)" for number in range(groups)]
    parts = [f"ln(1 + (count(*) - {n} + 0.5) / ({n} + 0.5)) AS t{number}" for number, n in enumerate(having)]
    return f", telling AS (SELECT {', '.join(parts)} FROM scored)"


def _condition(question: TextQuestion, groups: Sequence[str]) -> tuple[str, list[Any]]:
    """The WHERE terms of the search for candidates, and the values bound in them."""
    terms: list[str] = []
    values: list[Any] = []
    if groups:
        terms.append("words @@ %s::tsquery")
        values.append((" & " if question.every else " | ").join(groups))
    for item in question.filters:
        terms.append(_exists(item))
        values.append(bound(list(item.value)) if isinstance(item.value, tuple) else bound([item.value])[0])
    terms.append("ix < %s::bigint")
    values.append(question.as_of if question.before is None else min(question.before, question.as_of))
    return " AND ".join(terms), values


def _exists(item: Filter) -> str:
    """A lookup by the filter's table, correlated by log index."""
    known = set(item.table.names)
    if not {item.link, item.column} <= known:
        raise ValueError(f"table {item.table.name} has no columns {item.link}, {item.column}")
    several = isinstance(item.value, tuple)
    if several != (item.op == "in"):
        raise ValueError(f"the comparison {item.op!r} does not fit the value {item.value!r}")
    mark = f"%s::{cast_of(item.table, item.column)}{'[]' if several else ''}"
    return (
        f"{'NOT EXISTS' if item.absent else 'EXISTS'} (SELECT 1 FROM {place(item.table.name)} AS f "
        f"WHERE f.{quoted(item.link)} = d.ix AND f.{quoted(item.column)} {_OPERATORS[item.op].format(mark)})"
    )
