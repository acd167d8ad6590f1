"""The account of an arm: every promised result is kept, left out for a reason, or missing by name."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from leadline.verdict.model import Denominator, LeftOut
from leadline.verdict.specification import Promise

Bools = NDArray[np.bool_]

#: Ids listed per reason in a report; the count is always complete.
LISTED = 200


def is_promised(ids: NDArray[np.str_], epochs: NDArray[np.int64], promise: Promise) -> Bools:
    """Which results were promised: a registered sample (if ids were) at a registered epoch."""
    inside = (epochs >= 1) & (epochs <= promise.epochs)
    if promise.samples is None:
        return np.asarray(inside)
    return np.asarray(inside & np.isin(ids, np.asarray(promise.samples, dtype=np.str_)))


def account(
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
