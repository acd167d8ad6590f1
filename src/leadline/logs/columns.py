"""Columns under construction: samples go in one by one, Arrow batches come out.

Sample fields are kept once per sample and spread over its score rows by position when a batch is closed.
A batch of plain tuples is transposed at once, which is cheaper than one append per field; it closes by number
of samples or by amount of text, so that memory holds one batch of Python objects and finished Arrow columns.
"""

from collections.abc import Sequence
from typing import Any, Final

import pyarrow as pa
from msgspec import Raw

from leadline.logs import arrow
from leadline.logs.decode import compact, parsed_object
from leadline.logs.project import Projection
from leadline.logs.schema import table_schema
from leadline.logs.shapes import NO_JSON, BriefScore, ErrorNote, LimitNote, Sample, Summary
from leadline.logs.text import input_text, target_text
from leadline.logs.values import ValueMap

BATCH_SAMPLES: Final = 2048
BATCH_TEXT: Final = 8 << 20
NO_SCORE: Final = "no score"
_INDEX: Final = "log_index"

_OF_SAMPLE: Final = (
    "sample_id", "epoch", "uuid", "error", "limit", "invalidated", "started_at", "completed_at", "total_time",
    "working_time", "model_fallback", "retries",
)  # fmt: skip
_OF_SCORE: Final = (
    "score",
    "value",
    "value_json",
    "unscored_reason",
    "answer",
    "explanation",
    "score_reason",
)
_OF_ITEM: Final = ("input", "target", "metadata", "item_sha256")
_OF_DETAIL: Final = ("score_metadata", "score_edits")


