"""One pass over a recording: the chain checked, and everything about the file that is no sample."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import msgspec
from msgspec import UNSET

from leadline.errors import LogError
from leadline.logs.recording.chain import START, Line, lines, torn
from leadline.logs.recording.shapes import VERSION, End, Head, Pause, Result, Row, Segment, row_decoder
from leadline.logs.source import Source

Key = tuple[str, int]
OnResult = Callable[[Result], object]


@dataclass(slots=True)
class Scan:
    """What one pass found: the head, what followed it, and of the results only how many each sample has.

    `torn` counts bytes after the last complete line. `digest` is what a further line would be chained to.
    """

    head: Head
    pauses: list[Pause] = field(default_factory=list)
    segments: list[Segment] = field(default_factory=list)
    end: End | None = None
    rows: Counter[Key] = field(default_factory=Counter)
    scores: dict[str, None] = field(default_factory=dict)
    seeds: dict[int | str | None, None] = field(default_factory=dict)
    results: int = 0
    lines: int = 0
    torn: int = 0
    digest: bytes = START


_MOST_SEEDS = 2


def scan(source: Source, on_result: OnResult | None = None) -> Scan:
    """Read a whole recording once. Raises LogError where it is not one, or not as it was written."""
    given = lines(source)
    first = next(given, None)
    head = UNSET if first is None else _row(source, first).recording
    if first is None or head is UNSET:
        raise _broken(source, 1, "a recording begins with a row that says what it is of")
    if head.version > VERSION:
        raise LogError(
            f"is a recording of version {head.version}; this Leadline reads version {VERSION}",
            where=str(source.path),
            remedy="install a newer Leadline",
        )
    found = Scan(head, digest=first.digest, lines=1)
    for line in given:
        _take(found, source, line, on_result)
    found.torn = torn(source)
    return found


def results(source: Source) -> Iterator[Result]:
    """The results of a recording that was scanned, in the order of the file."""
    for line in lines(source):
        row = _row(source, line)
        if row.result is not UNSET:
            yield row.result


def _take(found: Scan, source: Source, line: Line, on_result: OnResult | None) -> None:
    row = _row(source, line)
    found.lines, found.digest = line.number, line.digest
    if found.end is not None:
        raise _broken(source, line.number, "a row follows the end")
    if row.result is not UNSET:
        found.results += 1
        found.rows[row.result.sample_id, row.result.epoch] += 1
        found.scores.setdefault(row.result.score)
        if len(found.seeds) < _MOST_SEEDS:
            found.seeds.setdefault(row.result.seed)
        if on_result is not None:
            on_result(row.result)
    elif row.pause is not UNSET:
        found.pauses.append(row.pause)
    elif row.segment is not UNSET:
        found.segments.append(row.segment)
        _agree(found, source, line, row.segment.results)
    elif row.end is not UNSET:
        found.end = row.end
        _agree(found, source, line, row.end.results)
    else:
        raise _broken(source, line.number, "a second recording begins here")


def _agree(found: Scan, source: Source, line: Line, said: int) -> None:
    if said != found.results:
        raise _broken(
            source, line.number, f"{said:,} results are said to precede this row, and {found.results:,} do"
        )


def _row(source: Source, line: Line) -> Row:
    try:
        row = row_decoder.decode(line.row)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise _broken(source, line.number, f"it has another shape: {error}") from error
    if sum(getattr(row, name) is not UNSET for name in Row.__struct_fields__) != 1:
        raise _broken(source, line.number, "a row is of one kind")
    return row


def _broken(source: Source, number: int, why: str) -> LogError:
    return LogError(
        f"line {number:,} is not what a recorder writes: {why}"[:500],
        where=str(source.path),
        remedy="take the file the recorder wrote; one that was made or edited by hand cannot be used",
    )
