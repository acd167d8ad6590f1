"""Newton's method for a maximum inside a box: few parameters, analytic derivatives, no randomness."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from leadline.stats.checks import Floats

#: Value (-inf outside the domain), gradient and Hessian at a point.
Derivatives = tuple[float, Floats, Floats]

_STEPS = 60
_HALVINGS = 40


@dataclass(frozen=True, slots=True)
class Summit:
    """Where the ascent ended, and the value there."""

    x: Floats
    value: float


def ascend(
    at: Callable[[Floats], Derivatives], start: Floats, low: Sequence[float], high: Sequence[float]
) -> Summit:
    """A local maximum of a smooth function in a box, from ``start``.

    Projected Newton (Bertsekas 1982, SIAM J. Control Optim. 20, 221-246): coordinates at a bound with the gradient
    pointing outwards are held, the others take a Newton step with the curvature made negative, halved until the
    value does not fall.
    """
    lower, upper = np.array(low), np.array(high)
    x = np.clip(start, lower, upper)
    value, gradient, hessian = at(x)
    for _ in range(_STEPS):
        held = ((x <= lower) & (gradient <= 0.0)) | ((x >= upper) & (gradient >= 0.0))
        free = np.flatnonzero(~held)
        if not free.size or not math.isfinite(value):
            break
        step = np.zeros_like(x)
        step[free] = _uphill(gradient[free], hessian[np.ix_(free, free)])
        if float(gradient @ step) <= 1e-10:
            # Newton squares what is missing: after one more step it is below rounding.
            last = np.clip(x + step, lower, upper)
            after = at(last)[0]
            return Summit(last, after) if after >= value else Summit(x, value)
        moved = _try(at, x, value, step, lower, upper)
        if moved is None:
            break
        x, (value, gradient, hessian) = moved
    return Summit(x, value)


def _uphill(gradient: Floats, hessian: Floats) -> Floats:
    """The Newton step, with directions of positive curvature taken as negative, so that it always climbs.

    Coordinates are scaled to unit curvature first: near a bound one may be curved a billion times more than another.
    """
    scale = 1.0 / np.sqrt(np.maximum(np.abs(np.diag(hessian)), 1e-12))
    curvature, axes = np.linalg.eigh(hessian * scale[:, None] * scale)
    size = np.maximum(np.abs(curvature), 1e-8)
    step: Floats = scale * (axes @ ((axes.T @ (scale * gradient)) / size))
    return step


def _try(
    at: Callable[[Floats], Derivatives], x: Floats, value: float, step: Floats, lower: Floats, upper: Floats
) -> tuple[Floats, Derivatives] | None:
    scale = 1.0
    for _ in range(_HALVINGS):
        trial = np.clip(x + scale * step, lower, upper)
        found = at(trial)
        if found[0] > value:
            return trial, found
        scale *= 0.5
    return None
