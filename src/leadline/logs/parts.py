"""One log as it was read, as bytes: for the cache, and for the way back from another process.

The bytes are a Parquet table of the log's rows with header and account beside them as JSON. They are decoded
for a file that is at hand: its name and path come from there, everything else is as it was.
"""

import json
from dataclasses import fields, is_dataclass, replace
from datetime import datetime
from typing import Any, Final, NamedTuple

import msgspec
import pyarrow as pa
from pyarrow.parquet import ParquetFile, write_table

from leadline.logs.accounting import LogAccount
from leadline.logs.headers import LogHeader

_HEADER: Final = b"leadline.header"
_ACCOUNT: Final = b"leadline.account"


class Part(NamedTuple):
    """One log: what it says of itself, its balance, and its rows as `Columns` makes them (None without any)."""

    header: LogHeader
    account: LogAccount
    rows: Any | None


def encoded(part: Part) -> bytes | None:
    """The part as bytes, or None for one that would not come back as it is."""
    header, account = _text(part.header), _text(part.account)
    try:
        same = _text(_parsed(header, LogHeader)) == header and _text(_parsed(account, LogAccount)) == account
    except msgspec.ValidationError:
        same = False
    if not same:
        return None
    rows = pa.table({}) if part.rows is None else part.rows
    sink = pa.BufferOutputStream()
    noted = {_HEADER: header.encode(), _ACCOUNT: account.encode()}
    write_table(rows.replace_schema_metadata(noted), sink, compression="lz4", write_statistics=False)
    return bytes(memoryview(sink.getvalue()))


def decoded(data: bytes | memoryview, *, name: str, path: str) -> Part:
    """The part that `encoded` wrote, for the file of this name and path. The bytes have to be this package's own."""
    file = ParquetFile(pa.BufferReader(data))
    noted = file.schema_arrow.metadata
    header = replace(_parsed(noted[_HEADER].decode(), LogHeader), log=name, path=path)
    account = replace(_parsed(noted[_ACCOUNT].decode(), LogAccount), log=name, path=path)
    rows = file.read(use_threads=False).replace_schema_metadata(None) if file.schema_arrow.names else None
    return Part(header, account, rows)


def _text(value: Any) -> str:
    """JSON of a dataclass that keeps NaN, lone surrogates and integers of any size."""
    return json.dumps(value, default=_plain, separators=(",", ":"))


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    if isinstance(value, datetime):
        return value.isoformat()
    return dict(value)


def _parsed(text: str, kind: type) -> Any:
    return msgspec.convert(json.loads(text), kind)
