"""What this n could have found, and the n that would have decided."""

import math

from scipy.special import ndtri

from leadline.protocol.blocks.claims import ClaimKind
from leadline.verdict.model import EffectEstimate

POWER = 0.8


def standard_error(estimate: EffectEstimate) -> float | None:
    """The estimate's standard error, or the one its wide interval implies."""
    if estimate.se is not None and estimate.se > 0:
        return estimate.se
    if estimate.wide is None:
        return None
    width = estimate.wide[1] - estimate.wide[0]
    return width / (2 * float(ndtri(1 - estimate.alpha / 2))) if width > 0 else None


def detectable(estimate: EffectEstimate, power: float = POWER) -> float | None:
    """Smallest true effect whose wide interval would have excluded 0 with probability `power`."""
    se = standard_error(estimate)
    return None if se is None else se * float(ndtri(1 - estimate.alpha / 2) + ndtri(power))


def n_needed(
    kind: ClaimKind,
    estimate: EffectEstimate,
    smallest: float,
    margin: float = 0.0,
    expected: float | None = None,
) -> int | None:
    """Items (clusters in proportion) at which the claim would be decided with 80 % power if it is true.

    The standard error falls with the square root of n; the truth assumed is the smallest effect
    (`at_least`: the expected effect; `no_worse`, `equivalent`: 0).
    """
    se = standard_error(estimate)
    room = _room(kind, smallest, margin, expected)
    if se is None or room is None or room <= 0:
        return None
    wide = float(ndtri(1 - estimate.alpha / 2))
    if kind == "equivalent":
        z = float(ndtri(1 - estimate.alpha)) + float(ndtri(1 - (1 - POWER) / 2))
    else:
        z = wide + float(ndtri(POWER))
    return max(estimate.n, math.ceil(estimate.n * (se * z / room) ** 2))


def _room(kind: ClaimKind, smallest: float, margin: float, expected: float | None) -> float | None:
    """Distance from the assumed truth to the boundary the interval must clear."""
    if kind == "at_least":
        return None if expected is None else expected - smallest
    if kind == "greater":
        return smallest - margin
    return smallest