class Columns:
    """Builds the table's batches. `samples` adds the columns only whole samples have; `keys` are projected.

    Usage: `begin` a log (its position in the list of logs), then `add_summaries`, or `add_sample` for each
    sample of it, then `flush`, after which `batches` is complete.
    """

    def __init__(self, *, samples: bool, keys: tuple[str, ...] = ()) -> None:
        self.schema = table_schema(samples=samples)
        self.projection = Projection(keys)
        self.batches: list[Any] = []
        self._whole = samples
        self._value = ValueMap()
        self._log = 0
        self._reset()

    def _reset(self) -> None:
        self._text = 0
        self._samples: list[tuple[Any, ...]] = []
        self._scores: list[tuple[Any, ...]] = []
        self._of_log: list[int] = []
        self._rows: list[int] = []  # how many each sample has

    def begin(self, log: int) -> None:
        """Rows that follow belong to the log at this position."""
        self._log = log

    def add_summaries(self, summaries: Sequence[Summary], *, invalidated: bool | None) -> int:
        """Append summaries; returns the number of rows."""
        rows = at = 0
        while at < len(summaries):
            self._make_room()
            part = summaries[at : at + BATCH_SAMPLES - len(self._samples)]
            rows += self._add_part(part, invalidated)
            at += len(part)
        return rows

    def _add_part(self, summaries: Sequence[Summary], invalidated: bool | None) -> int:
        item, blank = (_NO_ITEM, _NO_DETAIL) if self._whole else ((), ())
        self._samples += [_facts(summary, invalidated, summary.retries) + item for summary in summaries]
        self._of_log += [self._log] * len(summaries)
        if self.projection.keys:
            for summary in summaries:
                self.projection.add(summary.metadata)
        before, value, add = len(self._scores), self._value, self._scores.append
        for summary in summaries:
            for name, score in (summary.scores or _NONE).items():
                number, why, text = value(score.value)
                reason = why and _brief_reason(score, why)
                add((name, number, text, reason, None, None, None, *blank))
            if not summary.scores:
                add(_UNSCORED if self._whole else _UNSCORED[: len(_OF_SCORE)])
        self._rows += [len(summary.scores or _ONE) for summary in summaries]
        return len(self._scores) - before

    def add_sample(self, sample: Sample, digest: str | None) -> int:
        """Append a whole sample with the digest of its dataset item; returns the number of rows."""
        self._make_room()
        retries = len(sample.error_retries) if sample.error_retries is not None else None
        marked = sample.invalidation is not NO_JSON and bytes(sample.invalidation) != b"null"
        facts = _facts(sample, marked, retries)
        self._samples.append(facts + self._item(sample, digest) if self._whole else facts)
        self._of_log.append(self._log)
        if self.projection.keys:
            self.projection.add(sample.metadata)
        scores, whole = sample.scores or _NONE, self._whole
        for name, score in scores.items():
            answer, explanation, metadata = score.answer, score.explanation, score.metadata
            number, why, text = self._value(score.value)
            stated = score.reason or legacy_reason(metadata)
            row: tuple[Any, ...] = (name, number, text, why and (stated or why), answer, explanation, stated)
            self._text += len(explanation or "") + len(answer or "")
            if whole:
                noted = compact(metadata)
                self._text += len(noted or "")
                row = (*row, noted, len(score.history))
            self._scores.append(row)
        if not scores:
            self._scores.append(_UNSCORED if whole else _UNSCORED[: len(_OF_SCORE)])
        self._rows.append(len(scores or _ONE))
        return len(scores or _ONE)

    def _item(self, sample: Sample, digest: str | None) -> tuple[Any, ...]:
        shown, metadata = input_text(sample.input), compact(sample.metadata)
        self._text += len(shown) + len(metadata or "")
        return shown, target_text(sample.target), metadata, digest

    def _make_room(self) -> None:
        if len(self._samples) >= BATCH_SAMPLES or self._text >= BATCH_TEXT:
            self.flush()

    def adopt(self, rows: Any) -> None:
        """Append finished rows (`taken`) to the log that was begun."""
        self.flush()
        self.batches.append(rows.add_column(0, _INDEX, arrow.constant(self._log, rows.num_rows)))

    def taken(self, batch: int) -> Any | None:
        """The rows of all batches from this one on without their log's position; None where there are none."""
        self.flush()
        batches = self.batches[batch:]
        return pa.concat_tables(batches).drop_columns([_INDEX]) if batches else None

    def flush(self) -> None:
        """Close the current batch."""
        if not self._samples:
            return
        one_to_one = len(self._scores) == len(self._samples)
        rows = None if one_to_one else arrow.repeated(self._rows)
        arrays = {_INDEX: arrow.spread(arrow.numbers(self._of_log, pa.int32()), rows)}
        of_sample = (*_OF_SAMPLE, *_OF_ITEM) if self._whole else _OF_SAMPLE
        of_score = (*_OF_SCORE, *_OF_DETAIL) if self._whole else _OF_SCORE
        for name, values in zip(of_sample, zip(*self._samples, strict=True), strict=True):
            arrays[name] = arrow.spread(arrow.column(values, self.schema.field(name).type), rows)
        for name, values in zip(of_score, zip(*self._scores, strict=True), strict=True):
            arrays[name] = arrow.column(values, self.schema.field(name).type)
        for name, column in self.projection.close():
            arrays[name] = arrow.spread(column, rows)
        self.batches.append(pa.table(arrays))
        self._reset()


def _facts(sample: Summary | Sample, invalidated: bool | None, retries: int | None) -> tuple[Any, ...]:
    """What summaries and samples both say of a sample, in the order of `_OF_SAMPLE`."""
    error, limit, fallbacks = sample.error, sample.limit, sample.model_fallbacks
    return (
        str(sample.id),
        sample.epoch,
        sample.uuid,
        error.message if isinstance(error, ErrorNote) else error,
        limit.type if isinstance(limit, LimitNote) else limit,
        invalidated,
        sample.started_at,
        sample.completed_at,
        sample.total_time,
        sample.working_time,
        ", ".join(sorted({f.fallback_model for f in fallbacks})) if fallbacks else None,
        retries,
    )


def _brief_reason(score: BriefScore, why: str) -> str:
    note = score.metadata.unscored_reason if score.metadata is not None else None
    return score.reason or str(note or why)


def legacy_reason(metadata: Raw) -> str | None:
    """The reason that older logs keep in the score's metadata."""
    if metadata is NO_JSON or b"unscored_reason" not in bytes(metadata):
        return None
    reason = parsed_object(metadata).get("unscored_reason")
    return None if reason is None else str(reason)


_NONE: Final[dict[str, Any]] = {}
_ONE: Final = (None,)
_NO_ITEM: Final = (None,) * len(_OF_ITEM)
_NO_DETAIL: Final = (None,) * len(_OF_DETAIL)
#: The one row of a sample without scores.
_UNSCORED: Final = (None, None, None, NO_SCORE, None, None, None, *_NO_DETAIL)
