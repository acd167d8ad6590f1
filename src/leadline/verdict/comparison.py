"""The door: two logs, no registry. Pair their samples and say what the difference is."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa

from leadline.errors import InputError, NotFoundError, StatisticsError
from leadline.logs import SampleTable, read_logs
from leadline.logs.headers import LogHeader
from leadline.logs.mapping import MappingLike
from leadline.protocol.blocks.claims import Estimand, IntervalMethod, Outcome
from leadline.protocol.blocks.conduct import DataRules
from leadline.protocol.blocks.design import Measure
from leadline.verdict.comparison_options import (
    cluster_columns,
    cluster_expression,
    require_options,
    require_sense,
)
from leadline.verdict.decide import decide
from leadline.verdict.estimate import Question, estimate_effect, pair
from leadline.verdict.items import Items, items_of_arm
from leadline.verdict.model import EffectEstimate, LeftOut
from leadline.verdict.precision import detectable
from leadline.verdict.sides import differing, reading_notes, require_one_setup, require_two_evaluations
from leadline.verdict.specification import Promise, Specification

PathLike: TypeAlias = str | os.PathLike[str]
#: A log file, a folder of logs, several of either, or a table already read.
Logs: TypeAlias = "PathLike | Sequence[PathLike] | SampleTable"


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two logs: what ran, over how many items, with which mean."""

    name: str
    model: str
    task: str
    mean: float | None
    n: int
    logs: tuple[str, ...]


