"""Canonical JSON (RFC 8785), made once when bytes first come into being, and strict parsing for ever after.

Two clients must get one digest for one document, so canonical form makes the bytes. From then on the
bytes are the object: nothing here is called to verify anything.
"""

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from math import isfinite
from typing import Any, Final, NoReturn

import rfc8785
from pydantic_core import from_json, to_json

from leadline.errors import InputError

MAX_DEPTH = 64
MAX_INTEGER: Final = 2**53 - 1
_MAX_INTEGER_DIGITS: Final = 17
#: From here on, canonical form writes numbers with an exponent.
_FIRST_EXPONENT: Final = 1e21
#: Every digit as a nought, and a run of as many as the largest whole number has.
_DIGITS: Final = bytes(b"0"[0] if 0x30 <= byte <= 0x39 else byte for byte in range(256))
_MANY_DIGITS: Final = b"0" * len(str(MAX_INTEGER))
_AS_STRING: Final = "write large numbers as strings"


def canonical(obj: object) -> bytes:
    """The RFC 8785 bytes of `obj` (dicts with string keys, lists, tuples, strings, numbers, booleans, None).

    Raises `InputError` for what has no canonical form: NaN and infinities, whole numbers beyond 2**53 - 1
    that would be written without exponent, lone surrogates, other types, nesting deeper than 64.
    """
    _check_value(obj, MAX_DEPTH)
    try:
        return rfc8785.dumps(obj)  # type: ignore[arg-type]  # it raises for what it cannot write
    except rfc8785.IntegerDomainError:
        raise _no_canonical_form(f"an integer lies beyond {MAX_INTEGER}", _AS_STRING) from None
    except rfc8785.FloatDomainError:
        raise _no_canonical_form(
            "a number is not finite", "leave the value out, or say in words why it is missing"
        ) from None
    except (rfc8785.CanonicalizationError, UnicodeError) as error:
        raise _no_canonical_form(
            str(error), "use strings, finite numbers, booleans, null, lists and dicts"
        ) from None


def parse_strict(data: bytes) -> Any:
    """The value of a JSON document that has only one reading.

    Raises `InputError` for anything two parsers could read differently: duplicate keys, lone surrogates,
    bytes that are not UTF-8, NaN and infinities (also as 1e999), integers beyond 2**53 - 1, nesting
    deeper than 64, a byte-order mark.
    """
    deep = data.count(b"[") + data.count(b"{") > MAX_DEPTH
    if not deep and (plain := _read_back(data)) is not None:
        return plain
    try:
        text = data.decode("utf-8", "strict")
    except UnicodeDecodeError as error:
        raise _refused("the document is not UTF-8", f"byte {error.start}") from None
    if deep:
        _check_text_depth(text)
    try:
        value = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise _refused(
            f"the document is not JSON: {error.msg}", f"line {error.lineno} column {error.colno}"
        ) from None
    if b"\\u" in data:
        _check_surrogates(value)
    return value


def sha256_hex(data: bytes) -> str:
    """SHA-256 of `data` in lower-case hex."""
    return sha256(data).hexdigest()


def _read_back(data: bytes) -> Any:
    """The value of a document that a fast reader and writer give back byte for byte; None where they do not.

    Such bytes have one reading: a duplicate key, an escape that need not be one, half a surrogate pair, an
    infinite number would all come back changed or not at all. Whole numbers beyond 2**53 - 1 would come back
    as they were, so no longer run of digits is let through. The strict decoder settles all other documents.
    """
    if _MANY_DIGITS in data.translate(_DIGITS):
        return None
    try:
        value = from_json(data, allow_inf_nan=False)
        return value if to_json(value) == data else None
    except ValueError:
        return None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise _refused(f"the key {key[:80]!r} occurs twice in one object")
            seen.add(key)
    return found


def _integer(text: str) -> int:
    if len(text) <= _MAX_INTEGER_DIGITS and -MAX_INTEGER <= (value := int(text)) <= MAX_INTEGER:
        return value
    raise _refused(f"the integer {text[:40]} lies beyond {MAX_INTEGER}")


def _float(text: str) -> float:
    value = float(text)
    if not isfinite(value):
        raise _refused(f"the number {text[:40]} is not finite")
    return value


def _constant(text: str) -> NoReturn:
    raise _refused(f"{text} is not a JSON number")


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_integer, parse_float=_float, parse_constant=_constant
)


def _check_value(obj: object, left: int) -> None:
    """What `rfc8785` would write although no strict reader takes it back."""
    if isinstance(obj, float) and MAX_INTEGER < abs(obj) < _FIRST_EXPONENT:
        # Canonical form writes such a float as a plain integer, too big for an integer.
        raise _no_canonical_form(f"the number {obj!r} lies beyond {MAX_INTEGER}", _AS_STRING)
    if not isinstance(obj, Mapping | list | tuple):
        return
    if left == 0:
        raise _no_canonical_form(f"it is nested deeper than {MAX_DEPTH}", "flatten the document")
    for child in obj.values() if isinstance(obj, Mapping) else obj:
        _check_value(child, left - 1)


def _check_text_depth(text: str) -> None:
    """Refuse nesting deeper than `MAX_DEPTH` before the recursive decoder meets it."""
    depth = 0
    in_string = escaped = False
    for character in text:
        if in_string:
            in_string = escaped or character != '"'
            escaped = not escaped and character == "\\"
        elif character == '"':
            in_string = True
        elif character in "[{":
            depth += 1
            if depth > MAX_DEPTH:
                raise _refused(f"the document is nested deeper than {MAX_DEPTH}")
        elif character in "]}":
            depth -= 1


def _check_surrogates(value: object) -> None:
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            raise _refused("a string holds half of a surrogate pair") from None
    elif isinstance(value, Mapping):
        for key, child in value.items():
            _check_surrogates(key)
            _check_surrogates(child)
    elif isinstance(value, Sequence):
        for child in value:
            _check_surrogates(child)


def _refused(what: str, where: str | None = None) -> InputError:
    return InputError(
        what, where=where, remedy="write the document with a JSON library and send its bytes unchanged"
    )


def _no_canonical_form(why: str, remedy: str) -> InputError:
    return InputError(f"the value has no canonical JSON form: {why}", remedy=remedy)
