"""`read_logs`: from paths to a SampleTable."""

from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from leadline.errors import LeadlineError, LogError
from leadline.logs import arrow
from leadline.logs.accounting import Accounting, Ledger, Skipped, set_aside
from leadline.logs.cache import Cache, CacheLike, opened_cache
from leadline.logs.columns import Columns
from leadline.logs.decode import UnknownShapeError, unknown_shape
from leadline.logs.detect import described, detect
from leadline.logs.discover import Paths, discover
from leadline.logs.fallback import read_with_inspect
from leadline.logs.headers import LogHeader
from leadline.logs.helpers import helpers_wanted, read_by_helpers
from leadline.logs.limits import DEFAULT, Limits
from leadline.logs.mapping import MappingLike, TableMapping
from leadline.logs.parts import Part
from leadline.logs.project import typed
from leadline.logs.readers import JOINS, SELF_CONTAINED, Format, known_formats
from leadline.logs.readers.base import ReadLog
from leadline.logs.readers.table import Tables
from leadline.logs.request import PROJECTION, AskedTier, Request, compile_request
from leadline.logs.schema import LOG_COLUMNS, NAMES
from leadline.logs.source import Source, opened
from leadline.logs.table import SampleTable


def read_logs(
    paths: Paths,
    *,
    tier: AskedTier = "auto",
    columns: list[str] | None = None,
    arm: str | None = None,
    strict: bool = False,
    limits: Limits = DEFAULT,
    prefer: Collection[str] = (),
    mapping: MappingLike | None = None,
    formats: Sequence[Format] = (),
    cache: CacheLike = False,
    workers: int | None = None,
) -> SampleTable:
    """Read evaluation logs into one table.

    Parameters
    ----------
    paths: a file, a folder (searched recursively, in sorted order), or a list of them.
    tier: "header" reads no samples; "summary" reads score values, times and errors from summaries and
        leaves text null; "sample" reads whole samples; "auto" takes the lowest tier that can answer
        `columns`, and a higher one for logs whose summaries cannot be relied on.
    columns: names that have to be answered; `metadata.<key>` adds a column for a key of the samples'
        metadata. None asks for everything, so that "auto" reads whole samples.
    arm: a label put into a column `arm` of every row.
    strict: raise on the first file that cannot be read, instead of naming it in the accounting.
    limits: bounds on hostile files.
    prefer: SHA-256 digests of files that are kept before any other file of the same evaluation.
    mapping: what the columns of tables (CSV, Parquet, JSON lines) among the files mean: a `TableMapping`, a dict,
        or the path of a YAML or JSON file. See docs/log-formats.md.
    formats: further formats, tried before the ones that Leadline knows.
    cache: keep the columns of Inspect logs, and take them from there the next time: True for the user's cache
        folder, or a folder. See `leadline.logs.cache`; nothing that is published is computed from it.
    workers: processes that read Inspect logs, each a file at a time. None takes as many as there are processors
        where whole samples of more than about 1 GB are read, else this process alone. The result is the same.

    Files are told apart by content. What is no log, a byte copy of another log, or unreadable is named in
    `accounting.skipped`; of two files of one evaluation the more complete is kept.

    Raises InputError for an unknown tier or column, NotFoundError for a missing path, and LogError when no
    file could be read as a log (with the reason of the first that failed).
    """
    request = compile_request(tier, columns, arm, limits)
    files, skipped = discover(paths)
    reading = Reading(
        request,
        strict=strict,
        skipped=skipped,
        prefer=frozenset(prefer),
        tables=Tables(None if mapping is None else TableMapping.of(mapping)),
        formats=(*formats, *known_formats()),
        cache=opened_cache(cache),
    )
    number = 1 if formats else helpers_wanted(files, request, workers)
    if number > 1:
        with read_by_helpers(files, request, cache, number) as parts:
            for path, part in zip(files, parts, strict=True):
                reading.take(path, part)
    else:
        for path in files:
            reading.take(path)
    return reading.finish()


