"""Writing a recording: append only, one writer, nothing acknowledged is lost when the process is killed.

A row is handed to the operating system before `record` returns, so it survives the death of the process at any
instant. It is forced to the disk with the first row after a second, and at every pause and end, so that a power cut
costs at most what was recorded since.
"""

import fcntl
import os
import secrets
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from io import FileIO
from itertools import islice
from pathlib import Path
from typing import Any, Final

import msgspec
import pyarrow as pa

from leadline.errors import InputError, LeadlineError, StateError, StoreError
from leadline.logs.recording.chain import LONGEST_LINE, MOST_LINES, START, chained, torn
from leadline.logs.recording.plain import canonical_row
from leadline.logs.recording.rows import Row, result_row
from leadline.logs.recording.scan import Scan, scan
from leadline.logs.recording.shapes import Head, Surroundings
from leadline.logs.source import Source

SYNC_SECONDS: Final = 1.0
_AT_ONCE: Final = 512
#: What may differ between the head of a file and the one it is opened with again.
_OWN: Final = frozenset({"id", "created", "surroundings", "version"})


class Recording:
    """One open recording: the results of one arm of one attempt.

    Opening a file that holds an unfinished recording of the same run goes on with it, in a segment that says so; a
    beginning of a line that a crash left behind is cut off, for it was never acknowledged. May be used from several
    threads, not from several processes.

    Parameters
    ----------
    path: the file; made where absent, folders too.
    head: what the recording says of its run (`id` and `created` are those of a new file).
    clock: the time, aware.

    Raises StateError when another writer has the file, when it is finished or is another run's, LogError when it is
    damaged, StoreError when the disk refuses.
    """

    def __init__(self, path: Path, head: Head, clock: Callable[[], datetime]) -> None:
        self.path = path
        self._clock = clock
        self._lock = threading.RLock()
        self._process = os.getpid()
        self._began = threading.local()
        self._seen: set[tuple[str, int, str]] = set()
        self._digest = START
        self._size = self._lines = 0
        self._file: FileIO | None = self._opened()
        try:
            self._begin(head)
        except BaseException:
            self.close()
            raise

    @property
    def results(self) -> int:
        """How many results the recording holds."""
        return len(self._seen)

    @property
    def open(self) -> bool:
        """Whether more can be recorded."""
        return self._file is not None

    def record(self, sample_id: Any, score: str, value: Any, **more: Any) -> None:
        """Record one result.

        Parameters
        ----------
        sample_id: a text or a whole number.
        score: the name of the score; a sample may have several, each recorded once per epoch.
        value: a number, text, boolean, or small list or table; scalars of NumPy, PyTorch and JAX are taken as they
            are. NaN and None mean "not scored", None with a `reason` or an `error`.
        epoch: which repetition of the sample, from 1.
        input, target, choices: the item's texts; or `item`, anything else that it is (bytes, or JSON values), of
            which the digest is kept. They bind the data set: see `dataset_sha256`.
        answer, explanation, reason, error: texts (an exception serves as `error`).
        seed: the seed of this result.
        metadata: a small table; any other keyword is an entry of it.

        Raises InputError for what cannot be recorded as it is, StateError for a result recorded already or after the
        end, StoreError when the disk refuses; then nothing was recorded.
        """
        row = result_row(sample_id, score, value, **more)
        with self._lock:
            self._take([row])

    def record_many(self, rows: Any) -> int:
        """Record many results: a table (Arrow, pandas, polars, DuckDB) or mappings, with the arguments of `record`.

        Returns how many. An error names the row; those before it, in steps of 512, stay recorded.
        """
        many, at = iter(_mappings(rows)), 0
        while chunk := list(islice(many, _AT_ONCE)):
            taken = [_numbered(one, at + place) for place, one in enumerate(chunk)]
            with self._lock:
                self._take(taken)
            at += len(chunk)
        return at

    def pause(self, error: BaseException) -> None:
        """Say that the block which recorded ended in an exception, and close the file; it can be opened again."""
        with self._lock:
            self._append([{"pause": {"at": self._now(), "error": type(error).__name__[:200]}}])
            self.close()

    def finish(self, status: str = "success") -> None:
        """Say that the run is over, and close the file for good."""
        with self._lock:
            self._append([{"end": {"at": self._now(), "results": self.results, "status": status}}])
            self.close()

    def sync(self) -> None:
        """Force everything recorded so far to the disk."""
        with self._lock:
            self._forced(self._writable())

    def close(self) -> None:
        """Give the file up as it is; without an end it counts as not finished."""
        with self._lock:
            file, self._file = self._file, None
            if file is not None:
                with suppress(OSError):
                    os.fsync(file.fileno())
                file.close()

    # -- opening -------------------------------------------------------------------------------

    def _opened(self) -> FileIO:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            file = FileIO(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644), "r+")
        except OSError as error:
            raise self._refused(error) from error
        try:
            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            file.close()
            raise StateError(
                "another process, or another recording of this one, is writing to this file",
                where=str(self.path),
                remedy="let it finish, or record another arm or another attempt",
            ) from error
        return file

    def _begin(self, head: Head) -> None:
        assert self._file is not None
        source = Source(self.path, self._file)
        loose = torn(source) if source.size else 0
        if source.size == loose:  # new, or killed while its first line was written
            self._cut(0)
            said = msgspec.structs.replace(head, id=secrets.token_hex(11), created=self._now())
            self._append([{"recording": _told(said)}])
        else:
            found = scan(
                source,
                on_result=lambda result: self._seen.add((result.sample_id, result.epoch, result.score)),
            )
            self._require_same(found, head)
            self._digest, self._lines = found.digest, found.lines
            self._cut(source.size - loose)
            segment = {"at": self._now(), "results": self.results, "torn": loose}
            self._append([{"segment": {**segment, "surroundings": _told(head.surroundings)}}])
        self._forced(self._file)
        folder = os.open(self.path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _require_same(self, found: Scan, head: Head) -> None:
        if found.end is not None:
            raise StateError(
                f"this recording is finished, with {found.end.results:,} results",
                where=str(self.path),
                remedy="announce a new attempt for a new run: study.attempt()",
            )
        for field in msgspec.structs.fields(Head):
            was, now = getattr(found.head, field.name), getattr(head, field.name)
            if field.name not in _OWN and was != now:
                raise StateError(
                    f"this file holds a recording with another {field.name}: {was!r:.200}, not {now!r:.200}",
                    where=str(self.path),
                    remedy="go on with the settings it began with, or announce a new attempt",
                )

    # -- appending -----------------------------------------------------------------------------

    def _take(self, rows: Sequence[Row]) -> None:
        file = self._writable()
        fresh: set[tuple[str, int, str]] = set()
        for row in rows:
            if row.key in self._seen or row.key in fresh:
                sample, epoch, score = row.key
                raise StateError(
                    f"the score {score!r} of sample {sample!r}, epoch {epoch}, is recorded already",
                    where=str(self.path),
                    remedy="a result is recorded once; number repetitions of a sample with `epoch`",
                )
            fresh.add(row.key)
        now = self._now()
        started = getattr(self._began, "at", None) or self._first
        self._append([{"result": {**row.fields, "started": started, "at": now}} for row in rows])
        self._began.at = now
        self._seen |= fresh
        if time.monotonic() - self._synced >= SYNC_SECONDS:
            self._forced(file)

    def _append(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Write rows in one go; after an error of the disk the file is as it was."""
        file, digest, parts = self._writable(), self._digest, []
        for row in rows:
            line, digest = chained(digest, canonical_row(dict(row)))
            if len(line) > LONGEST_LINE:
                raise InputError(
                    f"this row has {len(line):,} bytes; at most {LONGEST_LINE:,} are kept",
                    where=str(self.path),
                    remedy="record less of it, or its digest",
                )
            parts.append(line)
        if self._lines + len(parts) > MOST_LINES:
            raise StateError(
                f"a recording holds at most {MOST_LINES:,} rows",
                where=str(self.path),
                remedy="record fewer scores, or the run in several attempts",
            )
        data = b"".join(parts)
        try:
            view = memoryview(data)
            while view:
                view = view[file.write(view) or 0 :]
        except OSError as error:
            with suppress(OSError):
                self._cut(self._size)
            raise self._refused(error) from error
        self._digest, self._size, self._lines = digest, self._size + len(data), self._lines + len(parts)

    def _cut(self, size: int) -> None:
        """Make the file end here, and go on from its end."""
        assert self._file is not None
        self._file.truncate(size)
        self._file.seek(size)
        self._size = size

    def _forced(self, file: FileIO) -> None:
        try:
            os.fsync(file.fileno())
        except OSError as error:
            raise self._refused(error) from error
        self._synced = time.monotonic()

    def _writable(self) -> FileIO:
        if self._file is None:
            raise StateError(
                "this recording is closed",
                where=str(self.path),
                remedy="record inside the attempt's `with` block; go on after a crash with study.attempt(resume=NUMBER)",
            )
        if os.getpid() != self._process:
            raise StateError(
                "this recording belongs to the process that opened it",
                where=str(self.path),
                remedy="return results from worker processes and record them in the one that announced the attempt",
            )
        return self._file

    def _now(self) -> str:
        now = self._clock().astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        if not hasattr(self, "_first"):
            self._first = now
        return now

    def _refused(self, error: OSError) -> StoreError:
        return StoreError(
            f"the recording cannot be written: {error.strerror or error}",
            where=str(self.path),
            remedy="make room, or give a folder that can be written to (run.start(folder=...)); what was acknowledged is kept",
        )


def _told(said: Head | Surroundings) -> dict[str, Any]:
    """A part of a row as plain values, without what is not said."""
    told: dict[str, Any] = msgspec.to_builtins(said)
    return {key: value for key, value in told.items() if value not in (None, "", {})}


def _mappings(rows: Any) -> Iterable[Mapping[str, Any]]:
    if not hasattr(rows, "__arrow_c_stream__"):
        given: Iterable[Mapping[str, Any]] = rows
        return given
    table = pa.table(rows)
    return (row for batch in table.to_batches(max_chunksize=_AT_ONCE) for row in batch.to_pylist())


def _numbered(row: Any, number: int) -> Row:
    """The row of a mapping; errors say which one it was."""
    try:
        return result_row(**row)
    except TypeError as error:
        raise InputError(
            f"row {number} is no mapping with sample_id, score and value: {error}",
            where="run.record_many",
            remedy="name the columns like the arguments of run.record",
        ) from error
    except LeadlineError as error:
        raise InputError(
            f"row {number}: {error.message}", where="run.record_many", remedy=error.remedy()
        ) from error
