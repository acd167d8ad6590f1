"""What is checked of every sample on its way from a reader into the columns."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any

from msgspec import Raw

from leadline.errors import LogError
from leadline.logs.accounting import Ledger, Mismatch
from leadline.logs.columns import Columns
from leadline.logs.dataset import dataset_root, item_digest
from leadline.logs.decode import encode, parsed_object
from leadline.logs.headers import LogHeader
from leadline.logs.limits import DEFAULT
from leadline.logs.shapes import NO_JSON, ModelFallback, Sample, Summary
from leadline.logs.values import json_text

Key = tuple[str, int]
_MOST_MISMATCHES = 100
_NOWHERE: tuple[frozenset[str], frozenset[str]] = (frozenset(), frozenset())
_UNNAMED = "score"
REPLACED = "replaced by a later run of the same sample"
SUMMARY_ONLY = "only a summary of it is in the log"


class Attachments(Mapping[str, str]):
    """The attachments of a sample, decoded when first asked for."""

    def __init__(self, raw: Raw) -> None:
        self._raw = raw
        self._found: dict[str, Any] | None = None

    def _all(self) -> dict[str, Any]:
        if self._found is None:
            self._found = parsed_object(self._raw)
        return self._found

    def __getitem__(self, key: str) -> str:
        value = self._all()[key]
        if not isinstance(value, str):
            raise KeyError(key)
        return value

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())


class Intake:
    """Takes the samples of one log: refuses id collisions, digests items, compares summaries, counts.

    `header` is completed by `finished` with what only the samples know.
    """

    def __init__(self, header: LogHeader, columns: Columns, ledger: Ledger) -> None:
        self._header = header
        self._columns = columns
        self._ledger = ledger
        self._names: dict[str, tuple[set[str], set[str]]] = {}
        self._seen: set[Key] = set()
        self._digests: dict[str, str] = {}
        self._problem: str | None = None
        self._contentless: set[str] = set()
        self._fallbacks: set[str] = set()
        self._briefs: dict[Key, Summary] | None = None
        self.note_ids(header.dataset.sample_ids or (), place="header")

    def note_id(self, sample_id: str | int, *, place: str = "samples") -> str:
        """The id as text; LogError when one place (header, summaries, samples) holds it as number and as text."""
        numbers, texts = self._names.get(place) or _NOWHERE
        if isinstance(sample_id, str):
            if sample_id in texts:
                return sample_id
        elif (name := str(sample_id)) in numbers:
            return name
        return self.note_ids((sample_id,), place=place)[0]

    def note_ids(self, ids: Sequence[str | int], *, place: str = "samples") -> list[str]:
        """`note_id` of many."""
        numbers, texts = self._names.setdefault(place, (set(), set()))
        names = list(map(str, ids))
        if names and (longest := max(map(len, names))) > DEFAULT.id:
            raise LogError(
                f"holds a sample id of {longest:,} characters; at most {DEFAULT.id:,} are read",
                where=self._header.path,
                remedy="give the dataset's samples short ids and run the evaluation again",
            )
        as_texts = [one for one in ids if isinstance(one, str)]
        as_numbers = names if not as_texts else [str(one) for one in ids if not isinstance(one, str)]
        texts.update(as_texts)
        numbers.update(as_numbers)
        for name in chain(texts.intersection(as_numbers), numbers.intersection(as_texts)):
            raise LogError(
                f"holds a sample with id {name} (a number) and another with id {name!r} (a text), "
                "and its file names cannot tell them apart",
                where=self._header.path,
                remedy="give the dataset's samples unique ids and run the evaluation again",
            )
        return names

    def add_summaries(self, summaries: Mapping[Key, Summary]) -> None:
        """Take summaries in table order, under keys whose ids were noted; once, and for the whole log."""
        for summary in summaries.values():
            if summary.model_fallbacks:
                self._fallbacks.update(map(_shown, summary.model_fallbacks))
        self._seen.update(summaries)
        self._ledger.read += len(summaries)
        marked = None if self._header.invalidated else False
        self._ledger.rows += self._columns.add_summaries([*summaries.values()], invalidated=marked)

    def _admit(self, sample: Sample) -> Key:
        key = self.note_id(sample.id), sample.epoch
        if key in self._seen:
            raise LogError(
                f"holds sample {key[0]!r}, epoch {key[1]}, under two names",
                where=self._header.path,
                remedy="the log was put together by hand; attach the original",
            )
        self._seen.add(key)
        self._ledger.read += 1
        if sample.model_fallbacks:
            self._fallbacks.update(map(_shown, sample.model_fallbacks))
        return key

    def add_sample(
        self, sample: Sample, attachments: Mapping[str, str] | None = None, *, content: str | None = None
    ) -> None:
        """Take one whole sample.

        `attachments` are given where they are not inside it; `content` is what the digest of its item is made of
        where `sample.input` is not the item's own text but a prompt made from it.
        """
        key = self._admit(sample)
        if sample.score is not None:
            name = self._header.results[0].score if self._header.results else _UNNAMED
            sample.scores = {name: sample.score, **(sample.scores or {})}
        digest = self._digest(key[0], sample, attachments, sample.input if content is None else content)
        self._ledger.rows += self._columns.add_sample(sample, digest)
        if self._briefs is not None:
            self._compare(key, sample, self._briefs.pop(key, None))

    def without_content(self, name: str, why: str) -> None:
        """The sample of this id that comes next holds nothing that a digest of its item could be made of."""
        self._contentless.add(name)
        self._problem = self._problem or f"sample {name!r}: {why}"

    def _digest(
        self,
        name: str,
        sample: Sample,
        attachments: Mapping[str, str] | None,
        content: str | list[dict[str, Any]],
    ) -> str | None:
        if name in self._contentless:
            return None
        if attachments is None:
            attachments = Attachments(_attachments(sample))
        try:
            digest = item_digest(sample.id, content, sample.target, sample.choices, attachments)
        except LogError as error:
            self._problem = self._problem or f"sample {name!r}: {error.message}"
            return None
        if self._digests.setdefault(name, digest) != digest:
            self._problem = self._problem or f"sample {name!r} is not the same item in all of its epochs"
        return digest

    def expect(self, summaries: Sequence[Summary]) -> None:
        """Compare the values of samples that follow with these summaries, the last one of each sample."""
        names = self.note_ids([summary.id for summary in summaries], place="summaries")
        epochs = [summary.epoch for summary in summaries]
        self._briefs = dict(zip(zip(names, epochs, strict=True), summaries, strict=True))

    def _compare(self, key: Key, sample: Sample, summary: Summary | None) -> None:
        if summary is None:
            return
        full, brief = sample.scores or {}, summary.scores or {}
        for name, score in full.items():
            if name not in brief:
                self._mismatch(key, name, None, json_text(score.value))
            elif not same_value(score.value, other := brief[name].value):
                self._mismatch(key, name, json_text(other), json_text(score.value))
        for name in brief.keys() - full.keys():
            self._mismatch(key, name, json_text(brief[name].value), None)

    def _mismatch(self, key: Key, score: str, summary: str | None, value: str | None) -> None:
        if len(self._ledger.mismatches) < _MOST_MISMATCHES:
            shown = f"{key[0]} (epoch {key[1]})"
            self._ledger.mismatches.append(Mismatch(sample=shown, score=score, summary=summary, value=value))

    def replaced(self, earlier: Iterable[Key]) -> None:
        """Count entries that a later one of the same sample replaced."""
        self._ledger.leave_out(REPLACED, [f"{name} (epoch {epoch})" for name, epoch in earlier])

    def finished(self) -> LogHeader:
        """The header with digests, fallback models and the number of samples."""
        if self._briefs:
            names = [f"{name} (epoch {epoch})" for name, epoch in self._briefs]
            self._ledger.leave_out(SUMMARY_ONLY, names)
        self._ledger.mismatches.sort(key=lambda mismatch: (mismatch.sample, mismatch.score))
        complete = self._digests and self._problem is None
        return replace(
            self._header,
            samples_read=len(self._seen),
            model_fallbacks=tuple(sorted(self._fallbacks)),
            item_digests=self._digests,
            dataset_sha256=dataset_root(self._digests) if complete else None,
            dataset_problem=self._problem,
        )


def _attachments(sample: Sample) -> Raw:
    if sample.transcript is not NO_JSON and bytes(sample.transcript) != b"null":
        content = parsed_object(sample.transcript).get("content")
        if isinstance(content, dict):
            return Raw(encode(content))
    return sample.attachments if sample.attachments is not NO_JSON else Raw(b"{}")


def _shown(fallback: ModelFallback) -> str:
    return f"{fallback.model} -> {fallback.fallback_model}"


def same_value(value: Any, other: Any) -> bool:
    """Whether two raw values are one value: numbers by size, a NaN like any other, a boolean like no number."""
    if type(value) is not type(other):
        both_numbers = {type(value), type(other)} == {int, float}
        return both_numbers and bool(value == other)
    return bool(value == other) or json_text(value) == json_text(other)


def sort_key(sample_id: str | int, epoch: int) -> tuple[int, str]:
    """Order of samples in the table: by epoch, then id, numbers by size; the order Inspect gives them."""
    name = str(sample_id)
    return epoch, name.zfill(20) if name.isdigit() else name
