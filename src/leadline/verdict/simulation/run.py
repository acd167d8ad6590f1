"""Operating characteristics: the registered analysis, executed on simulated studies of each truth."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from leadline.errors import ProtocolError
from leadline.protocol.blocks.claims import Hypothesis, Outcome
from leadline.protocol.model import Protocol
from leadline.verdict.cases import Case, family_levels
from leadline.verdict.estimate import smallest_and_margin
from leadline.verdict.integrity import failure
from leadline.verdict.items import Items
from leadline.verdict.simulation.cases import Cases
from leadline.verdict.simulation.generate import Generator, Latent, Normals
from leadline.verdict.simulation.layout import values_per_arm
from leadline.verdict.simulation.model import (
    OUTCOMES,
    Characteristics,
    HypothesisCharacteristics,
    TruthResult,
)
from leadline.verdict.simulation.truths import Truth, effects, power_label, truth

Progress = Callable[[int, int], None]
#: Values drawn per arm and truth, over all replicates; a few minutes of work.
MOST_VALUES = 400_000_000


def operating_characteristics(
    protocol: Protocol,
    *,
    replicates: int | None = None,
    seed: bytes | None = None,
    progress: Progress | None = None,
) -> Characteristics:
    """Verdict-by-truth table of every hypothesis, from ``replicates`` simulated studies per truth.

    Data come from ``sample_size.assumptions``; everything after the data is the analysis itself:
    estimates, refusals, correction over the family, decision table. Hypotheses that are corrected
    together are simulated together, all at the truth of one label, from independent data. ``seed``
    defaults to the protocol's digest, so the table is a property of the plan; ``replicates`` to the
    registered number. ``progress(done, total)`` counts simulated studies.

    Raises ProtocolError for a design this version cannot execute or an assumption that is missing.
    """
    from leadline import __version__

    require_fixed(protocol)
    count = protocol.sample_size.replicates if replicates is None else replicates
    if count < 1:
        raise ProtocolError(
            "at least one replicate is needed", where="replicates", remedy="ask for 200 or more"
        )
    _require_affordable(protocol, count)
    key = bytes.fromhex(protocol.digest) if seed is None else seed
    groups = [_Group.of(protocol, members) for members in together(protocol)]
    ticker = _Ticker(progress, sum(len(group.scenarios) for group in groups) * count)
    tables = {h: table for group in groups for h, table in group.run(protocol, key, count, ticker).items()}
    return Characteristics(
        protocol=protocol.digest,
        seed=key.hex(),
        replicates=count,
        engine=f"leadline {__version__}",
        hypotheses=tuple(tables[h.id] for h in protocol.hypotheses),
    )


def _require_affordable(protocol: Protocol, replicates: int) -> None:
    """Raise ProtocolError when the simulation would take hours: a plan from outside must not hold a server."""
    values = max(values_per_arm(protocol, hypothesis) for hypothesis in protocol.hypotheses)
    if values * replicates > MOST_VALUES:
        raise ProtocolError(
            f"{replicates:,} simulated studies of {values:,} values per arm are more than can be afforded",
            where="sample_size.replicates",
            remedy=f"simulate at most {max(1, MOST_VALUES // values):,} studies",
        )


def require_fixed(protocol: Protocol) -> None:
    """Raise ProtocolError unless the stopping design is one this version executes."""
    design = protocol.sample_size.design
    if design != "fixed":
        raise ProtocolError(
            f"the stopping design {design!r} cannot be executed by this version",
            where="sample_size.design",
            remedy="register `design: fixed` with the number of items the study will stop at",
        )


def together(protocol: Protocol) -> list[tuple[Hypothesis, ...]]:
    """Hypotheses whose levels depend on one another, in the protocol's order; the rest alone."""
    families: dict[str, list[Hypothesis]] = {}
    for hypothesis in protocol.hypotheses:
        alone = protocol.family(hypothesis.family).correction == "none"
        families.setdefault(f"\x00{hypothesis.id}" if alone else hypothesis.family, []).append(hypothesis)
    return [tuple(members) for members in families.values()]


@dataclass
class _Ticker:
    progress: Progress | None
    total: int
    done: int = 0

    def tick(self, studies: int) -> None:
        self.done += studies
        if self.progress is not None:
            self.progress(self.done, self.total)


@dataclass
class _Tally:
    """Verdicts of one hypothesis at one truth, as they come."""

    counts: Counter[Outcome] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    widths: float = 0.0
    intervals: int = 0

    def add(self, case: Case, level: float) -> None:
        outcome = case.outcome(level)
        estimate, reason = case.estimate(level)
        self.counts[outcome] += 1
        if outcome == "inconclusive":
            self.reasons[case.failure or reason or "undecided"] += 1
        if estimate is not None and estimate.wide is not None:
            self.widths += estimate.wide[1] - estimate.wide[0]
            self.intervals += 1


@dataclass(frozen=True)
class _Scenario:
    """One label (or several that coincide): the truth of every member, and its loadings where it can exist."""

    labels: tuple[str, ...]
    truths: tuple[Truth, ...]
    latents: tuple[Latent | None, ...]


