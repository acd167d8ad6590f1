"""What both ends agree on about reading computed tables over the network: which questions are cheap, and values as JSON."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from leadline.errors import InputError
from leadline.store.projection import Column, Row, Table, Value

#: Rows in one answer, and how far into a listing one may skip.
MAX_ROWS: Final = 1_000
MAX_SKIP: Final = 50_000
#: Values that are looked up in one question.
MAX_AMONG: Final = 1_000
_MAX_TEXT: Final = 4_000
_INTEGER_BOUND: Final = 2**63


def leading(table: Table) -> frozenset[str]:
    """Columns by which rows are found without reading all of them: the first of the key and of each index."""
    return frozenset({table.key[0], *(group[0] for group in table.indexes)})


def is_cheap(table: Table, where: Iterable[str], order: str | None) -> bool:
    """Whether a listing costs about what it returns: it looks rows up, or goes along an index."""
    found = leading(table)
    conditions = set(where)
    return bool(conditions & found) if conditions else order is None or order in found


def to_json(row: Row) -> dict[str, Any]:
    """A row as plain JSON values: bytes in hex."""
    return {name: value.hex() if isinstance(value, bytes) else value for name, value in row.items()}


def from_json(table: Table, values: Mapping[str, Any]) -> Row:
    """A row back from JSON; InputError unless it has exactly the table's columns with values of their types."""
    if values.keys() != set(table.names):
        raise _bad(table.name, "it has other columns")
    columns = {column.name: column for column in table.columns}
    return {name: read_value(table.name, columns[name], value) for name, value in values.items()}


def read_where(table: Table, values: Mapping[str, Any]) -> dict[str, Value]:
    """Conditions on a table's columns from JSON; InputError for a column there is none of."""
    columns = {column.name: column for column in table.columns}
    unknown = values.keys() - columns.keys()
    if unknown:
        raise InputError(
            f"the table {table.name} has no column {str(sorted(unknown)[0])[:80]!r}",
            remedy=f"its columns are {', '.join(table.names)}",
        )
    return {name: read_value(table.name, columns[name], value) for name, value in values.items()}


def read_value(table: str, column: Column, value: Any) -> Value:
    """A JSON value as the column's type holds it; InputError when it cannot."""
    if value is None:
        return None
    if column.type == "text" and isinstance(value, str) and "\0" not in value and _encodable(value):
        return value
    if column.type == "blob" and isinstance(value, str) and len(value) <= _MAX_TEXT:
        try:
            return bytes.fromhex(value)
        except ValueError:
            raise _bad(f"{table}.{column.name}", "bytes are written in hex") from None
    whole = isinstance(value, int) and not isinstance(value, bool)
    if whole and column.type in ("integer", "real") and -_INTEGER_BOUND <= value < _INTEGER_BOUND:
        return int(value)
    if column.type == "real" and isinstance(value, float):
        return value
    raise _bad(f"{table}.{column.name}", f"it is not of the type {column.type}")


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _bad(where: str, why: str) -> InputError:
    return InputError(f"a value does not fit: {why}", where=where, remedy="see the columns at /api/v1/tables")
