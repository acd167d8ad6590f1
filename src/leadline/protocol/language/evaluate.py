"""A tree over an Arrow table: column-wise, with SQL's three-valued logic.

Every number is a double. What SQL leaves to the engine is settled here once: a division by zero, a
result that is not finite and a cast that cannot be read are null; `least` and `greatest` pass over
nulls and are null only when all arguments are; `regexp_extract` without a match and `split_part`
beyond the last part are null, not the empty text.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import reduce
from typing import Any

from leadline.errors import ExpressionError
from leadline.protocol.language import patterns
from leadline.protocol.language.columns import Kind
from leadline.protocol.language.kinds import kind_of, written
from leadline.protocol.language.tree import Call, Case, Column, Constant, Node

# Arrow's own types carry no annotations; values here are pyarrow Scalar, Array or ChunkedArray.
Values = Any

_COMPARE = {
    "=": "equal",
    "<>": "not_equal",
    "<": "less",
    "<=": "less_equal",
    ">": "greater",
    ">=": "greater_equal",
}
_NUMERAL = r"\A\s*[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?\s*\z"


def column_kind(arrow_type: Any) -> Kind:
    """The kind of value an Arrow column holds; raises nothing, `unknown` for lists and structs."""
    import pyarrow.types as types

    if types.is_dictionary(arrow_type):
        arrow_type = arrow_type.value_type
    if types.is_boolean(arrow_type):
        return "truth"
    if types.is_integer(arrow_type) or types.is_floating(arrow_type) or types.is_decimal(arrow_type):
        return "number"
    if types.is_string(arrow_type) or types.is_large_string(arrow_type) or types.is_string_view(arrow_type):
        return "text"
    if types.is_timestamp(arrow_type) or types.is_date(arrow_type):
        return "time"
    return "null" if types.is_null(arrow_type) else "unknown"


class Evaluator:
    """Evaluates trees over one table whose columns have the given kinds."""

    def __init__(self, table: Any, kinds: Mapping[str, Kind]) -> None:
        import pyarrow as pa
        import pyarrow.compute as pc

        self._pa, self._pc = pa, pc
        self._table, self._kinds = table, kinds
        self._columns: dict[str, Values] = {}

    def column(self, tree: Node) -> Values:
        """The values of `tree`, one per row of the table."""
        values = self.values(tree)
        if isinstance(values, self._pa.Scalar):
            return self._pa.repeat(values, self._table.num_rows)
        return values

    def values(self, node: Node) -> Values:
        """The values of a node: an array, or a scalar where no column is involved."""
        match node:
            case Column(name=name):
                return self._column(name)
            case Constant(value=value):
                return self._constant(value)
            case Case():
                return self._case(node)
            case Call():
                return self._call(node)

    # -- leaves ----------------------------------------------------------------------------------

    def _column(self, name: str) -> Values:
        if name not in self._columns:
            pa = self._pa
            kind = self._kinds[name]
            column = self._table[name]
            if pa.types.is_dictionary(column.type):
                column = column.cast(column.type.value_type)
            if kind != "unknown":  # a list or struct: all one can ask is whether it is null
                column = column.cast(self._arrow_type(kind))
            self._columns[name] = self._finite(column) if kind == "number" else column
        return self._columns[name]

    def _arrow_type(self, kind: Kind) -> Any:
        pa = self._pa
        return {
            "number": pa.float64(),
            "text": pa.large_string(),
            "truth": pa.bool_(),
            "time": pa.timestamp("us", "UTC"),
        }.get(kind, pa.null())

    def _constant(self, value: float | str | bool | None) -> Values:
        if value is None:
            return self._pa.scalar(None)
        kind: Kind = "truth" if isinstance(value, bool) else "text" if isinstance(value, str) else "number"
        return self._pa.scalar(value, type=self._arrow_type(kind))

    def _as(self, node: Node, kind: Kind) -> Values:
        """The values of a node in the Arrow type of `kind`; nulls and written times are converted."""
        if kind == "time" and isinstance(node, Constant) and isinstance(node.value, str):
            moment = datetime.fromisoformat(node.value)
            aware = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
            return self._pa.scalar(aware, type=self._arrow_type("time"))
        if kind_of(node, self._kinds) == "null":
            return self._pa.scalar(None, type=self._arrow_type(kind))
        return self.values(node)

    def _common(self, nodes: tuple[Node, ...]) -> tuple[list[Values], Kind]:
        kinds = [kind_of(node, self._kinds) for node in nodes]
        kind: Kind = (
            "time" if "time" in kinds else next((k for k in kinds if k not in {"null", "unknown"}), "truth")
        )
        return [self._as(node, kind) for node in nodes], kind

    # -- operators -------------------------------------------------------------------------------

    def _call(self, call: Call) -> Values:
        name, arguments = call.name, call.arguments
        if name in _COMPARE:
            (left, right), _ = self._common(arguments)
            return getattr(self._pc, _COMPARE[name])(left, right)
        return _HANDLERS.get(name, Evaluator._text_function)(self, call)

    def _junction(self, call: Call) -> Values:
        join = self._pc.and_kleene if call.name == "and" else self._pc.or_kleene
        return reduce(join, [self._as(argument, "truth") for argument in call.arguments])

    def _not(self, call: Call) -> Values:
        return self._pc.invert(self._as(call.arguments[0], "truth"))

    def _is(self, call: Call) -> Values:
        subject, wanted = call.arguments
        assert isinstance(wanted, Constant)
        if wanted.value is None:
            return self._pc.is_null(self.values(subject))
        agrees = self._as(subject, "truth")
        agrees = agrees if wanted.value else self._pc.invert(agrees)
        return self._pc.fill_null(agrees, False)

    def _between(self, call: Call) -> Values:
        (value, low, high), _ = self._common(call.arguments)
        return self._pc.and_kleene(self._pc.greater_equal(value, low), self._pc.less_equal(value, high))

    def _in(self, call: Call) -> Values:
        (value, *items), kind = self._common(call.arguments)
        if all(isinstance(node, Constant) for node in call.arguments[1:]):
            known = [item.as_py() for item in items if item.is_valid]
            found = self._pc.is_in(value, value_set=self._pa.array(known, type=self._arrow_type(kind)))
            unsure = self._pc.is_null(value)
            if len(known) < len(items):
                unsure = self._pc.or_(unsure, self._pc.invert(found))
            return self._pc.if_else(unsure, self._pa.scalar(None, self._pa.bool_()), found)
        return reduce(self._pc.or_kleene, [self._pc.equal(value, item) for item in items])

    def _arithmetic(self, call: Call) -> Values:
        pc = self._pc
        left, right = (self._as(argument, "number") for argument in call.arguments)
        if call.name in {"/", "%"}:
            zero = pc.equal(right, 0.0)
            right = pc.if_else(zero, self._pa.scalar(None, self._pa.float64()), right)
        match call.name:
            case "+":
                result = pc.add(left, right)
            case "-":
                result = pc.subtract(left, right)
            case "*":
                result = pc.multiply(left, right)
            case "/":
                result = pc.divide(left, right)
            case _:
                whole = pc.trunc(pc.divide(left, right))
                result = pc.subtract(left, pc.multiply(whole, right))
        return self._finite(result)

    def _finite(self, values: Values) -> Values:
        """The values with infinities and NaN as null."""
        return self._pc.if_else(self._pc.is_finite(values), values, self._pa.scalar(None, self._pa.float64()))

    def _number_function(self, call: Call) -> Values:
        pc = self._pc
        value = self._as(call.arguments[0], "number")
        if call.name == "round":
            digits = int(written(call.arguments[1])) if len(call.arguments) > 1 else 0
            return self._finite(
                pc.round(value, ndigits=max(-300, min(digits, 15)), round_mode="half_towards_infinity")
            )
        functions = {"abs": pc.abs, "ceil": pc.ceil, "floor": pc.floor, "negative": pc.negate}
        return functions[call.name](value)

    # -- choices ---------------------------------------------------------------------------------

    def _case(self, node: Case) -> Values:
        outcomes, _ = self._common((*(value for _, value in node.branches), node.otherwise))
        result = outcomes[-1]
        for (condition, _), value in zip(reversed(node.branches), reversed(outcomes[:-1]), strict=True):
            holds = self._pc.fill_null(self._as(condition, "truth"), False)
            result = self._pc.if_else(holds, value, result)
        return result

    def _coalesce(self, call: Call) -> Values:
        values, _ = self._common(call.arguments)
        return self._pc.coalesce(*values)

    def _nullif(self, call: Call) -> Values:
        (value, other), _ = self._common(call.arguments)
        same = self._pc.fill_null(self._pc.equal(value, other), False)
        return self._pc.if_else(same, self._pa.scalar(None, value.type), value)

    def _extreme(self, call: Call) -> Values:
        values, kind = self._common(call.arguments)
        if kind == "text":  # Arrow's element-wise extremes know no texts
            better = self._pc.greater if call.name == "greatest" else self._pc.less
            return reduce(lambda best, other: self._better(better, best, other), values)
        if kind == "truth":
            join = self._pc.or_ if call.name == "greatest" else self._pc.and_
            return reduce(lambda best, other: self._pc.coalesce(join(best, other), best, other), values)
        extreme = self._pc.max_element_wise if call.name == "greatest" else self._pc.min_element_wise
        return extreme(*values, skip_nulls=True)

    def _better(self, better: Callable[[Values, Values], Values], best: Values, other: Values) -> Values:
        choice = self._pc.if_else(better(best, other), best, other)
        return self._pc.coalesce(choice, best, other)

    def _cast(self, call: Call) -> Values:
        pa, pc = self._pa, self._pc
        source = kind_of(call.arguments[0], self._kinds)
        values = self.values(call.arguments[0])
        target = call.name.removeprefix("cast to ")
        if source in {"null", "unknown"}:
            return pa.scalar(None, self._arrow_type(kind_of(call, self._kinds)))
        if target == "text":
            return self._as_text(values, source)
        if target == "truth":
            return self._as_truth(values, source)
        if source == "time":
            raise ExpressionError(
                "a time cannot be cast to a number", remedy="compare times with written times"
            )
        if source == "text":
            readable = pc.match_substring_regex(values, _NUMERAL)
            trimmed = pc.utf8_trim_whitespace(values)
            clean = pc.replace_substring_regex(trimmed, r"\A\+", "")
            values = pc.if_else(readable, clean, pa.scalar(None, pa.large_string()))
        number = self._finite(values.cast(pa.float64()))
        return pc.round(number, round_mode="half_to_even") if target == "integer" else number

    def _as_text(self, values: Values, source: Kind) -> Values:
        pa, pc = self._pa, self._pc
        if source == "number":  # 3.0 is written 3, as people write whole numbers
            whole = pc.and_(pc.equal(values, pc.trunc(values)), pc.less(pc.abs(values), 2.0**53))
            integers = pc.if_else(whole, values, pa.scalar(None, pa.float64())).cast(pa.int64())
            return pc.coalesce(integers.cast(pa.large_string()), values.cast(pa.large_string()))
        if source == "time":
            return pc.strftime(values, format="%Y-%m-%dT%H:%M:%SZ").cast(pa.large_string())
        return values.cast(pa.large_string())

    def _as_truth(self, values: Values, source: Kind) -> Values:
        pa, pc = self._pa, self._pc
        if source == "number":
            return pc.not_equal(values, 0.0)
        if source == "text":
            lower = pc.utf8_lower(values)
            yes = pc.equal(lower, "true")
            return pc.if_else(pc.or_(yes, pc.equal(lower, "false")), yes, pa.scalar(None, pa.bool_()))
        if source == "time":
            raise ExpressionError("a time is neither true nor false", remedy="use `is not null`")
        return values

    # -- texts -----------------------------------------------------------------------------------

    def _concat(self, call: Call) -> Values:
        parts = [self._as(argument, "text") for argument in call.arguments]
        separator = self._pa.scalar("", self._pa.large_string())
        nulls = "skip" if call.name == "concat" else "emit_null"
        return self._pc.binary_join_element_wise(*parts, separator, null_handling=nulls)

    def _text_function(self, call: Call) -> Values:
        pc, name, arguments = self._pc, call.name, call.arguments
        text = self._as(arguments[0], "text")
        if name == "length":
            return pc.utf8_length(text).cast(self._pa.float64())
        if name == "substr":
            return self._substring(text, [int(written(argument)) for argument in arguments[1:]])
        if name == "split_part":
            return self._part(text, str(written(arguments[1])), int(written(arguments[2])))
        if name in {"lower", "upper", "trim"}:
            return {"lower": pc.utf8_lower, "upper": pc.utf8_upper, "trim": pc.utf8_trim_whitespace}[name](
                text
            )
        wanted = str(written(arguments[1]))
        if name in {"like", "ilike"}:
            return pc.match_substring_regex(text, patterns.like(wanted, ignore_case=name == "ilike"))
        if name == "regexp_matches":
            return pc.match_substring_regex(text, wanted)
        if name == "regexp_extract":
            group = int(written(arguments[2])) if len(arguments) > 2 else 0
            found = pc.extract_regex(text, patterns.named_group(wanted, group, arguments[1].at))
            return pc.struct_field(found, f"g{group}")
        searches = {"contains": pc.match_substring, "starts_with": pc.starts_with, "ends_with": pc.ends_with}
        return searches[name](text, wanted)

    def _substring(self, text: Values, numbers: list[int]) -> Values:
        """Characters from the 1-based start, `length` of them; a negative start counts from the end."""
        start = numbers[0]
        length = max(0, numbers[1]) if len(numbers) > 1 else None
        if start < 0:
            tail = self._pc.utf8_slice_codeunits(text, start)
            return tail if length is None else self._pc.utf8_slice_codeunits(tail, 0, length)
        stop = None if length is None else max(0, start - 1 + length)
        return self._pc.utf8_slice_codeunits(text, max(0, start - 1), stop)

    def _part(self, text: Values, separator: str, number: int) -> Values:
        """The 1-based part of a separated text; null beyond the last."""
        if number < 1 or not separator:
            raise ExpressionError(
                "split_part counts parts from 1, by a separator that is not empty", remedy=None
            )
        parts = self._pc.split_pattern(text, separator)
        if isinstance(parts, self._pa.Scalar):
            values = parts.as_py() or []
            found = values[number - 1] if number <= len(values) else None
            return self._pa.scalar(found, self._pa.large_string())
        lengths = self._pc.list_value_length(parts)
        long_enough = self._pc.fill_null(self._pc.greater_equal(lengths, number), False)
        nothing = self._pa.scalar([None] * number, parts.type)
        return self._pc.list_element(self._pc.if_else(long_enough, parts, nothing), number - 1)


_HANDLERS: dict[str, Callable[[Evaluator, Call], Values]] = {
    **dict.fromkeys(("and", "or"), Evaluator._junction),
    **dict.fromkeys(("+", "-", "*", "/", "%"), Evaluator._arithmetic),
    **dict.fromkeys(("abs", "ceil", "floor", "round", "negative"), Evaluator._number_function),
    **dict.fromkeys(("greatest", "least"), Evaluator._extreme),
    **dict.fromkeys(("||", "concat"), Evaluator._concat),
    **dict.fromkeys((f"cast to {kind}" for kind in ("number", "integer", "text", "truth")), Evaluator._cast),
    "not": Evaluator._not,
    "is": Evaluator._is,
    "in": Evaluator._in,
    "between": Evaluator._between,
    "coalesce": Evaluator._coalesce,
    "nullif": Evaluator._nullif,
}
