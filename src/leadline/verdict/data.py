"""The data of a study by arm: which log is whose, reduced to items on demand."""

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from leadline.errors import StatisticsError
from leadline.logs import SampleTable
from leadline.logs.headers import LogHeader
from leadline.protocol.model import Protocol
from leadline.verdict.arms import assign
from leadline.verdict.items import Items, Promise, Specification, items_of_arm
from leadline.verdict.model import Denominator
from leadline.verdict.needs import required_columns


@dataclass
class Data:
    """Rows by arm, reduced to items on demand and remembered."""

    protocol: Protocol
    headers: tuple[LogHeader, ...]
    assignment: dict[str, str | None]
    rows: dict[str, pa.Table]
    memo: dict[tuple[object, ...], tuple[Items, Denominator]]

    @classmethod
    def of(cls, protocol: Protocol, samples: SampleTable) -> "Data":
        """Assign logs to arms and split the rows."""
        table = samples.to_arrow()
        _require_columns(protocol, table)
        headers = tuple(sorted(samples.headers, key=lambda header: header.sha256))
        assignment = assign(protocol, headers)
        digests = table["sha256"].cast(pa.string())
        rows = {}
        for arm in protocol.arms:
            mine = pa.array([sha for sha, name in assignment.items() if name == arm.name], type=pa.string())
            rows[arm.name] = table.filter(pc.is_in(digests, value_set=mine))
        return cls(protocol, headers, assignment, rows, {})

    def items(
        self, arm: str, spec: Specification, logs: tuple[str, ...] | None = None
    ) -> tuple[Items, Denominator]:
        """Items and denominator of one arm, from all its logs or only those named by sha256."""
        key = (arm, spec.key, logs)
        if key not in self.memo:
            rows = self.rows[arm]
            if logs is not None:
                rows = rows.filter(
                    pc.is_in(rows["sha256"].cast(pa.string()), value_set=pa.array(logs, type=pa.string()))
                )
            self.memo[key] = items_of_arm(rows, arm, promise_of(self.protocol, arm), spec)
        return self.memo[key]

    def logs_of(self, arm: str) -> tuple[LogHeader, ...]:
        """The arm's logs."""
        return tuple(header for header in self.headers if self.assignment[header.sha256] == arm)


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
