"""Inspect's own reader, for logs whose shape this package does not know; always in a process of its own.

Inspect's reader holds a whole log in memory and is not made for bytes that strangers wrote. It therefore runs
apart (`leadline.logs.apart`): what comes back is JSON, one line for the header and one per sample, and goes
through the same decoder and the same checks as a log that this package reads itself.
"""

import json
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from importlib.util import find_spec
from typing import Any, BinaryIO, Final

from leadline.errors import InputError, LogError, MissingExtraError
from leadline.logs.accounting import Ledger
from leadline.logs.apart import ApartLimits, opened_apart
from leadline.logs.columns import Columns
from leadline.logs.decode import convert_sample
from leadline.logs.header_build import build_header
from leadline.logs.headers import LogHeader
from leadline.logs.intake import Intake, sort_key
from leadline.logs.readers.inspect_eval import claimed_samples
from leadline.logs.request import Request
from leadline.logs.source import Source

#: What one log may cost that only Inspect can read.
LIMITS: Final = ApartLimits(memory=6 << 30, cpu_seconds=300, wall_seconds=600.0)
_BULK = {"messages", "events", "store", "timelines", "output", "events_data"}


def read_with_inspect(
    source: Source, sha256: str, request: Request, columns: Columns, ledger: Ledger, *, why: str
) -> LogHeader:
    """Read a log with Inspect's `read_eval_log` into the columns, in a process with `LIMITS`.

    `why` is the reason the package's own reader gave up; it goes into the account. Raises LogError when
    Inspect cannot read the log either or needs more than the limits, MissingExtraError when Inspect is not
    installed.
    """
    if find_spec("inspect_ai") is None:
        raise _missing(str(source.path))
    asked = {"path": os.path.abspath(source.path), "header_only": request.tier == "header"}  # noqa: PTH100
    with opened_apart(
        "leadline.logs.fallback:inspect_lines", json.dumps(asked).encode(), limits=LIMITS
    ) as lines:
        header = build_header(json.loads(lines.readline()), source, sha256=sha256, format="inspect")
        ledger.fallbacks["inspect", why] += 1
        ledger.claimed = claimed_samples(header)
        if request.tier == "header":
            return header
        ledger.tier = "sample"
        intake = Intake(header, columns, ledger)
        for line in lines:
            document = json.loads(line)
            where = f"{source.path}, sample {document.get('id')!r}, epoch {document.get('epoch')}"
            intake.add_sample(convert_sample(document, where=where))
        return intake.finished()


@contextmanager
def _lines(source: Source, asked: bytes) -> Iterator[BinaryIO]:
    """What `inspect_lines` answers; meeting a limit is an error about this log."""
    with ExitStack() as stack:
        try:
            lines = stack.enter_context(
                opened_apart("leadline.logs.fallback:inspect_lines", asked, limits=LIMITS)
            )
        except LogError:
            raise
        except InputError as error:
            raise LogError(
                f"Inspect's reader was stopped: {error.message}",
                where=str(source.path),
                remedy=error.remedy(),
            ) from error
        yield lines


def prepare() -> None:
    """Import Inspect's reader, which takes seconds, in the process that will be forked for `inspect_lines`."""
    with suppress(ImportError):
        from inspect_ai.log import read_eval_log  # noqa: F401


def inspect_lines(payload: bytes) -> bytes:
    """The log named in `payload` as lines of JSON: header, then samples in order. Runs apart, never in the caller."""
    asked = json.loads(payload)
    log = _inspect_log(asked["path"], header_only=asked["header_only"])
    samples = sorted(log.samples or [], key=lambda sample: sort_key(sample.id, sample.epoch))
    header = log.model_dump_json(exclude={"samples", "reductions"}, exclude_none=True)
    return "\n".join(
        [header, *(one.model_dump_json(exclude=_BULK, exclude_none=True) for one in samples)]
    ).encode()


def _inspect_log(path: str, *, header_only: bool) -> Any:
    try:
        from inspect_ai.log import read_eval_log
    except ImportError as error:
        raise _missing(path) from error
    try:
        return read_eval_log(path, header_only=header_only)
    except MemoryError:
        raise
    except Exception as error:  # it may raise anything about a damaged log
        raise LogError(
            f"Inspect cannot read it either: {type(error).__name__}: {str(error)[:300]}",
            where=path,
            remedy="update Inspect (pip install -U inspect-ai), or attach the log that the run itself wrote",
        ) from error


def _missing(path: str) -> MissingExtraError:
    return MissingExtraError(
        "this log's shape is not one that Leadline reads itself, and Inspect's reader is not installed",
        where=path,
        remedy="pip install 'leadline[inspect]'",
    )
