"""How alike two studies are: what they are about, as marks, and what their claims say, as concepts.

Pure: no store, no clock. A study is described by its traits; the likeness of a draft and another study is between 0
(nothing in common) and 1.

Both halves of the score are symmetric in what they share and punish what only one of the two has, so a study that
names every technique and repeats every keyword is near to nothing: its many other marks count against it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from math import fsum, log, sqrt
from typing import Final

#: How much agreement in a kind of mark says, where both or either have such marks.
KIND_WEIGHTS: Final[dict[str, float]] = {
    "dataset": 3.0,
    "task": 3.0,
    "technique": 3.0,
    "model": 2.0,
    "measure": 1.5,
    "area": 1.5,
    "gap": 1.0,
    "claim": 0.5,
}
_STRUCTURE: Final = 0.7
_WORDS: Final = 0.3
#: One study of this many has a concept of which nothing is known.
_SOME: Final = 50


@dataclass(frozen=True, slots=True)
class Traits:
    """A study for comparison: its facet marks (``kind:value``), and the concepts of its title, claims and techniques."""

    marks: frozenset[str]
    concepts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Frequencies:
    """Among how many studies, and how many of them have a mark or a concept.

    A mark that is not listed is taken as rare, a concept as one that some studies have.
    """

    studies: int
    marks: Mapping[str, int]
    concepts: Mapping[str, int]

    def mark(self, mark: str) -> float:
        """How telling a mark is: near 0 when every study has it."""
        return _telling(self.marks.get(mark, 1), self.studies)

    def concept(self, concept: str) -> float:
        """How telling a concept is."""
        return _telling(self.concepts.get(concept, self.studies // _SOME), self.studies)

    def commonplace(self, mark: str) -> bool:
        """Whether more than half of all studies have a mark, where there are enough to say so."""
        return self.studies >= 10 and 2 * self.marks.get(mark, 1) > self.studies


class Comparison:
    """A draft, prepared for being compared with many studies; either half of the comparison can be left out."""

    def __init__(
        self, mine: Traits, frequencies: Frequencies, *, structure: bool = True, words: bool = True
    ) -> None:
        self._frequencies = frequencies
        self._kinds = _by_kind(mine.marks) if structure else {}
        self._vector = _vector(mine.concepts, frequencies) if words else {}
        self._most = sum(KIND_WEIGHTS[kind] for kind in self._kinds)

    def likeness(self, theirs: Traits) -> float:
        """How alike the draft and a study are, 0 to 1."""
        structure = _STRUCTURE if self._most else 0.0
        words = _WORDS if self._vector else 0.0
        if not structure + words:
            return 0.0
        return (structure * self.structural(theirs) + words * self.verbal(theirs)) / (structure + words)

    def structural(self, theirs: Traits) -> float:
        """Agreement of marks, kind by kind: the shared ones over all that either has, telling ones counting more."""
        if not self._most:
            return 0.0
        weigh = self._frequencies.mark
        others = _by_kind(theirs.marks)
        got = 0.0
        for kind, ours in self._kinds.items():
            other = others.get(kind)
            shared = ours & other if other else None
            if other and shared:
                got += KIND_WEIGHTS[kind] * fsum(map(weigh, shared)) / fsum(map(weigh, ours | other))
        return got / self._most

    def verbal(self, theirs: Traits) -> float:
        """Cosine of the concepts, telling ones counting more; saying a thing more than three times adds nothing."""
        other = _vector(theirs.concepts, self._frequencies)
        product = fsum(
            weight * other[concept] for concept, weight in self._vector.items() if concept in other
        )
        return product / (_length(self._vector) * _length(other)) if product else 0.0


def reasons(mine: Traits, theirs: Traits, frequencies: Frequencies) -> tuple[str, ...]:
    """What agrees, most telling kind first, in words: ``same dataset``, ``technique: linear probe``, ..."""
    found = []
    shared = {mark for mark in mine.marks & theirs.marks if not frequencies.commonplace(mark)}
    by_kind = _by_kind(shared)
    for kind in KIND_WEIGHTS:
        same = sorted(by_kind.get(kind, ()), key=lambda mark: (-frequencies.mark(mark), mark))
        if kind == "dataset":
            found += ["same dataset"] if same else []
        elif same:
            values = ", ".join(mark.partition(":")[2] for mark in same[:3])
            found.append(f"{kind}: {values}" + (f" and {len(same) - 3} more" if len(same) > 3 else ""))
    both = sorted(
        (
            c for c in mine.concepts if c in theirs.concepts and c[0].isalpha()
        ),  # names and groups show as marks
        key=lambda c: (-frequencies.concept(c), c),
    )
    if both:
        found.append(f"words: {', '.join(both[:4])}")
    return tuple(found)


def _by_kind(marks: Iterable[str]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for mark in marks:
        kind = mark.partition(":")[0]
        if kind in KIND_WEIGHTS:
            found.setdefault(kind, set()).add(mark)
    return found


def _vector(concepts: Mapping[str, int], frequencies: Frequencies) -> dict[str, float]:
    return {concept: min(count, 3) * frequencies.concept(concept) for concept, count in concepts.items()}


def _length(vector: Mapping[str, float]) -> float:
    return sqrt(fsum(weight * weight for weight in vector.values()))


@lru_cache(maxsize=10_000)
def _telling(having: int, studies: int) -> float:
    return log((studies + 1) / (min(having, studies) + 0.5))