@dataclass(frozen=True, repr=False)
class Comparison:
    """Two logs compared on the samples they share.

    ``estimate.effect`` is A minus B. ``outcome`` is the word of the decision table for "they differ":
    supported, null (smaller than ``smallest``, when that was given) or inconclusive. ``detectable`` is the
    smallest difference this n had 80 % power to find. Counts of agreement are given for 0/1 scores.
    """

    a: Side
    b: Side
    score: str
    estimate: EffectEstimate | None
    outcome: Outcome
    reason: str | None
    smallest: float | None
    detectable: float | None
    pairs: int
    clusters: int | None
    cluster_by: str | None
    only_a: int | None
    only_b: int | None
    both: int | None
    neither: int | None
    left_out: tuple[LeftOut, ...]
    notes: tuple[str, ...]
    same_items: bool | None
    differences: tuple[str, ...]
    headers: tuple[tuple[LogHeader, ...], tuple[LogHeader, ...]] = ((), ())

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values, numbers rounded to ten significant digits."""
        from leadline.verdict.serialise import comparison_to_dict

        return comparison_to_dict(self)

    def to_json(self) -> bytes:
        """Canonical JSON."""
        from leadline.verdict.serialise import comparison_to_json

        return comparison_to_json(self)

    def to_html(self) -> str:
        """One self-contained page."""
        from leadline.verdict.page import comparison_page

        return comparison_page(self)

    def __str__(self) -> str:
        """What is compared, what came out, and the numbers, in a few lines."""
        from leadline.verdict.comparison_view import comparison_facts, comparison_finding, heading

        facts = [f"  {label}: {value}" for label, value in comparison_facts(self)]
        return "\n".join((heading(self).title, f"{self.outcome}: {comparison_finding(self)}", *facts))

    def __repr__(self) -> str:
        effect = "" if self.estimate is None else f", A minus B {self.estimate.effect:.4g}"
        return f"<Comparison: {self.outcome}{effect}, {self.pairs:,} paired samples>"

    def _repr_html_(self) -> str:
        from leadline.verdict.page import notebook_frame

        return notebook_frame(self.to_html())

    def protocol(self) -> str:
        """YAML draft of a protocol for the next run of this comparison."""
        from leadline.verdict.draft import draft_from_comparison

        return draft_from_comparison(self)


def compare(
    a: Logs,
    b: Logs,
    smallest: float | None = None,
    *,
    score: str | None = None,
    cluster: str | None = "auto",
    level: float = 0.05,
    method: IntervalMethod = "auto",
    mapping: MappingLike | None = None,
) -> Comparison:
    """Compare two logs (or folders of reruns) sample by sample.

    ``smallest``: smallest difference worth caring about, in the unit of the scores; with it a precise zero
    can read `null`. ``score``: which score, when the logs have several (default: the first they share).
    ``cluster``: expression naming the cluster of a sample; "auto" groups ids such as `p3.1`, `p3.2`
    and says so; None (or "none") treats samples as independent. ``level``: 0.05 gives a 95 % interval.
    ``method``: how the interval is computed, one of `PAIRED_METHODS`. ``mapping``: what the columns mean where
    a side is a table.

    Several logs on one side must be reruns of one setup; they are pooled. Raises NotFoundError, LogError,
    ExpressionError or InputError where the logs cannot be compared at all, or the options make no sense for
    them; where the data do not settle the question, the outcome is `inconclusive` with a reason.
    """
    cluster = None if cluster == "none" else cluster
    require_options(smallest, level, method)
    columns = cluster_columns(cluster)
    left, right = _table(a, columns, mapping), _table(b, columns, mapping)
    for side, table in (("A", left), ("B", right)):
        require_one_setup(side, table)
    require_two_evaluations(left, right)
    chosen = _require_score(score, left, right) if score else _shared_score(left, right)
    cluster_by = cluster_expression(cluster, left, right)
    spec = Specification(
        Measure(name=_name(chosen), score=chosen, cluster=cluster_by), DataRules(), None, cluster_by
    )
    (items_a, out_a), (items_b, out_b) = _reduce(left, "A", spec), _reduce(right, "B", spec)
    require_sense(smallest, method, items_a, items_b)
    unshared = _unshared(items_a, items_b)
    values_a, values_b, clusters = pair(items_a, items_b)
    estimate, reason = _estimate(items_a, items_b, chosen, level, method)
    outcome = _outcome(estimate, smallest) if reason is None else "inconclusive"
    both, only_a, only_b, neither = _agreement(values_a, values_b)
    return Comparison(
        a=_side(left, items_a),
        b=_side(right, items_b),
        score=chosen,
        estimate=estimate,
        outcome=outcome,
        reason=reason or (None if outcome != "inconclusive" else "undecided"),
        smallest=smallest,
        detectable=None if estimate is None else detectable(estimate),
        pairs=len(values_a),
        clusters=None if clusters is None else len(set(clusters.tolist())),
        cluster_by=cluster_by,
        only_a=only_a,
        only_b=only_b,
        both=both,
        neither=neither,
        left_out=(*out_a, *out_b, *unshared),
        notes=_notes(left, right, outcome, estimate, smallest, cluster, cluster_by),
        same_items=_same_items(left, right, set(items_a.ids.tolist()) & set(items_b.ids.tolist())),
        differences=tuple(one.line for one in differing(left.headers[0], right.headers[0])),
        headers=(tuple(left.headers), tuple(right.headers)),
    )


# -- reading ------------------------------------------------------------------------------------


def _table(logs: Logs, columns: tuple[str, ...], mapping: MappingLike | None) -> SampleTable:
    if isinstance(logs, SampleTable):
        return _measured(logs)
    many = [logs] if isinstance(logs, str | os.PathLike) else list(logs)
    for path in many:
        if not Path(path).exists():
            raise NotFoundError(f"there is no log or folder {os.fspath(path)!r}", remedy="check the path")
    table = read_logs(many, tier="sample", columns=[*columns] or None, mapping=mapping)
    if not table.headers:
        skipped = "; ".join(f"{skip.path}: {skip.reason}" for skip in table.accounting.skipped[:3])
        raise InputError(
            f"no evaluation log could be read ({skipped})",
            remedy="pass logs of a format that is read (docs/log-formats.md); a table needs a mapping",
        )
    return _measured(table)


def _measured(table: SampleTable) -> SampleTable:
    """The logs that hold samples; InputError where all of them report results only."""
    found = table.measured()
    if table.headers and not found.headers:
        raise InputError(
            f"{table.headers[0].log} reports results and holds no samples: nothing can be compared with it",
            remedy="pass the samples too: for lm-eval run with --log_samples, for Every Eval Ever the instance file",
        )
    return found


def _shared_score(a: SampleTable, b: SampleTable) -> str:
    names = [_scores(a), _scores(b)]
    shared = [name for name in names[0] if name in names[1]]
    if not shared:
        raise InputError(
            f"the logs share no score: A has {', '.join(names[0]) or 'none'}; B has {', '.join(names[1]) or 'none'}",
            remedy="compare logs of the same task, or re-score one of them",
        )
    return shared[0]


def _require_score(name: str, a: SampleTable, b: SampleTable) -> str:
    for side, table in (("A", a), ("B", b)):
        if name not in (known := _scores(table)):
            raise InputError(
                f"{side} has no score {name!r}", remedy=f"its scores are: {', '.join(known) or 'none at all'}"
            )
    return name


def _scores(table: SampleTable) -> list[str]:
    column = table.to_arrow()["score"].cast(pa.string())
    return sorted({name for name in column.unique().to_pylist() if name is not None})


def _reduce(table: SampleTable, side: str, spec: Specification) -> tuple[Items, list[LeftOut]]:
    rows = table.to_arrow()
    ids = tuple(sorted({str(i) for i in rows["sample_id"].cast(pa.string()).unique().to_pylist()}))
    epochs = int(max([*rows["epoch"].unique().to_pylist(), 1]))
    items, account = items_of_arm(rows, side, Promise(ids, len(ids), epochs), spec)
    out = [replace(left, reason=f"{side}: {left.reason}") for left in account.left_out]
    kept = {header.sha256 for header in table.headers}
    absent = sum(log.absent for log in table.accounting.logs if log.sha256 in kept)
    if absent:
        out.append(LeftOut(f"{side}: claimed by the log and not in the file", absent, ()))
    return items, out


# -- answering ----------------------------------------------------------------------------------


def _estimate(
    a: Items, b: Items, score: str, level: float, method: IntervalMethod
) -> tuple[EffectEstimate | None, str | None]:
    ask = Question(Estimand(type="paired_difference", measure=_name(score), arms=("A", "B")), 0.0, 1, method)
    try:
        estimate = estimate_effect(ask, (a, b), level)
    except StatisticsError as error:
        return None, error.message
    return estimate, estimate.reason


def _name(score: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]", "-", score)[:64] or "score"


def _outcome(estimate: EffectEstimate | None, smallest: float | None) -> Outcome:
    if estimate is None or estimate.wide is None or estimate.narrow is None:
        return "inconclusive"
    return decide("differs", estimate.wide, estimate.narrow, smallest or 0.0)


def _agreement(a: Any, b: Any) -> tuple[int | None, int | None, int | None, int | None]:
    """(both, only A, only B, neither) for 0/1 scores, Nones otherwise."""
    if len(a) == 0 or not (np.isin(a, (0.0, 1.0)).all() and np.isin(b, (0.0, 1.0)).all()):
        return None, None, None, None
    up, down = a == 1, b == 1
    return int((up & down).sum()), int((up & ~down).sum()), int((~up & down).sum()), int((~up & ~down).sum())


def _unshared(a: Items, b: Items) -> list[LeftOut]:
    out = []
    for side, mine, other in (("A", a, b), ("B", b, a)):
        alone = sorted(set(mine.ids.tolist()) - set(other.ids.tolist()))
        if alone:
            out.append(LeftOut(f"{side}: no partner in the other log", len(alone), tuple(alone[:200])))
    return out


def _side(table: SampleTable, items: Items) -> Side:
    headers = table.headers
    join = " + ".join
    return Side(
        name=join(dict.fromkeys(header.log for header in headers)),
        model=join(dict.fromkeys(header.model for header in headers)),
        task=join(dict.fromkeys(header.task for header in headers)),
        mean=float(np.mean(items.values)) if len(items) else None,
        n=len(items),
        logs=tuple(header.sha256 for header in headers),
    )


def _same_items(a: SampleTable, b: SampleTable, shared: set[str]) -> bool | None:
    """Whether every shared sample has the same content in both logs; None where content is unknown."""
    digests: list[dict[str, str]] = [{}, {}]
    for table, found in zip((a, b), digests, strict=True):
        for header in table.headers:
            found.update({str(key): value for key, value in header.item_digests.items()})
    if not shared or not all(sample in digests[0] and sample in digests[1] for sample in shared):
        return None
    return all(digests[0][sample] == digests[1][sample] for sample in shared)


def _notes(
    a: SampleTable,
    b: SampleTable,
    outcome: Outcome,
    estimate: EffectEstimate | None,
    smallest: float | None,
    asked: str | None,
    cluster_by: str | None,
) -> tuple[str, ...]:
    notes = ["not registered beforehand: a description of two logs, not a confirmation"]
    if asked == "auto" and cluster_by is not None:
        notes.append(
            "samples were grouped by the stem of their ids; treat them as independent with --cluster none"
            " (in Python cluster=None)"
        )
    if smallest is None and outcome == "inconclusive":
        notes.append("without a smallest difference of interest no outcome can read `null`")
    if estimate is not None:
        notes.extend(estimate.warnings)
    notes += [*reading_notes("A", a), *reading_notes("B", b)]
    return tuple(dict.fromkeys(notes))
