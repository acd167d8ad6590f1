"""What the record holds of a study's authors besides the study itself, as of its report: siblings, and runs elsewhere."""

from dataclasses import dataclass
from typing import Any, Final, Literal

from leadline.logs.dataset import PROBE

SiblingState = Literal["registered", "running", "attached", "reported", "closed", "withdrawn"]


@dataclass(frozen=True, slots=True)
class Sibling:
    """A registration by the same authors that shares dataset, measure and technique.

    `index` is the log index that made it public, `state` how far it was. `weighs` names the hypotheses whose level is
    divided because of it: those that look at what one of its own looks at, none where it was withdrawn before any run.
    """

    study: str
    index: int
    state: SiblingState
    weighs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RunElsewhere:
    """A log attached to another study of the same authors, at log index `index`, as its statement describes it.

    `dataset` is the content digest of its samples, `items` the probe of their digests (`leadline.logs.dataset.probe`).
    `announced` says whether an attempt of that other study closed with it.
    """

    study: str
    index: int
    sha256: str
    name: str
    task: str
    model: str
    dataset: str
    items: str
    announced: bool

    def within(self, prefixes: frozenset[str]) -> bool:
        """Whether every item it shows of itself begins like one of these: it ran some of them, or all."""
        probes = [self.items[at : at + PROBE] for at in range(0, len(self.items), PROBE)]
        return bool(probes) and prefixes.issuperset(probes)


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Siblings in log order, and runs elsewhere in log order."""

    siblings: tuple[Sibling, ...] = ()
    runs: tuple[RunElsewhere, ...] = ()

    def __bool__(self) -> bool:
        """Whether there is anything to say."""
        return bool(self.siblings or self.runs)

    def divisor(self, hypothesis: str) -> int:
        """Among how many registrations the level of a hypothesis is divided: its own study and its siblings."""
        return 1 + sum(hypothesis in sibling.weighs for sibling in self.siblings)

    @classmethod
    def of(cls, said: dict[str, Any] | None) -> "Elsewhere":
        """Back from plain JSON values, as a report holds them; nothing for None."""
        if said is None:
            return NOTHING
        siblings = tuple(Sibling(**{**one, "weighs": tuple(one["weighs"])}) for one in said["siblings"])
        return cls(siblings, tuple(RunElsewhere(**one) for one in said["runs"]))


NOTHING: Final = Elsewhere()
