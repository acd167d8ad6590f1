"""The filter language: what is read, what is refused and where, and what each function yields."""

import subprocess
import sys
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest

from leadline.errors import ExpressionError
from leadline.protocol.expression import OUTCOME_COLUMNS, PRIOR_COLUMNS, SAMPLE_COLUMNS
from leadline.protocol.expression import compile as read
from leadline.protocol.language.vocabulary import FUNCTIONS

TABLE = pa.table(
    {
        "sample_id": pa.chunked_array([["a/1", "b/2"], ["c", None]]),
        "value": [1.0, 0.0, None, -2.5],
        "epoch": pa.array([1, 2, 1, 2], pa.int32()),
        "answer": ["C", " i ", None, "xCx"],
        "limit": pa.array(["time", None, None, "token"]).dictionary_encode(),
        "invalidated": [True, False, None, True],
        "started_at": pa.array(
            [datetime(2026, 1, day, tzinfo=UTC) for day in (1, 2, 3)] + [None], pa.timestamp("us", "UTC")
        ),
        "metadata.level": [1, 2, 3, None],
        "metadata.kind": ["hard", "easy", None, "hard"],
        "metadata.text": ["1.5", "+2", "x", "1e999"],
        "metadata.my key": [True, True, False, None],
    }
)


def values(text: str) -> list[Any]:
    """The expression over the table."""
    return list(read(text).evaluate(TABLE).to_pylist())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("value", [1.0, 0.0, None, -2.5]),
        ("value = 1", [True, False, None, False]),
        ("value <> 1", [False, True, None, True]),
        ("value == 1 or value != 1", [True, True, None, True]),
        ("value > 0 or metadata.kind = 'hard'", [True, False, None, True]),
        ("value > 0 and metadata.kind = 'hard'", [True, False, None, False]),
        ("null and value = 0", [False, None, None, False]),
        ("null or value = 0", [None, True, None, None]),
        ("not invalidated", [False, True, None, False]),
        ("invalidated is true", [True, False, False, True]),
        ("invalidated is not false", [True, False, True, True]),
        ("limit is not null", [True, False, False, True]),
        ("metadata.\"my key\"", [True, True, False, None]),
        ("value between -3 and 0", [False, True, None, True]),
        ("value not between -3 and 0", [True, False, None, False]),
        ("value in (0, 1)", [True, True, None, False]),
        ("value in (0, null)", [None, True, None, None]),
        ("value not in (0, null)", [None, False, None, None]),
        ("value in (epoch, epoch - 2)", [True, True, None, False]),
        ("metadata.kind in ('hard')", [True, False, None, True]),
        ("case when value > 0 then 'up' when value < 0 then 'down' end", ["up", None, None, "down"]),
        ("case metadata.kind when 'hard' then 1 else 0 end", [1.0, 0.0, 0.0, 1.0]),
        ("value + 1 - 2 * 3", [-4.0, -5.0, None, -7.5]),
        ("value / 2", [0.5, 0.0, None, -1.25]),
        ("1 / value", [1.0, None, None, -0.4]),
        ("1 % value", [0.0, None, None, 1.0]),
        ("value % 2", [1.0, 0.0, None, -0.5]),
        ("-value", [-1.0, 0.0, None, 2.5]),
        ("1e308 * 10 * epoch", [None] * 4),
        ("abs(value)", [1.0, 0.0, None, 2.5]),
        ("round(value)", [1.0, 0.0, None, -3.0]),
        ("round(value / 3, 2)", [0.33, 0.0, None, -0.83]),
        ("floor(value)", [1.0, 0.0, None, -3.0]),
        ("ceil(value)", [1.0, 0.0, None, -2.0]),
        ("ceiling(value)", [1.0, 0.0, None, -2.0]),
        ("greatest(value, metadata.level)", [1.0, 2.0, 3.0, -2.5]),
        ("least(value, metadata.level, 0)", [0.0, 0.0, 0.0, -2.5]),
        ("greatest(answer, 'D')", ["D", "D", "D", "xCx"]),
        ("least(invalidated, value = 1)", [True, False, None, False]),
        ("coalesce(value, metadata.level, 9)", [1.0, 0.0, 3.0, -2.5]),
        ("coalesce(answer, '?')", ["C", " i ", "?", "xCx"]),
        ("nullif(value, 1)", [None, 0.0, None, -2.5]),
        ("upper(trim(answer))", ["C", "I", None, "XCX"]),
        ("lower(answer)", ["c", " i ", None, "xcx"]),
        ("length(answer)", [1.0, 3.0, None, 3.0]),
        ("substr(answer, 2)", ["", "i ", None, "Cx"]),
        ("substring(answer, 1, 1)", ["C", " ", None, "x"]),
        ("substr(answer, -2, 1)", ["C", "i", None, "C"]),
        ("split_part(sample_id, '/', 1)", ["a", "b", "c", None]),
        ("split_part(sample_id, '/', 2)", ["1", "2", None, None]),
        ("contains(answer, 'C')", [True, False, None, True]),
        ("starts_with(answer, 'x')", [False, False, None, True]),
        ("ends_with(answer, 'x')", [False, False, None, True]),
        ("answer like '%C%'", [True, False, None, True]),
        ("answer like '_'", [True, False, None, False]),
        ("answer not ilike '%c%'", [False, True, None, False]),
        ("regexp_matches(answer, '^[CI]$')", [True, False, None, False]),
        ("regexp_extract(sample_id, '([a-z])/([0-9])', 2)", ["1", "2", None, None]),
        ("regexp_extract(sample_id, '[a-z]/[0-9]')", ["a/1", "b/2", None, None]),
        ("answer || '!'", ["C!", " i !", None, "xCx!"]),
        ("concat(answer, '!')", ["C!", " i !", "!", "xCx!"]),
        ("cast(metadata.text as double)", [1.5, 2.0, None, None]),
        ("cast(value as integer)", [1.0, 0.0, None, -2.0]),
        ("cast(value as varchar)", ["1", "0", None, "-2.5"]),
        ("epoch::varchar || answer", ["1C", "2 i ", None, "2xCx"]),
        ("cast(value as boolean)", [True, False, None, True]),
        ("cast(invalidated as double)", [1.0, 0.0, None, 1.0]),
        ("cast('TRUE' as boolean)", [True] * 4),
        ("cast('perhaps' as boolean)", [None] * 4),
        ("cast(started_at as varchar)", [f"2026-01-0{day}T00:00:00.000000Z" for day in (1, 2, 3)] + [None]),
        ("started_at >= '2026-01-02'", [False, True, True, None]),
        ("started_at = '2026-01-02T01:00:00+01:00'", [False, True, False, None]),
        ("1 = 1", [True] * 4),
        ("'it''s'", ["it's"] * 4),
        ("null", [None] * 4),
        ("value = null", [None] * 4),
        ("length('äö')", [2.0] * 4),
        ("split_part('a-b', '-', 2)", ["b"] * 4),
        ("round(2.5)", [3.0] * 4),
    ],
)  # fmt: skip
def test_values(text: str, expected: list[Any]) -> None:
    """Each construct yields what SQL says, row by row, null included."""
    assert values(text) == pytest.approx(expected)


