"""From long-form samples to one number per item, with every promised result accounted for.

The order in which a result is judged is fixed and documented, because the first rule that applies
names the reason: invalidated, error, fallback model, refusal, limit, registered exclusions (in the
order written), unscored, malformed. A result that survives all of them is kept.
"""

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from leadline.errors import StatisticsError
from leadline.logs.values import number
from leadline.protocol.blocks.conduct import CountAs, DataRules
from leadline.protocol.blocks.design import Measure
from leadline.protocol.expression import Expression
from leadline.protocol.expression import compile as compile_expression
from leadline.verdict.model import Denominator, LeftOut

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
EpochRule = Literal["mean", "max", "min", "first", "median"]

#: Reason code of data that a registered expression cannot be applied to.
NOT_ANALYSABLE = "not_analysable"
#: Ids listed per reason in a report; the count is always complete.
LISTED = 200


@dataclass(frozen=True, slots=True)
class Items:
    """One number per item of one arm: ``ids`` sorted, ``values`` (n,), ``clusters`` (n,) or None."""

    ids: NDArray[np.str_]
    values: Floats
    clusters: NDArray[np.str_] | None
    outside: frozenset[str] = frozenset()
    """Ids of items that `where` sets aside."""
    problem: str | None = None
    """Why these data cannot be reduced to items at all, a reason code with detail; there are none then."""

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True, slots=True)
class Promise:
    """Which results an arm owes: sample ids if they were registered, else only how many items."""

    samples: tuple[str, ...] | None
    items: int
    epochs: int

    @property
    def results(self) -> int:
        """Number of (sample, epoch) pairs owed."""
        return self.items * self.epochs


@dataclass(frozen=True, slots=True)
class Specification:
    """How results become items: the registered way, or a robustness specification's."""

    measure: Measure
    rules: DataRules
    where: str | None = None
    cluster: str | None = None
    epochs: EpochRule = "mean"

    @property
    def key(self) -> tuple[str, str, str | None, str | None, str]:
        """A hashable name for this specification within one protocol."""
        return self.measure.name, self.rules.model_dump_json(), self.where, self.cluster, self.epochs


def items_of_arm(
    table: pa.Table, arm: str, promise: Promise, spec: Specification
) -> tuple[Items, Denominator]:
    """Reduce the rows of one arm's logs to items.

    ``table`` holds every row of the arm's logs (any score), in the SampleTable's columns.
    Several logs of one sample are reruns: epochs are reduced within each log, then logs are averaged,
    so that running again never turns a best of one into a best of many.
    """
    rows = _rows_for_score(table, spec.measure.score)
    ids = _strings(rows["sample_id"])
    epochs = rows["epoch"].to_numpy(zero_copy_only=False).astype(np.int64)
    reasons, values = _judge(rows, spec)
    scope = _truth(spec.where, rows) if spec.where else np.ones(len(ids), dtype=bool)
    promised = _is_promised(ids, epochs, promise)
    kept = promised & scope & (reasons == "")
    if kept.any() and not np.isfinite(values[kept]).all():
        raise StatisticsError(
            f"a kept value of measure {spec.measure.name!r} is not finite",
            where=f"arm {arm}",
            remedy="check the measure's `values` and `transform`",
        )
    clusters = _strings(_evaluate(spec.cluster, rows)) if spec.cluster else None
    digests = _strings(rows["sha256"])
    # By content only, whatever the order of the rows: sample, log, epoch, value.
    order = np.lexsort((values, epochs, digests, ids))
    outside = frozenset(ids[promised & ~scope].tolist())
    items = replace(_reduce(ids, digests, values, clusters, order[kept[order]], spec.epochs), outside=outside)
    denominator = _account(arm, spec.measure.name, ids, epochs, reasons, promised, scope, promise, len(items))
    return items, denominator


