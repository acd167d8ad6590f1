"""Data rules, robustness specifications, hazard and dates."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from leadline.protocol.blocks.conduct import DataRules
from leadline.protocol.consistency.estimands import METHODS
from leadline.protocol.consistency.problems import Problem, expression, missing
from leadline.protocol.digest import Path

if TYPE_CHECKING:
    from leadline.protocol.model import Protocol


def data_rules_hold(protocol: "Protocol") -> Iterator[Problem]:
    """Expressions of data rules compile, in robustness specifications too."""
    rules: list[tuple[Path, DataRules]] = [(("data_rules",), protocol.data_rules)]
    for i, robustness in enumerate(protocol.robustness):
        if robustness.change.data_rules is not None:
            rules.append((("robustness", i, "change", "data_rules"), robustness.change.data_rules))
    for path, rule in rules:
        if rule.refusal_when is not None:
            yield from expression((*path, "refusal_when"), rule.refusal_when, kind="truth")
        for i, exclusion in enumerate(rule.exclusions):
            yield from expression((*path, "exclusions", i, "when"), exclusion.when, kind="truth")


def robustness_holds(protocol: "Protocol") -> Iterator[Problem]:
    """Robustness specifications change something, by means that exist."""
    usable = {method for h in protocol.hypotheses for method in METHODS[h.estimand.type]}
    for i, robustness in enumerate(protocol.robustness):
        path: Path = ("robustness", i, "change")
        change = robustness.change
        if not change.model_fields_set:
            yield Problem(
                path, f"the specification {robustness.name!r} changes nothing", "state what it does otherwise"
            )
        if change.method is not None and change.method not in usable:
            yield Problem(
                (*path, "method"), f"the method {change.method!r} answers none of the estimands", None
            )
        if change.where is not None:
            yield from expression((*path, "where"), change.where, prior_only=True, kind="truth")
        if change.cluster is not None and change.cluster != "item":
            yield from expression((*path, "cluster"), change.cluster, prior_only=True)


def hazard_and_dates_hold(protocol: "Protocol") -> Iterator[Problem]:
    """Hazard fields name blocks; dates are in order."""
    blocks = list(type(protocol).model_fields)
    for i, field in enumerate(protocol.hazard.fields):
        yield from missing(("hazard", "fields", i), field.split(".")[0], "block of a protocol", blocks)
    timeline = protocol.timeline
    if timeline.not_before and timeline.due and timeline.due < timeline.not_before:
        yield Problem(
            ("timeline", "due"),
            f"the result is due ({timeline.due}) before the run may begin ({timeline.not_before})",
            "move one of the dates",
        )
