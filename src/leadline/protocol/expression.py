"""The declarative filter language: SQL expressions over sample columns, never executed as code.

::

    metadata.difficulty = 'hard' and not starts_with(sample_id, 'pilot')
    case when limit is not null then 0 else value end
    split_part(sample_id, '/', 1)

Names are sample columns (`SAMPLE_COLUMNS`) and `metadata.<key>`. Logic is SQL's: a comparison with
null is null, and a filter keeps what is true. The grammar, the functions and every choice SQL
leaves open are in `leadline.protocol.language`.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from leadline.errors import ExpressionError
from leadline.protocol.language import patterns
from leadline.protocol.language.columns import (
    OUTCOME_COLUMNS,
    PRIOR_COLUMNS,
    SAMPLE_COLUMNS,
    Kind,
    is_metadata,
)
from leadline.protocol.language.kinds import kind_of, written
from leadline.protocol.language.parse import parse, walk
from leadline.protocol.language.tree import Call, Column, Constant, Node


@dataclass(frozen=True, slots=True)
class Expression:
    """A compiled expression: what it says, the columns it uses, and the kind of value it yields.

    ``kind`` is `unknown` when it hangs on the type of a metadata column.
    """

    text: str
    columns: tuple[str, ...]
    kind: Kind
    tree: Node = field(repr=False)

    def evaluate(self, table: Any) -> Any:
        """The expression over a pyarrow Table: a pyarrow Array or ChunkedArray, one value per row.

        Numbers are float64, texts large_string, conditions bool; nulls follow SQL. Raises
        `ExpressionError` when the table lacks a column or a column's type does not fit.
        """
        import pyarrow as pa

        from leadline.protocol.language.evaluate import Evaluator, column_kind

        present = set(table.column_names)
        for node in walk(self.tree):
            if isinstance(node, Column) and node.name not in present:
                raise _unknown_column(node, sorted(present), "these samples have")
        kinds = {name: column_kind(table.schema.field(name).type) for name in self.columns}
        try:
            kind_of(self.tree, kinds)
            return Evaluator(table, kinds).column(self.tree)
        except ExpressionError as error:
            raise ExpressionError(error.message, where=f"in `{self.text}`", remedy=error.remedy()) from error
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError) as error:
            raise ExpressionError(
                f"cannot be evaluated on these samples: {error}",
                where=f"in `{self.text}`",
                remedy="check the types",
            ) from error


def compile(text: str, *, columns: Collection[str] | None = None, kind: Kind | None = None) -> Expression:  # noqa: A001
    """Parse and check an expression.

    `columns` are the names it may use (default: `SAMPLE_COLUMNS`); `metadata.<key>` may always be
    used. `kind` is the kind of value wanted, e.g. `truth` for a filter. Raises `ExpressionError`
    with the column of the fault (1-based) and what is allowed.
    """
    tree = parse(text)
    known = SAMPLE_COLUMNS.keys() if columns is None else columns
    names: list[str] = []
    for node in walk(tree):
        if isinstance(node, Column):
            if node.name not in known and not is_metadata(node.name):
                raise _unknown_column(node, sorted(known), "there are")
            if node.name not in names:
                names.append(node.name)
    found = kind_of(tree, SAMPLE_COLUMNS)
    _check_patterns(tree)
    if kind is not None and found not in {kind, "unknown", "null"}:
        words = {"truth": "a condition", "number": "a number", "text": "a text", "time": "a time"}
        raise ExpressionError(
            f"`{text}` yields {words[found]} where {words[kind]} is wanted",
            remedy="compare it with something" if kind == "truth" else "use cast(...)",
        )
    return Expression(text=text, columns=tuple(names), kind=found, tree=tree)


def _unknown_column(node: Column, known: list[str], there: str) -> ExpressionError:
    near = get_close_matches(node.name, known, n=1) or get_close_matches(f"metadata.{node.name}", known, n=1)
    metadata = "" if "." in node.name else f"; sample metadata is written metadata.{node.name}"
    return ExpressionError(
        f"no column is named {node.name!r}, column {node.at} of the expression",
        remedy=(f"did you mean {near[0]!r}?" if near else f"{there}: {', '.join(known[:40])}") + metadata,
    )


def _check_patterns(tree: Node) -> None:
    """Refuse patterns that RE2 cannot read, and numbers where a whole number is needed."""
    for node in walk(tree):
        if not isinstance(node, Call):
            continue
        if node.name in {"regexp_matches", "regexp_extract"}:
            pattern, at = str(written(node.arguments[1])), node.arguments[1].at
            patterns.check(pattern, at)
            if node.name == "regexp_extract":
                group = int(written(node.arguments[2])) if len(node.arguments) > 2 else 0
                patterns.named_group(pattern, group, at)
        for argument in (
            node.arguments[1:] if node.name in {"substr", "split_part", "round", "regexp_extract"} else ()
        ):
            value = written(argument)
            if isinstance(value, float) and (value != int(value) or abs(value) > 1e6):
                raise ExpressionError(
                    f"{value:g} at column {argument.at} is not a small whole number", remedy=None
                )
        if node.name == "split_part" and (written(node.arguments[2]) or 0) < 1:  # type: ignore[operator]
            raise ExpressionError(
                f"split_part counts parts from 1, column {node.arguments[2].at}", remedy=None
            )


__all__ = ["OUTCOME_COLUMNS", "PRIOR_COLUMNS", "SAMPLE_COLUMNS", "Constant", "Expression", "compile"]