def unusable(
    table: pa.Table, arm: str, promise: Promise, spec: Specification, why: str
) -> tuple[Items, Denominator]:
    """No items, and every result that was promised and read left out: what the logs hold cannot be analysed."""
    rows = _rows_for_score(table, spec.measure.score)
    ids = _strings(rows["sample_id"])
    epochs = rows["epoch"].to_numpy(zero_copy_only=False).astype(np.int64)
    nobody = np.asarray([], dtype=np.str_)
    clusters = nobody if spec.cluster else None
    everywhere = np.ones(len(ids), dtype=bool)
    reasons = np.full(len(ids), NOT_ANALYSABLE.replace("_", " "))
    promised = _is_promised(ids, epochs, promise)
    denominator = _account(arm, spec.measure.name, ids, epochs, reasons, promised, everywhere, promise, 0)
    return Items(nobody, np.asarray([]), clusters, problem=f"{NOT_ANALYSABLE}: {why}"), denominator


# -- which rows ---------------------------------------------------------------------------------


def _rows_for_score(table: pa.Table, score: str) -> pa.Table:
    """One row per (log, sample, epoch): the score's own row, or a stand-in that says it is unscored."""
    mine = pc.fill_null(pc.equal(table["score"], score), False)
    scored = table.filter(mine)
    others = table.filter(pc.invert(mine))
    if others.num_rows == 0:
        return scored.combine_chunks()
    have = set(_keys(scored))
    first: dict[tuple[str, str, int], int] = {}
    for position, key in enumerate(_keys(others)):
        if key not in have:
            first.setdefault(key, position)
    if not first:
        return scored.combine_chunks()
    stand_ins = others.take(pa.array(sorted(first.values())))
    blank: dict[str, Any] = {
        "score": score,
        "value": None,
        "value_json": None,
        "unscored_reason": "no such score",
    }
    for name, content in blank.items():
        if name in stand_ins.column_names:
            index = stand_ins.column_names.index(name)
            kind = table.schema.field(name).type
            column = pa.array(
                [content] * stand_ins.num_rows, type=pa.string() if name != "value" else pa.float64()
            )
            stand_ins = stand_ins.set_column(
                index, name, column.cast(kind) if kind != column.type else column
            )
    return (
        pa.concat_tables([scored, stand_ins], promote_options="permissive")
        .unify_dictionaries()
        .combine_chunks()
    )


def _keys(table: pa.Table) -> Iterable[tuple[str, str, int]]:
    return zip(
        table["sha256"].to_pylist(), table["sample_id"].to_pylist(), table["epoch"].to_pylist(), strict=True
    )


def _is_promised(ids: NDArray[np.str_], epochs: NDArray[np.int64], promise: Promise) -> Bools:
    inside = (epochs >= 1) & (epochs <= promise.epochs)
    if promise.samples is None:
        return np.asarray(inside)
    return np.asarray(inside & np.isin(ids, np.asarray(promise.samples, dtype=np.str_)))


# -- judging one result -------------------------------------------------------------------------


def _judge(rows: pa.Table, spec: Specification) -> tuple[NDArray[np.str_], Floats]:
    """Reason code ("" = kept) and value of each row."""
    rules = spec.rules
    values, unscored, malformed = _values(rows, spec.measure)
    n = rows.num_rows
    reasons = np.full(n, "", dtype="<U80")
    undecided = np.ones(n, dtype=bool)

    def apply(name: str, mask: Bools, rule: Any) -> None:
        nonlocal undecided
        hit = mask & undecided
        if rule == "keep" or not hit.any():
            return
        if isinstance(rule, CountAs):
            values[hit] = rule.value
        else:
            reasons[hit] = name
        undecided &= ~hit

    apply("invalidated", _present_true(rows, "invalidated"), rules.invalidated)
    apply("error", _present(rows, "error"), rules.error)
    apply("fallback model", _present_text(rows, "model_fallback"), rules.fallback)
    apply("refusal", _refusals(rows, rules), rules.refusal)
    apply("limit", _present(rows, "limit"), rules.limit)
    for exclusion in rules.exclusions:
        apply(f"excluded: {exclusion.id}", _truth(exclusion.when, rows), "exclude")
    apply("unscored", unscored, rules.unscored)
    apply("malformed", malformed, rules.malformed)
    return reasons, values


