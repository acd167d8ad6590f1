"""One hypothesis on one choice of runs, ready to be decided at any level; and the levels of a family."""

import math
from dataclasses import dataclass

from leadline.errors import StatisticsError
from leadline.protocol.blocks.claims import Hypothesis, Outcome
from leadline.protocol.model import Protocol
from leadline.verdict.decide import decide, levels
from leadline.verdict.elsewhere import NOTHING, Elsewhere
from leadline.verdict.estimate import Question, estimate_effect, smallest_and_margin
from leadline.verdict.items import Items
from leadline.verdict.model import EffectEstimate


@dataclass(frozen=True)
class Case:
    """One hypothesis on one choice of runs, ready to be decided at any level."""

    hypothesis: Hypothesis
    ask: Question
    arms: tuple[Items, ...]
    failure: str | None

    def estimate(self, alpha: float) -> tuple[EffectEstimate | None, str | None]:
        """(estimate, reason): no estimate, or no interval, comes with a reason code."""
        if not self.arms or any(len(arm) == 0 for arm in self.arms):
            return None, "no_data"
        try:
            estimate = estimate_effect(self.ask, self.arms, alpha)
        except StatisticsError as error:
            return None, f"not_estimable: {error.message}"
        return estimate, estimate.reason

    def outcome(self, alpha: float) -> Outcome:
        """The decision table at this level; any failure is inconclusive."""
        if self.failure:
            return "inconclusive"
        estimate, reason = self.estimate(alpha)
        if reason or estimate is None or estimate.wide is None or estimate.narrow is None:
            return "inconclusive"
        smallest, margin = smallest_and_margin(self.hypothesis)
        return decide(self.hypothesis.kind, estimate.wide, estimate.narrow, smallest, margin)


def family_levels(
    protocol: Protocol, family: str, cases: dict[str, list[Case]], elsewhere: Elsewhere = NOTHING
) -> dict[str, float]:
    """Level of each (hypothesis, run variant) of a family; variants are members like hypotheses.

    Sibling registrations share each level equally and for good: what they find is no part of this study, and
    whoever is decided first must not gain by it.
    """
    members = {
        f"{h.id}\x00{k}": (h, case)
        for h in protocol.hypotheses
        if h.family == family
        for k, case in enumerate(cases[h.id])
    }
    return levels(
        list(members),
        {name: h.level / elsewhere.divisor(h.id) for name, (h, _) in members.items()},
        lambda name, level: members[name][1].outcome(level),
        protocol.family(family).correction,
    )


def expected_effect(hypothesis: Hypothesis) -> float | None:
    """The registered expected effect on the effect's scale."""
    if hypothesis.expected is None or hypothesis.estimand.type != "ratio":
        return hypothesis.expected
    return math.log(hypothesis.expected)