def test_columns_are_listed_once_in_order() -> None:
    """An expression tells which columns a reader has to fetch."""
    expression = read("metadata.b = 'x' or (value > 1 and metadata.a.b < value and metadata.\"c d\" is null)")
    assert expression.columns == ("metadata.b", "value", "metadata.a.b", "metadata.c d")
    assert read("1 = 1").columns == ()
    assert read("limit is null").kind == "truth"
    assert read("metadata.x").kind == "unknown"


REFUSED = [
    ("select 1", "SELECT at column 1"),
    ("value = 1; drop table samples", "';' at column 10"),
    ("value in (select value from samples)", "SELECT at column 11"),
    ("exists (select 1)", "the function exists() at column 1"),
    ("count(*)", "the function count() at column 1"),
    ("sum(value) over ()", "the function sum() at column 1"),
    ("value > 0 and read_csv('/etc/passwd') is null", "the function read_csv() at column 15"),
    ("getenv('HOME')", "the function getenv() at column 1"),
    ("__import__('os').system('ls')", "the function __import__() at column 1"),
    ("if(value > 0, 1, 2)", "the function if() at column 1"),
    ("try_cast(value as int)", "the function try_cast() at column 1"),
    ("value -- remark", "a comment at column 1"),
    ("value /* remark */ > 1", "a comment at column 1"),
    ("value > ?", "'?' at column 9"),
    ("value > $1", "'$' at column 9"),
    ("[value]", "'[' at column 1"),
    ("{'a': value}", "'{' at column 1"),
    ("answer ~ 'x'", "'~' at column 8"),
    ("answer is distinct from 'x'", "DISTINCT at column 11"),
    ("answer like 'x' escape '!'", "ESCAPE at column 17"),
    ("value > 1_000", "the number 1_000 at column 9"),
    ("value as other", "is not part of the filter language"),
    ("(value, epoch)", "is not part of the filter language"),
    ("value // 2", "'//' at column 7"),
    ("value ** 2", "'**' at column 7"),
    ("date '2026-01-01' < started_at", "cannot read the expression"),
    ("cast(value as blob)", "cannot cast to BLOB"),
    ("cast(value as varchar(3))", "varchar(...) at column 15"),
    ("value >", "cannot read the expression"),
    ("(value > 1", "cannot read the expression"),
    ("value > 'a", "breaks off inside a text"),
    ("value 1", "cannot read the expression"),
    ("", "is empty"),
    ("   ", "is empty"),
    ("answr = 'C'", "no column is named 'answr', column 1"),
    ("value > 0 and difficulty = 'hard'", "no column is named 'difficulty', column 15"),
    ("a.b.c = 1", "no column is named 'a.b.c'"),
    ("metadata. = 1", "cannot read the expression"),
    ("value = 'C'", "differ in kind: column 9 is a text, before it is a number"),
    ("value and true", "each side of `and` must be true or false, column 1 is a number"),
    ("not value", "must be true or false, column 5 is a number"),
    ("lower(value)", "argument 1 of lower must be a text, column 7 is a number"),
    ("answer + 1", "each side of `+` must be a number, column 1 is a text"),
    ("answer || value", "each part of `||` must be a text, column 11 is a number"),
    ("invalidated < true", "have no order"),
    ("started_at < 'yesterday'", "'yesterday' at column 14 is not a time"),
    ("started_at < answer", "a time is compared with a text"),
    ("case when value then 1 end", "the condition of `case when` must be true or false"),
    ("case when true then 1 else 'x' end", "the values of `case` differ in kind"),
    ("substr(answer, length(answer))", "column 16, must be written out"),
    ("answer like sample_id", "column 13, must be written out"),
    ("split_part(answer, '/', 0)", "counts parts from 1"),
    ("round(value, 0.5)", "not a small whole number"),
    ("length(answer, 1)", "has no meaning here"),
    ("nullif(value)", "cannot read the expression"),
    ("split_part(answer)", "split_part() at column 1 has 1 arguments"),
    ("regexp_matches(answer, '(?=x)')", "the pattern at column 24 is not a regular expression"),
    ("regexp_matches(answer, '(')", "the pattern at column 24 is not a regular expression"),
    ("regexp_matches(answer, '((a{1000}){1000}){1000}')", "not a regular expression"),
    ("regexp_extract(answer, 'x', 1)", "has 0 groups, group 1 is asked for"),
    (f"regexp_matches(answer, '{'a' * 501}')", "has 501 characters"),
    ("regexp_matches(answer, 'x', 'i')", "regexp_matches() at column 1 has"),
    ("trim(both 'x' from answer)", "FROM at column 15"),
]


