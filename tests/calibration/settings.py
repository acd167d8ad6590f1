"""The settings calibration is checked in, and the claims made about each."""

import math
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from calibration.generator import World
from leadline.protocol import Protocol
from leadline.protocol.blocks.claims import Hypothesis
from leadline.verdict.cases import Case
from leadline.verdict.decide import decide
from leadline.verdict.estimate import Question, estimate_effect, question, smallest_and_margin
from leadline.verdict.items import Items
from verdict.plans import ONE_ARM, document

KINDS = ("greater", "at_least", "differs", "no_worse", "equivalent")


@dataclass(frozen=True)
class Setting:
    """A world and the estimand that is asked about it; ``smallest`` is in the estimand's unit."""

    name: str
    estimand: str
    world: World
    smallest: float

    @property
    def value(self) -> float:
        """The estimand's true value."""
        first, *rest = self.world.means
        if self.estimand == "ratio":
            return first / rest[0]
        return first - rest[0] if rest else first

    @property
    def scale(self) -> float:
        """The smallest effect on the effect's own scale."""
        return math.log(self.smallest) if self.estimand == "ratio" else self.smallest

    def protocol(self, kind: str, effect: float, margin: float = 0.0, **more: Any) -> Protocol:
        """A plan whose reference is placed so that the world's true effect is ``effect``."""
        world = self.world
        reference = self.value / math.exp(effect) if self.estimand == "ratio" else self.value - effect
        asked: dict[str, Any] = {
            "type": self.estimand,
            "measure": "accuracy",
            "arms": ["treated", "plain"][: len(world.means)],
        }
        if self.estimand == "threshold":
            asked["cut"] = world.cut
        hypothesis = {
            "estimand": asked,
            "smallest": self.smallest,
            "margin": margin,
            "reference": reference,
            **more,
        }
        assume = {
            "baseline": world.means[-1], "icc": world.icc, "correlation": world.correlation,
            "binary": world.shape == "binary", "sd": world.sd,
        }  # fmt: skip
        made = document(
            kind, self.estimand, hypothesis=hypothesis, assume=assume, size={"items": world.items, "clusters": world.clusters},
            measure={"cluster": "metadata.topic"} if world.clusters else {},
        )  # fmt: skip
        if not world.paired:
            made["tasks"].append({"name": "quiz2", "task": "quiz2"})
            made["arms"][1]["task"] = "quiz2"
        return Protocol.model_validate(made)


def outcome(hypothesis: Hypothesis, arms: tuple[Items, ...]) -> str:
    """The verdict of one hypothesis on one study's items, by the registered analysis."""
    return Case(hypothesis, question(hypothesis), arms, None).outcome(hypothesis.level)


@dataclass(frozen=True)
class Estimated:
    """The intervals of one study's estimand at 1 - alpha and 1 - 2 alpha, on the effect's scale before any reference."""

    wide: tuple[float, float] | None
    narrow: tuple[float, float] | None

    @classmethod
    def of(cls, setting: Setting, arms: tuple[Items, ...]) -> "Estimated":
        """By the registered estimator, with a reference that leaves the estimand as it is."""
        found = estimate_effect(_neutral(setting), arms, 0.05)
        return cls(None, None) if found.reason else cls(found.wide, found.narrow)

    def outcome(self, setting: Setting, hypothesis: Hypothesis) -> str:
        """The decision of a claim about this study; its reference only moves the intervals."""
        if self.wide is None or self.narrow is None:
            return "inconclusive"
        ask = question(hypothesis)
        by = math.log(ask.reference) if setting.estimand == "ratio" else ask.reference
        (low, high), (inner_low, inner_high) = self.wide, self.narrow
        smallest, margin = smallest_and_margin(hypothesis)
        return decide(
            hypothesis.kind, (low - by, high - by), (inner_low - by, inner_high - by), smallest, margin
        )


@cache
def _neutral(setting: Setting) -> Question:
    asked = question(setting.protocol("greater", 0.0).hypotheses[0])
    return replace(asked, reference=1.0 if setting.estimand == "ratio" else 0.0)


def boundaries(setting: Setting) -> list[tuple[str, float, float, float]]:
    """(kind, true effect, margin, error allowed): where each claim just turns false."""
    d = setting.scale
    margin = math.exp(d / 4) if setting.estimand == "ratio" else setting.smallest / 4
    return [
        ("greater", 0.0, 0.0, 0.025),
        ("greater", d / 4, margin, 0.025),
        ("at_least", d, 0.0, 0.025),
        ("differs", 0.0, 0.0, 0.05),
        ("no_worse", -d, 0.0, 0.025),
        ("equivalent", d, 0.0, 0.05),
        ("equivalent", -d, 0.0, 0.05),
    ]


SETTINGS = (
    Setting("share", "proportion", World((0.7,), 150), 0.12),
    Setting("rare share", "proportion", World((0.06,), 200), 0.05),
    Setting("clustered share", "proportion", World((0.65,), 240, clusters=30, icc=0.15), 0.15),
    Setting("paired 0/1", "paired_difference", World((0.6, 0.5), 200, correlation=0.4), 0.12),
    Setting("paired 0/1, clustered", "paired_difference", World((0.6, 0.45), 240, clusters=24, icc=0.15, correlation=0.3), 0.15),
    Setting("paired graded", "paired_difference", World((0.3, 0.0), 100, correlation=0.5, shape="laplace"), 0.3),
    Setting("paired graded, clustered", "paired_difference", World((0.3, 0.0), 160, clusters=20, icc=0.2, correlation=0.5, shape="gamma"), 0.35),
    Setting("two groups 0/1", "difference", World((0.6, 0.45), 150, paired=False), 0.15),
    Setting("two groups graded, clustered", "difference", World((1.0, 0.6), 160, clusters=20, icc=0.1, paired=False, shape="uniform"), 0.5),
    Setting("ratio of shares", "ratio", World((0.5, 0.4), 250, correlation=0.3), 1.35),
    Setting("ratio, clustered", "ratio", World((3.0, 2.5), 160, clusters=20, icc=0.1, correlation=0.4, shape="uniform"), 1.2),
    Setting("mean", "mean", World((0.4,), 80, shape="gamma"), 0.35),
    Setting("mean, clustered", "mean", World((0.4,), 160, clusters=16, icc=0.2, shape="laplace"), 0.5),
    Setting("threshold", "threshold", World((0.65,), 150, cut=0.7), 0.12),
    Setting("threshold, clustered", "threshold", World((0.5,), 300, clusters=30, icc=0.1, cut=0.7), 0.14),
)  # fmt: skip

assert {setting.estimand for setting in SETTINGS} >= set(ONE_ARM)