class Reading:
    """One call of `read_logs`: logs are read one after the other into shared columns.

    Usage: `take` every file, then `finish`; or `take` one, then `part`. `inspect` says whether Inspect's own reader
    is asked for what this package does not know.
    """

    def __init__(
        self,
        request: Request,
        *,
        formats: Sequence[Format],
        cache: Cache | None,
        strict: bool,
        tables: Tables,
        skipped: Iterable[Skipped] = (),
        prefer: frozenset[str] = frozenset(),
        inspect: bool = True,
    ) -> None:
        self._inspect = inspect
        self._cache = cache
        self._tables = tables
        self._formats = formats
        self._waiting: list[Path] = []  # files no format knows, until every table's mapping was seen
        self._prefer = prefer
        self._request = request
        self._strict = strict
        self._skipped = [*skipped]
        self._columns = Columns(samples=request.tier == "sample", keys=request.keys)
        self._slots = 0  # positions given to logs, those included that turned out unreadable
        self._logs: dict[int, ReadLog] = {}
        self._digests: dict[str, str] = {}
        self._failure: LeadlineError | None = None

    def take(self, path: Path, part: Part | None = None) -> None:
        """Read one file, or say why it gave nothing; `part` is what another process has read of it."""
        if part is None:
            self._attempt(path, self._take)
        elif not self._is_copy(path, part.header.sha256):
            if self._cache is not None:
                self._cache.written = True
            self._logs[self._slots - 1] = self._adopt(part)
            self._digests[part.header.sha256] = str(path)

    def part(self) -> Part | None:
        """The one log that was taken, for another process; None where it takes more than its columns to tell."""
        if len(self._logs) != 1 or self._slots != 1:  # none, or one that needed a second attempt
            return None
        log = self._logs[0]
        if log.header.format not in [form.name for form in SELF_CONTAINED]:
            return None
        return Part(*log, self._columns.taken(0))

    def _is_copy(self, path: Path, sha256: str) -> bool:
        first = self._digests.get(sha256)
        if first is not None:
            self._skipped.append(Skipped(str(path), "copy", f"copy of {first}"))
        return first is not None

    def _attempt(self, path: Path, take: Callable[[Source], None]) -> None:
        try:
            with opened(path) as source:
                take(source)
        except LeadlineError as error:
            if self._strict:
                raise
            self._failure = self._failure or error
            self._skipped.append(Skipped(str(path), "unreadable", error.diagnosis()))

    def _take(self, source: Source) -> None:
        form = detect(source, self._request.limits, self._formats)
        if form is not None:
            self._admit(form, source)
        elif not self._tables.takes(source):
            self._waiting.append(source.path)

    def _take_table(self, source: Source) -> None:
        """Read a file that no format knows, if there is a mapping for it."""
        form = self._tables.format_of(source)
        if form is not None:
            self._admit(form, source)
        else:
            self._skipped.append(Skipped(str(source.path), "not a log", described(source)))

    def _admit(self, form: Format, source: Source) -> None:
        sha256 = source.sha256()
        if self._is_copy(source.path, sha256):
            return
        if self._cache is None or form not in SELF_CONTAINED:
            self._logs[self._slots - 1] = self._read_log(form, source, sha256)
        else:
            self._logs[self._slots - 1] = self._kept(self._cache, form, source, sha256)
        self._digests[sha256] = str(source.path)

    def _kept(self, cache: Cache, form: Format, source: Source, sha256: str) -> ReadLog:
        """The log from the cache, else read and put there."""
        part = cache.get(source, sha256, form.name, self._request)
        if part is not None:
            source.check_unchanged()
            return self._adopt(part)
        self._columns.flush()
        first = len(self._columns.batches)
        log = self._read_log(form, source, sha256)
        cache.put(Part(*log, self._columns.taken(first)), sha256, form.name, self._request)
        return log

    def _adopt(self, part: Part) -> ReadLog:
        self._begin()
        if part.rows is not None:
            self._columns.adopt(part.rows)
        return ReadLog(part.header, part.account)

    def _read_log(self, form: Format, source: Source, sha256: str) -> ReadLog:
        header, ledger = self._read(form, source, sha256)
        source.check_unchanged()
        account = ledger.closed(
            log=header.log, path=header.path, sha256=sha256, format=header.format, present=header.samples_read
        )
        return ReadLog(header, account)

    def _read(self, form: Format, source: Source, sha256: str) -> tuple[LogHeader, Ledger]:
        ledger = self._begin()
        try:
            return form.read(source, sha256, self._request, self._columns, ledger), ledger
        except UnknownShapeError as error:
            if not self._inspect or not form.name.startswith("inspect"):
                raise
            why = error.message
        except RecursionError as error:
            if not self._inspect or not form.name.startswith("inspect"):
                raise unknown_shape("it is nested too deeply", str(source.path)) from error
            why = "is nested too deeply"
        ledger = self._begin()
        return read_with_inspect(source, sha256, self._request, self._columns, ledger, why=why), ledger

    def _begin(self) -> Ledger:
        self._columns.begin(self._slots)
        self._slots += 1
        return Ledger()

    def finish(self) -> SampleTable:
        """The table of everything that was read."""
        for path in self._waiting:
            self._attempt(path, self._take_table)
        self._skipped += self._tables.unused()
        if self._cache is not None:
            self._cache.trim()
        if not self._logs:
            first = self._skipped[0] if self._skipped else None
            raise self._failure or LogError(
                f"no evaluation log among {len(self._skipped)} files: the first is {first.reason}"
                if first
                else "no evaluation log was found",
                where=first.path if first else "read_logs",
                remedy="name logs of a format that is read (docs/log-formats.md), or a folder that holds some; "
                "a table needs a mapping",
            )
        self._columns.flush()
        self._join()
        kept = self._one_per_evaluation()
        accounts = tuple(account for _, account in self._logs.values())
        headers = [self._logs[slot][0] for slot in kept]
        table = assemble(
            self._columns, self._slots, {slot: self._logs[slot][0] for slot in kept}, self._request
        )
        skipped = tuple(sorted(self._skipped, key=lambda skip: skip.path))
        return SampleTable(table, headers, Accounting(accounts, skipped))

    def _join(self) -> None:
        """Let formats whose runs write several files put them together."""
        for join in JOINS:
            slots = sorted(self._logs)
            joined = join([self._logs[slot] for slot in slots])
            for at, (slot, log) in enumerate(zip(slots, joined.logs, strict=True)):
                if log is None:
                    path = self._logs.pop(slot).header.path
                    self._skipped.append(Skipped(path, "companion", joined.why[at]))
                else:
                    self._logs[slot] = log
            for log in joined.further:
                self._logs[self._slots] = log
                self._slots += 1

    def _one_per_evaluation(self) -> list[int]:
        """Positions of the logs that stay: of one evaluation the preferred file, the most complete, then the last."""
        best: dict[str, int] = {}
        for slot, (header, _) in self._logs.items():
            rival = best.get(header.eval_id)
            if rival is None or self._rank(slot) > self._rank(rival):
                best[header.eval_id] = slot
        for slot, (header, account) in self._logs.items():
            if (winner := best[header.eval_id]) != slot:
                name = self._logs[winner][0].log
                self._logs[slot] = ReadLog(
                    header, set_aside(account, f"same evaluation as {name}, which is kept")
                )
        return sorted(best.values())

    def _rank(self, slot: int) -> tuple[bool, bool, int, str, int, str]:
        header, account = self._logs[slot]
        finished = header.completed_at.isoformat() if header.completed_at else ""
        samples = account.kept or header.samples_read
        preferred = header.sha256 in self._prefer
        return (
            preferred,
            header.status == "success",
            samples,
            finished,
            len(header.log_updates),
            header.sha256,
        )


