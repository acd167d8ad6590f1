"""Cases of simulated studies: each analysed by the registered analysis, none analysed twice."""

from dataclasses import dataclass, field

from leadline.protocol.model import Protocol
from leadline.verdict.cases import Case
from leadline.verdict.estimate import question
from leadline.verdict.items import Items
from leadline.verdict.model import EffectEstimate
from leadline.verdict.simulation.generate import Generator

Estimated = tuple[EffectEstimate | None, str | None]


@dataclass(frozen=True)
class RememberingCase(Case):
    """A case that computes each level once; correction over a family asks for some of them again."""

    known: dict[float, Estimated] = field(default_factory=dict)

    def estimate(self, alpha: float) -> Estimated:
        """As `Case.estimate`."""
        if alpha not in self.known:
            self.known[alpha] = super().estimate(alpha)
        return self.known[alpha]


@dataclass
class Cases:
    """Cases of one hypothesis; studies with the same sufficient counts share one.

    Independent 0/1 items are summarised by how many items have each pair of values, and the estimators
    do not depend on the order of items, so such studies have the same analysis. Others are not cached.
    """

    generator: Generator
    protocol: Protocol
    failed: str | None
    known: dict[tuple[float, ...], Case] = field(default_factory=dict)

    def case(self, arms: tuple[Items, ...]) -> Case:
        """The case of one study; no arms at all stand for a truth that cannot exist."""
        key = self._key(arms)
        if key is None or key not in self.known:
            hypothesis = self.generator.hypothesis
            unit = self.protocol.measure(hypothesis.estimand.measure).unit
            made = RememberingCase(
                hypothesis, question(hypothesis, unit), arms, self.failed if arms else "impossible"
            )
            if key is None:
                return made
            self.known[key] = made
        return self.known[key]

    def _key(self, arms: tuple[Items, ...]) -> tuple[float, ...] | None:
        shape = self.generator.layout
        if not arms:
            return ()
        if not shape.binary or shape.epochs > 1 or shape.clusters[0] is not None:
            return None
        a = arms[0].values
        if len(arms) == 1:
            return (float(a.sum()),)
        b = arms[1].values
        if self.generator.hypothesis.estimand.type == "paired_difference":
            # Only a - b enters: how many pairs are 1 and 0, and how many 0 and 1.
            return float((a > b).sum()), float((b > a).sum())
        both = float(a @ b) if shape.same_items else 0.0
        return float(a.sum()), float(b.sum()), both
