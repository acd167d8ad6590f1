"""Rows of CSV, Parquet and JSON-lines tables: the named columns, batch by batch, within bounds.

CSV cells are texts, whatever they look like: `007` stays an id. Parquet and JSON columns have the types they have.
"""

import io
import math
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any, Final

import pyarrow as pa

from leadline.errors import LogError
from leadline.logs.accounting import Ledger
from leadline.logs.limits import Limits
from leadline.logs.lines import first_object, objects
from leadline.logs.mapping import TableMapping
from leadline.logs.shapes import Json
from leadline.logs.source import Source

_PARQUET: Final = b"PAR1"
_BATCH: Final = 256
#: One block of CSV; a row has to fit into one.
_BLOCK: Final = 4 << 20


class _Handle(io.RawIOBase):
    """A source as a file that Arrow reads: bounded by the file, closed by whoever opened it."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._source.size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def tell(self) -> int:
        return self._at

    def size(self) -> int:
        """Bytes of the file."""
        return self._source.size

    def read(self, size: int = -1, /) -> bytes:
        left = max(0, self._source.size - self._at)
        wanted = left if size is None or size < 0 else min(size, left)
        data = self._source.read(self._at, wanted) if wanted else b""
        self._at += len(data)
        return data


def rows(source: Source, mapping: TableMapping, limits: Limits, ledger: Ledger) -> Iterator[tuple[int, Json]]:
    """Number (from 1) and the named cells of every row.

    Raises LogError for a table that cannot be read, lacks a column that the mapping names, or is beyond the limits.
    """
    if source.head.startswith(_PARQUET):
        return _parquet(source, mapping, limits)
    if first_object(source) is not None:
        return _lines(source, mapping, limits, ledger)
    return _csv(source, mapping, limits)


def _lines(
    source: Source, mapping: TableMapping, limits: Limits, ledger: Ledger
) -> Iterator[tuple[int, Json]]:
    missing = set(mapping.named)
    for number, row in objects(source, limits, ledger):
        missing -= row.keys()
        yield number, {name: row.get(name) for name in mapping.named}
    _require(missing, source)


def _parquet(source: Source, mapping: TableMapping, limits: Limits) -> Iterator[tuple[int, Json]]:
    import pyarrow.parquet as pq

    where = str(source.path)
    try:
        file = pq.ParquetFile(pa.PythonFile(_Handle(source), mode="r"), thrift_string_size_limit=64 << 20)
        _bounded(file.metadata, source, limits)
        present = list(file.schema_arrow.names)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise _unreadable(error, where) from error
    _once(present, mapping, source)
    number = 0
    try:
        for batch in file.iter_batches(batch_size=_BATCH, columns=list(mapping.named), use_threads=False):
            for row in batch.to_pylist():
                number += 1
                yield number, {name: _plain(value) for name, value in row.items()}
    except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
        raise _unreadable(error, where) from error


def _bounded(metadata: Any, source: Source, limits: Limits) -> None:
    """Refuse what promises more than a table of this size may hold, before anything is decoded."""
    groups = [metadata.row_group(at) for at in range(metadata.num_row_groups)]
    total = sum(group.total_byte_size for group in groups)
    largest = max((group.total_byte_size for group in groups), default=0)
    what = None
    if metadata.num_rows > limits.rows:
        what = f"promises {metadata.num_rows:,} rows; at most {limits.rows:,} are read"
    elif total > limits.total or (total > limits.total_free and total > limits.ratio * source.size):
        what = f"promises {total:,} bytes out of {source.size:,}"
    elif largest > limits.document:
        what = f"has a row group of {largest:,} bytes; at most {limits.document:,} are decoded at once"
    if what is not None:
        raise LogError(
            f"refused: {what}",
            where=str(source.path),
            remedy="if this table is known to be honest, pass read_logs(..., limits=Limits(...)) with room for it",
        )


def _csv(source: Source, mapping: TableMapping, limits: Limits) -> Iterator[tuple[int, Json]]:
    import pyarrow.csv as pv

    where = str(source.path)
    if source.size == 0:
        raise LogError("is empty", where=where, remedy="name the table that has the results")
    options = {
        "read_options": pv.ReadOptions(use_threads=False, block_size=_BLOCK, encoding=_python_name(mapping)),
        "parse_options": pv.ParseOptions(delimiter=mapping.delimiter, newlines_in_values=True),
    }
    try:
        names = _header(source, mapping)
        _once(names, mapping, source)
        convert = pv.ConvertOptions(
            include_columns=list(mapping.named),
            column_types=dict.fromkeys(mapping.named, pa.string()),
            strings_can_be_null=False,
            quoted_strings_can_be_null=False,
        )
        reader = pv.open_csv(pa.PythonFile(_Handle(source), mode="r"), convert_options=convert, **options)
        number = 0
        for batch in reader:
            if number + batch.num_rows > limits.rows:
                raise LogError(
                    f"refused: holds more than {limits.rows:,} rows",
                    where=where,
                    remedy="if this table is known to be honest, pass limits=Limits(rows=...)",
                )
            for row in batch.to_pylist():
                number += 1
                yield number, row
    except (pa.ArrowException, OSError, ValueError) as error:
        raise _unreadable(error, where) from error


def _header(source: Source, mapping: TableMapping) -> list[str]:
    """The names in the first row, read by the standard library: Arrow does not mind a name that comes twice."""
    import csv

    text = (
        source.read(0, min(source.size, _BLOCK))
        .decode(_python_name(mapping), "replace")
        .removeprefix("\ufeff")
    )
    try:
        return next(csv.reader(io.StringIO(text, newline=""), delimiter=mapping.delimiter), [])
    except csv.Error as error:
        raise _unreadable(error, str(source.path)) from error


def _python_name(mapping: TableMapping) -> str:
    return {"windows-1252": "cp1252"}.get(mapping.encoding, mapping.encoding)


def _once(present: list[str], mapping: TableMapping, source: Source) -> None:
    _require(set(mapping.named) - set(present), source)
    twice = sorted(name for name in mapping.named if present.count(name) > 1)
    if twice:
        raise LogError(
            f"has two columns {twice[0]!r}, and the mapping names it",
            where=str(source.path),
            remedy="give the columns of the table different names",
        )


def _require(missing: set[str], source: Source) -> None:
    if missing:
        raise LogError(
            f"has no column {min(missing)!r}, which the mapping names",
            where=str(source.path),
            remedy="correct the mapping; names of columns are compared exactly",
        )


def _plain(value: Any) -> Any:
    """A cell as JSON has it: times as ISO 8601 text, other kinds of value as text."""
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return value
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, dict):
        return {str(name): _plain(one) for name, one in value.items()}
    return str(value)


def _unreadable(error: Exception, where: str) -> LogError:
    return LogError(
        f"cannot be read as a table: {str(error)[:300]}",
        where=where,
        remedy="check the file, and the mapping's delimiter and encoding",
    )


def is_blank(value: Any) -> bool:
    """Whether a cell says nothing: null, empty or white space, or not a number."""
    return (
        value is None
        or (isinstance(value, str) and not value.strip())
        or (isinstance(value, float) and math.isnan(value))
    )