def assemble(columns: Columns, slots: int, kept: dict[int, LogHeader], request: Request) -> Any:
    """One Arrow table from finished batches: rows of kept logs, log columns put in front."""
    if not columns.batches:
        empty = arrow.empty(columns.schema)
        for key in request.keys:
            empty = empty.append_column(PROJECTION + key, pa.chunked_array([], pa.string()))
        return _with_arm(empty, request.arm)
    table = pa.concat_tables(columns.batches)
    if len(kept) < slots:
        table = table.filter(pc.is_in(table["log_index"], arrow.numbers(sorted(kept), pa.int32())))
    index = table["log_index"]
    arrays, fields = [], []
    for field in columns.schema:
        if field.name in LOG_COLUMNS:
            values = [getattr(kept[slot], field.name) if slot in kept else "" for slot in range(slots)]
            arrays.append(arrow.per_log(values, index))
        else:
            arrays.append(table[field.name])
        fields.append(field)
    for name in table.column_names:
        if name.startswith(PROJECTION):
            arrays.append(typed(table[name]))
            fields.append(pa.field(name, arrays[-1].type))
    return _with_arm(pa.table(arrays, schema=pa.schema(fields)).unify_dictionaries(), request.arm)


def _with_arm(table: Any, arm: str | None) -> Any:
    if arm is None:
        return table
    return table.append_column("arm", arrow.column([arm] * table.num_rows, NAMES))
