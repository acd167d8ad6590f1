"""Which kinds of value go together: the type rules, used on paper and again on each table."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from leadline.errors import ExpressionError
from leadline.protocol.language.columns import Kind
from leadline.protocol.language.tree import Call, Case, Column, Constant, Node

_PLAIN = {"number": "a number", "text": "a text", "truth": "true or false", "time": "a time"}
_COMPARISONS = frozenset({"=", "<>", "<", "<=", ">", ">="})
_ARITHMETIC = frozenset({"+", "-", "*", "/", "%"})
#: function -> (kind of each argument, kind of the result)
_SIGNATURES: dict[str, tuple[tuple[Kind, ...], Kind]] = {
    "negative": (("number",), "number"),
    "abs": (("number",), "number"),
    "ceil": (("number",), "number"),
    "floor": (("number",), "number"),
    "round": (("number", "number"), "number"),
    "length": (("text",), "number"),
    "lower": (("text",), "text"),
    "upper": (("text",), "text"),
    "trim": (("text",), "text"),
    "substr": (("text", "number", "number"), "text"),
    "split_part": (("text", "text", "number"), "text"),
    "contains": (("text", "text"), "truth"),
    "starts_with": (("text", "text"), "truth"),
    "ends_with": (("text", "text"), "truth"),
    "like": (("text", "text"), "truth"),
    "ilike": (("text", "text"), "truth"),
    "regexp_matches": (("text", "text"), "truth"),
    "regexp_extract": (("text", "text", "number"), "text"),
    "not": (("truth",), "truth"),
}
#: function -> which arguments must be written out rather than computed.
_WRITTEN_OUT = {
    "like": (1,), "ilike": (1,), "regexp_matches": (1,), "regexp_extract": (1, 2), "contains": (1,),
    "starts_with": (1,), "ends_with": (1,), "split_part": (1, 2), "substr": (1, 2), "round": (1,),
}  # fmt: skip


def kind_of(node: Node, kinds: Mapping[str, Kind]) -> Kind:
    """The kind of value a node yields; `ExpressionError` where kinds do not go together.

    `kinds` gives the kind of every column; `unknown` goes with everything and is settled once a
    table is at hand.
    """
    match node:
        case Column(name=name):
            return kinds.get(name, "unknown")
        case Constant(value=None):
            return "null"
        case Constant(value=bool()):
            return "truth"
        case Constant(value=str()):
            return "text"
        case Constant():
            return "number"
        case Case(branches=branches, otherwise=otherwise):
            for condition, _ in branches:
                _expect("truth", condition, kinds, "the condition of `case when`")
            return _common([value for _, value in branches] + [otherwise], kinds, "the values of `case`")
        case Call():
            return _call_kind(node, kinds)


def _call_kind(call: Call, kinds: Mapping[str, Kind]) -> Kind:
    name, arguments = call.name, call.arguments
    if name in {"and", "or"}:
        for argument in arguments:
            _expect("truth", argument, kinds, f"each side of `{name}`")
        return "truth"
    if name in _COMPARISONS or name in {"in", "between"}:
        common = _common(arguments, kinds, f"both sides of `{name}`")
        if common == "truth" and name not in {"=", "<>", "in"}:
            raise ExpressionError(f"true and false have no order, column {call.at}", remedy="compare with =")
        return "truth"
    if name == "is":
        if arguments[1] != Constant(None, arguments[1].at):
            _expect("truth", arguments[0], kinds, "the left side of `is true`")
        else:
            kind_of(arguments[0], kinds)
        return "truth"
    if name in _ARITHMETIC:
        for argument in arguments:
            _expect("number", argument, kinds, f"each side of `{name}`")
        return "number"
    if name in {"||", "concat"}:
        for argument in arguments:
            _expect("text", argument, kinds, f"each part of `{name}`", "use cast(... as varchar)")
        return "text"
    if name in {"coalesce", "nullif", "greatest", "least"}:
        return _common(arguments, kinds, f"the arguments of {name}()")
    if name.startswith("cast to "):
        kind_of(arguments[0], kinds)
        target = name.removeprefix("cast to ")
        return "number" if target in {"number", "integer"} else "text" if target == "text" else "truth"
    return _function_kind(call, kinds)


def _function_kind(call: Call, kinds: Mapping[str, Kind]) -> Kind:
    wanted, result = _SIGNATURES[call.name]
    for index, (argument, kind) in enumerate(zip(call.arguments, wanted, strict=False)):
        _expect(kind, argument, kinds, f"argument {index + 1} of {call.name}")
        if index in _WRITTEN_OUT.get(call.name, ()) and _written(argument) is None:
            raise ExpressionError(
                f"argument {index + 1} of {call.name}, column {argument.at}, must be written out",
                remedy="write a text in quotation marks, or a number",
            )
    return result


def _written(node: Node) -> float | str | None:
    """The value of a constant or a negated number; None for anything else."""
    match node:
        case Constant(value=bool()):
            return None
        case Constant(value=value):
            return value
        case Call(name="negative", arguments=(Constant(value=float() as value),)):
            return -value
        case _:
            return None


def written(node: Node) -> float | str:
    """The value of an argument that had to be written out (checked by `kind_of`)."""
    value = _written(node)
    assert value is not None
    return value


def _expect(wanted: Kind, node: Node, kinds: Mapping[str, Kind], role: str, hint: str | None = None) -> None:
    found = kind_of(node, kinds)
    if found not in {wanted, "unknown", "null"}:
        raise ExpressionError(
            f"{role} must be {_PLAIN[wanted]}, column {node.at} is {_PLAIN[found]}",
            remedy=hint or f"use cast(...), or name a column that holds {_PLAIN[wanted]}",
        )


def _common(nodes: Sequence[Node], kinds: Mapping[str, Kind], role: str) -> Kind:
    """The one kind that all nodes share; a time may be compared with a written ISO 8601 text."""
    found: Kind = "null"
    for node in nodes:
        kind = kind_of(node, kinds)
        if {kind, found} == {"time", "text"}:
            _require_times(nodes, kinds)
            found = "time"
        elif found in {"null", "unknown"}:
            found = kind if kind != "null" else found
        elif kind not in {found, "null", "unknown"}:
            raise ExpressionError(
                f"{role} differ in kind: column {node.at} is {_PLAIN[kind]}, before it is {_PLAIN[found]}",
                remedy="compare like with like; cast(... as double) reads a number from a text",
            )
    return found


def _require_times(nodes: Sequence[Node], kinds: Mapping[str, Kind]) -> None:
    for node in nodes:
        if kind_of(node, kinds) != "text":
            continue
        if not isinstance(node, Constant):
            raise ExpressionError(
                f"a time is compared with a text, column {node.at}", remedy="write the time out"
            )
        try:
            datetime.fromisoformat(str(node.value))
        except ValueError as error:
            raise ExpressionError(
                f"{node.value!r} at column {node.at} is not a time",
                remedy="write 2026-01-31 or 2026-01-31T12:00:00Z",
            ) from error
