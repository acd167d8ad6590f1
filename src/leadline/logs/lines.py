"""Files of one JSON object a line: read line by line, within bounds."""

import json
from collections.abc import Iterator
from typing import Any

import msgspec

from leadline.errors import LogError
from leadline.logs.accounting import Ledger
from leadline.logs.decode import object_in, reparse
from leadline.logs.limits import Limits
from leadline.logs.shapes import Json
from leadline.logs.source import Source

_BLOCK = 1 << 20
_BOM = b"\xef\xbb\xbf"
#: Longest first line that is looked at to tell formats apart.
_PROBED = 16 << 20


def first_object(source: Source) -> Json | None:
    """The JSON object on the first line, or None where that line is none or is longer than 16 MiB."""
    head = source.head.removeprefix(_BOM).lstrip()
    if not head.startswith(b"{"):
        return None
    if b"\n" not in head:
        head = source.read(0, min(source.size, _PROBED)).removeprefix(_BOM).lstrip()
    line, newline, _ = head.partition(b"\n")
    if not newline and source.size > _PROBED:
        return None
    return object_in(line) if line.rstrip().endswith(b"}") else None


def objects(source: Source, limits: Limits, ledger: Ledger) -> Iterator[tuple[int, Json]]:
    """Number (from 1) and object of every line that is not blank.

    Raises LogError for a line that is no JSON object or longer than `limits.line`, and for more than `limits.rows`.
    """
    for number, line in lines(source, limits):
        where = f"{source.path}, line {number:,}"
        try:
            found = msgspec.json.decode(line)
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
            found = reparse(line, where, error, ledger.retried)
        if not isinstance(found, dict):
            raise LogError(
                "is no JSON object",
                where=where,
                remedy="every line of such a file is one object; copy the file again from where it was written",
            )
        yield number, found


def lines(source: Source, limits: Limits) -> Iterator[tuple[int, bytes]]:
    """Number (from 1) and bytes of every line that is not blank, without the white space around it.

    Raises LogError for a line longer than `limits.line` and for more than `limits.rows` of them.
    """
    number, filled, rest = 0, 0, bytearray()
    for offset in range(0, source.size, _BLOCK):
        block = source.read(offset, min(_BLOCK, source.size - offset))
        if offset == 0:
            block = block.removeprefix(_BOM)
        *whole, last = block.split(b"\n")
        for part in whole:
            number += 1
            line = bytes(rest + part).strip() if rest else part.strip()
            rest.clear()
            if line:
                filled += 1
                _check(source, number, len(line), filled, limits)
                yield number, line
        rest += last
        _check(source, number + 1, len(rest), filled, limits)
    if line := bytes(rest).strip():
        _check(source, number + 1, len(line), filled + 1, limits)
        yield number + 1, line


def _check(source: Source, number: int, length: int, rows: int, limits: Limits) -> None:
    what = None
    if length > limits.line:
        what = f"line {number:,} is longer than {limits.line:,} bytes"
    elif rows > limits.rows:
        what = f"holds more than {limits.rows:,} rows"
    if what is not None:
        raise LogError(
            f"refused: {what}",
            where=str(source.path),
            remedy="if this log is known to be honest, pass read_logs(..., limits=Limits(...)) with room for it",
        )


def require_gatherable(source: Source, limits: Limits, what: str) -> None:
    """LogError for a file whose rows are gathered in memory and which is larger than a document may be."""
    if source.size > limits.document:
        raise LogError(
            f"refused: {what} of {source.size:,} bytes; at most {limits.document:,} are gathered",
            where=str(source.path),
            remedy="pass read_logs(..., limits=Limits(document=...)) with room for it",
        )


def text_of(value: Any) -> str:
    """A JSON value as text: a text as it is, anything else as compact JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
