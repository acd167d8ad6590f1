"""Tables with a declared mapping, as logs: a file is one evaluation, a row a sample or one score of it.

A table has no start time and no settings. What it cannot say is left empty, and conformance answers "unknown".
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final

import msgspec
from msgspec import Raw

from leadline.errors import LogError
from leadline.logs.accounting import Ledger, Skipped
from leadline.logs.columns import Columns
from leadline.logs.decode import encode
from leadline.logs.headers import Companion, LogHeader
from leadline.logs.headers_new import evaluation_id, new_header
from leadline.logs.intake import Intake, sort_key
from leadline.logs.lines import text_of
from leadline.logs.mapping import LARGEST, TableMapping, looks_like_mapping
from leadline.logs.mapping import NAME as MAPPING
from leadline.logs.readers.base import Format
from leadline.logs.request import Request
from leadline.logs.shapes import Json, Sample, Score
from leadline.logs.source import Source
from leadline.logs.tabular import is_blank, rows

NAME: Final = "table"
#: The key of eval metadata by which an arm is named.
ARM: Final = "leadline_arm"
NO_ID: Final = "a row without a sample id"
_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")
_LARGEST_EPOCH: Final = (1 << 31) - 1
_OF_EVALUATION: Final = ("task", "model", "arm")


class Tables:
    """The mappings of one call: the one that was given, and those that lie bound among the files."""

    def __init__(self, given: TableMapping | None) -> None:
        self._given = given
        self._bound: dict[str, tuple[TableMapping, Companion]] = {}
        self._used: set[str] = set()

    def takes(self, source: Source) -> bool:
        """Remember the file if it is a mapping bound to a table; LogError for one that is not valid."""
        if not looks_like_mapping(source.head) or source.size > LARGEST:
            return False
        mapping = TableMapping.parse(source.whole(), where=str(source.path))
        if mapping.table_sha256 is None:
            return False
        companion = Companion(source.name, str(source.path), source.sha256(), source.size, MAPPING)
        self._bound.setdefault(mapping.table_sha256, (mapping, companion))
        return True

    def format_of(self, source: Source) -> Format | None:
        """The format that reads this file with its mapping; None where there is none for it."""
        sha256 = source.sha256()
        if sha256 in self._bound:
            self._used.add(sha256)
            mapping, companion = self._bound[sha256]
        elif self._given is not None and self._given.table_sha256 in (None, sha256) and _may_be_table(source):
            mapping, text = self._given, self._given.bound(sha256)
            name = f"{source.name}.mapping.json"
            digest = mapping.bound_digest(sha256)
            companion = Companion(name, "", digest, len(text), MAPPING, text.decode())
        else:
            return None
        return Format(NAME, lambda _: True, partial(_read, mapping, companion))

    def unused(self) -> Iterator[Skipped]:
        """Bound mappings whose table is not among the files, and those that were used, each accounted for."""
        for sha256, (_, companion) in self._bound.items():
            if sha256 in self._used:
                yield Skipped(companion.path, "companion", "the mapping of a table, read with it")
            else:
                yield Skipped(companion.path, "not a log", "the mapping of a table that is not here")


def _may_be_table(source: Source) -> bool:
    """Whether a file no format knows may be a table: Parquet, or text."""
    return source.head.startswith((b"PAR1", *_UTF16)) or b"\0" not in source.head


def _read(
    mapping: TableMapping,
    companion: Companion,
    source: Source,
    sha256: str,
    request: Request,
    columns: Columns,
    ledger: Ledger,
) -> LogHeader:
    found = _Found(mapping, str(source.path))
    for number, row in rows(source, mapping, request.limits, ledger):
        found.take(number, row)
    arm = found.constant("arm")
    header = new_header(
        source,
        sha256=sha256,
        format=NAME,
        eval_id=evaluation_id(NAME, sha256, companion.sha256),
        task=found.constant("task") or "",
        model=found.constant("model") or "",
        metadata={} if arm is None else {ARM: arm},
        companions=(companion,),
    )
    if request.tier == "header":
        return replace(header, samples_read=len(found.samples))
    ledger.tier = "sample"
    ledger.leave_out(NO_ID, found.nameless)
    intake = Intake(header, columns, ledger)
    for sample in sorted(found.samples.values(), key=lambda one: sort_key(one.id, one.epoch)):
        intake.add_sample(sample)
    read = intake.finished()
    if mapping.columns.input is None:
        return replace(read, dataset_sha256=None, dataset_problem="the table has no inputs", item_digests={})
    return read


@dataclass(slots=True)
class _Found:
    """Rows of one table gathered into samples."""

    mapping: TableMapping
    where: str
    samples: dict[tuple[str, int], Sample] = field(default_factory=dict)
    nameless: list[str] = field(default_factory=list)
    _constants: dict[str, str] = field(default_factory=dict)

    def take(self, number: int, row: Json) -> None:
        """Add one row; LogError for one that contradicts an earlier one."""
        columns = self.mapping.columns
        for name in _OF_EVALUATION:
            self._hold(name, row, number)
        if is_blank(row[columns.sample_id]):
            self.nameless.append(f"row {number:,}")
            return
        key = self._id(row[columns.sample_id], number), self._epoch(row, number)
        sample, known = self._sample(key, row, number), self.samples.get(key)
        if known is None:
            self.samples[key] = known = sample
        elif _told(known) != _told(sample):
            raise self._wrong(number, f"says something else of sample {key[0]!r} than an earlier row")
        scores = dict(known.scores or {})
        for name, score in self._scores(row, number):
            if name in scores:
                raise self._wrong(
                    number, f"gives sample {key[0]!r}, epoch {key[1]}, the score {name!r} again"
                )
            scores[name] = score
        known.scores = scores

    def constant(self, name: str) -> str | None:
        """Task, model or arm: what the mapping says, else what the column holds."""
        said: str | None = getattr(self.mapping, name)
        return said if said is not None else self._constants.get(name)

    def _hold(self, name: str, row: Json, number: int) -> None:
        column = getattr(self.mapping.columns, name)
        if column is None or is_blank(row[column]):
            return
        value = text_of(row[column])
        if self._constants.setdefault(name, value) != value:
            raise LogError(
                f"holds several evaluations: {name} is {self._constants[name]!r} and, in row {number:,}, {value!r}",
                where=self.where,
                remedy=f"write one file for each {name}: a file is one evaluation, and is attached under one digest",
            )

    def _id(self, value: Any, number: int) -> str:
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise self._wrong(number, f"has a sample id that is neither a text nor a whole number: {value!r}")
        return str(value)

    def _epoch(self, row: Json, number: int) -> int:
        column = self.mapping.columns.epoch
        value = 1 if column is None else row[column]
        text = text_of(value).strip()
        if not text.isascii() or not text.isdigit() or len(text) > 10 or int(text) > _LARGEST_EPOCH:
            raise self._wrong(number, f"has an epoch that is no whole number: {text[:40]!r}")
        return int(text)

    def _sample(self, key: tuple[str, int], row: Json, number: int) -> Sample:
        columns = self.mapping.columns
        metadata = {name: row[name] for name in columns.metadata}
        return Sample(
            id=key[0],
            epoch=key[1],
            input=self._text(row, columns.input) or "",
            target=self._text(row, columns.target) or "",
            metadata=Raw(encode(metadata)),
            error=self._text(row, columns.error),
            limit=self._text(row, columns.limit),
            started_at=self._text(row, columns.started_at),
            completed_at=self._text(row, columns.completed_at),
            total_time=self._seconds(row, number),
        )

    def _text(self, row: Json, column: str | None) -> str | None:
        return None if column is None or is_blank(row[column]) else text_of(row[column])

    def _seconds(self, row: Json, number: int) -> float | None:
        column = self.mapping.columns.total_time
        if column is None or is_blank(row[column]):
            return None
        try:
            seconds = float(row[column])
        except (TypeError, ValueError, OverflowError):
            raise self._wrong(
                number, f"has a time that is no number: {text_of(row[column])[:40]!r}"
            ) from None
        return seconds if math.isfinite(seconds) else None

    def _scores(self, row: Json, number: int) -> Iterator[tuple[str, Score]]:
        columns = self.mapping.columns
        answer, explanation = self._text(row, columns.answer), self._text(row, columns.explanation)
        if self.mapping.scores:
            names = [(name, row[name]) for name in self.mapping.scores]
        else:
            name = self.mapping.score
            if name is None and (name := self._text(row, columns.score)) is None:
                raise self._wrong(number, "has a value and no name of a score")
            names = [(name, row[columns.value])] if columns.value is not None else []
        for name, value in names:
            if is_blank(value) and not isinstance(value, float):
                yield name, Score(value=math.nan, answer=answer, explanation=explanation, reason="empty cell")
            else:
                yield name, Score(value=_value(value), answer=answer, explanation=explanation)

    def _wrong(self, number: int, what: str) -> LogError:
        return LogError(
            f"row {number:,} {what}",
            where=self.where,
            remedy="correct the table or the mapping: a row is one sample and epoch, or one score of it",
        )


def _told(sample: Sample) -> tuple[Any, ...]:
    """What the rows of one sample have to agree on."""
    times = (sample.started_at, sample.completed_at, sample.total_time)
    return (sample.input, sample.target, bytes(sample.metadata), sample.error, sample.limit, *times)


def _value(value: Any) -> Any:
    """A cell as a score's raw value: a text that is a JSON number is that number, any other text stays one."""
    if not isinstance(value, str):
        return value
    if value.strip().lower() == "nan":
        return math.nan
    try:
        found = msgspec.json.decode(value.strip().encode())
    except (msgspec.MsgspecError, UnicodeError):
        return value.strip()
    return found if isinstance(found, int | float) and not isinstance(found, bool) else value.strip()
