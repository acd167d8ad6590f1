"""Values from anywhere (NumPy, PyTorch, JAX) as plain JSON values, and those as canonical bytes, quickly."""

import math
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from leadline.errors import InputError
from leadline.ledger.canon import MAX_INTEGER, canonical

DEEPEST: Final = 16
#: Most values of an array that is recorded as it is.
MOST_VALUES: Final = 10_000
_encoder: Final = msgspec.json.Encoder(order="sorted")


def plain(value: Any, name: str, depth: int = DEEPEST) -> Any:
    """The value of plain types: scalars of array libraries through their `item()`, arrays through `tolist()`.

    A float that is a whole number stays a float. Raises InputError, with the `name` of what holds the value, for what
    is no JSON value, is nested deeper than 16, or is an infinite number; NaN is let through for the caller to judge.
    """
    kind = type(value)
    if kind is str or kind is bool or kind is int or value is None:
        return value
    if kind is float:
        if math.isinf(value):
            raise _unfit(
                name, "an infinite number", "record NaN with a reason, or a finite number that stands for it"
            )
        return value
    if depth == 0:
        raise _unfit(name, f"nested deeper than {DEEPEST}", "flatten it")
    if isinstance(value, Mapping):
        if not all(isinstance(key, str) for key in value):
            raise _unfit(name, "a table whose keys are not all texts", "use texts as keys")
        return {str(key): plain(part, f"{name}.{key}"[:200], depth - 1) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [plain(part, name, depth - 1) for part in value]
    if isinstance(value, str | int | float) and not hasattr(value, "item"):  # enumerations and the like
        if isinstance(value, str):
            return str.__str__(value)
        return plain(int(value) if isinstance(value, int) else float(value), name, depth - 1)
    return plain(_unwrapped(value, name), name, depth - 1)


def _unwrapped(value: Any, name: str) -> Any:
    """What a scalar's `item()` or an array's `tolist()` gives."""
    shape = getattr(value, "shape", None)
    if shape is not None and math.prod(shape) > MOST_VALUES:
        raise _unfit(
            name, f"an array of {math.prod(shape):,} values", "record what was computed from it, or a digest"
        )
    method = getattr(value, "item" if shape is None or len(shape) == 0 else "tolist", None)
    if method is None:
        raise _unfit(
            name,
            f"a {type(value).__name__}, which is no JSON value",
            "pass numbers, texts, booleans, lists or tables",
        )
    return method()


def canonical_row(row: dict[str, Any]) -> bytes:
    """Canonical JSON (RFC 8785) of a row of plain values; raises InputError as `canonical` does.

    A fast writer makes the same bytes for what nearly every row consists of; `canonical` does the others.
    """
    easy, simple = _easy(row)
    if not simple:
        return canonical(row)
    try:
        return _encoder.encode(easy)
    except (msgspec.MsgspecError, UnicodeError):
        return canonical(row)  # which says what is wrong


def _easy(value: Any) -> tuple[Any, bool]:
    """The value with whole floats as integers, and whether the fast writer's bytes of it are the canonical ones."""
    kind = type(value)
    if kind is str or kind is bool or value is None:
        return value, True
    if kind is int:
        return value, -MAX_INTEGER <= value <= MAX_INTEGER
    if kind is float:
        if value.is_integer() and abs(value) <= MAX_INTEGER:
            return int(value), True
        return value, 1e-4 <= abs(value) < 1e15
    if kind is dict:
        parts = {key: _easy(part) for key, part in value.items()}
        simple = all(key.isascii() for key in value) and all(fits for _, fits in parts.values())
        return {key: part for key, (part, _) in parts.items()}, simple
    if kind is list:
        pairs = [_easy(part) for part in value]
        return [part for part, _ in pairs], all(fits for _, fits in pairs)
    return value, False


def _unfit(name: str, what: str, remedy: str) -> InputError:
    return InputError(f"{name} is {what}", where="run.record", remedy=remedy)
