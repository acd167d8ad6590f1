"""What an arm owes, and how its results become items."""

from dataclasses import dataclass
from typing import Literal

from leadline.protocol.blocks.conduct import DataRules
from leadline.protocol.blocks.design import Measure

EpochRule = Literal["mean", "max", "min", "first", "median"]


@dataclass(frozen=True, slots=True)
class Promise:
    """Which results an arm owes: sample ids if they were registered, else only how many items."""

    samples: tuple[str, ...] | None
    items: int
    epochs: int

    @property
    def results(self) -> int:
        """Number of (sample, epoch) pairs owed."""
        return self.items * self.epochs


@dataclass(frozen=True, slots=True)
class Specification:
    """How results become items: the registered way, or a robustness specification's."""

    measure: Measure
    rules: DataRules
    where: str | None = None
    cluster: str | None = None
    epochs: EpochRule = "mean"

    @property
    def key(self) -> tuple[str, str, str | None, str | None, str]:
        """A hashable name for this specification within one protocol."""
        return self.measure.name, self.rules.model_dump_json(), self.where, self.cluster, self.epochs
