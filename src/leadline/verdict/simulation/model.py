"""Operating characteristics as values: per hypothesis and truth, how often each verdict came out."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from leadline.errors import NotFoundError
from leadline.protocol.blocks.claims import ClaimKind, Outcome
from leadline.verdict.plain import canonical, plain

OUTCOMES: tuple[Outcome, ...] = ("supported", "refuted", "null", "inconclusive")


@dataclass(frozen=True, slots=True)
class TruthResult:
    """One assumed truth and the verdicts of ``replicates`` simulated studies of it.

    ``effect`` is signed so that the prediction is positive (log scale for a ratio), ``value`` the same
    truth on the estimand's own scale. ``labels`` name it: zero, half, smallest, three_halves, expected,
    opposite, boundary. A truth that cannot exist has ``impossible`` set and no counts.
    """

    labels: tuple[str, ...]
    effect: float
    value: float
    replicates: int
    counts: Mapping[Outcome, int]
    reasons: Mapping[str, int]
    """Why replicates were inconclusive: `undecided`, or the code of a refusal or integrity failure."""
    mean_width: float | None
    """Mean width of the wide interval of the effect, over replicates that have one."""
    impossible: str | None = None
    notes: tuple[str, ...] = ()

    def share(self, outcome: Outcome) -> float:
        """The share of replicates with this outcome; NotFoundError for an impossible truth."""
        if self.impossible is not None:
            raise NotFoundError(
                f"no study of the truth {self.labels[0]!r} can be simulated: {self.impossible}",
                remedy="change the baseline or the smallest effect in the protocol",
            )
        return self.counts[outcome] / self.replicates

    def standard_error(self, outcome: Outcome) -> float:
        """Monte Carlo standard error of `share`, sqrt(p (1 - p) / replicates)."""
        p = self.share(outcome)
        return math.sqrt(p * (1.0 - p) / self.replicates)

    @property
    def refused(self) -> float:
        """Share of replicates in which no interval could be given or the data failed a registered floor."""
        lost = sum(count for reason, count in self.reasons.items() if reason != "undecided")
        return lost / self.replicates if self.replicates else 0.0


@dataclass(frozen=True, slots=True)
class HypothesisCharacteristics:
    """The verdict-by-truth table of one hypothesis."""

    hypothesis: str
    kind: ClaimKind
    smallest: float
    margin: float
    """``smallest`` and ``margin`` are on the effect's scale."""
    level: float
    power_at: str | None
    """Label of the truth at which the claim's power is stated; None for `at_least` without an expected effect."""
    truths: tuple[TruthResult, ...]

    def truth(self, label: str) -> TruthResult:
        """The row with that label; NotFoundError if the grid has none."""
        for row in self.truths:
            if label in row.labels:
                return row
        known = ", ".join(label for row in self.truths for label in row.labels)
        raise NotFoundError(
            f"no truth {label!r} was simulated for {self.hypothesis!r}", remedy=f"choose one of: {known}"
        )

    def labelled(self, prefix: str) -> tuple[TruthResult, ...]:
        """Every row with a label that begins so, e.g. both boundaries of an equivalence claim."""
        return tuple(row for row in self.truths if any(label.startswith(prefix) for label in row.labels))


@dataclass(frozen=True, slots=True)
class Power:
    """The chance of `supported` where the claim is true, with its Monte Carlo standard error."""

    value: float
    standard_error: float
    at: str
    effect: float


@dataclass(frozen=True, slots=True)
class Characteristics:
    """What the registered analysis finds under each truth; a pure function of protocol, seed and engine."""

    protocol: str
    """Digest of the protocol."""
    seed: str
    replicates: int
    engine: str
    hypotheses: tuple[HypothesisCharacteristics, ...]

    def of(self, hypothesis: str) -> HypothesisCharacteristics:
        """The table of one hypothesis."""
        for entry in self.hypotheses:
            if entry.hypothesis == hypothesis:
                return entry
        known = ", ".join(entry.hypothesis for entry in self.hypotheses)
        raise NotFoundError(f"no hypothesis {hypothesis!r} was simulated", remedy=f"choose one of: {known}")

    def power(self, hypothesis: str) -> Power | None:
        """P(supported) at the truth the claim is about.

        `greater` and `differs`: the smallest effect; `at_least`: the registered expected effect; `no_worse`
        and `equivalent`: no difference. None where that truth is unregistered or cannot exist.
        """
        entry = self.of(hypothesis)
        if entry.power_at is None:
            return None
        row = entry.truth(entry.power_at)
        if row.impossible is not None:
            return None
        return Power(row.share("supported"), row.standard_error("supported"), entry.power_at, row.effect)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values, numbers rounded to ten significant digits."""
        tables = [_table(entry) for entry in self.hypotheses]
        for table in tables:
            power = self.power(table["hypothesis"])
            table["power"] = (
                None
                if power is None
                else plain(
                    {
                        "value": power.value,
                        "standard_error": power.standard_error,
                        "at": power.at,
                        "effect": power.effect,
                    }
                )
            )
        return {
            "protocol": self.protocol,
            "seed": self.seed,
            "replicates": self.replicates,
            "engine": self.engine,
            "hypotheses": tables,
        }

    def to_json(self) -> bytes:
        """Canonical JSON (RFC 8785): the same bytes for the same protocol, seed and engine."""
        return canonical(self.to_dict())


def _table(entry: HypothesisCharacteristics) -> dict[str, Any]:
    return {
        "hypothesis": entry.hypothesis,
        "kind": entry.kind,
        "smallest": plain(entry.smallest),
        "margin": plain(entry.margin),
        "level": plain(entry.level),
        "truths": [_row(row) for row in entry.truths],
    }


def _row(row: TruthResult) -> dict[str, Any]:
    possible = row.impossible is None
    return {
        "labels": list(row.labels),
        "effect": plain(row.effect),
        "value": plain(row.value),
        "impossible": row.impossible,
        "counts": {outcome: row.counts[outcome] for outcome in OUTCOMES} if possible else None,
        "shares": {outcome: plain(row.share(outcome)) for outcome in OUTCOMES} if possible else None,
        "standard_errors": {o: plain(row.standard_error(o)) for o in OUTCOMES} if possible else None,
        "reasons": dict(sorted(row.reasons.items())),
        "refused": plain(row.refused) if possible else None,
        "mean_width": plain(row.mean_width),
        "notes": list(row.notes),
    }
