"""What follows from verdicts: forecasts scored, conceptual claims compared, takeaways allowed."""

import math
from collections.abc import Mapping

from leadline.protocol.model import Protocol
from leadline.verdict.model import ConceptualResult, ForecastScore, Verdict

#: Probabilities are clipped here before the logarithm, so one overconfident forecast stays finite.
CLIP = 0.01


def score_forecasts(protocol: Protocol, verdicts: Mapping[str, Verdict]) -> tuple[ForecastScore, ...]:
    """Log score (natural) and multiclass Brier of every registered forecast; lower is better."""
    scores = []
    for forecast in protocol.forecasts:
        verdict = verdicts[forecast.hypothesis]
        p = forecast.probabilities.get(verdict.outcome, 0.0)
        brier = sum(
            (forecast.probabilities.get(outcome, 0.0) - (outcome == verdict.outcome)) ** 2
            for outcome in ("supported", "refuted", "null", "inconclusive")
        )
        hit = None
        if forecast.interval80 is not None and verdict.estimate is not None:
            low, high = forecast.interval80
            hit = low <= verdict.estimate.value <= high
        log_score = -math.log(max(p, CLIP))
        scores.append(ForecastScore(forecast.by, forecast.hypothesis, p, log_score, brier, hit))
    return tuple(scores)


def conceptual_results(protocol: Protocol, verdicts: Mapping[str, Verdict]) -> tuple[ConceptualResult, ...]:
    """Borne out when every predicted outcome came; contradicted when another decided outcome came instead."""
    results = []
    for claim in protocol.conceptual:
        observed = tuple((p.hypothesis, p.outcome, verdicts[p.hypothesis].outcome) for p in claim.predicts)
        missed = [seen for _, predicted, seen in observed if seen != predicted]
        if not missed:
            outcome = "borne_out"
        elif any(seen != "inconclusive" for seen in missed):
            outcome = "contradicted"
        else:
            outcome = "open"
        results.append(ConceptualResult(claim.id, claim.claim, outcome, observed))  # type: ignore[arg-type]
    return tuple(results)


def takeaway(protocol: Protocol, hypothesis: str, outcome: str) -> str | None:
    """What the protocol entitles the author to say for this outcome."""
    for entry in protocol.takeaways:
        if entry.hypothesis == hypothesis:
            return str(getattr(entry, outcome))
    return None
