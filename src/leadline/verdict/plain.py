"""Plain JSON values and their canonical bytes.

Numbers are rounded to ten significant digits, so that the last bits of a sum (which depend on the
order a processor adds in) never reach the bytes.
"""

import math
from collections.abc import Mapping
from datetime import UTC, date, datetime
from numbers import Integral, Real
from typing import Any

from leadline.errors import InputError

#: Significant digits of every number in a report.
DIGITS = 10
#: Anything smaller is rounding noise around zero.
NOISE = 1e-13
#: JSON readers that keep numbers as doubles are exact up to here (RFC 8785, section 3.2.2.3).
_EXACT = 2**53
_MAX_DEPTH = 32


def canonical(value: Any) -> bytes:
    """Canonical JSON (RFC 8785) of plain values; non-finite numbers become null before."""
    import rfc8785

    return rfc8785.dumps(plain(value))


def rounded(x: float | None) -> float | None:
    """``x`` to ten significant digits; below 1e-13 it is zero; None for None and for what is not finite.

    Every quantity in a report is of order 1e-6 or more when it is not zero: what is smaller than
    1e-13 is the last bit of a sum that cancels, and has no significant digits.
    """
    if x is None:
        return None
    number = float(x)
    if not math.isfinite(number):
        return None
    if abs(number) < NOISE:
        return 0.0
    short = float(f"{number:.{DIGITS}g}") + 0.0
    # The largest doubles would round up to infinity.
    return short if math.isfinite(short) else number


def plain(value: Any, _depth: int = 0) -> Any:
    """``value`` as JSON values: numbers rounded, instants in UTC, bytes in hex, text valid Unicode.

    Integers no double can hold become strings. Raises InputError for what has no JSON form or is
    nested deeper than 32 levels.
    """
    if _depth > _MAX_DEPTH:
        raise InputError(f"a report value is nested deeper than {_MAX_DEPTH} levels", remedy="flatten it")
    match value:
        case None | bool():
            return value
        case str():
            return value.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
        case Integral():
            whole = int(value)
            return whole if -_EXACT < whole < _EXACT else str(whole)
        case Real():
            return rounded(float(value))
        case bytes():
            return value.hex()
        case datetime():
            return instant(value)
        case date():
            return value.isoformat()
        case Mapping():
            return {plain(str(key)): plain(item, _depth + 1) for key, item in value.items()}
        case list() | tuple():
            return [plain(item, _depth + 1) for item in value]
        case set() | frozenset():
            return sorted(plain(str(item)) for item in value)
        case _ if callable(getattr(value, "item", None)):
            return plain(value.item(), _depth + 1)
    raise InputError(
        f"a report cannot hold a value of type {type(value).__name__}",
        remedy="give text, numbers, lists or tables of them",
    )


def instant(moment: datetime) -> str:
    """RFC 3339 in UTC with a Z; a moment without a time zone is taken as UTC."""
    aware = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return aware.isoformat().replace("+00:00", "Z")
