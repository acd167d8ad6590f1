"""The account of what was read: what each log shows and claims, which files were set aside, what was left open."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from leadline.logs import SampleTable
from leadline.logs.accounting import Accounting
from leadline.logs.dataset import PROBE
from leadline.logs.headers import LogHeader
from leadline.logs.intake import REPLACED
from leadline.logs.recompute import recomputed as recompute
from leadline.protocol.model import Protocol
from leadline.verdict.conformance.context import ATTEMPT_STAMP, Context, Seen
from leadline.verdict.elsewhere import Elsewhere, RunElsewhere
from leadline.verdict.report import LogUsed, Recomputed


def claims_of(samples: SampleTable) -> tuple[Recomputed, ...]:
    """What the logs claim about themselves, beside what their samples say."""
    return tuple(
        Recomputed(
            log=one.log,
            scorer=one.score,
            metric=one.metric if one.reducer in (None, "mean") else f"{one.metric} ({one.reducer})",
            reported=one.reported,
            recomputed=one.recomputed,
            n=one.n,
            consistent=one.consistent,
            note=one.reason or "",
            sha256=one.sha256,
        )
        for one in recompute(samples)
    )


def reading(accounting: Accounting) -> dict[str, Any]:
    """How the logs were read, without paths of this machine: tier, counts, fallbacks, files skipped."""
    return {
        "logs": [
            {
                "log": log.log,
                "sha256": log.sha256,
                "tier": log.tier,
                "read": log.read,
                "kept": log.kept,
                "claimed": log.claimed,
                "left_out": [{"reason": left.reason, "count": left.count} for left in log.left_out],
                "fallbacks": [asdict(fallback) for fallback in log.fallbacks],
                "notes": list(log.notes),
            }
            for log in sorted(accounting.logs, key=lambda log: log.sha256)
        ],
        "skipped": sorted({(skip.kind, skip.reason) for skip in accounting.skipped}),
    }


def rivals(samples: SampleTable) -> tuple[tuple[str, str], ...]:
    """Files that were set aside because another file holds the same evaluation; copies are not among them."""
    used = {header.sha256 for header in samples.headers}
    return tuple(
        sorted(
            (log.log, "; ".join(left.reason for left in log.left_out))
            for log in samples.accounting.logs
            if log.sha256 not in used
        )
    )


def runs_of(
    protocol: Protocol, headers: Sequence[LogHeader], elsewhere: Elsewhere
) -> tuple[RunElsewhere, ...]:
    """Runs elsewhere that took the registered dataset, by its digest, or items that the study's own logs show."""
    if not elsewhere.runs:
        return ()
    promised = {task.dataset.sha256 for task in protocol.tasks}
    begins = frozenset(digest[:PROBE] for header in headers for digest in header.item_digests.values())
    return tuple(run for run in elsewhere.runs if run.dataset in promised or run.within(begins))


def seen_in(samples: SampleTable, headers: Sequence[LogHeader]) -> dict[str, Seen]:
    """What the samples of each log show, by sha256."""
    table = samples.to_arrow()
    digests = table["sha256"].cast(pa.string())
    replaced = {
        log.sha256: sum(left.count for left in log.left_out if left.reason == REPLACED)
        for log in samples.accounting.logs
    }
    return {
        header.sha256: _seen_in_log(table.filter(pc.equal(digests, header.sha256)), header, replaced)
        for header in headers
    }


def _seen_in_log(rows: pa.Table, header: LogHeader, replaced: Mapping[str, int]) -> Seen:
    empty = rows.num_rows == 0
    return Seen(
        samples=tuple(sorted(set(rows["sample_id"].cast(pa.string()).to_pylist()))),
        epochs=0 if empty else int(pc.max(rows["epoch"]).as_py()),
        results=len(
            {
                (sample, epoch)
                for sample, epoch in zip(
                    rows["sample_id"].to_pylist(), rows["epoch"].to_pylist(), strict=True
                )
                if epoch >= 1
            }
        ),
        started=None if empty else pc.min(rows["started_at"]).as_py(),
        fallbacks=_samples_where(rows, "model_fallback"),
        edits=_samples_where(rows, "score_edits"),
        replaced=replaced.get(header.sha256, 0),
        dataset_sha256=header.dataset_sha256,
    )


def _samples_where(rows: pa.Table, name: str) -> int:
    """How many (sample, epoch) pairs have something other than nothing, false or zero in a column."""
    if name not in rows.column_names:
        return 0
    keys = zip(rows["sample_id"].to_pylist(), rows["epoch"].to_pylist(), rows[name].to_pylist(), strict=True)
    return len({(sample, epoch) for sample, epoch, value in keys if value})


def logs_used(context: Context) -> tuple[LogUsed, ...]:
    """Every log with its arm and attempt."""
    return tuple(
        _listed(
            context, header, context.assignment[header.sha256], len(context.seen[header.sha256].samples), ""
        )
        for header in context.headers
    )


def silent_logs(context: Context, headers: Sequence[LogHeader]) -> tuple[LogUsed, ...]:
    """Logs of announced attempts that scored nothing: listed, so that they are known, and not counted."""
    return tuple(_listed(context, header, None, 0, "scored nothing: not counted") for header in headers)


def _listed(context: Context, header: LogHeader, arm: str | None, results: int, note: str) -> LogUsed:
    stamp = (header.metadata or {}).get(ATTEMPT_STAMP)
    attempts = (a.number for a in context.attempts if a.token == stamp or header.sha256 in a.logs)
    return LogUsed(
        name=header.log,
        sha256=header.sha256,
        eval_id=header.eval_id,
        task=header.task,
        model=header.model,
        arm=arm,
        attempt=next(attempts, None),
        created=None if header.created is None else header.created.isoformat(),
        results=results,
        note=note,
    )


def left_open(protocol: Protocol) -> tuple[str, ...]:
    """What the protocol promises nothing about: each is a degree of freedom a reader should know."""
    phrases = []
    for task in protocol.tasks:
        if task.dataset.sha256 is None:
            phrases.append(f"{task.name}: the content of the dataset")
        if task.dataset.samples is None and task.dataset.sha256 is None:
            phrases.append(f"{task.name}: which samples")
        if task.solver is None:
            phrases.append(f"{task.name}: solver and prompts")
        if not task.scorers:
            phrases.append(f"{task.name}: parameters of the scorer")
        if task.version is None:
            phrases.append(f"{task.name}: version of the task")
    if protocol.attempts.max is None:
        phrases.append("how often an identical run is repeated")
    return tuple(phrases)
