"""Scoring a forecast by the outcome that came: log score and Brier score, lower is better."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from leadline.protocol.blocks.claims import Outcome

OUTCOMES: tuple[Outcome, ...] = ("supported", "refuted", "null", "inconclusive")
#: Probabilities are clipped here before the logarithm, so one overconfident forecast stays finite.
CLIP = 0.01


@dataclass(frozen=True, slots=True)
class Score:
    """What a forecast gave to the outcome that came, and its penalties.

    `log_score` is -ln of the probability, clipped at `CLIP`: 0 to 4.6, ignorance over four outcomes 1.39.
    `brier` is Brier's (1950) sum of squares over all outcomes: 0 to 2, ignorance .75.
    """

    probability: float
    log_score: float
    brier: float


def score(probabilities: Mapping[Outcome, float], outcome: Outcome) -> Score:
    """Score one hypothesis; an outcome the forecast does not name had probability 0."""
    p = probabilities.get(outcome, 0.0)
    brier = sum((probabilities.get(one, 0.0) - (one == outcome)) ** 2 for one in OUTCOMES)
    return Score(p, -math.log(max(p, CLIP)), brier)


def score_event(probability: float, happened: bool) -> Score:
    """Score the chance given to an event that happened or not; `brier` is the two-sided sum, 0 to 2."""
    p = probability if happened else 1 - probability
    return Score(p, -math.log(max(p, CLIP)), 2 * (1 - p) ** 2)