@pytest.mark.parametrize(("text", "message"), REFUSED)
def test_refused(text: str, message: str) -> None:
    """What has no place in the language is named, at its column."""
    with pytest.raises(ExpressionError) as caught:
        read(text)
    assert message in caught.value.diagnosis()


@pytest.mark.parametrize(
    "text",
    [
        "(" * 1000 + "value" + ")" * 1000,
        "not " * 900 + "invalidated",
        "value" + " + value" * 400,
        "-" * 2000 + "value",
        "case when true then " * 150 + "1" + " end" * 150,
        "coalesce(" * 300 + "1" + ")" * 300,
        "value in (" + "1," * 1900 + "1)",
        "value > " + "9" * 3000,
        "x" * 5000,
        "metadata" + ".a" * 900 + " = 1",
        "true" + " and true" * 700,
        "'" + "a" * 3998 + "'" + " || answer" * 100,
    ],
)
def test_large_expressions_are_refused_or_read(text: str) -> None:
    """Size and depth are bounded: a long expression ends in an explained error, never in a crash."""
    with pytest.raises(ExpressionError):
        read(text)


def test_a_long_list_is_read() -> None:
    """A list of many written values is no deeper than a short one."""
    expression = read("epoch in (" + ",".join(str(i) for i in range(2, 700)) + ")")
    assert expression.evaluate(TABLE).to_pylist() == [False, True, False, True]


