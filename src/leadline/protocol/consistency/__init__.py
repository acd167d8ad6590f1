"""What a protocol's blocks must agree on among themselves."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from leadline.protocol.consistency.conduct import data_rules_hold, hazard_and_dates_hold, robustness_holds
from leadline.protocol.consistency.estimands import (
    ARITY,
    METHODS,
    controls_hold,
    forecasts_hold,
    hypotheses_hold,
    measures_hold,
)
from leadline.protocol.consistency.names import (
    arms_exist,
    claims_refer_to_hypotheses,
    models_are_named_once,
    names_are_unique,
    samples_are_listed_once,
    takeaways_are_in_the_grammar,
    values_have_a_canonical_form,
)
from leadline.protocol.consistency.problems import InconsistentProtocolError, Problem

if TYPE_CHECKING:
    from leadline.protocol.model import Protocol


def require_consistent(protocol: "Protocol") -> None:
    """Raise `InconsistentProtocolError` naming every contradiction among the protocol's blocks."""
    problems = tuple(find_problems(protocol))
    if problems:
        raise InconsistentProtocolError(problems)


def find_problems(protocol: "Protocol") -> Iterator[Problem]:
    """Every contradiction, in the order of the document's blocks."""
    checks: tuple[Callable[[Protocol], Iterator[Problem]], ...] = (
        values_have_a_canonical_form,
        names_are_unique,
        models_are_named_once,
        arms_exist,
        samples_are_listed_once,
        measures_hold,
        hypotheses_hold,
        claims_refer_to_hypotheses,
        controls_hold,
        forecasts_hold,
        takeaways_are_in_the_grammar,
        data_rules_hold,
        robustness_holds,
        hazard_and_dates_hold,
    )
    for check in checks:
        yield from check(protocol)


__all__ = ["ARITY", "METHODS", "InconsistentProtocolError", "Problem", "find_problems", "require_consistent"]
