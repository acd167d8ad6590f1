"""Writing sheets as Parquet files and as one SQLite file; the same rows give the same bytes."""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from leadline.registry.bulk.sheets import Field, Sheet

#: Rows per group: fixed, so that how rows arrived does not show in the file.
GROUP: Final = 20_000
_TYPES: Final = {
    "integer": pa.int64(),
    "real": pa.float64(),
    "text": pa.string(),
    "blob": pa.binary(),
    "texts": pa.list_(pa.string()),
}
_SQL: Final = {"integer": "INTEGER", "real": "REAL", "text": "TEXT", "blob": "BLOB", "texts": "TEXT"}


def write_parquet(path: Path, fields: Sequence[Field], rows: Iterable[tuple[Any, ...]]) -> int:
    """Write rows as Parquet (zstd); returns how many there were."""
    schema = pa.schema([pa.field(field.name, _TYPES[field.kind]) for field in fields])
    written = 0
    with pq.ParquetWriter(
        path, schema, compression="zstd", write_statistics=True, store_schema=False
    ) as file:
        for group in _groups(rows):
            columns = zip(*group, strict=True)
            arrays = [pa.array(values, field.type) for values, field in zip(columns, schema, strict=True)]
            file.write_table(pa.Table.from_arrays(arrays, schema=schema), row_group_size=GROUP)
            written += len(group)
    return written


def _groups(rows: Iterable[tuple[Any, ...]]) -> Iterator[list[tuple[Any, ...]]]:
    source = iter(rows)
    while group := list(islice(source, GROUP)):
        yield group


class SqliteDump:
    """One SQLite file with a table per sheet, written once, in one transaction; lists are JSON."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path, isolation_level=None)
        for pragma in ("page_size = 8192", "journal_mode = OFF", "synchronous = OFF", "encoding = 'UTF-8'"):
            self._db.execute(f"PRAGMA {pragma}")
        self._db.execute("BEGIN")

    def add(self, sheet: Sheet, rows: Iterable[tuple[Any, ...]]) -> None:
        """Add a sheet's table with its rows, and an index by study where it has that column."""
        columns = ", ".join(f'"{field.name}" {_SQL[field.kind]}' for field in sheet.fields)
        self._db.execute(f'CREATE TABLE "{sheet.name}" ({columns}) STRICT')
        marks = ", ".join("?" * len(sheet.fields))
        lists = [position for position, field in enumerate(sheet.fields) if field.kind == "texts"]
        self._db.executemany(
            f'INSERT INTO "{sheet.name}" VALUES ({marks})',  # noqa: S608 (names of our own)
            (_flat(row, lists) for row in rows),
        )
        for name in ("id", "study"):
            if any(field.name == name for field in sheet.fields):
                self._db.execute(f'CREATE INDEX "{sheet.name}_{name}" ON "{sheet.name}" ("{name}")')

    def close(self) -> None:
        """Finish the file."""
        self._db.execute("COMMIT")
        self._db.close()


def _flat(row: tuple[Any, ...], lists: Sequence[int]) -> tuple[Any, ...]:
    if not lists:
        return row
    values = list(row)
    for position in lists:
        values[position] = json.dumps(values[position], ensure_ascii=False)
    return tuple(values)
