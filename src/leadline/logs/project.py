"""Metadata keys as columns of their own, typed by what they hold."""

import json
import math
from collections.abc import Callable
from typing import Any, Final

import pyarrow as pa
from msgspec import Raw

from leadline.logs.arrow import column, flags, numbers, texts
from leadline.logs.decode import parsed_object
from leadline.logs.request import PROJECTION
from leadline.logs.schema import NAMES
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
        for key, values in self._values.items():
            value = lookup(document, key)
            values.append(None if value is _ABSENT else value)

    def close(self) -> list[tuple[str, Any]]:
        """Name of every key, and its values in the batch just finished as JSON texts; see `typed`."""
        arrays = [
            (
                PROJECTION + key,
                column([None if value is None else json_text(value) for value in values], NAMES),
            )
            for key, values in self._values.items()
        ]
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


def typed(encoded: Any) -> Any:
    """A bool, int64, float64 or string column, the narrowest that holds every value, from a chunked column of JSON texts.

    Text among numbers makes all of them text; lists and objects are JSON text. All values are looked at
    before any is converted, so that a type does not depend on where one batch ends and the next begins.
    """
    chunks = [_values(chunk) for chunk in encoded.chunks]
    convert, kind = _conversion([value for chunk in chunks for value in chunk])
    return pa.chunked_array([convert(chunk) for chunk in chunks], kind)


def _values(chunk: Any) -> list[Any]:
    known = [json.loads(text) for text in chunk.dictionary.to_pylist()]
    return [None if at is None else known[at] for at in chunk.indices.to_pylist()]


def _conversion(values: list[Any]) -> tuple[Callable[[list[Any]], Any], Any]:
    kinds = {type(value) for value in values if value is not None}
    if kinds == {bool}:
        return flags, pa.bool_()
    if kinds == {int} and all(value is None or -_INT64 <= value < _INT64 for value in values):
        return lambda chunk: numbers(chunk, pa.int64()), pa.int64()
    if kinds and kinds <= {int, float} and _finite(values) is not None:
        return lambda chunk: numbers(_finite(chunk) or (), pa.float64()), pa.float64()
    return lambda chunk: texts([_shown(value) for value in chunk]), pa.string()


def _shown(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else json_text(value)


def _finite(values: list[Any]) -> list[float | None] | None:
    """The values as floats, infinities and NaN as None; None when one is beyond float64."""
    try:
        floats = [None if value is None else float(value) for value in values]
    except OverflowError:
        return None
    return [value if value is not None and math.isfinite(value) else None for value in floats]
