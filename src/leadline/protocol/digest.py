"""The bytes that are frozen, and their name.

Only what differs from the schema's defaults enters the digest. Two clients that write the same
promise, one spelling a default out and one leaving it out, therefore freeze the same bytes, and a
field that a later schema adds with a default leaves every older digest as it was. The schema
version is always written, so the bytes say by which defaults they are to be read.
"""

import hashlib
from collections.abc import Iterator
from datetime import date
from math import isfinite
from typing import TYPE_CHECKING, Any

import rfc8785
from pydantic_core import PydanticSerializationError

from leadline.errors import ProtocolError

if TYPE_CHECKING:
    from leadline.protocol.model import Protocol

#: Largest integer every JSON reader reproduces exactly (RFC 7493 section 2.2, RFC 8785 section 3.2.2.3).
MAX_INTEGER = 2**53 - 1

Path = tuple[str | int, ...]


def plain(protocol: "Protocol") -> dict[str, Any]:
    """The protocol as JSON values, defaults left out, in the order of the schema.

    Raises `ProtocolError` when a settings table holds a value JSON has no form for.
    """
    try:
        written = protocol.model_dump(mode="json", exclude_defaults=True)
    except (PydanticSerializationError, UnicodeEncodeError, ValueError, RecursionError) as error:
        raise ProtocolError(
            f"a value cannot be written as JSON: {error}",
            remedy="use text, numbers, true, false, null, lists and tables only",
        ) from error
    return {"leadline": protocol.leadline, **written}


def unrepresentable(protocol: "Protocol") -> Iterator[tuple[Path, str]]:
    """Each value of the protocol that canonical JSON cannot carry exactly: its path, and why.

    Looks at the Python values, because the serialiser would turn NaN into null and a set into a
    list of no fixed order.
    """
    return _faults(protocol.model_dump(mode="python", exclude_defaults=True), ())


def _faults(value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                yield path, f"the key {key!r} is not text"
            elif not _is_unicode(key):
                yield path, f"the key {key!r} holds half of a character pair, which has no UTF-8 form"
            else:
                yield from _faults(item, (*path, key))
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from _faults(item, (*path, index))
    elif isinstance(value, str):
        if not _is_unicode(value):
            yield path, "the text holds half of a character pair, which has no UTF-8 form"
    elif isinstance(value, float):
        if not isfinite(value):
            yield path, f"{value} is not a number JSON can carry"
    elif isinstance(value, int):
        if abs(value) > MAX_INTEGER:
            yield path, f"the integer {value} is beyond 2^53 - 1 and would not survive every JSON reader"
    elif value is not None and not isinstance(value, date):
        yield path, f"a {type(value).__name__} has no JSON form"


def _is_unicode(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def canonical_bytes(protocol: "Protocol") -> bytes:
    """RFC 8785 canonical JSON of the protocol, defaults left out and the schema version written.

    Raises `ProtocolError` for integers beyond 2^53 - 1, non-finite numbers and broken text.
    """
    for path, reason in unrepresentable(protocol):
        raise ProtocolError(
            reason, where=dotted(path), remedy="write the value as text, or as a number that fits a double"
        )
    return rfc8785.dumps(plain(protocol))


def digest(protocol: "Protocol") -> str:
    """SHA-256 (64 lower-case hex digits) of `canonical_bytes`."""
    return hashlib.sha256(canonical_bytes(protocol)).hexdigest()


def dotted(path: Path) -> str:
    """A path as people write it: ``hypotheses[0].estimand.arms[1]``."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{part}" if text else part
    return text or "the protocol"
