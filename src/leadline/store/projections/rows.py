"""Rows as typed values."""

from typing import Any, TypeVar, cast

from leadline.store.projection import Row

_T = TypeVar("_T")


def typed(kind: type[_T], row: Row) -> _T:
    """The row as an instance of a dataclass whose fields are the table's columns."""
    return kind(**cast("dict[str, Any]", row))
