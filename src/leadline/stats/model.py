"""The value every estimator returns."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Estimate:
    """A point estimate with its standard error and interval.

    ``value``, ``se``, ``low`` and ``high`` share the estimand's unit. ``se`` is None where the
    method gives an interval without one (score intervals). ``df`` is the reference distribution's
    degrees of freedom (None = normal, or not a Wald-type interval). ``n`` counts independent or
    paired units, ``clusters`` the clusters they fall in (None = unclustered). ``method`` names the
    interval, ``level`` its coverage. ``reason`` is a code when no interval can be given
    ("degenerate", "too_few_clusters", ...); then ``low`` and ``high`` are None, never equal to
    ``value``: a zero-width interval would read as certainty.
    """

    value: float
    se: float | None
    low: float | None
    high: float | None
    df: float | None
    n: int
    clusters: int | None
    level: float
    method: str
    reason: str | None = None
    warnings: tuple[str, ...] = ()