@dataclass(frozen=True)
class _Group:
    """Hypotheses simulated together."""

    members: tuple[Hypothesis, ...]
    generators: tuple[Generator, ...]
    failures: tuple[str | None, ...]
    scenarios: tuple[_Scenario, ...]

    @classmethod
    def of(cls, protocol: Protocol, members: tuple[Hypothesis, ...]) -> "_Group":
        generators = tuple(Generator.of(protocol, hypothesis) for hypothesis in members)
        failures = tuple(_floor(protocol, generator) for generator in generators)
        return cls(members, generators, failures, _scenarios(protocol, generators))

    def run(
        self, protocol: Protocol, seed: bytes, replicates: int, ticker: _Ticker
    ) -> dict[str, HypothesisCharacteristics]:
        tallies = [[_Tally() for _ in self.members] for _ in self.scenarios]
        size = min(generator.chunk() for generator in self.generators)
        caches = [
            Cases(generator, protocol, failed)
            for generator, failed in zip(self.generators, self.failures, strict=True)
        ]
        for number, start in enumerate(range(0, replicates, size)):
            studies = min(size, replicates - start)
            normals = [generator.normals(seed, number, size) for generator in self.generators]
            for scenario, tally in zip(self.scenarios, tallies, strict=True):
                drawn = [
                    _draw(generator, true, latent, normal, studies)
                    for generator, true, latent, normal in zip(
                        self.generators, scenario.truths, scenario.latents, normals, strict=True
                    )
                ]
                for study in range(studies):
                    self._one(
                        protocol,
                        [cache.case(arms[study]) for cache, arms in zip(caches, drawn, strict=True)],
                        tally,
                    )
                ticker.tick(studies)
        return {h.id: self._table(j, h, tallies, replicates) for j, h in enumerate(self.members)}

    def _one(self, protocol: Protocol, cases: Sequence[Case], tally: Sequence[_Tally]) -> None:
        """Decide one simulated study: levels over the family, then each member at its own."""
        if len(cases) == 1:
            tally[0].add(cases[0], cases[0].hypothesis.level)
            return
        named = {case.hypothesis.id: [case] for case in cases}
        at = family_levels(protocol, self.members[0].family, named)
        for case, row in zip(cases, tally, strict=True):
            row.add(case, at[f"{case.hypothesis.id}\x000"])

    def _table(
        self, j: int, hypothesis: Hypothesis, tallies: Sequence[Sequence[_Tally]], replicates: int
    ) -> HypothesisCharacteristics:
        smallest, margin = smallest_and_margin(hypothesis)
        rows = [_row(s, j, tally[j], replicates) for s, tally in zip(self.scenarios, tallies, strict=True)]
        return HypothesisCharacteristics(
            hypothesis=hypothesis.id,
            kind=hypothesis.kind,
            smallest=smallest,
            margin=margin,
            level=hypothesis.level,
            power_at=power_label(hypothesis),
            truths=tuple(sorted(rows, key=lambda row: row.effect)),
        )


def _draw(
    generator: Generator, true: Truth, latent: Latent | None, normals: Normals, studies: int
) -> Sequence[tuple[Items, ...]]:
    """The arms of each study of a chunk; empty arms where the truth cannot exist."""
    if latent is None:
        return [()] * studies
    return list(generator.replicates(generator.values(true, latent, normals), studies))


def _floor(protocol: Protocol, generator: Generator) -> str | None:
    """The integrity failure the planned size would meet, or None: the same code as for real data."""
    shape = generator.layout
    arms = tuple(
        Items(ids, np.zeros(len(ids)), clusters)
        for ids, clusters in zip(shape.ids, shape.clusters, strict=True)
    )
    return failure(protocol, generator.hypothesis, arms, (), ())


def _scenarios(protocol: Protocol, generators: Sequence[Generator]) -> tuple[_Scenario, ...]:
    """Labels with the members' truths; labels that mean the same for every member are one scenario."""
    grids = [effects(generator.hypothesis) for generator in generators]
    labels = dict.fromkeys(label for grid in grids for label in grid)
    merged: dict[tuple[float, ...], list[str]] = {}
    for label in labels:
        merged.setdefault(tuple(_effect(grid, label) for grid in grids), []).append(label)
    return tuple(_scenario(protocol, generators, effect, names) for effect, names in merged.items())


def _effect(grid: dict[str, float], label: str) -> float:
    """A member's effect under a label; one without an expected effect or second boundary takes its own nearest."""
    fallback = {"expected": "smallest", "boundary_low": "boundary"}
    return grid[label] if label in grid else grid[fallback[label]]


def _scenario(
    protocol: Protocol, generators: Sequence[Generator], effect: Iterable[float], labels: list[str]
) -> _Scenario:
    truths = tuple(truth(protocol, g.hypothesis, x) for g, x in zip(generators, effect, strict=True))
    latents = tuple(
        g.latent(t) if t.impossible is None else None for g, t in zip(generators, truths, strict=True)
    )
    return _Scenario(tuple(labels), truths, latents)


def _row(scenario: _Scenario, j: int, tally: _Tally, replicates: int) -> TruthResult:
    true, latent = scenario.truths[j], scenario.latents[j]
    possible = latent is not None
    return TruthResult(
        labels=scenario.labels,
        effect=true.effect,
        value=true.value,
        replicates=replicates if possible else 0,
        counts={outcome: tally.counts[outcome] if possible else 0 for outcome in OUTCOMES},
        reasons=dict(tally.reasons) if possible else {},
        mean_width=tally.widths / tally.intervals if tally.intervals else None,
        impossible=true.impossible,
        notes=latent.notes if latent is not None else (),
    )
