"""What the authors of sealed studies are up to: two kinds of people who behave differently in every private way.

Some withhold: what they found should not be read by everybody. Some abandon: it was dull, and nothing more was heard.
A third kind reveals, so that the others are not alone. `Plan` is everything private about one study; `private` turns
it into numbers for a classifier, which must tell the first two kinds apart easily, or the test means nothing.

What an ordinary seal shows on purpose, its author and its release date, is drawn without regard to the kind: an
author who seals only what is dangerous says so. A hazard seal shows neither, so there both depend on the kind.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from leadline.protocol.model import Protocol
from leadline.store.projections.seals import Tier

Kind = Literal["withheld", "abandoned", "revealed"]
Deed = Literal["attempt", "amend", "report", "hold", "reveal"]
START = date(2026, 1, 5)
AREAS = ("organisms/trojans", "organisms/elicitation", "robustness/adversarial", "control/monitoring",
         "oversight/debate", "interpretability/activation-engineering")  # fmt: skip
_HAZARD = (0.34, 0.26, 0.2, 0.1, 0.06, 0.04)
AUTHORS = 40


@dataclass(frozen=True)
class Plan:
    """One study's private life: `deeds` are what its author does and when, after sealing it at `sealed`."""

    kind: Kind
    tier: Tier
    author: int
    sealed: datetime
    area: str
    notes: str
    arms: int
    wanted: date | None
    trustees: int
    installation: bool
    deeds: tuple[tuple[datetime, Deed], ...]

    def protocol(self, number: int) -> Protocol:
        """The smallest plan that says all this."""
        arms = [
            {**_ARM, "name": f"a{n}", "technique": f"way {n}", "task_args": {"way": n}}
            for n in range(self.arms)
        ]
        return Protocol.model_validate(
            {
                **_PLAN,
                "title": f"{self.area}, {number}",
                "area": [self.area],
                "notes": self.notes,
                "arms": arms,
            }
        )


_ARM: dict[str, Any] = {"model": "tiny", "task": "addition"}
_PLAN: dict[str, Any] = {
    "authors": [{"name": "Somebody"}],
    "models": [{"name": "tiny", "id": "mockllm/tiny"}],
    "tasks": [
        {
            "name": "addition",
            "task": "addition",
            "version": 0,
            "dataset": {"n": 4, "samples": [f"item-{n}" for n in range(4)]},
            "scorers": [{"name": "match", "params": {}}],
        }
    ],
    "measures": [{"name": "accuracy", "score": "match"}],
    "hypotheses": [
        {
            "id": "H1",
            "claim": "The first way is better",
            "kind": "greater",
            "estimand": {"type": "paired_difference", "measure": "accuracy", "arms": ["a0", "a1"]},
            "smallest": 0.15,
            "expected": 0.4,
            "why_smallest": "less would change nothing",
        }
    ],
    "takeaways": [{"hypothesis": "H1", "supported": "try a0 before a1 for accuracy"}],
    "sample_size": {"items": 4, "assumptions": {"baseline": 0.5, "correlation": 0.3}, "replicates": 200},
}


def make_plans(
    rng: np.random.Generator, withheld: int, abandoned: int, revealed: int, weeks: int
) -> list[Plan]:
    """Plans of so many studies of each kind, sealed in a span of `weeks` from `START` on, in order of sealing."""
    kinds: list[Kind] = ["withheld"] * withheld + ["abandoned"] * abandoned + ["revealed"] * revealed
    return sorted((_plan(rng, kind, weeks) for kind in kinds), key=lambda plan: plan.sealed)


def _plan(rng: np.random.Generator, kind: Kind, weeks: int) -> Plan:
    bold = kind == "withheld" or (kind == "revealed" and rng.random() < 0.5)
    tier: Tier = "hazard" if rng.random() < 0.5 else "ordinary"
    begin = START + timedelta(weeks=int(rng.integers(weeks)))
    shown = rng.random() < 0.5 if tier == "ordinary" else bold  # see the module: what an ordinary seal shows
    wanted = begin + timedelta(days=int(rng.integers(100, 200))) if shown else None
    author = (
        int(rng.integers(AUTHORS))
        if tier == "ordinary"
        else int(rng.beta(*((2, 4) if bold else (4, 2))) * AUTHORS)
    )
    sealed = _moment(rng, begin, bold)
    return Plan(
        kind=kind,
        tier=tier,
        author=author,
        sealed=sealed,
        area=str(rng.choice(AREAS, p=_HAZARD if bold else _HAZARD[::-1])),
        notes="n" * int(rng.lognormal(7.0 if bold else 5.5, 0.8)),
        arms=2 + int(rng.poisson(2.0 if bold else 0.5)),
        wanted=wanted,
        trustees=int(rng.poisson(2.5 if bold else 0.3)),
        installation=kind != "abandoned" and rng.random() < 0.4,  # such a one would be released by itself
        deeds=_deeds(rng, kind, bold, sealed),
    )


def _deeds(
    rng: np.random.Generator, kind: Kind, bold: bool, sealed: datetime
) -> tuple[tuple[datetime, Deed], ...]:
    begin = sealed.date()

    def some(deed: Deed, mean: float, within: int) -> list[tuple[datetime, Deed]]:
        days = rng.integers(1, within * 7, size=rng.poisson(mean))
        return [(_moment(rng, begin + timedelta(days=int(day)), bold, week=False), deed) for day in days]

    found = some("attempt", 3.0, 18) if bold else some("attempt", 1.2, 5)
    found += some("amend", 1.0, 18) if bold else some("amend", 0.2, 4)
    found = [(max(when, sealed + timedelta(hours=1)), deed) for when, deed in found]
    after = max([when for when, _ in found], default=sealed)
    if kind == "withheld":
        if rng.random() < 0.06:
            found.append((after + timedelta(days=15), "report"))
        found.append(
            (min(after + timedelta(days=30), sealed + timedelta(days=80)), "hold")
        )  # before any embargo ends
    if kind == "revealed":
        found.append((after + timedelta(days=20), "reveal"))
    return tuple(sorted(found))


def _moment(rng: np.random.Generator, day: date, bold: bool, *, week: bool = True) -> datetime:
    """A time on this day, or in the week that begins then: the bold work late in the week and the night."""
    hour = (rng.normal(23, 3) if bold else rng.normal(12, 2.5)) % 24
    if week:
        day += timedelta(days=int(rng.choice(7, p=(0.04, 0.06, 0.1, 0.15, 0.2, 0.25, 0.2) if bold else
                                             (0.2, 0.25, 0.25, 0.2, 0.08, 0.01, 0.01))))  # fmt: skip
    return datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(hours=float(hour))


def private(plans: list[Plan]) -> NDArray[np.float64]:
    """What only authors know, as numbers: one row per study."""
    return np.array([_private(plan) for plan in plans], dtype=np.float64)


def _private(plan: Plan) -> list[float]:
    done = [deed for _, deed in plan.deeds]
    times = [when for when, deed in plan.deeds if deed in ("attempt", "amend")]
    spent = [(when - plan.sealed).total_seconds() / 86_400 for when in times]
    hazardous = plan.tier == "hazard"
    return [
        AREAS.index(plan.area),
        done.count("attempt"),
        done.count("amend"),
        plan.sealed.weekday(),
        plan.sealed.hour,
        len(plan.notes),
        plan.arms,
        plan.trustees,
        max(spent, default=0.0),
        float(np.mean([when.hour for when in times])) if times else -1.0,
        plan.author if hazardous else -1,
        float(plan.wanted is not None) if hazardous else -1,
    ]
