"""Estimands, measures, hypotheses, controls and forecasts: their numbers agree with each other."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from leadline.protocol.blocks.claims import Control, Estimand, Hypothesis
from leadline.protocol.consistency.problems import Problem, expression, missing
from leadline.protocol.digest import Path

if TYPE_CHECKING:
    from leadline.protocol.model import Protocol


#: How many arms each estimand compares.
ARITY = {"mean": 1, "proportion": 1, "threshold": 1, "paired_difference": 2, "difference": 2, "ratio": 2}

_GENERAL = ("auto", "cr2", "cr1", "iid", "bootstrap")
_SHARES = (
    "auto",
    "cr2",
    "cr1",
    "wilson",
    "jeffreys",
    "clopper_pearson",
    "beta_binomial",
    "score",
    "bootstrap",
)
#: Interval methods that answer each estimand.
METHODS = {
    "mean": _GENERAL,
    "proportion": _SHARES,
    "threshold": _SHARES,
    "paired_difference": (*_GENERAL, "tango", "score"),
    "difference": (*_GENERAL, "score"),
    "ratio": _GENERAL,
}


def measures_hold(protocol: "Protocol") -> Iterator[Problem]:
    """Expressions of measures compile and their bounds are ordered."""
    for i, measure in enumerate(protocol.measures):
        if measure.transform is not None:
            yield from expression(("measures", i, "transform"), measure.transform, kind="number")
        if measure.cluster is not None:
            yield from expression(("measures", i, "cluster"), measure.cluster, prior_only=True)
        if measure.low is not None and measure.high is not None and measure.low >= measure.high:
            yield Problem(
                ("measures", i, "high"),
                f"high ({measure.high:g}) must be above low ({measure.low:g})",
                "swap them, or leave one out",
            )


def hypotheses_hold(protocol: "Protocol") -> Iterator[Problem]:
    """Estimands, families, numbers and methods of hypotheses fit."""
    families = {family.name for family in protocol.families} | {"primary"}
    for i, hypothesis in enumerate(protocol.hypotheses):
        path: Path = ("hypotheses", i)
        yield from _estimand(protocol, (*path, "estimand"), hypothesis.estimand)
        yield from missing((*path, "family"), hypothesis.family, "family", families)
        yield from _numbers(path, hypothesis)
        if hypothesis.method not in METHODS[hypothesis.estimand.type]:
            yield Problem(
                (*path, "method"),
                f"the method {hypothesis.method!r} does not answer a {hypothesis.estimand.type}",
                f"use one of: {', '.join(METHODS[hypothesis.estimand.type])}",
            )


def _estimand(protocol: "Protocol", path: Path, estimand: Estimand) -> Iterator[Problem]:
    arms = [arm.name for arm in protocol.arms]
    yield from missing(
        (*path, "measure"), estimand.measure, "measure", [measure.name for measure in protocol.measures]
    )
    for i, arm in enumerate(estimand.arms):
        yield from missing((*path, "arms", i), arm, "arm", arms)
    wanted = ARITY[estimand.type]
    if len(estimand.arms) != wanted:
        yield Problem(
            (*path, "arms"),
            f"a {estimand.type} is about {wanted} arm{'s' if wanted > 1 else ''}, {len(estimand.arms)} given",
            "list the arm, then what it is compared with" if wanted == 2 else "list one arm",
        )
    elif wanted == 2 and estimand.arms[0] == estimand.arms[1]:
        yield Problem(
            (*path, "arms"), f"the arm {estimand.arms[0]!r} is compared with itself", "name two arms"
        )
    if (estimand.type == "threshold") != (estimand.cut is not None):
        yield Problem(
            path if estimand.cut is None else (*path, "cut"),
            "a threshold needs its `cut`" if estimand.cut is None else f"a {estimand.type} has no `cut`",
            "state the value a success must reach"
            if estimand.cut is None
            else "remove it, or use type: threshold",
        )
    if estimand.where is not None:
        yield from expression((*path, "where"), estimand.where, prior_only=True, kind="truth")


def _numbers(path: Path, hypothesis: Hypothesis) -> Iterator[Problem]:
    """Smallest effect, margin, expected effect and reference agree with each other and the estimand."""
    kind, smallest, margin = hypothesis.kind, hypothesis.smallest, hypothesis.margin
    ratio = hypothesis.estimand.type == "ratio"
    if ratio and smallest <= 1:
        yield Problem(
            (*path, "smallest"),
            f"the smallest effect of a ratio is a factor above 1, not {smallest:g}",
            "write 1.1 for ten per cent, whichever way the effect is predicted to go",
        )
    if kind != "greater" and margin != 0:
        yield Problem(
            (*path, "margin"), f"`{kind}` has no margin", "remove it; its boundary is the smallest effect"
        )
    elif ratio and margin != 0 and margin < 1:
        yield Problem(
            (*path, "margin"), f"the margin of a ratio is a factor of at least 1, not {margin:g}", None
        )
    elif margin >= smallest:
        yield Problem(
            (*path, "margin"),
            f"the margin ({margin:g}) must be below the smallest effect of interest ({smallest:g})",
            "lower the margin, or use kind: at_least",
        )
    if kind == "at_least" and hypothesis.expected is not None and hypothesis.expected <= smallest:
        yield Problem(
            (*path, "expected"),
            f"`at_least` can find only effects above {smallest:g}; {hypothesis.expected:g} is expected",
            "expect more, or claim less",
        )
    if ratio and hypothesis.expected is not None and hypothesis.expected <= 0:
        yield Problem((*path, "expected"), "the expected effect of a ratio is a factor above 0", None)
    if ratio and hypothesis.reference is not None and hypothesis.reference <= 0:
        yield Problem(
            (*path, "reference"), "the reference of a ratio is a factor above 0", "use 1 for no change"
        )
    if ARITY[hypothesis.estimand.type] == 1 and hypothesis.reference is None:
        yield Problem(
            path,
            f"a {hypothesis.estimand.type} needs the `reference` it is compared with",
            "state the value, e.g. `reference: 0.5`",
        )


def controls_hold(protocol: "Protocol") -> Iterator[Problem]:
    """Controls have estimands that exist, and bounds that can fail."""
    hypotheses = [hypothesis.id for hypothesis in protocol.hypotheses]
    for i, control in enumerate(protocol.controls):
        path: Path = ("controls", i)
        yield from _estimand(protocol, (*path, "estimand"), control.estimand)
        yield from _bounds(path, control)
        for j, name in enumerate(control.supports):
            yield from missing((*path, "supports", j), name, "hypothesis", hypotheses)


def _bounds(path: Path, control: Control) -> Iterator[Problem]:
    if control.low is None and control.high is None:
        yield Problem(
            path,
            f"the control {control.name!r} can never fail",
            "state `low`, `high` or both: where it must lie",
        )
    elif control.low is not None and control.high is not None and control.low >= control.high:
        yield Problem(
            (*path, "high"), f"high ({control.high:g}) must be above low ({control.low:g})", "swap them"
        )


def forecasts_hold(protocol: "Protocol") -> Iterator[Problem]:
    """Forecasts are probabilities over all four outcomes."""
    hypotheses = [hypothesis.id for hypothesis in protocol.hypotheses]
    seen: dict[tuple[str, str], int] = {}
    for i, forecast in enumerate(protocol.forecasts):
        path: Path = ("forecasts", i)
        yield from missing((*path, "hypothesis"), forecast.hypothesis, "hypothesis", hypotheses)
        earlier = seen.setdefault((forecast.by, forecast.hypothesis), i)
        if earlier != i:
            yield Problem(path, f"{forecast.by!r} already forecast this at forecasts[{earlier}]", "keep one")
        left_out = {"supported", "refuted", "null", "inconclusive"} - set(forecast.probabilities)
        total = sum(forecast.probabilities.values())
        if left_out:
            yield Problem(
                (*path, "probabilities"),
                f"no probability for {', '.join(sorted(left_out))}",
                "give all four outcomes; 0 is allowed",
            )
        elif abs(total - 1) > 1e-6:
            yield Problem(
                (*path, "probabilities"),
                f"the four probabilities sum to {total:g}, not 1",
                "make them sum to 1",
            )
        if forecast.interval80 is not None and forecast.interval80[0] > forecast.interval80[1]:
            yield Problem((*path, "interval80"), "the interval's low end is above its high end", "swap them")
