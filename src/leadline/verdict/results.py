"""Judging one result: its value, or the reason why it leaves.

The order in which a result is judged is fixed and documented, because the first rule that applies
names the reason: invalidated, error, fallback model, refusal, limit, registered exclusions (in the
order written), unscored, malformed. A result that survives all of them is kept.
"""

import json
import math
from collections.abc import Iterable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from leadline.logs.values import number
from leadline.protocol.blocks.conduct import CountAs, DataRules
from leadline.protocol.blocks.design import Measure
from leadline.protocol.expression import Expression
from leadline.protocol.expression import compile as compile_expression
from leadline.verdict.specification import Specification

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def rows_for_score(table: pa.Table, score: str) -> pa.Table:
    """One row per (log, sample, epoch): the score's own row, or a stand-in that says it is unscored."""
    mine = pc.fill_null(pc.equal(table["score"], score), False)
    scored = table.filter(mine)
    others = table.filter(pc.invert(mine))
    if others.num_rows == 0:
        return scored.combine_chunks()
    have = set(_keys(scored))
    first: dict[tuple[str, str, int], int] = {}
    for position, key in enumerate(_keys(others)):
        if key not in have:
            first.setdefault(key, position)
    if not first:
        return scored.combine_chunks()
    stand_ins = others.take(pa.array(sorted(first.values())))
    blank: dict[str, Any] = {
        "score": score,
        "value": None,
        "value_json": None,
        "unscored_reason": "no such score",
    }
    for name, content in blank.items():
        if name in stand_ins.column_names:
            index = stand_ins.column_names.index(name)
            kind = table.schema.field(name).type
            column = pa.array(
                [content] * stand_ins.num_rows, type=pa.string() if name != "value" else pa.float64()
            )
            stand_ins = stand_ins.set_column(
                index, name, column.cast(kind) if kind != column.type else column
            )
    return (
        pa.concat_tables([scored, stand_ins], promote_options="permissive")
        .unify_dictionaries()
        .combine_chunks()
    )


def _keys(table: pa.Table) -> Iterable[tuple[str, str, int]]:
    return zip(
        table["sha256"].to_pylist(), table["sample_id"].to_pylist(), table["epoch"].to_pylist(), strict=True
    )


def judge(rows: pa.Table, spec: Specification) -> tuple[NDArray[np.str_], Floats]:
    """Reason code ("" = kept) and value of each row."""
    rules = spec.rules
    values, unscored, malformed = _values(rows, spec.measure)
    n = rows.num_rows
    reasons = np.full(n, "", dtype="<U80")
    undecided = np.ones(n, dtype=bool)

    def apply(name: str, mask: Bools, rule: Any) -> None:
        nonlocal undecided
        hit = mask & undecided
        if rule == "keep" or not hit.any():
            return
        if isinstance(rule, CountAs):
            values[hit] = rule.value
        else:
            reasons[hit] = name
        undecided &= ~hit

    apply("invalidated", _present_true(rows, "invalidated"), rules.invalidated)
    apply("error", _present(rows, "error"), rules.error)
    apply("fallback model", _present_text(rows, "model_fallback"), rules.fallback)
    apply("refusal", _refusals(rows, rules), rules.refusal)
    apply("limit", _present(rows, "limit"), rules.limit)
    for exclusion in rules.exclusions:
        apply(f"excluded: {exclusion.id}", truth(exclusion.when, rows), "exclude")
    apply("unscored", unscored, rules.unscored)
    apply("malformed", malformed, rules.malformed)
    return reasons, values


def _values(rows: pa.Table, measure: Measure) -> tuple[Floats, Bools, Bools]:
    """Mapped values with masks (unscored, malformed); either mask leaves NaN in the values."""
    raw = _decode(rows["value_json"])
    codes = raw.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    words = raw.dictionary.to_pylist()
    mapped = np.array([_map(word, measure) for word in words] + [math.nan], dtype=np.float64)
    blank = np.array([_is_blank(word, measure) for word in words] + [True], dtype=bool)
    values, unscored = mapped[codes].copy(), blank[codes].copy()
    if measure.transform is not None:
        values = _transformed(rows, values, measure.transform)
    malformed = ~unscored & ~np.isfinite(values)
    for bound, beyond in ((measure.low, np.less), (measure.high, np.greater)):
        if bound is not None:
            with np.errstate(invalid="ignore"):
                malformed |= ~unscored & beyond(values, bound)
    return values, unscored, malformed


