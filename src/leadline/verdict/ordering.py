"""The order in which checks are shown: as in the report's JSON, but with numbers in names by their value."""

import re
from collections.abc import Iterable
from typing import Final

from leadline.verdict.model import Check

_NUMBERS: Final = re.compile(r"(\d+)", re.ASCII)
_Natural = tuple[tuple[int, str], ...]


def in_order(checks: Iterable[Check]) -> tuple[Check, ...]:
    """Checks by promise, arm, log and what was promised; as text, 10 would come before 2."""
    return tuple(sorted(checks, key=_place))


def natural(text: str) -> _Natural:
    """A key that sorts texts as people do: words by their characters, numbers of any length by their value."""
    parts = _NUMBERS.split(text)  # words at even places, numbers at odd ones
    return tuple(_number(part) if place % 2 else (0, part) for place, part in enumerate(parts))


def _place(check: Check) -> tuple[_Natural, ...]:
    return tuple(map(natural, (check.id, check.arm or "", check.log or "", check.promised)))


def _number(digits: str) -> tuple[int, str]:
    """The longer number is the larger; none is ever converted, however long a stranger made it."""
    bare = digits.lstrip("0")
    return len(bare), bare
