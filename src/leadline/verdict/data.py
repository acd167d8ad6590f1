"""The data of a study by arm: which log is whose, reduced to items on demand."""

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from leadline.errors import ExpressionError, StatisticsError
from leadline.logs import SampleTable
from leadline.logs.headers import LogHeader
from leadline.protocol.model import Protocol
from leadline.verdict.arms import assign
from leadline.verdict.items import Items, items_of_arm, unusable
from leadline.verdict.model import Attempt, Denominator
from leadline.verdict.needs import required_columns
from leadline.verdict.specification import Promise, Specification
from leadline.verdict.variants import variants_of_arm


@dataclass
class Data:
    """Rows of the logs that count (under `reruns: first`, not all do) by arm, reduced on demand and remembered."""

    protocol: Protocol
    headers: tuple[LogHeader, ...]
    assignment: dict[str, str | None]
    rows: dict[str, pa.Table]
    memo: dict[tuple[object, ...], tuple[Items, Denominator]]
    silent: tuple[LogHeader, ...] = ()
    """Logs of announced attempts that scored nothing: listed, not counted."""

    @classmethod
    def of(cls, protocol: Protocol, samples: SampleTable, attempts: Sequence[Attempt] = ()) -> "Data":
        """Assign logs to arms and split the rows."""
        table = samples.to_arrow()
        _require_columns(protocol, table)
        digests = table["sha256"].cast(pa.string())
        everything = tuple(sorted(samples.headers, key=lambda header: header.sha256))
        silent = _scored_nothing(table, digests, everything, attempts)
        headers = tuple(header for header in everything if header not in silent)
        assignment = assign(protocol, headers)
        rows = {}
        for arm in protocol.arms:
            mine = [header for header in headers if assignment[header.sha256] == arm.name]
            counted = [sha for variant in variants_of_arm(protocol, mine) for sha in variant]
            rows[arm.name] = table.filter(pc.is_in(digests, value_set=pa.array(counted, type=pa.string())))
        return cls(protocol, headers, assignment, rows, {}, silent)

    def items(
        self, arm: str, spec: Specification, logs: tuple[str, ...] | None = None
    ) -> tuple[Items, Denominator]:
        """Items and denominator of one arm, from all its logs that count or only those named by sha256."""
        key = (arm, spec.key, logs)
        if key not in self.memo:
            rows = self.rows[arm]
            if logs is not None:
                rows = rows.filter(
                    pc.is_in(rows["sha256"].cast(pa.string()), value_set=pa.array(logs, type=pa.string()))
                )
            promise = promise_of(self.protocol, arm)
            try:
                self.memo[key] = items_of_arm(rows, arm, promise, spec)
            except (ExpressionError, StatisticsError) as error:
                # Nobody may keep a study from its verdict by writing logs that the analysis chokes on.
                self.memo[key] = unusable(rows, arm, promise, spec, error.message)
        return self.memo[key]

    def logs_of(self, arm: str) -> tuple[LogHeader, ...]:
        """The arm's logs."""
        return tuple(header for header in self.headers if self.assignment[header.sha256] == arm)


def _scored_nothing(
    table: pa.Table, digests: pa.ChunkedArray, headers: Sequence[LogHeader], attempts: Sequence[Attempt]
) -> tuple[LogHeader, ...]:
    """Logs that an attempt ended with and in which no sample has a score: a run that failed, not a result."""
    announced = {sha for attempt in attempts for sha in attempt.logs}
    scored = set(digests.filter(pc.is_valid(table["score"])).unique().to_pylist())
    return tuple(header for header in headers if header.sha256 in announced and header.sha256 not in scored)


def promise_of(protocol: Protocol, arm: str) -> Promise:
    """Which results the arm owes."""
    task = protocol.task(protocol.arm(arm).task)
    samples = task.dataset.samples
    items = len(samples) if samples else task.dataset.n or protocol.sample_size.items
    return Promise(samples, items, task.epochs)


def registered(protocol: Protocol, measure: str, where: str | None) -> Specification:
    """How results of a measure become items, as registered."""
    value = protocol.measure(measure)
    return Specification(value, protocol.data_rules, where, value.cluster, value.epochs)


def _require_columns(protocol: Protocol, table: pa.Table) -> None:
    absent = [name for name in required_columns(protocol) if name not in table.column_names]
    if absent:
        raise StatisticsError(
            f"the sample table has no column {absent[0]!r}, which the protocol uses",
            remedy="read the logs with `read_logs(paths, tier='sample', columns=required_columns(protocol))`",
        )
