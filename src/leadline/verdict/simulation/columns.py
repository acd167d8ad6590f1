"""Sample metadata for a rehearsal: a type for every `metadata.<key>` a protocol names.

A protocol does not say whether `metadata.level` is a number or a text; an expression that compares it
with 3 does. So types are tried until every expression of the plan can be evaluated.
"""

import itertools
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from leadline.errors import ExpressionError, ProtocolError
from leadline.protocol.expression import compile as compile_expression
from leadline.protocol.language.columns import is_metadata
from leadline.protocol.model import Protocol

#: Assignments of types tried before giving up; 3 types for 7 columns.
_TRIES: Final = 3**7
_KINDS: Final = ("text", "number", "truth")


def expressions(protocol: Protocol) -> Iterator[tuple[str, str]]:
    """(where it is written, text) of every expression of a protocol."""
    for i, measure in enumerate(protocol.measures):
        yield from _named(f"measures[{i}]", {"cluster": measure.cluster, "transform": measure.transform})
    for i, hypothesis in enumerate(protocol.hypotheses):
        yield from _named(f"hypotheses[{i}].estimand", {"where": hypothesis.estimand.where})
    for i, control in enumerate(protocol.controls):
        yield from _named(f"controls[{i}].estimand", {"where": control.estimand.where})
    yield from _rules("data_rules", protocol.data_rules)
    for i, alternative in enumerate(protocol.robustness):
        change, path = alternative.change, f"robustness[{i}].change"
        cluster = None if change.cluster == "item" else change.cluster
        yield from _named(path, {"where": change.where, "cluster": cluster})
        if change.data_rules is not None:
            yield from _rules(f"{path}.data_rules", change.data_rules)


def _rules(path: str, rules: Any) -> Iterator[tuple[str, str]]:
    yield from _named(path, {"refusal_when": rules.refusal_when})
    for i, exclusion in enumerate(rules.exclusions):
        yield from _named(f"{path}.exclusions[{i}]", {"when": exclusion.when})


def _named(path: str, texts: Mapping[str, str | None]) -> Iterator[tuple[str, str]]:
    for field, text in texts.items():
        if text is not None:
            yield f"{path}.{field}", text


def with_metadata(table: Any, protocol: Protocol) -> Any:
    """``table`` with the metadata columns the protocol names, of types every expression accepts.

    ``table`` has a column `group` (whole numbers) that the values derive from; it is dropped. Raises
    ProtocolError naming the expression that no types fit.
    """
    asked = list(expressions(protocol))
    names = sorted(
        {name for _, text in asked for name in compile_expression(text).columns if is_metadata(name)}
    )
    groups = table["group"].to_pylist()
    table = table.drop_columns(["group"])
    best: tuple[int, ProtocolError] | None = None
    for kinds in itertools.islice(itertools.product(_KINDS, repeat=len(names)), _TRIES):
        filled = _filled(table, names, kinds, groups)
        fault = _first_fault(filled, asked)
        if fault is None:
            return filled
        if best is None or fault[0] > best[0]:
            best = fault
    assert best is not None
    raise best[1]


def _filled(table: Any, names: Iterable[str], kinds: Iterable[str], groups: list[int]) -> Any:
    import pyarrow as pa

    for name, kind in zip(names, kinds, strict=True):
        if kind == "text":
            column = pa.array([f"g{group}" for group in groups], type=pa.string())
        elif kind == "number":
            column = pa.array([float(group) for group in groups], type=pa.float64())
        else:
            column = pa.array([group % 2 == 0 for group in groups], type=pa.bool_())
        table = table.append_column(name, column)
    return table


def _first_fault(table: Any, asked: list[tuple[str, str]]) -> tuple[int, ProtocolError] | None:
    """How many expressions could be evaluated before the first that could not, and its error."""
    for count, (where, text) in enumerate(asked):
        try:
            compile_expression(text).evaluate(table)
        except ExpressionError as error:
            return count, ProtocolError(
                f"the expression `{text}` cannot be evaluated: {error.message}",
                where=where,
                remedy=error.remedy(),
            )
    return None
