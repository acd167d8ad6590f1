"""Aggregates a log reports, computed again from its samples: claims are compared and never used.

Accuracy, mean, standard error, standard deviation and variance, over items whose epochs were combined by
mean, median or maximum; values by Inspect's mapping, where unknown text counts 0 and NaN is not scored.
"""

import json
import math
import statistics
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from leadline.logs.headers import ClaimedMetric, LogHeader
from leadline.logs.table import SampleTable
from leadline.logs.values import number

TOLERANCE: Final = 1e-9
#: sample id -> raw values, one per epoch
Values = dict[str, list[Any]]


@dataclass(frozen=True, slots=True)
class Recomputed:
    """One reported aggregate beside the one computed from `n` scored items.

    `consistent` is None where it cannot be computed, and `reason` says why.
    """

    log: str
    sha256: str
    score: str
    scorer: str
    metric: str
    reducer: str | None
    reported: float | None
    recomputed: float | None
    n: int
    consistent: bool | None
    reason: str | None = None


def recomputed(table: SampleTable) -> list[Recomputed]:
    """Every aggregate that the table's logs report, computed again; in the order of logs and reports."""
    held: dict[str, int] = {account.sha256: account.present for account in table.accounting.logs}
    values = _by_log(table)
    return [
        _one(header, claim, values[header.sha256], held.get(header.sha256, 0))
        for header in table.headers
        for claim in header.results
    ]


def _by_log(table: SampleTable) -> defaultdict[str, defaultdict[str, Values]]:
    found: defaultdict[str, defaultdict[str, Values]] = defaultdict(lambda: defaultdict(dict))
    parsed: dict[str, Any] = {}
    wanted = table.to_arrow().select(["sha256", "score", "sample_id", "value_json"])
    for batch in wanted.to_batches(max_chunksize=65_536):
        for sha256, score, sample, text in zip(
            *(column.to_pylist() for column in batch.columns), strict=True
        ):
            if score is None:
                continue
            if text not in parsed:
                if len(parsed) > 65_536:
                    parsed.clear()
                parsed[text] = json.loads(text)
            found[sha256][score].setdefault(sample, []).append(parsed[text])
    return found


def _one(header: LogHeader, claim: ClaimedMetric, scores: dict[str, Values], held: int) -> Recomputed:
    value, n, reason = _compute(header, claim, scores, held)
    consistent = None if value is None else _close(claim.value, value)
    return Recomputed(
        log=header.log,
        sha256=header.sha256,
        score=claim.score,
        scorer=claim.scorer,
        metric=claim.metric,
        reducer=claim.reducer,
        reported=claim.value,
        recomputed=value,
        n=n,
        consistent=consistent,
        reason=reason,
    )


def _compute(
    header: LogHeader, claim: ClaimedMetric, scores: dict[str, Values], held: int
) -> tuple[float | None, int, str | None]:
    claimed = header.logged_samples if header.logged_samples is not None else header.total_samples
    if claimed is not None and held < claimed:
        return None, 0, f"cannot be recomputed: the log claims {claimed:,} samples and holds {held:,}"
    if header.aggregate_only:
        return None, 0, "cannot be recomputed: results are reported here without samples"
    metric = METRICS.get(claim.metric)
    if metric is None:
        return None, 0, f"cannot be recomputed: metric {claim.metric!r} is not one that is known here"
    if claim.params.get("cluster") or claim.params.get("to_float"):
        return None, 0, f"cannot be recomputed: metric {claim.metric!r} has options of its own"
    reduce = REDUCERS.get(claim.reducer or "mean")
    if reduce is None:
        return None, 0, f"cannot be recomputed: reducer {claim.reducer!r} is not one that is known here"
    raw = _values_of(claim, scores)
    if raw is None:
        return None, 0, f"cannot be recomputed: no sample has a score {claim.score!r}"
    items = []
    for epochs in raw.values():
        numbers = [_to_float(value) for value in epochs if not _unscored(value)]
        if None in numbers:
            return None, 0, "cannot be recomputed: values are lists or objects"
        if numbers:
            items.append(reduce([value for value in numbers if value is not None]))
    return metric(items), len(items), None


def _values_of(claim: ClaimedMetric, scores: dict[str, Values]) -> Values | None:
    """The raw values a claim is about: a score of that name, or that key of a scorer's dict values."""
    if claim.score in scores:
        return scores[claim.score]
    if claim.scorer not in scores:
        return None
    keyed = {
        sample: [value[claim.score] for value in epochs if isinstance(value, dict) and claim.score in value]
        for sample, epochs in scores[claim.scorer].items()
    }
    return keyed if any(keyed.values()) else None


def _unscored(value: Any) -> bool:
    return isinstance(value, float) and math.isnan(value)


def _to_float(value: Any) -> float | None:
    found, _ = number(value)
    if found is not None:
        return found
    return 0.0 if isinstance(value, str) else None


def _stderr(values: Sequence[float]) -> float:
    return _std(values) / math.sqrt(len(values)) if len(values) > 1 else 0.0


def _std(values: Sequence[float]) -> float:
    return math.sqrt(_var(values))


def _var(values: Sequence[float]) -> float:
    if len(values) < 2:
        return 0.0
    middle = _mean(values)
    return math.fsum((value - middle) ** 2 for value in values) / (len(values) - 1)


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values) if values else 0.0


METRICS: Final[dict[str, Callable[[Sequence[float]], float]]] = {
    "accuracy": _mean, "mean": _mean, "stderr": _stderr, "std": _std, "var": _var,
}  # fmt: skip
REDUCERS: Final[dict[str, Callable[[list[float]], float]]] = {
    "mean": _mean, "median": statistics.median, "max": max,
}  # fmt: skip


def _close(reported: float | None, value: float) -> bool:
    return reported is not None and abs(reported - value) <= TOLERANCE * max(1.0, abs(value))
