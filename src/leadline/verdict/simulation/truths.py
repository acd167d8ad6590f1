"""Which truths a plan is tried against, and what each means for the means of the arms."""

import math
from dataclasses import dataclass

from leadline.protocol.blocks.claims import ClaimKind, Hypothesis
from leadline.protocol.model import Protocol
from leadline.verdict.cases import expected_effect
from leadline.verdict.estimate import question, smallest_and_margin

#: Estimands whose items are 0 or 1 whatever the measure is.
SHARES = ("proportion", "threshold")
#: Means beyond this cannot be squared safely.
_LARGEST = 1e90


@dataclass(frozen=True, slots=True)
class Truth:
    """A true effect (signed, on the effect's scale) and the means it gives the estimand's arms."""

    effect: float
    value: float
    means: tuple[float, ...]
    impossible: str | None


def effects(hypothesis: Hypothesis) -> dict[str, float]:
    """The grid: label -> true effect, in the order a reader wants to see them.

    `boundary` is where support turns false: greater m, at_least d, no_worse -d, differs 0, equivalent
    -d and d. Several labels may name one effect.
    """
    d, m = smallest_and_margin(hypothesis)
    grid = {"opposite": -d, "zero": 0.0, "half": d / 2, "smallest": d, "three_halves": 1.5 * d}
    expected = expected_effect(hypothesis)
    if expected is not None:
        grid["expected"] = expected
    grid |= boundaries(hypothesis.kind, d, m)
    return grid


def boundaries(kind: ClaimKind, smallest: float, margin: float) -> dict[str, float]:
    """The truths at which a supported verdict is just false."""
    if kind == "equivalent":
        return {"boundary": smallest, "boundary_low": -smallest}
    at = {"greater": margin, "at_least": smallest, "no_worse": -smallest, "differs": 0.0}
    return {"boundary": at[kind]}


def power_label(hypothesis: Hypothesis) -> str | None:
    """The label of the truth at which the claim's power is stated (DESIGN: for `at_least` an expected effect)."""
    if hypothesis.kind == "at_least":
        return "expected" if hypothesis.expected is not None else None
    return "zero" if hypothesis.kind in ("no_worse", "equivalent") else "smallest"


def is_binary(protocol: Protocol, hypothesis: Hypothesis) -> bool:
    """Whether the simulated items are 0 or 1."""
    return hypothesis.estimand.type in SHARES or protocol.sample_size.assumptions.binary


def truth(protocol: Protocol, hypothesis: Hypothesis, effect: float) -> Truth:
    """The arms' means under ``effect``: the second arm has the assumed baseline, the first what the effect makes of it."""
    ask = question(hypothesis)
    baseline = protocol.sample_size.assumptions.baseline or 0.0
    if ask.log_scale:
        value = ask.reference * _exp(ask.sign * effect)
        means: tuple[float, ...] = (baseline * value, baseline)
    else:
        value = ask.reference + ask.sign * effect
        means = (value,) if len(hypothesis.estimand.arms) == 1 else (baseline + value, baseline)
    return Truth(effect, value, means, _impossible(means, is_binary(protocol, hypothesis)))


def _exp(x: float) -> float:
    return math.exp(x) if x < 700 else math.inf


def _impossible(means: tuple[float, ...], binary: bool) -> str | None:
    for mean in means:
        if not abs(mean) < _LARGEST:
            return "a mean would be too large to compute with"
        if binary and not -1e-12 <= mean <= 1 + 1e-12:
            return f"a share of {mean:g} lies outside [0, 1]"
    return None
