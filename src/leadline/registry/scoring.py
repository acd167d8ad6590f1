"""Forecasts and reviews scored by what came: per study, and per key.

A forecast counts when it stands in the log before the outcome was known to anybody: before the study's first report,
and for a study that was sealed, before the batch that committed to the first report it made under seal. Of several
by one key's lineage the last such one counts. One that was taken back before that does not count; taking it back
later changes nothing. The outcome is that of the newest report. There is no ranking of people: a key's record says how many
forecasts were scored and how well they were calibrated, and that is all.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from leadline.ledger.fields import Outcome
from leadline.ledger.judging import Event
from leadline.store.projection import TableReader
from leadline.store.projections.judgements import JudgementRow, judgements, judgements_by
from leadline.store.projections.leaves import LEAF
from leadline.store.projections.reports import reports, verdicts
from leadline.store.projections.seals import spoken
from leadline.verdict.scoring import Score, score, score_event


@dataclass(frozen=True, slots=True)
class ForecastScored:
    """One logged forecast of one hypothesis; `score` is None until there is an outcome, and where it does not count.

    `why_not` says why a forecast does not count.
    """

    judgement: JudgementRow
    hypothesis: str
    outcome: Outcome | None
    score: Score | None
    why_not: str | None = None


@dataclass(frozen=True, slots=True)
class ReviewScored:
    """One chance a review gave, and what came; `by` is the outcome statement it is scored by."""

    judgement: JudgementRow
    event: Event
    chance: float
    score: Score | None
    by: JudgementRow | None


@dataclass(frozen=True, slots=True)
class ForecastRecord:
    """A key lineage's scored forecasts: how many, their mean log and Brier scores, and their calibration.

    `bins` are (lowest probability, forecasts, mean probability, share that came true) over all outcomes named.
    """

    n: int
    log_score: float | None
    brier: float | None
    bins: tuple[tuple[float, int, float, float], ...]


def scored_forecasts(view: TableReader, study: str) -> list[ForecastScored]:
    """Every forecast of a study that is in the log, by hypothesis, oldest first."""
    published = reports(view, study)
    first = outcome_known_since(view, study)
    came = {v.hypothesis: v.outcome for v in verdicts(view, published[-1].ix)} if published else {}
    rows = [row for row in judgements(view, study, "forecast", revoked=True) if row.part is not None]
    parts = [(row, row.probabilities) for row in rows]
    last = {
        (row.lineage, hypothesis): row.ix
        for row, part in parts
        if _too_late_or_gone(row, first) is None
        for hypothesis in part
    }
    found = []
    for row, part in parts:
        why = _too_late_or_gone(row, first)
        for hypothesis in sorted(part):
            replaced = why is None and last[row.lineage, hypothesis] != row.ix
            reason = "replaced by a later one" if replaced else why
            found.append(_scored(row, hypothesis, part[hypothesis], came.get(hypothesis), reason))
    return found


def outcome_known_since(view: TableReader, study: str) -> int | None:
    """The log index from which on somebody knew the study's outcome; None before there is a report.

    The report of a sealed study is known to its author when a batch commits to it, and to everybody who reads the
    reveal: both are earlier than the report's own entry.
    """
    published = [row.ix for row in reports(view, study)]
    if not published:
        return None
    entered = ((one.batch, view.get(LEAF, bytes.fromhex(one.leaf))) for one in spoken(view, study))
    sealed = [batch for batch, leaf in entered if leaf is not None and leaf["ix"] in published]
    return min(published + sealed)


def _too_late_or_gone(row: JudgementRow, first: int | None) -> str | None:
    """Why a forecast does not count, whatever its signer said besides; `first` is where the outcome was known."""
    if first is not None and row.ix > first:
        return "made after the first report"
    if row.revoked is not None and (first is None or row.revoked < first):
        return "taken back"
    return None


def _scored(
    row: JudgementRow,
    hypothesis: str,
    probabilities: Mapping[Outcome, float],
    outcome: Outcome | None,
    why: str | None,
) -> ForecastScored:
    found = score(probabilities, outcome) if outcome is not None and why is None else None
    return ForecastScored(row, hypothesis, outcome, found, why)


def scored_reviews(view: TableReader, study: str) -> list[ReviewScored]:
    """Every chance that reviews of a study gave, scored by the newest outcome that somebody else stated."""
    outcomes = judgements(view, study, "outcome")
    found = []
    for row in judgements(view, study, "review"):
        chances = row.review
        given: tuple[tuple[Event, float | None], ...] = (
            () if chances is None else (("replicates", chances.replicates), ("useful", chances.useful))
        )
        for event, chance in given:
            if chance is not None:
                found.append(_review(row, event, chance, outcomes))
    return found


def _review(row: JudgementRow, event: Event, chance: float, outcomes: Iterable[JudgementRow]) -> ReviewScored:
    by = None
    for said in outcomes:
        seen = said.outcome
        if seen is not None and seen.event == event and said.lineage != row.lineage and said.ix > row.ix:
            by = said
    happened = None if by is None or by.outcome is None else by.outcome.happened
    return ReviewScored(row, event, chance, None if happened is None else score_event(chance, happened), by)


def forecast_record(view: TableReader, lineage: str) -> ForecastRecord:
    """How well the forecasts of one key lineage did, over all studies with a report."""
    studies = dict.fromkeys(row.study for row in judgements_by(view, lineage, "forecast", revoked=True))
    scored = [
        one
        for study in studies
        if study is not None
        for one in scored_forecasts(view, study)
        if one.judgement.lineage == lineage and one.score is not None
    ]
    scores = [one.score for one in scored if one.score is not None]
    if not scores:
        return ForecastRecord(0, None, None, ())
    n = len(scores)
    return ForecastRecord(
        n, sum(s.log_score for s in scores) / n, sum(s.brier for s in scores) / n, _calibration(scored)
    )


def _calibration(scored: Iterable[ForecastScored]) -> tuple[tuple[float, int, float, float], ...]:
    """Probabilities in five bins of .2, each with the share of them that came true."""
    bins: dict[int, list[tuple[float, bool]]] = {}
    for one in scored:
        for outcome, p in one.judgement.probabilities[one.hypothesis].items():
            bins.setdefault(min(int(p * 5), 4), []).append((p, outcome == one.outcome))
    return tuple(
        (number / 5, len(items), sum(p for p, _ in items) / len(items), sum(c for _, c in items) / len(items))
        for number, items in sorted(bins.items())
    )
