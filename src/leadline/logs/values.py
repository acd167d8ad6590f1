"""What a score's raw value means as a number, and its text as evidence.

The mapping is Inspect's default one (`value_to_float`): C 1, I 0, P 0.5, N 0; yes and true 1, no and
false 0; booleans; finite numbers; strings that are numbers. Where Inspect turns what it does not
understand into 0 with a warning, this module gives no number and says why.
"""

import json
import math
from math import isfinite
from typing import Any

LETTERS = {"C": 1.0, "I": 0.0, "P": 0.5, "N": 0.0}
WORDS = {"yes": 1.0, "true": 1.0, "no": 0.0, "false": 0.0}

#: Reasons given when the log states none. `nan` is Inspect's own sign for "not scored".
NAN, INFINITE, UNKNOWN_TEXT, IS_LIST, IS_DICT, IS_NULL = (
    "nan", "infinite value", "text that is no number", "list value", "dict value", "null value",
)  # fmt: skip
TOO_LARGE = "number beyond float64"

_CACHE_SIZE = 4096
_LONGEST_NUMBER = 400
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode


def number(value: Any) -> tuple[float | None, str | None]:
    """The float64 of a raw score value, or None and the reason why it has none."""
    kind = type(value)
    if kind is str:
        return _text(value)
    if kind is bool or kind is int or kind is float:
        return _numeric(value)
    if value is None:
        return None, IS_NULL
    return None, IS_DICT if kind is dict else IS_LIST


def _numeric(value: float) -> tuple[float | None, str | None]:
    try:
        found = float(value)
    except OverflowError:
        return None, TOO_LARGE
    if math.isfinite(found):
        return found, None
    return None, NAN if math.isnan(found) else INFINITE


def _text(value: str) -> tuple[float | None, str | None]:
    if (letter := LETTERS.get(value)) is not None:
        return letter, None
    if len(value) > _LONGEST_NUMBER:
        return None, UNKNOWN_TEXT
    if (word := WORDS.get(value.lower())) is not None:
        return word, None
    try:
        found = float(value)
    except ValueError:
        return None, UNKNOWN_TEXT
    return (found, None) if math.isfinite(found) else (None, UNKNOWN_TEXT)


def json_text(value: Any) -> str:
    """The raw value as JSON text: compact, keys sorted, NaN and infinities bare as Inspect writes them."""
    kind = type(value)
    if kind is float and math.isfinite(value):
        return repr(value)
    if kind is bool:
        return "true" if value else "false"
    return str(value) if kind is int else _encode(value)


class ValueMap:
    """`number` and `json_text` of raw values, remembering short strings: logs repeat a few of them."""

    __slots__ = ("_seen",)

    def __init__(self) -> None:
        self._seen: dict[str, tuple[float | None, str | None, str]] = {}

    def __call__(self, value: Any) -> tuple[float | None, str | None, str]:
        """Number, reason for having none, and JSON text of a raw value."""
        kind = type(value)
        if kind is float and isfinite(value):
            return value, None, repr(value)
        if kind is not str:
            found, why = number(value)
            return found, why, json_text(value)
        known = self._seen.get(value)
        if known is None:
            found, why = number(value)
            known = found, why, json_text(value)
            if len(value) < 64 and len(self._seen) < _CACHE_SIZE:
                self._seen[value] = known
        return known
