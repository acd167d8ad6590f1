"""Headers as an Arrow table."""

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import datetime
from typing import Any, Final

import pyarrow as pa

from leadline.logs.arrow import flags, moments, numbers, texts
from leadline.logs.headers import LogHeader
from leadline.logs.values import json_text

_TIMES: Final = frozenset({"created", "started_at", "completed_at"})
_WHOLE: Final = frozenset(
    {"size", "version", "total_samples", "completed_samples", "logged_samples", "samples_read"}
)
_FLAGS: Final = frozenset({"invalidated", "aggregate_only"})
_INSIDE: Final = frozenset({"ties"})


def headers_table(headers: Sequence[LogHeader]) -> Any:
    """One row per log; times are UTC timestamps, nested fields JSON text."""
    arrays = {}
    for field in fields(LogHeader):
        if field.name in _INSIDE:
            continue
        values = [getattr(header, field.name) for header in headers]
        if field.name in _TIMES:
            arrays[field.name] = moments(values)
        elif field.name in _WHOLE:
            arrays[field.name] = numbers(values, pa.int64())
        elif field.name in _FLAGS:
            arrays[field.name] = flags(values)
        else:
            arrays[field.name] = texts(
                [None if v is None else v if isinstance(v, str) else json_text(plain(v)) for v in values]
            )
    return pa.table(arrays)


def plain(value: Any) -> Any:
    """Records, tuples and times as JSON values."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    return value.isoformat() if isinstance(value, datetime) else value
