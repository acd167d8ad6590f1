"""Simulated logs, as the reader would hand them to the analysis: one per arm, kept in memory."""

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa

from leadline.logs import SampleTable
from leadline.logs.accounting import Accounting, LogAccount
from leadline.logs.headers import DatasetNote, LogHeader
from leadline.logs.schema import table_schema
from leadline.protocol.blocks.design import Arm, Measure
from leadline.protocol.model import Protocol
from leadline.stats.rng import stream
from leadline.verdict.arms import expected_args, expected_generate
from leadline.verdict.simulation.columns import with_metadata

#: Items per arm; enough to run every estimator, few enough to be instant.
ITEMS = 120
#: When the simulated runs took place; no result depends on it.
_WHEN = datetime(2000, 1, 1, tzinfo=UTC)


def simulated_table(protocol: Protocol) -> SampleTable:
    """A log per arm with a score per measure, values drawn at random from what each measure accepts.

    Raises ProtocolError when an expression cannot be evaluated on samples.
    """
    draw = np.random.Generator(stream(bytes.fromhex(protocol.digest), "rehearsal"))
    rows: list[dict[str, Any]] = []
    headers = [_header(protocol, arm) for arm in protocol.arms]
    for arm, header in zip(protocol.arms, headers, strict=True):
        rows += _rows(protocol, arm, header, draw)
    schema = table_schema(samples=True)
    table = pa.table(
        {
            field.name: pa.array([row.get(field.name) for row in rows], type=_plain(field.type))
            for field in schema
        }
    )
    table = table.cast(pa.schema([pa.field(field.name, field.type) for field in schema]))
    table = table.append_column("group", pa.array([row["group"] for row in rows], type=pa.int64()))
    accounts = tuple(
        LogAccount(
            h.log, h.path, h.sha256, "simulated", "sample", h.samples_read, h.samples_read, h.samples_read
        )
        for h in headers
    )
    return SampleTable(with_metadata(table, protocol), headers, Accounting(accounts))


def _plain(kind: Any) -> Any:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def sample_ids(protocol: Protocol, arm: Arm) -> tuple[str, ...]:
    """The ids simulated for an arm: registered ones where there are any."""
    registered = protocol.task(arm.task).dataset.samples
    if registered:
        return tuple(registered[:ITEMS])
    return tuple(f"{number:04d}" for number in range(min(ITEMS, protocol.sample_size.items)))


def _rows(protocol: Protocol, arm: Arm, header: LogHeader, draw: np.random.Generator) -> list[dict[str, Any]]:
    measures = {measure.score: measure for measure in protocol.measures}
    groups = max(2, min(protocol.sample_size.clusters or 12, ITEMS))
    rows = []
    for number, sample in enumerate(sample_ids(protocol, arm)):
        for epoch in range(1, min(protocol.task(arm.task).epochs, 4) + 1):
            for score in measures:
                entries = {m.key: _raw(m, draw) for m in protocol.measures if m.score == score}
                whole = entries.get(None, entries)
                rows.append(_row(header, sample, epoch, score, whole, number % groups))
    return rows


def _row(header: LogHeader, sample: str, epoch: int, score: str, value: Any, group: int) -> dict[str, Any]:
    number = float(value) if isinstance(value, int | float) else None
    return {
        "log": header.log,
        "sha256": header.sha256,
        "eval_id": header.eval_id,
        "task": header.task,
        "model": header.model,
        "sample_id": sample,
        "epoch": epoch,
        "uuid": f"{header.log}-{sample}-{epoch}",
        "score": score,
        "value": number,
        "value_json": json.dumps(value),
        "answer": "answer",
        "explanation": "explanation",
        "invalidated": False,
        "started_at": _WHEN,
        "completed_at": _WHEN,
        "total_time": 1.0,
        "working_time": 1.0,
        "retries": 0,
        "input": f"question {sample}",
        "target": "target",
        "metadata": "{}",
        "item_sha256": hashlib.sha256(sample.encode()).hexdigest(),
        "group": group,
    }


def _raw(measure: Measure, draw: np.random.Generator) -> Any:
    """A logged value the measure maps to a number."""
    if measure.values:
        return list(measure.values)[int(draw.integers(len(measure.values)))]
    if measure.low is None and measure.high is None:
        return "CI"[int(draw.integers(2))]
    low = measure.low if measure.low is not None else (measure.high or 0.0) - 1.0
    high = measure.high if measure.high is not None else low + 1.0
    return float(low + (high - low) * round(float(draw.random())))


def _header(protocol: Protocol, arm: Arm) -> LogHeader:
    task, model = protocol.task(arm.task), protocol.model(arm.model)
    ids = sample_ids(protocol, arm)
    digest = hashlib.sha256(f"{protocol.digest}/{arm.name}".encode()).hexdigest()
    return LogHeader(
        log=f"{arm.name}.simulated",
        path="",
        sha256=digest,
        size=0,
        format="simulated",
        version=2,
        status="success",
        eval_id=digest[:22],
        run_id=digest[:22],
        eval_set_id=None,
        task=task.task,
        task_id=digest[:22],
        task_version="0" if task.version is None else str(task.version),
        task_file=None,
        task_registry_name=None,
        task_args=expected_args(protocol, arm),
        task_args_passed=expected_args(protocol, arm),
        solver=None,
        solver_args=None,
        steps=tuple({"solver": step.solver, "params": step.params or {}} for step in task.solver or ()),
        model=model.id or "",
        model_base_url=model.base_url,
        model_args=dict(model.args),
        model_roles={},
        generate_config=expected_generate(protocol, arm),
        model_generate_config={},
        plan_config={},
        config={"epochs": task.epochs, **task.limits},
        dataset=DatasetNote(name=task.dataset.name, samples=len(ids), sample_ids=ids, shuffled=False),
        sandbox=None,
        scorers=tuple({"name": scorer.name, "options": scorer.params or {}} for scorer in task.scorers),
        tags=(),
        metadata=dict(arm.metadata),
        effective_tags=(),
        effective_metadata=dict(arm.metadata),
        revision=None,
        packages={},
        created=_WHEN,
        started_at=_WHEN,
        completed_at=_WHEN,
        error=None,
        results=(),
        total_samples=len(ids),
        completed_samples=len(ids),
        logged_samples=len(ids),
        invalidated=False,
        log_updates=(),
        config_updates=(),
        model_usage={},
        samples_read=len(ids),
        dataset_sha256=task.dataset.sha256,
    )