def _values(rows: pa.Table, measure: Measure) -> tuple[Floats, Bools, Bools]:
    """Mapped values with masks (unscored, malformed); either mask leaves NaN in the values."""
    raw = _decode(rows["value_json"])
    codes = raw.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    words = raw.dictionary.to_pylist()
    mapped = np.array([_map(word, measure) for word in words] + [math.nan], dtype=np.float64)
    blank = np.array([_is_blank(word, measure) for word in words] + [True], dtype=bool)
    values, unscored = mapped[codes].copy(), blank[codes].copy()
    if measure.transform is not None:
        values = _transformed(rows, values, measure.transform)
    malformed = ~unscored & ~np.isfinite(values)
    for bound, beyond in ((measure.low, np.less), (measure.high, np.greater)):
        if bound is not None:
            with np.errstate(invalid="ignore"):
                malformed |= ~unscored & beyond(values, bound)
    return values, unscored, malformed


def _decode(column: pa.ChunkedArray) -> pa.DictionaryArray:
    """The column as one dictionary array, so that each distinct text is parsed once."""
    whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if isinstance(whole, pa.ChunkedArray):
        whole = whole.chunk(0) if whole.num_chunks else pa.array([], type=column.type)
    return whole if isinstance(whole, pa.DictionaryArray) else whole.dictionary_encode()


def _entry(word: str | None, measure: Measure) -> Any:
    if word is None:
        return None
    value = json.loads(word)
    if measure.key is not None:
        return value.get(measure.key) if isinstance(value, dict) else None
    return value


def _is_blank(word: str | None, measure: Measure) -> bool:
    value = _entry(word, measure)
    return value is None or (isinstance(value, float) and math.isnan(value))


def _map(word: str | None, measure: Measure) -> float:
    value = _entry(word, measure)
    if value is None:
        return math.nan
    if measure.values is not None:
        name = value if isinstance(value, str) else json.dumps(value)
        return measure.values.get(name, math.nan)
    found, _ = number(value)
    return math.nan if found is None else found


def _transformed(rows: pa.Table, values: Floats, text: str) -> Floats:
    index = rows.column_names.index("value")
    seen = rows.set_column(index, "value", pa.array(values, from_pandas=True))
    result = _evaluate(text, seen)
    return np.asarray(
        pc.cast(result, pa.float64()).to_numpy(zero_copy_only=False)
        if not isinstance(result, pa.ChunkedArray)
        else pc.cast(result, pa.float64()).to_numpy(),
        dtype=np.float64,
    ).copy()


def _refusals(rows: pa.Table, rules: DataRules) -> Bools:
    if rules.refusal_when is not None:
        return _truth(rules.refusal_when, rows)
    return _mask(pc.fill_null(pc.equal(_plain(rows["unscored_reason"]), "refusal"), False))


def _present(rows: pa.Table, name: str) -> Bools:
    return _mask(pc.is_valid(rows[name]))


def _present_text(rows: pa.Table, name: str) -> Bools:
    if name not in rows.column_names:
        return np.zeros(rows.num_rows, dtype=bool)
    column = rows[name]
    return _present_true(rows, name) if pa.types.is_boolean(column.type) else _present(rows, name)


def _present_true(rows: pa.Table, name: str) -> Bools:
    return _mask(pc.fill_null(rows[name], False))


def _mask(column: Any) -> Bools:
    return np.asarray(
        column.to_numpy(zero_copy_only=False) if isinstance(column, pa.Array) else column.to_numpy(),
        dtype=bool,
    )


def _plain(column: Any) -> Any:
    return column.cast(pa.string()) if pa.types.is_dictionary(column.type) else column


# -- expressions --------------------------------------------------------------------------------


def _evaluate(text: str, rows: pa.Table) -> Any:
    return _compiled(text).evaluate(rows)


