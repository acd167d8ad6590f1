"""Arrow arrays from Python values, tolerant of what JSON allows and Arrow does not.

Arrays are made from buffers, because `pyarrow.array` imports pandas wherever pandas is installed: half a
second and 45 MB for nothing.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from leadline.errors import LogError
from leadline.logs.headers import utc
from leadline.logs.schema import NAMES, TIME

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LARGEST: Final = (1 << 31) - 1
_DTYPES: Final[tuple[tuple[Any, Any], ...]] = (
    (pa.int32(), np.int32),
    (pa.int64(), np.int64),
    (pa.float64(), np.float64),
)


def column(values: Sequence[Any], kind: Any) -> Any:
    """An array of the given type.

    None is null; so are NaN among floats and what is no time among times. Lone surrogates become backslash
    escapes. Raises LogError for integers that do not fit and for more than 2 GiB of text.
    """
    if values and values[0] is None and values.count(None) == len(values):
        return pa.nulls(len(values), kind)
    if kind == NAMES:
        return texts(values).dictionary_encode()
    if kind == TIME:
        return times(values)
    if kind == pa.string():
        return texts(values)
    if kind == pa.bool_():
        return flags(values)
    return numbers(values, kind)


def numbers(values: Sequence[float | None], kind: Any) -> Any:
    """An int32, int64 or float64 array."""
    dtype = next(dtype for known, dtype in _DTYPES if known == kind)
    valid = None
    try:
        try:
            data = np.array(values, dtype)  # None among floats becomes NaN, among integers it is a TypeError
        except TypeError:
            data = np.array([0 if value is None else value for value in values], dtype)
            valid = np.array([value is not None for value in values], np.bool_)
    except OverflowError as error:
        raise LogError(
            "holds a number too large for its column", remedy="check the sample's epoch and times"
        ) from error
    if dtype is np.float64 and (missing := np.isnan(data)).any():
        valid = ~missing
    return _array(kind, data, valid)


def flags(values: Sequence[bool | None]) -> Any:
    """A boolean array."""
    valid = np.array([value is not None for value in values], np.bool_) if None in values else None
    return _array(
        pa.bool_(), _bits(np.array([value is True for value in values], np.bool_)), valid, len(values)
    )


def texts(values: Sequence[str | None]) -> Any:
    """A string array."""
    present: Sequence[str]
    try:
        joined = "".join(values)  # type: ignore[arg-type]  # None is the exception
        present, missing = values, False  # type: ignore[assignment]
    except TypeError:
        present, missing = [value or "" for value in values], True
        joined = "".join(present)
    try:
        data = joined.encode()
    except UnicodeEncodeError:
        return texts([None if v is None else v.encode("utf-8", "backslashreplace").decode() for v in values])
    if len(data) > _LARGEST:
        raise LogError(
            "holds more than 2 GiB of text in one column of one batch", remedy="ask for fewer columns"
        )
    plain = len(data) == len(joined)
    sizes = map(len, present) if plain else (len(value.encode()) for value in present)
    offsets = np.zeros(len(values) + 1, np.int32)
    np.cumsum(np.fromiter(sizes, np.int64, len(values)), out=offsets[1:])
    valid = _bits(np.array([value is not None for value in values], np.bool_)) if missing else None
    buffers = [None if valid is None else pa.py_buffer(valid), pa.py_buffer(offsets), pa.py_buffer(data)]
    return pa.Array.from_buffers(pa.string(), len(values), buffers)


def times(values: Sequence[str | None]) -> Any:
    """A UTC timestamp array from ISO 8601 texts; naive ones are UTC, what is no time is null."""
    try:
        return texts(values).cast(TIME)
    except pa.ArrowInvalid:
        return moments([_moment(value) for value in values])


def moments(values: Sequence[datetime | None]) -> Any:
    """A UTC timestamp array from aware datetimes."""
    micros = [None if value is None else (value - _EPOCH) // timedelta(microseconds=1) for value in values]
    return numbers(micros, pa.int64()).cast(TIME)


def _moment(value: str | None) -> datetime | None:
    try:
        return utc(value) if value else None
    except (ValueError, OverflowError):
        return None


def _bits(flags_: NDArray[np.bool_]) -> NDArray[np.uint8]:
    return np.packbits(flags_, bitorder="little")


def _array(kind: Any, data: NDArray[Any], valid: NDArray[np.bool_] | None, length: int | None = None) -> Any:
    mask = None if valid is None else pa.py_buffer(_bits(valid))
    return pa.Array.from_buffers(kind, len(data) if length is None else length, [mask, pa.py_buffer(data)])


def constant(value: int, length: int) -> Any:
    """An int32 array of one number."""
    return _array(pa.int32(), np.full(length, value, np.int32), None)


def repeated(counts: Sequence[int]) -> Any:
    """The positions 0, 0, 1, 2, 2, ... of a sequence whose entries occur `counts` times, as int32."""
    return _array(pa.int32(), np.repeat(np.arange(len(counts), dtype=np.int32), counts), None)


def spread(values: Any, positions: Any | None) -> Any:
    """The array with one entry per position; as it is when `positions` is None."""
    return values if positions is None else values.take(positions)


def per_log(values: Sequence[str], index: Any) -> Any:
    """A dictionary-encoded column from one value per log and each row's log position (chunked)."""
    distinct = {value: code for code, value in enumerate(dict.fromkeys(values))}
    codes = numbers([distinct[value] for value in values], pa.int32())
    dictionary = texts(list(distinct))
    chunks = [pa.DictionaryArray.from_arrays(codes.take(chunk), dictionary) for chunk in index.chunks]
    return pa.chunked_array(chunks, NAMES)


def empty(schema: Any) -> Any:
    """A table of this schema without rows."""
    return pa.table([column((), field.type) for field in schema], schema=schema)
