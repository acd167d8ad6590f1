"""What an author will be entitled to say, in a grammar small enough to be checked.

::

    no update
    A can change MEASURE                    existence: it happens at all
    A raises MEASURE [compared with B]      direction
    A lowers MEASURE [compared with B]      direction
    try A before B [for MEASURE]            order
    A changes MEASURE by about X [over B]   magnitude

A and B are names of arms, or techniques of arms in quotation marks; MEASURE is the name of a
measure; X is a number with an optional sign. Nothing may be added: what a remark says, no rule could check.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Literal

from leadline.errors import ProtocolError
from leadline.protocol.blocks.claims import Outcome
from leadline.protocol.blocks.identity import Gaps

if TYPE_CHECKING:
    from leadline.protocol.model import Protocol

Level = Literal["none", "existence", "direction", "order", "magnitude"]

#: From the weakest statement to the strongest.
LEVELS: tuple[Level, ...] = ("none", "existence", "direction", "order", "magnitude")
OUTCOMES: tuple[Outcome, ...] = ("supported", "refuted", "null", "inconclusive")
PRODUCTIONS: tuple[str, ...] = (
    "no update",
    "A can change MEASURE",
    "A raises MEASURE [compared with B]",
    "A lowers MEASURE [compared with B]",
    "try A before B [for MEASURE]",
    "A changes MEASURE by about X [over B]",
)

_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]*"
_A = rf'(?P<a>{_NAME}|"[^"]+")'
_B = rf'(?P<b>{_NAME}|"[^"]+")'
_MEASURE = rf"(?P<measure>{_NAME})"
_AMOUNT = r"(?P<amount>[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)"


@dataclass(frozen=True, slots=True)
class Statement:
    """A takeaway, understood.

    ``a`` and ``b`` are arm names or technique names as written (without quotation marks);
    ``amount`` is in the measure's unit; ``sign`` is +1 for raises, -1 for lowers, else 0.
    """

    level: Level
    a: str | None = None
    b: str | None = None
    measure: str | None = None
    amount: float | None = None
    sign: int = 0


def _pattern(words: str) -> re.Pattern[str]:
    return re.compile(" +".join(words.split(" ")))


_PATTERNS: tuple[tuple[re.Pattern[str], Level, int], ...] = (
    (_pattern("no update"), "none", 0),
    (_pattern(f"{_A} can change {_MEASURE}"), "existence", 0),
    (_pattern(f"{_A} raises {_MEASURE}(?: compared with {_B})?"), "direction", 1),
    (_pattern(f"{_A} lowers {_MEASURE}(?: compared with {_B})?"), "direction", -1),
    (_pattern(f"try {_A} before {_B}(?: for {_MEASURE})?"), "order", 0),
    (_pattern(f"{_A} changes {_MEASURE} by about {_AMOUNT}(?: over {_B})?"), "magnitude", 0),
)


def parse(text: str, protocol: "Protocol") -> Statement:
    """The statement a takeaway makes; `ProtocolError` lists the productions, or the names there are."""
    for pattern, level, sign in _PATTERNS:
        match = pattern.fullmatch(text.strip())
        if match is None:
            continue
        parts = match.groupdict()
        arms = [arm.name for arm in protocol.arms]
        techniques = [arm.technique for arm in protocol.arms]
        a, b = (_party(parts.get(key), arms, techniques) for key in ("a", "b"))
        if a is not None and a == b:
            raise ProtocolError(f"the takeaway compares {a!r} with itself", remedy="name two different arms")
        measure = parts.get("measure")
        if measure is not None:
            _require(measure, "measure", [measure.name for measure in protocol.measures])
        amount = parts.get("amount")
        return Statement(level, a, b, measure, None if amount is None else float(amount), sign)
    raise ProtocolError(
        f"the takeaway {text!r} is not in the grammar", remedy="write one of: " + " | ".join(PRODUCTIONS)
    )


def _party(text: str | None, arms: list[str], techniques: list[str]) -> str | None:
    if text is None:
        return None
    if text.startswith('"'):
        return _require(text.strip('"'), "technique", techniques)
    return _require(text, "arm", arms)


def _require(name: str, noun: str, known: Iterable[str]) -> str:
    names = sorted(set(known))
    if name in names:
        return name
    near = get_close_matches(name, names, n=1)
    raise ProtocolError(
        f"the takeaway names the {noun} {name!r}, which does not exist",
        remedy=f"did you mean {near[0]!r}?" if near else f"name one of: {', '.join(names)}",
    )


def allowed_level(gaps: Gaps) -> Level:
    """The strongest statement the distance between proxy and target allows, before any measured transfer.

    The rule follows what is known of carrying results over: which axis differs decides, far more
    than how large the effect was. The same task on a larger model kept the order of two
    techniques in about four pairs of five, and about three quarters of the gap; another task on
    the same model kept the order hardly more often than a coin, and next to none of the gap. So:

    * a far or unknown task, adversary or measure: at most existence;
    * any other axis far or unknown, or a near task, adversary or measure: at most direction;
    * only scale, family, training, elicitation or realism near: at most order;
    * everything the same: magnitude.

    It is a prior. Where the registry has measured transfer, that decides instead.
    """
    deciding = (gaps.task.distance, gaps.adversary.distance, gaps.measure.distance)
    others = (
        gaps.scale.distance,
        gaps.family.distance,
        gaps.training.distance,
        gaps.elicitation.distance,
        gaps.realism.distance,
    )
    if any(distance in {"far", "unknown"} for distance in deciding):
        return "existence"
    if any(distance in {"far", "unknown"} for distance in others) or "near" in deciding:
        return "direction"
    return "order" if "near" in others else "magnitude"


def exceeds(level: Level, allowed: Level) -> bool:
    """Whether a statement of `level` says more than `allowed` permits."""
    return LEVELS.index(level) > LEVELS.index(allowed)
