"""From long-form samples to one number per item, with every promised result accounted for."""

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from leadline.errors import StatisticsError
from leadline.stats.checks import is_binary
from leadline.verdict.denominators import account, is_promised
from leadline.verdict.model import Denominator
from leadline.verdict.results import evaluate, judge, rows_for_score, strings, truth
from leadline.verdict.specification import EpochRule, Promise, Specification

Floats = NDArray[np.float64]

#: Reason code of data that a registered expression cannot be applied to.
NOT_ANALYSABLE = "not_analysable"


@dataclass(frozen=True, slots=True)
class Items:
    """One number per item of one arm: ``ids`` sorted, ``values`` (n,), ``clusters`` (n,) or None."""

    ids: NDArray[np.str_]
    values: Floats
    clusters: NDArray[np.str_] | None
    outside: frozenset[str] = frozenset()
    """Ids of items that `where` sets aside."""
    runs: int = 1
    """Most runs that any value is the mean of, where every one of them answered 0 or 1; else 1."""
    problem: str | None = None
    """Why these data cannot be reduced to items at all, a reason code with detail; there are none then."""

    def __len__(self) -> int:
        return len(self.ids)


def items_of_arm(
    table: pa.Table, arm: str, promise: Promise, spec: Specification
) -> tuple[Items, Denominator]:
    """Reduce the rows of one arm's logs to items.

    ``table`` holds every row of the arm's logs (any score), in the SampleTable's columns.
    Several logs of one sample are reruns: epochs are reduced within each log, then logs are averaged,
    so that running again never turns a best of one into a best of many.
    """
    rows = rows_for_score(table, spec.measure.score)
    ids = strings(rows["sample_id"])
    epochs = rows["epoch"].to_numpy(zero_copy_only=False).astype(np.int64)
    reasons, values = judge(rows, spec)
    scope = truth(spec.where, rows) if spec.where else np.ones(len(ids), dtype=bool)
    promised = is_promised(ids, epochs, promise)
    kept = promised & scope & (reasons == "")
    if kept.any() and not np.isfinite(values[kept]).all():
        raise StatisticsError(
            f"a kept value of measure {spec.measure.name!r} is not finite",
            where=f"arm {arm}",
            remedy="check the measure's `values` and `transform`",
        )
    clusters = strings(evaluate(spec.cluster, rows)) if spec.cluster else None
    digests = strings(rows["sha256"])
    # By content only, whatever the order of the rows: sample, log, epoch, value.
    order = np.lexsort((values, epochs, digests, ids))
    outside = frozenset(ids[promised & ~scope].tolist())
    items = replace(_reduce(ids, digests, values, clusters, order[kept[order]], spec.epochs), outside=outside)
    denominator = account(arm, spec.measure.name, ids, epochs, reasons, promised, scope, promise, len(items))
    return items, denominator


def unusable(
    table: pa.Table, arm: str, promise: Promise, spec: Specification, why: str
) -> tuple[Items, Denominator]:
    """No items, and every result that was promised and read left out: what the logs hold cannot be analysed."""
    rows = rows_for_score(table, spec.measure.score)
    ids = strings(rows["sample_id"])
    epochs = rows["epoch"].to_numpy(zero_copy_only=False).astype(np.int64)
    nobody = np.asarray([], dtype=np.str_)
    clusters = nobody if spec.cluster else None
    everywhere = np.ones(len(ids), dtype=bool)
    reasons = np.full(len(ids), NOT_ANALYSABLE.replace("_", " "))
    promised = is_promised(ids, epochs, promise)
    denominator = account(arm, spec.measure.name, ids, epochs, reasons, promised, everywhere, promise, 0)
    return Items(nobody, np.asarray([]), clusters, problem=f"{NOT_ANALYSABLE}: {why}"), denominator


def _reduce(
    ids: NDArray[np.str_],
    digests: NDArray[np.str_],
    values: Floats,
    clusters: NDArray[np.str_] | None,
    order: NDArray[np.int64],
    rule: EpochRule,
) -> Items:
    sorted_ids = ids[order]
    if len(order) == 0:
        empty = np.asarray([], dtype="<U1")
        return Items(empty, np.asarray([], dtype=np.float64), None if clusters is None else empty)
    fresh = np.r_[True, sorted_ids[1:] != sorted_ids[:-1]]
    starts = np.flatnonzero(fresh)
    counts = np.diff(np.r_[starts, len(order)])
    sorted_digests = digests[order]
    runs = np.flatnonzero(fresh | np.r_[True, sorted_digests[1:] != sorted_digests[:-1]])
    by_run = _reduced(values[order], runs, rule)
    first_run = np.searchsorted(runs, starts)
    # A registered mean is one of all answers: a run that lacks some epochs weighs less.
    reduced = (
        _reduced(values[order], starts, "mean") if rule == "mean" else _reduced(by_run, first_run, "mean")
    )
    pooled = int(np.diff(np.r_[first_run, len(runs)]).max()) if is_binary(by_run) else 1
    if clusters is None:
        return Items(sorted_ids[starts], reduced, None, runs=pooled)
    ordered_clusters = clusters[order]
    constant = np.repeat(ordered_clusters[starts], counts) == ordered_clusters
    if not constant.all():
        culprit = str(sorted_ids[np.flatnonzero(~constant)[0]])
        raise StatisticsError(
            f"sample {culprit!r} lies in more than one cluster",
            remedy="write a cluster expression that is the same for every epoch of a sample",
        )
    return Items(sorted_ids[starts], reduced, ordered_clusters[starts], runs=pooled)


def _reduced(values: Floats, starts: NDArray[np.int64], rule: EpochRule) -> Floats:
    """One number per stretch of values that begins at `starts`."""
    if rule == "mean":
        counts = np.diff(np.r_[starts, len(values)])
        return np.asarray(np.add.reduceat(values, starts) / counts)
    if rule == "max":
        return np.asarray(np.maximum.reduceat(values, starts))
    if rule == "min":
        return np.asarray(np.minimum.reduceat(values, starts))
    if rule == "first":
        return values[starts]
    return np.array([np.median(part) for part in np.split(values, starts[1:])])
