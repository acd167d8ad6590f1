"""SampleTable: what was run, a row per sample, epoch and score."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from leadline.errors import MissingExtraError
from leadline.logs.accounting import Accounting, Skipped, set_aside
from leadline.logs.arrow import texts
from leadline.logs.headers import LogHeader
from leadline.logs.headers_table import headers_table
from leadline.logs.schema import NAMES, TEXTS

_SHOWN = ("log", "sample_id", "epoch", "score", "value", "unscored_reason", "error")


class SampleTable:
    """Samples of one or more logs as an Arrow table, with their headers and the balance of reading them.

    Long form: a row per (sample, epoch, score); a sample without scores keeps one row with `score` null.
    Repeated strings are dictionary-encoded. Anything that takes an Arrow stream takes the table itself.

    Attributes
    ----------
    headers: one `LogHeader` per log, in the order of the log's rows.
    accounting: what was read, kept, and left out with reasons.
    """

    def __init__(self, table: Any, headers: Sequence[LogHeader], accounting: Accounting) -> None:
        self._table = table
        self.headers = tuple(headers)
        self.accounting = accounting

    def __len__(self) -> int:
        return int(self._table.num_rows)

    @property
    def column_names(self) -> list[str]:
        """Names of the columns, in order."""
        return list(self._table.column_names)

    def to_arrow(self, *, decoded: bool = False) -> Any:
        """The `pyarrow.Table`; with `decoded`, dictionary-encoded strings become plain ones."""
        return _decoded(self._table, self._table.column_names) if decoded else self._table

    def to_pandas(self) -> Any:
        """A pandas DataFrame; names are categoricals, text is text. Needs the `frames` extra."""
        try:
            import pandas  # noqa: F401, ICN001
        except ImportError as error:
            raise _no_frames("pandas") from error
        return _decoded(self._table, TEXTS).to_pandas()

    def to_polars(self) -> Any:
        """A polars DataFrame. Needs the `frames` extra."""
        try:
            import polars as pl
        except ImportError as error:
            raise _no_frames("polars") from error
        return pl.from_arrow(_decoded(self._table, TEXTS))

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        return self._table.__arrow_c_stream__(requested_schema)

    def headers_arrow(self) -> Any:
        """The headers as a `pyarrow.Table`, a row per log; nested fields are JSON text."""
        return headers_table(self.headers)

    def measured(self) -> "SampleTable":
        """This table without logs that report results and can hold no samples: they are background, never data.

        Each of them is named in `accounting.skipped`.
        """
        aside = [header for header in self.headers if header.aggregate_only]
        if not aside:
            return self
        tasks = {(header.path, header.sha256) for header in aside}
        skipped = {
            Skipped(header.path, "aggregate", f"{header.task}: results without samples, which are background")
            for header in aside
        }
        counted = {header.sha256 for header in self.headers if not header.aggregate_only}
        logs = tuple(
            log
            for log in self.accounting.logs
            if (log.path, log.sha256) not in tasks or log.sha256 in counted
        )
        listed = (*self.accounting.skipped, *sorted(skipped, key=lambda skip: (skip.path, skip.reason)))
        kept = [header for header in self.headers if not header.aggregate_only]
        return SampleTable(self._table, kept, Accounting(logs, listed))

    def concat(self, *others: "SampleTable") -> "SampleTable":
        """This table followed by others; an evaluation that several hold is kept once, from the first."""
        return concat([self, *others])

    def __repr__(self) -> str:
        logs = ", ".join(header.log for header in self.headers[:3]) + (
            ", ..." if len(self.headers) > 3 else ""
        )
        size = f"{len(self):,} rows, {self.accounting.kept:,} samples, {len(self.headers)} logs: {logs}"
        return f"<SampleTable: {size}>\n{self.accounting}"

    def _repr_html_(self) -> str:
        names = [name for name in _SHOWN if name in self._table.column_names]
        head = "".join(f"<th>{escape(name)}</th>" for name in names)
        rows = self._table.select(names).slice(0, 10).to_pylist()
        body = "".join(f"<tr>{''.join(_cell(row[name]) for name in names)}</tr>" for row in rows)
        more = f"<p>{len(self):,} rows, {len(self.headers)} logs</p><pre>{escape(str(self.accounting))}</pre>"
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{more}"


def _cell(value: Any) -> str:
    return f"<td>{escape('' if value is None else str(value)[:200])}</td>"


def concat(tables: Iterable[SampleTable]) -> SampleTable:
    """Several tables as one; an evaluation that several of them hold is kept once, from the first."""
    files: dict[str, str] = {}
    evaluations: dict[str, str] = {}
    parts, headers, balance = [], [], Accounting()
    for table in tables:
        again = {
            header.sha256: f"copy of {files[header.sha256]}"
            if header.sha256 in files
            else f"same evaluation as {evaluations[header.eval_id]}, which is kept"
            for header in table.headers
            if header.sha256 in files or header.eval_id in evaluations
        }
        fresh = [header for header in table.headers if header.sha256 not in again]
        files |= {header.sha256: header.log for header in fresh}
        evaluations |= {header.eval_id: header.log for header in fresh}
        headers += fresh
        parts.append(_without(table.to_arrow(), again))
        balance = balance.joined(_set_aside(table.accounting, again))
    if not parts:
        return SampleTable(pa.table({}), (), balance)
    joined = pa.concat_tables(parts, promote_options="permissive").unify_dictionaries()
    return SampleTable(joined, headers, balance)


def _without(table: Any, digests: Mapping[str, str]) -> Any:
    if not digests:
        return table
    return table.filter(pc.invert(pc.is_in(table["sha256"].cast(pa.string()), texts(sorted(digests)))))


def _set_aside(balance: Accounting, reasons: Mapping[str, str]) -> Accounting:
    logs = tuple(
        set_aside(log, reasons[log.sha256]) if log.sha256 in reasons else log for log in balance.logs
    )
    return Accounting(logs, balance.skipped)


def _decoded(table: Any, names: Iterable[str]) -> Any:
    for name in names:
        at = table.schema.get_field_index(name)
        if at >= 0 and table.schema.field(at).type == NAMES:
            table = table.set_column(
                at, table.schema.field(at).with_type(pa.string()), table[name].cast(pa.string())
            )
    return table


def _no_frames(name: str) -> MissingExtraError:
    return MissingExtraError(f"{name} is not installed", remedy="pip install 'leadline[frames]'")
