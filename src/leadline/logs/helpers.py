"""Files read by several processes: each helper reads one at a time and sends back what it read, as bytes.

A helper is a fresh interpreter and not a fork, which threads and Arrow do not survive, and not a `multiprocessing`
child, which would run the caller's own script again. What a helper does not answer, because the file is of
another format, cannot be read, or the helper was killed, this process reads itself: errors are the same.
"""

import json
import os
import queue
import struct
import subprocess
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO, Final

import msgspec

from leadline.errors import InputError, LeadlineError
from leadline.logs.apart.fresh import interpreter
from leadline.logs.apart.inside import confined
from leadline.logs.cache import CacheLike, opened_cache
from leadline.logs.parts import Part, decoded, encoded
from leadline.logs.readers import known_formats
from leadline.logs.readers.table import Tables
from leadline.logs.request import Request

#: Bytes of files from which on the start of helpers (a quarter of a second each) pays: about 1 GB inflated.
PAYS_FROM: Final = 128 << 20
_MOST = 64
_LENGTH = struct.Struct("<Q")


def helpers_wanted(files: Sequence[Path], request: Request, workers: int | None) -> int:
    """How many processes read the files; 1 is this one alone. InputError for a number that is none."""
    if workers is not None and not 1 <= workers <= _MOST:
        raise InputError(
            f"workers is {workers}", where="read_logs", remedy=f"ask for 1 to {_MOST} processes, or for None"
        )
    if confined() or len(files) < 2:
        return 1
    if workers is None:
        processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        pays = request.tier == "sample" and processors > 1 and _size(files) >= PAYS_FROM
        workers = min(processors, _MOST) if pays else 1
    return min(workers, len(files))


def _size(files: Sequence[Path]) -> int:
    total = 0
    for path in files:
        with suppress(OSError):
            total += path.stat().st_size
    return total


@contextmanager
def read_by_helpers(
    files: Sequence[Path], request: Request, cache: CacheLike, number: int
) -> Iterator[Iterator[Part | None]]:
    """What helpers read of each file, in order; None for what this process has to read itself.

    At most twice `number` files are read ahead of the one that is wanted.
    """
    kept = cache if isinstance(cache, bool) else os.path.abspath(cache)  # noqa: PTH100
    asked = {"request": asdict(request), "cache": kept}
    idle: queue.SimpleQueue[_Helper] = queue.SimpleQueue()
    helpers = [_Helper() for _ in range(number)]
    for helper in helpers:
        idle.put(helper)

    def read(path: Path) -> Part | None:
        helper = idle.get()
        try:
            data = helper.ask({**asked, "path": os.path.abspath(path)})  # noqa: PTH100
        finally:
            idle.put(helper)
        return decoded(data, name=path.name, path=str(path)) if data else None

    pool = ThreadPoolExecutor(number, thread_name_prefix="leadline-logs")
    try:
        yield _in_order(pool, read, files, 2 * number)
    finally:
        for helper in helpers:
            helper.close()
        pool.shutdown(cancel_futures=True)


def _in_order(
    pool: ThreadPoolExecutor, read: Any, files: Sequence[Path], ahead: int
) -> Iterator[Part | None]:
    waiting: deque[Future[Part | None]] = deque()
    for path in files:
        waiting.append(pool.submit(read, path))
        if len(waiting) > ahead:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


class _Helper:
    """One helper process, started when it is first asked; after it failed once it answers nothing."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._failed = False

    def ask(self, question: dict[str, Any]) -> bytes:
        """The helper's answer; empty where there is none."""
        if self._failed:
            return b""
        try:
            process = self._started()
            _pipe(process.stdin).write(json.dumps(question).encode() + b"\n")
            _pipe(process.stdin).flush()
            answers = _pipe(process.stdout)
            (length,) = _LENGTH.unpack(answers.read(_LENGTH.size))
            data = answers.read(length)
            self._failed = len(data) != length
        except (OSError, ValueError, struct.error):  # it could not start, or was killed
            self._failed = True
        return b"" if self._failed else data

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            self._process = subprocess.Popen(  # noqa: S603 (this interpreter, and arguments of our own)
                interpreter("from leadline.logs.helpers import serve; serve()"),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        return self._process

    def close(self) -> None:
        """End the process; what it was reading is not wanted any more."""
        self._failed = True
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            for pipe in (self._process.stdin, self._process.stdout):
                with suppress(OSError):
                    _pipe(pipe).close()


def _pipe(pipe: Any) -> BinaryIO:
    assert pipe is not None
    return pipe  # type: ignore[no-any-return]


def serve() -> None:
    """Answer questions on standard input until it ends; what a helper process does."""
    answers = sys.stdout.buffer
    sys.stdout = sys.stderr  # a library that prints must not speak into the answers
    for line in sys.stdin.buffer:
        data = _answer(json.loads(line)) or b""
        answers.write(_LENGTH.pack(len(data)) + data)
        answers.flush()


def _answer(question: dict[str, Any]) -> bytes | None:
    from leadline.logs.read import Reading  # it imports this module

    reading = Reading(
        msgspec.convert(question["request"], Request),
        formats=known_formats(),
        cache=opened_cache(question["cache"]),
        strict=True,
        tables=Tables(None),
        inspect=False,
    )
    try:
        reading.take(Path(question["path"]))
    except (LeadlineError, MemoryError):
        return None  # whoever asked reads it again, and meets the same error
    part = reading.part()
    return None if part is None else encoded(part)
