"""Metadata keys as columns of their own, typed by what they hold."""

import math
from typing import Any, Final

import pyarrow as pa
from msgspec import Raw

from leadline.logs.arrow import flags, numbers, texts
from leadline.logs.decode import parsed_object
from leadline.logs.request import PROJECTION
from leadline.logs.shapes import Json
from leadline.logs.values import json_text

_ABSENT: Final = object()
_INT64 = 1 << 63


class Projection:
    """Collects the values of metadata keys, batch by batch; a dotted key reaches into nested objects."""

    def __init__(self, keys: tuple[str, ...]) -> None:
        self.keys = keys
        self._values: dict[str, list[Any]] = {key: [] for key in keys}

    def add(self, metadata: Raw) -> None:
        """Take the keys from one sample's metadata; a missing key is null."""
        document = parsed_object(metadata)
        for key, column in self._values.items():
            value = lookup(document, key)
            column.append(None if value is _ABSENT else value)

    def close(self) -> list[tuple[str, Any]]:
        """Name and array of every key for the batch just finished."""
        arrays = [(PROJECTION + key, typed(values)) for key, values in self._values.items()]
        self._values = {key: [] for key in self.keys}
        return arrays


def lookup(document: Json, key: str) -> Any:
    """The value under a key, else under the dotted path, else a sentinel."""
    if key in document:
        return document[key]
    value: Any = document
    for part in key.split("."):
        if not isinstance(value, dict) or part not in value:
            return _ABSENT
        value = value[part]
    return value


def present(metadata: Raw, key: str) -> tuple[bool, Any]:
    """Whether a sample's metadata holds the key, and its value."""
    value = lookup(parsed_object(metadata), key)
    return value is not _ABSENT, None if value is _ABSENT else value


def typed(values: list[Any]) -> Any:
    """A bool, int64, float64 or string array, the narrowest that holds every value.

    Text among numbers makes all of them text; lists and objects are JSON text.
    """
    kinds = {type(value) for value in values if value is not None}
    if not kinds:
        return pa.nulls(len(values))
    if kinds <= {bool}:
        return flags(values)
    if kinds <= {int} and all(value is None or -_INT64 <= value < _INT64 for value in values):
        return numbers(values, pa.int64())
    if kinds <= {int, float} and (finite := _finite(values)) is not None:
        return numbers(finite, pa.float64())
    return texts([None if v is None else v if isinstance(v, str) else json_text(v) for v in values])


def _finite(values: list[Any]) -> list[float | None] | None:
    """The values as floats, infinities and NaN as None; None when one is beyond float64."""
    try:
        floats = [None if value is None else float(value) for value in values]
    except OverflowError:
        return None
    return [value if value is not None and math.isfinite(value) else None for value in floats]


def common_type(kinds: list[Any]) -> Any:
    """The narrowest type that holds columns of all these types."""
    known = [kind for kind in kinds if not pa.types.is_null(kind)]
    if not known:
        return pa.string()
    if all(kind == known[0] for kind in known):
        return known[0]
    if all(pa.types.is_integer(kind) or pa.types.is_floating(kind) for kind in known):
        return pa.float64()
    return pa.string()
