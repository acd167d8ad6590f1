"""Inspect's own reader, for logs whose shape this package does not know."""

import json
from typing import Any

from leadline.errors import LogError, MissingExtraError
from leadline.logs.accounting import Ledger
from leadline.logs.columns import Columns
from leadline.logs.decode import convert_sample
from leadline.logs.header_build import build_header
from leadline.logs.headers import LogHeader
from leadline.logs.intake import Intake, sort_key
from leadline.logs.readers.inspect_eval import claimed_samples
from leadline.logs.request import Request
from leadline.logs.source import Source

_BULK = {"messages", "events", "store", "timelines", "output", "events_data"}


def read_with_inspect(
    source: Source, sha256: str, request: Request, columns: Columns, ledger: Ledger, *, why: str
) -> LogHeader:
    """Read a log with Inspect's `read_eval_log` into the columns.

    `why` is the reason the package's own reader gave up; it goes into the account. Raises LogError when
    Inspect cannot read the log either, MissingExtraError when Inspect is not installed.
    """
    log = _inspect_log(source, header_only=request.tier == "header")
    ledger.fallbacks["inspect", why] += 1
    document = json.loads(log.model_dump_json(exclude={"samples", "reductions"}, exclude_none=True))
    header = build_header(document, source, sha256=sha256, format="inspect")
    ledger.claimed = claimed_samples(header)
    if request.tier == "header":
        return header
    ledger.tier = "sample"
    intake = Intake(header, columns, ledger)
    for sample in sorted(log.samples or [], key=lambda sample: sort_key(sample.id, sample.epoch)):
        where = f"{source.path}, sample {sample.id!r}, epoch {sample.epoch}"
        document = json.loads(sample.model_dump_json(exclude=_BULK, exclude_none=True))
        intake.add_sample(convert_sample(document, where=where))
    return intake.finished()


def _inspect_log(source: Source, *, header_only: bool) -> Any:
    try:
        from inspect_ai.log import read_eval_log
    except ImportError as error:
        raise MissingExtraError(
            "this log's shape is not one that Leadline reads itself, and Inspect's reader is not installed",
            where=str(source.path),
            remedy="pip install 'leadline[inspect]'",
        ) from error
    try:
        return read_eval_log(str(source.path), header_only=header_only)
    except Exception as error:  # it may raise anything about a damaged log
        raise LogError(
            f"Inspect cannot read it either: {type(error).__name__}: {str(error)[:300]}",
            where=str(source.path),
            remedy="update Inspect (pip install -U inspect-ai), or attach the log that the run itself wrote",
        ) from error
