"""What follows from verdicts: forecasts scored, conceptual claims compared, takeaways allowed."""

from collections.abc import Mapping

from leadline.protocol.model import Protocol
from leadline.verdict.model import ConceptualResult, ForecastScore, Verdict
from leadline.verdict.scoring import score


def score_forecasts(protocol: Protocol, verdicts: Mapping[str, Verdict]) -> tuple[ForecastScore, ...]:
    """Log score (natural) and multiclass Brier of every registered forecast; lower is better."""
    scores = []
    for forecast in protocol.forecasts:
        verdict = verdicts[forecast.hypothesis]
        scored = score(forecast.probabilities, verdict.outcome)
        hit = None
        if forecast.interval80 is not None and verdict.estimate is not None:
            low, high = forecast.interval80
            hit = low <= verdict.estimate.value <= high
        scores.append(
            ForecastScore(
                forecast.by, forecast.hypothesis, scored.probability, scored.log_score, scored.brier, hit
            )
        )
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