def _compiled(text: str) -> Expression:
    return compile_expression(text)


def _truth(text: str, rows: pa.Table) -> Bools:
    """True where the expression is true; SQL's unknown counts as false."""
    return _mask(pc.fill_null(_evaluate(text, rows), False))


def _strings(column: Any) -> NDArray[np.str_]:
    plain = _plain(column)
    if not pa.types.is_string(plain.type) and not pa.types.is_large_string(plain.type):
        plain = plain.cast(pa.string())
    plain = pc.fill_null(plain, "")
    listed = plain.to_pylist()
    return np.asarray(listed, dtype=np.str_) if listed else np.asarray([], dtype="<U1")


# -- reducing -----------------------------------------------------------------------------------


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
    if rule == "mean":
        reduced = _reduced(values[order], starts, "mean")
    else:
        sorted_digests = digests[order]
        runs = np.flatnonzero(fresh | np.r_[True, sorted_digests[1:] != sorted_digests[:-1]])
        reduced = _reduced(_reduced(values[order], runs, rule), np.searchsorted(runs, starts), "mean")
    if clusters is None:
        return Items(sorted_ids[starts], reduced, None)
    ordered_clusters = clusters[order]
    constant = np.repeat(ordered_clusters[starts], counts) == ordered_clusters
    if not constant.all():
        culprit = str(sorted_ids[np.flatnonzero(~constant)[0]])
        raise StatisticsError(
            f"sample {culprit!r} lies in more than one cluster",
            remedy="write a cluster expression that is the same for every epoch of a sample",
        )
    return Items(sorted_ids[starts], reduced, ordered_clusters[starts])


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


# -- accounting ---------------------------------------------------------------------------------


def _account(
    arm: str,
    measure: str,
    ids: NDArray[np.str_],
    epochs: NDArray[np.int64],
    reasons: NDArray[np.str_],
    promised: Bools,
    scope: Bools,
    promise: Promise,
    items: int,
) -> Denominator:
    """Every (sample, epoch) that was promised is kept, left out for a reason, or missing."""
    best: dict[tuple[str, int], str] = {}
    out_of_scope: set[tuple[str, int]] = set()
    strangers: dict[tuple[str, int], None] = {}
    for row in np.lexsort((reasons, epochs, ids)):
        key = (str(ids[row]), int(epochs[row]))
        if not promised[row]:
            strangers[key] = None
        elif not scope[row]:
            out_of_scope.add(key)
        elif key not in best or reasons[row] == "":
            best[key] = str(reasons[row])
    out_of_scope -= best.keys()  # one run that has it in scope owes it
    kept = sum(reason == "" for reason in best.values())
    by_reason: dict[str, list[str]] = {}
    for (sample, epoch), reason in best.items():
        if reason:
            by_reason.setdefault(reason, []).append(f"{sample}#{epoch}")
    owed = promise.results - len(out_of_scope)
    return Denominator(
        arm=arm,
        measure=measure,
        promised=owed,
        read=len(ids),
        kept=kept,
        items=items,
        left_out=tuple(_left_out(reason, who) for reason, who in sorted(by_reason.items())),
        missing=_missing(best, out_of_scope, promise, owed),
        unpromised=_left_out("unpromised", [f"{s}#{e}" for s, e in strangers]) if strangers else None,
    )


def _missing(
    seen: Mapping[tuple[str, int], str], out_of_scope: set[tuple[str, int]], promise: Promise, owed: int
) -> LeftOut | None:
    if promise.samples is not None:
        absent = [
            f"{sample}#{epoch}"
            for sample in promise.samples
            for epoch in range(1, promise.epochs + 1)
            if (sample, epoch) not in seen and (sample, epoch) not in out_of_scope
        ]
        return _left_out("missing", absent) if absent else None
    count = owed - len(seen)
    return LeftOut("missing", count, ()) if count > 0 else None


def _left_out(reason: str, who: list[str]) -> LeftOut:
    return LeftOut(reason, len(who), tuple(sorted(who)[:LISTED]))