def _decode(column: pa.ChunkedArray) -> pa.DictionaryArray:
    """The column as one dictionary array, so that each distinct text is parsed once."""
    whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if isinstance(whole, pa.ChunkedArray):
        whole = whole.chunk(0) if whole.num_chunks else pa.array([], type=column.type)
    return whole if isinstance(whole, pa.DictionaryArray) else whole.dictionary_encode()


def _entry(word: str | None, measure: Measure) -> Any:
    if word is None:
        return None
    value = json.loads(word)
    if measure.key is not None:
        return value.get(measure.key) if isinstance(value, dict) else None
    return value


def _is_blank(word: str | None, measure: Measure) -> bool:
    value = _entry(word, measure)
    return value is None or (isinstance(value, float) and math.isnan(value))


def _map(word: str | None, measure: Measure) -> float:
    value = _entry(word, measure)
    if value is None:
        return math.nan
    if measure.values is not None:
        name = value if isinstance(value, str) else json.dumps(value)
        return measure.values.get(name, math.nan)
    found, _ = number(value)
    return math.nan if found is None else found


def _transformed(rows: pa.Table, values: Floats, text: str) -> Floats:
    index = rows.column_names.index("value")
    seen = rows.set_column(index, "value", pa.array(values, from_pandas=True))
    result = evaluate(text, seen)
    return np.asarray(
        pc.cast(result, pa.float64()).to_numpy(zero_copy_only=False)
        if not isinstance(result, pa.ChunkedArray)
        else pc.cast(result, pa.float64()).to_numpy(),
        dtype=np.float64,
    ).copy()


def _refusals(rows: pa.Table, rules: DataRules) -> Bools:
    if rules.refusal_when is not None:
        return truth(rules.refusal_when, rows)
    return _mask(pc.fill_null(pc.equal(_plain(rows["unscored_reason"]), "refusal"), False))


def _present(rows: pa.Table, name: str) -> Bools:
    return _mask(pc.is_valid(rows[name]))


def _present_text(rows: pa.Table, name: str) -> Bools:
    if name not in rows.column_names:
        return np.zeros(rows.num_rows, dtype=bool)
    column = rows[name]
    return _present_true(rows, name) if pa.types.is_boolean(column.type) else _present(rows, name)


def _present_true(rows: pa.Table, name: str) -> Bools:
    return _mask(pc.fill_null(rows[name], False))


def _mask(column: Any) -> Bools:
    return np.asarray(
        column.to_numpy(zero_copy_only=False) if isinstance(column, pa.Array) else column.to_numpy(),
        dtype=bool,
    )


def _plain(column: Any) -> Any:
    return column.cast(pa.string()) if pa.types.is_dictionary(column.type) else column


def evaluate(text: str, rows: pa.Table) -> Any:
    """The value of a registered expression for each row."""
    return _compiled(text).evaluate(rows)


def _compiled(text: str) -> Expression:
    return compile_expression(text)


def truth(text: str, rows: pa.Table) -> Bools:
    """True where the expression is true; SQL's unknown counts as false."""
    return _mask(pc.fill_null(evaluate(text, rows), False))


def strings(column: Any) -> NDArray[np.str_]:
    """A column as an array of texts, null as the empty one."""
    plain = _plain(column)
    if not pa.types.is_string(plain.type) and not pa.types.is_large_string(plain.type):
        plain = plain.cast(pa.string())
    plain = pc.fill_null(plain, "")
    listed = plain.to_pylist()
    return np.asarray(listed, dtype=np.str_) if listed else np.asarray([], dtype="<U1")