def test_suggestions() -> None:
    """A misspelt column suggests the nearest, a bare metadata key how to write it."""
    with pytest.raises(ExpressionError, match="did you mean 'sample_id'"):
        read("sampel_id = 'x'")
    with pytest.raises(ExpressionError, match=r"metadata\.difficulty"):
        read("difficulty = 'x'")


def test_a_table_without_the_column() -> None:
    """A filter that names no column of the samples is an error that says which columns there are."""
    with pytest.raises(ExpressionError, match=r"no column is named 'metadata\.levl'") as caught:
        read("metadata.levl = 1").evaluate(TABLE)
    assert caught.value.remedy() == "did you mean 'metadata.level'?"
    with pytest.raises(ExpressionError, match="no column is named 'uuid'"):
        read("uuid = 'x'").evaluate(TABLE)


def test_a_column_of_another_type() -> None:
    """The type of a metadata column shows only in the table; a clash is explained there."""
    with pytest.raises(ExpressionError, match="differ in kind") as caught:
        read("metadata.level = 'hard'").evaluate(TABLE)
    assert caught.value.where == "in `metadata.level = 'hard'`"


@pytest.mark.parametrize(("text", "kind"), [("value", "truth"), ("value > 1", "number"), ("epoch", "text")])
def test_wanted_kind(text: str, kind: Any) -> None:
    """A filter must be a condition, a transform a number."""
    with pytest.raises(ExpressionError, match="is wanted"):
        read(text, kind=kind)


def test_other_columns_may_be_allowed() -> None:
    """The columns an expression may name can be given; metadata is always among them."""
    assert read("size = 1 and metadata.x = 2", columns=("size",)).columns == ("size", "metadata.x")
    with pytest.raises(ExpressionError, match="no column is named 'value'"):
        read("value = 1", columns=("size",))


def test_prior_and_outcome_columns_divide_the_samples() -> None:
    """Every column is either known before the run or an outcome of it; what a run is called is an outcome."""
    assert set(SAMPLE_COLUMNS) == PRIOR_COLUMNS | OUTCOME_COLUMNS
    assert not PRIOR_COLUMNS & OUTCOME_COLUMNS
    assert {
        "value",
        "answer",
        "explanation",
        "log",
        "uuid",
        "error",
        "limit",
        "started_at",
    } <= OUTCOME_COLUMNS


def test_empty_tables_and_all_functions() -> None:
    """An empty table yields an empty column; every function of the vocabulary is covered above."""
    empty = TABLE.slice(0, 0)
    for text in ("value > 1", "split_part(sample_id, '/', 2)", "1 = 1", "regexp_extract(answer, '(a)', 1)"):
        assert len(read(text).evaluate(empty)) == 0
    written = " ".join(str(text) for text, _ in test_values.pytestmark[0].args[1])  # type: ignore[attr-defined]
    assert [name for name in FUNCTIONS if f"{name}(" not in written and name != "substr"] == []


def test_named_groups_survive_brackets_and_escapes() -> None:
    """Brackets that are no groups (escaped, in a class, non-capturing) are not counted as groups."""
    text = "regexp_extract(metadata.p, '\\((?:x|y)[(\\])]([a-z]+)(?P<n>[0-9])\\Q(\\E', 2)"
    table = pa.table({"metadata.p": ["(x(ab7(", "(y]c8(", "nothing"]})
    assert read(text).evaluate(table).to_pylist() == ["7", "8", None]


def test_compiling_needs_no_arrow() -> None:
    """Checking a protocol's expressions does not load the table engine."""
    code = (
        "import sys; from leadline.protocol.expression import compile; compile(\"value > 1 and answer like 'a%'\");"
        "print('pyarrow' in sys.modules, 'numpy' in sys.modules)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.split() == ["False", "False"]
