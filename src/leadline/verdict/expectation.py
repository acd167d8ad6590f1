"""What somebody expected of logs that exist: a claim's kind, direction and arms in one short line.

    hint > plain        hint scores higher
    hint < plain        hint scores lower
    hint >= plain       hint scores no lower, by more than the smallest difference that matters
    hint <= plain       hint scores no higher, by more than that
    hint == plain       they score the same, within that
    hint != plain       they differ
    hint > 0.5          hint scores above a number

Arms are called by name or by letter: A is the first, B the second. Where there are no more than two arms, their names
may be left out: `>` means that the first scores higher than the second, `> 0.5` that the only one scores above 0.5.
Several expectations are separated by commas.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from string import ascii_uppercase
from typing import Final, Literal

from leadline.errors import InputError
from leadline.protocol.blocks.claims import ClaimKind

#: Expectations that are taken in one line.
MOST: Final = 50
_SIGNS: Final[dict[str, tuple[ClaimKind, Literal["increase", "decrease"], str]]] = {
    ">=": ("no_worse", "increase", "scores no lower than"),
    "<=": ("no_worse", "decrease", "scores no higher than"),
    "==": ("equivalent", "increase", "scores the same as"),
    "!=": ("differs", "increase", "scores differently from"),
    ">": ("greater", "increase", "scores higher than"),
    "<": ("greater", "decrease", "scores lower than"),
}
_ONE: Final = re.compile(r"([A-Za-z0-9._-]{0,64}) *(>=|<=|==|!=|>|<) *([A-Za-z0-9._+-]{0,64})")


@dataclass(frozen=True, slots=True)
class Expectation:
    """One expectation: the arm it is about, and the other arm or the number (one of them is None) it is held against."""

    arm: str
    other: str | None
    reference: float | None
    kind: ClaimKind
    prediction: Literal["increase", "decrease"]
    words: str

    @property
    def sentence(self) -> str:
        """The claim in words, e.g. `hint scores higher than plain`."""
        against = self.other if self.reference is None else f"{self.reference:g}"
        return f"{self.arm} {self.words} {against}"


def read_expectations(text: str, arms: Sequence[str]) -> tuple[Expectation, ...]:
    """The expectations of a line about arms of these names; InputError, with how to write it, for anything else."""
    parts = text.split(",")
    if len(parts) > MOST:
        raise InputError(
            f"{len(parts)} expectations are more than {MOST}", remedy="write the rest in the draft"
        )
    found = tuple(_one(part.strip(), arms) for part in parts)
    if len({(one.arm, one.other) for one in found}) < len(found):
        raise InputError("one pair of arms is expected twice", remedy="keep one expectation of it")
    return found


def example(arms: Sequence[str]) -> str:
    """How an expectation about these arms may read."""
    return f"{arms[0]} > {arms[1]}" if len(arms) > 1 else f"{arms[0]} > 0.5"


def _one(text: str, arms: Sequence[str]) -> Expectation:
    match = _ONE.fullmatch(text)
    if match is None:
        raise _unclear(f"{text[:80]!r} is no expectation", arms)
    left, sign, right = match.groups()
    arm = _arm(left, arms) if left or len(arms) > 2 else arms[0]
    if arm is None:
        raise _unclear(f"there is no arm {left!r}", arms)
    kind, prediction, words = _SIGNS[sign]
    other = arms[1] if not right and len(arms) == 2 else _arm(right, arms)
    if other == arm:
        raise _unclear(f"{text!r} holds {arm} against itself", arms)
    reference = _number(right) if other is None else None
    if other is None and reference is None:
        raise _unclear(f"{right!r} is neither an arm nor a number", arms)
    return Expectation(arm, other, reference, kind, prediction, words)


def _arm(word: str, arms: Sequence[str]) -> str | None:
    """The arm of a name or letter."""
    if word in arms:
        return word
    letters = dict(zip(ascii_uppercase, arms, strict=False))
    return letters.get(word.upper())


def _number(word: str) -> float | None:
    try:
        number = float(word)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _unclear(what: str, arms: Sequence[str]) -> InputError:
    known = ", ".join(arms[:10]) + (f" and {len(arms) - 10} more" if len(arms) > 10 else "")
    return InputError(
        what,
        where="expected",
        remedy=f"write ARM, one of > < >= <= == !=, and an ARM or a number, e.g. {example(arms)}; arms are {known}",
    )
