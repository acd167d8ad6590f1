"""Random expressions give what SQLite gives, three-valued logic included."""

import sqlite3
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadline.protocol.expression import compile as read

NUMBERS = [1.0, 0.0, -2.5, None, 3.0, 2.0, None, 0.5]
LEVELS = [None, 1.0, 2.0, None, -2.5, 2.0, 7.0, 0.25]
TEXTS = ["C", "abc", None, "", "a_b%c", "ABC", "b", "ab"]
OTHERS = ["a", None, "abc", "x", "c", "ab", None, ""]
FLAGS = [True, False, None, True, None, False, False, True]
TABLE = pa.table(
    {"value": NUMBERS, "total_time": LEVELS, "answer": TEXTS, "target": OTHERS, "invalidated": FLAGS}
)

literal = st.sampled_from(["0", "1", "2", "-2.5", "0.5", "3.0", "null"]).map(
    lambda x: f"({x})" if x[0] == "-" else x
)
word = st.sampled_from(["'C'", "'abc'", "''", "'a'", "'b'", "null"])


def numbers(
    inner: "st.SearchStrategy[str]", truths: "st.SearchStrategy[str]", texts: "st.SearchStrategy[str]"
) -> Any:
    """Numeric expressions over smaller ones."""
    return st.one_of(
        st.tuples(inner, st.sampled_from("+-*"), inner).map(lambda t: f"({t[0]} {t[1]} {t[2]})"),
        st.tuples(inner, inner).map(lambda t: f"({t[0]} / {t[1]})"),
        inner.map(lambda x: f"abs({x})"),
        st.tuples(inner, inner).map(lambda t: f"coalesce({t[0]}, {t[1]})"),
        st.tuples(inner, inner).map(lambda t: f"nullif({t[0]}, {t[1]})"),
        st.tuples(truths, inner, inner).map(lambda t: f"case when {t[0]} then {t[1]} else {t[2]} end"),
        texts.map(lambda x: f"length({x})"),
    )


def strings(inner: "st.SearchStrategy[str]", truths: "st.SearchStrategy[str]") -> Any:
    """Text expressions over smaller ones."""
    return st.one_of(
        st.tuples(inner, inner).map(lambda t: f"({t[0]} || {t[1]})"),
        inner.map(lambda x: f"upper({x})"),
        inner.map(lambda x: f"lower({x})"),
        st.tuples(inner, st.integers(1, 3), st.integers(0, 3)).map(
            lambda t: f"substr({t[0]}, {t[1]}, {t[2]})"
        ),
        st.tuples(inner, st.integers(1, 3)).map(lambda t: f"substr({t[0]}, {t[1]})"),
        st.tuples(inner, inner).map(lambda t: f"coalesce({t[0]}, {t[1]})"),
        st.tuples(truths, inner, inner).map(lambda t: f"case when {t[0]} then {t[1]} else {t[2]} end"),
    )


def conditions(inner: Any, nums: Any, texts: Any) -> Any:
    """Conditions over smaller ones."""
    compare = st.sampled_from(["=", "<>", "<", "<=", ">", ">="])
    like = st.sampled_from(["'a%'", "'%b%'", "'_'", "'a_c'", "'%'", "''", "'abc'"])
    return st.one_of(
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(lambda t: f"({t[0]} {t[1]} {t[2]})"),
        inner.map(lambda x: f"(not {x})"),
        st.tuples(nums, compare, nums).map(lambda t: f"({t[0]} {t[1]} {t[2]})"),
        st.tuples(texts, compare, texts).map(lambda t: f"({t[0]} {t[1]} {t[2]})"),
        st.tuples(nums, st.lists(literal, min_size=1, max_size=3)).map(
            lambda t: f"({t[0]} in ({', '.join(t[1])}))"
        ),
        st.tuples(texts, st.lists(word, min_size=1, max_size=3)).map(
            lambda t: f"({t[0]} not in ({', '.join(t[1])}))"
        ),
        st.tuples(nums, nums, nums).map(lambda t: f"({t[0]} between {t[1]} and {t[2]})"),
        st.tuples(texts, like).map(lambda t: f"({t[0]} like {t[1]})"),
        st.one_of(nums, texts, inner).map(lambda x: f"({x} is null)"),
        st.one_of(nums, texts, inner).map(lambda x: f"({x} is not null)"),
        inner.map(lambda x: f"({x} is true)"),
        inner.map(lambda x: f"({x} is not false)"),
    )


def deepen(levels: int) -> tuple[Any, Any, Any]:
    """Strategies for numbers, texts and conditions of a given depth."""
    nums: Any = st.one_of(st.sampled_from(["value", "total_time"]), literal)
    texts: Any = st.one_of(st.sampled_from(["answer", "target"]), word)
    truths: Any = st.sampled_from(["invalidated", "true", "false", "(value > 0)", "(answer = 'C')"])
    for _ in range(levels):
        nums, texts, truths = (
            st.one_of(nums, numbers(nums, truths, texts)),
            st.one_of(texts, strings(texts, truths)),
            st.one_of(truths, conditions(truths, nums, texts)),
        )
    return nums, texts, truths


NUMS, STRINGS, TRUTHS = deepen(3)


@pytest.fixture(scope="module")
def database() -> Any:
    """The same rows in SQLite."""
    connection = sqlite3.connect(":memory:")
    connection.execute("pragma case_sensitive_like = on")
    connection.execute(
        "create table t (n integer, value real, total_time real, answer text, target text, invalidated)"
    )
    rows = zip(range(8), NUMBERS, LEVELS, TEXTS, OTHERS, FLAGS, strict=True)
    connection.executemany("insert into t values (?, ?, ?, ?, ?, ?)", rows)
    yield connection
    connection.close()


def agree(database: Any, text: str, *, truth: bool = False) -> None:
    """Our values equal SQLite's for every row."""
    # SQLite divides integers as integers; adding 0.0 makes its literals doubles, as all numbers are here.
    found = [row[0] for row in database.execute(f"select {text} from t order by n")]
    expected = [None if x is None else bool(x) for x in found] if truth else found
    ours = read(text).evaluate(TABLE).to_pylist()
    assert [x is None for x in ours] == [x is None for x in expected]
    for mine, theirs in zip(ours, expected, strict=True):
        same = mine == theirs if not isinstance(theirs, float) else mine == pytest.approx(theirs, rel=1e-12)
        assert same, (text, ours, expected)


@given(text=TRUTHS)
@settings(max_examples=400, deadline=None)
def test_conditions(database: Any, text: str) -> None:
    """Conditions agree, including where they are neither true nor false."""
    agree(database, text.replace(" / ", " * 1.0 / "), truth=True)


@given(text=NUMS)
@settings(max_examples=200, deadline=None)
def test_numbers(database: Any, text: str) -> None:
    """Arithmetic agrees, division by zero included."""
    agree(database, text.replace(" / ", " * 1.0 / "))


@given(text=STRINGS)
@settings(max_examples=200, deadline=None)
def test_texts(database: Any, text: str) -> None:
    """Operations on texts agree."""
    agree(database, text)
