"""The decision table: from intervals of a signed effect to an outcome.

Effect = estimand minus reference, signed so that the prediction is positive; d = smallest effect of
interest; wide = interval at 1 - alpha, narrow = interval at 1 - 2 alpha.

============================  ======================  ==================  ==============================
claim kind                    null                    supported           refuted
============================  ======================  ==================  ==============================
``greater`` than m            narrow within (-d, d)   wide low > m        wide high < m
``at_least`` d                narrow within (-d, d)   wide low > d        wide high < d
``differs``                   narrow within (-d, d)   wide excludes 0     never
``no_worse`` by more than d   never                   wide low > -d       wide high < -d
``equivalent``                never                   narrow in (-d, d)   wide wholly outside (-d, d)
============================  ======================  ==================  ==============================

The first column that matches, from the left, decides; none means inconclusive. A claim of at least d
that fails because the effect is negligible reads null, not refuted: null comes first.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

from leadline.protocol.blocks.claims import ClaimKind, Outcome

Interval = tuple[float, float]


def decide(
    kind: ClaimKind, wide: Interval, narrow: Interval, smallest: float, margin: float = 0.0
) -> Outcome:
    """The outcome of one hypothesis; ``smallest`` > ``margin`` >= 0, all on the effect's scale."""
    low, high = wide
    within = -smallest < narrow[0] and narrow[1] < smallest
    if kind in ("greater", "at_least", "differs") and within:
        return "null"
    if kind == "greater":
        return _beyond(low, high, margin)
    if kind == "at_least":
        return _beyond(low, high, smallest)
    if kind == "differs":
        return "supported" if low > 0 or high < 0 else "inconclusive"
    if kind == "no_worse":
        return _beyond(low, high, -smallest)
    if within:
        return "supported"
    return "refuted" if low >= smallest or high <= -smallest else "inconclusive"


def _beyond(low: float, high: float, bound: float) -> Outcome:
    if low > bound:
        return "supported"
    return "refuted" if high < bound else "inconclusive"


def levels(
    names: Sequence[str],
    alpha: Mapping[str, float],
    outcome_at: Callable[[str, float], Outcome],
    correction: Literal["holm", "bh", "none"],
) -> dict[str, float]:
    """The level at which each hypothesis of a family is decided.

    ``alpha`` maps each name to its registered level, ``outcome_at(name, level)`` decides it there.
    Holm: start everybody at alpha/m; whoever is decided leaves, and the rest share alpha among fewer,
    until nobody new is decided (Holm 1979, section 3, with "decided" for "rejected").
    BH: the largest j such that j hypotheses are decided at alpha*j/m (Benjamini and Hochberg 1995).
    """
    m = len(names)
    share = {name: alpha[name] for name in names}
    if correction == "none" or m == 1:
        return share
    if correction == "bh":
        for j in range(m, 0, -1):
            at = {name: share[name] * j / m for name in names}
            if sum(outcome_at(name, at[name]) != "inconclusive" for name in names) >= j:
                return at
        return {name: share[name] / m for name in names}
    used: dict[str, float] = {}
    waiting = list(names)
    while waiting:
        at = {name: share[name] / len(waiting) for name in waiting}
        decided = [name for name in waiting if outcome_at(name, at[name]) != "inconclusive"]
        if not decided:
            return used | at
        used |= {name: at[name] for name in decided}
        waiting = [name for name in waiting if name not in used]
    return used
