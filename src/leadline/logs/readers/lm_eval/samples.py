"""`samples_*.jsonl`: a line per document and filter, gathered into a sample per document.

A score is named `metric,filter`, as the results file names it, so that a document under two filters is one sample
with two scores and not two samples. Log-likelihoods, flags and targets are texts in these files and stay texts.
"""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any, Final

import rfc8785
from msgspec import Raw

from leadline.errors import LogError
from leadline.logs.accounting import Ledger
from leadline.logs.columns import Columns
from leadline.logs.decode import encode, unknown_shape
from leadline.logs.headers import LogHeader
from leadline.logs.headers_new import evaluation_id, new_header
from leadline.logs.intake import Intake, sort_key
from leadline.logs.lines import first_object, objects, require_gatherable, text_of
from leadline.logs.readers.base import Format
from leadline.logs.request import Request
from leadline.logs.shapes import Json, Sample, Score
from leadline.logs.source import Source

NAME: Final = "lm-eval"
#: The one filter of a task that names none.
NO_FILTER: Final = "none"
#: Keys of a row that are no metric.
_OWN: Final = frozenset(
    {
        "doc_id", "doc", "target", "arguments", "resps", "filtered_resps", "filter", "metrics", "doc_hash",
        "prompt_hash", "target_hash",
    }
)  # fmt: skip
_REQUIRED: Final = frozenset({"doc_id", "doc", "target", "arguments"})
_FILE: Final = re.compile(r"samples_(?P<task>.+)_(?P<stamp>\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{1,9})\.jsonl")
_HASHES: Final = ("doc_hash", "prompt_hash", "target_hash")


def recognise(source: Source) -> bool:
    """Whether the first line is a document with its answers, as lm-eval writes them."""
    row = first_object(source)
    return row is not None and row.keys() >= _REQUIRED and ("resps" in row or "filtered_resps" in row)


def read(source: Source, sha256: str, request: Request, columns: Columns, ledger: Ledger) -> LogHeader:
    """Read one file of samples; of what was run it knows the documents alone, see `join`."""
    require_gatherable(source, request.limits, "a file of samples")
    gathered = _Gathered(str(source.path))
    for number, row in objects(source, request.limits, ledger):
        gathered.take(number, row)
    named = _FILE.fullmatch(source.name)
    said = named.groupdict() if named else {"task": None, "stamp": None}
    header = new_header(
        source,
        sha256=sha256,
        format=NAME,
        eval_id=evaluation_id(NAME, sha256),
        ties={"task_hash": gathered.task_hash, **said},
    )
    if request.tier == "header":
        return replace(header, samples_read=len(gathered.documents))
    ledger.tier = "sample"
    ledger.notes += gathered.notes()
    intake = Intake(header, columns, ledger)
    for document in sorted(gathered.documents.values(), key=lambda one: sort_key(one.sample.id, 1)):
        intake.add_sample(document.sample, content=document.content)
    return _doubted(intake.finished(), gathered.doubts)


def _doubted(header: LogHeader, doubts: Counter[str]) -> LogHeader:
    """The header without a digest of its dataset where the file contradicts its own hashes."""
    if not doubts:
        return header
    problem = ", ".join(f"{count} rows contradict their {name}" for name, count in sorted(doubts.items()))
    return replace(header, dataset_sha256=None, dataset_problem=header.dataset_problem or problem)


@dataclass(slots=True)
class _Document:
    """A document under construction: its scores come with one row per filter."""

    sample: Sample
    content: str | None
    hashes: tuple[Any, ...]


@dataclass(slots=True)
class _Gathered:
    """Rows by document, with what their hashes say."""

    where: str
    documents: dict[str, _Document] = field(default_factory=dict)
    doubts: Counter[str] = field(default_factory=Counter)
    unproven: int = 0
    _all: Any = field(default_factory=hashlib.sha256)

    def take(self, number: int, row: Json) -> None:
        """Add one row; LogError for one that is none, or that says a second time what was said."""
        where = f"{self.where}, line {number:,}"
        if not row.keys() >= _REQUIRED or not isinstance(row["doc_id"], int | str):
            raise unknown_shape(
                f"a row without {', '.join(sorted(_REQUIRED - row.keys())) or 'a doc_id'}", where
            )
        hashes = tuple(row.get(name) for name in _HASHES)
        self._verify(row, hashes)
        name = str(row["doc_id"])
        known = self.documents.get(name)
        if known is None:
            known = self.documents[name] = _Document(_sample(row, where), _content(row["doc"]), hashes)
        elif known.hashes != hashes or known.content != _content(row["doc"]):
            raise LogError(
                f"document {name} is not the same in all of its rows",
                where=where,
                remedy="this file was put together from several; attach what lm-eval itself wrote",
            )
        known.sample.scores = _with_scores(known.sample.scores or {}, row, where)

    @property
    def task_hash(self) -> str | None:
        """What a results file calls the task's hash; None where a row lacks a hash."""
        return None if self.unproven else self._all.hexdigest()

    def notes(self) -> Iterable[str]:
        """What the rows' own hashes say, in sentences."""
        if self.unproven:
            yield f"{self.unproven:,} rows carry no hashes to check"
        for name, count in sorted(self.doubts.items()):
            yield f"{count:,} rows contradict their {name}"

    def _verify(self, row: Json, hashes: tuple[Any, ...]) -> None:
        if not all(isinstance(one, str) for one in hashes):
            self.unproven += 1
            return
        self._all.update("".join(hashes).encode("utf-8", "surrogatepass"))
        shown = {
            "doc_hash": json.dumps(row["doc"], indent=2, ensure_ascii=False),
            "prompt_hash": _prompt(row["arguments"]),
            "target_hash": str(row["target"]),
        }
        for (name, text), said in zip(shown.items(), hashes, strict=True):
            if text is not None and hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest() != said:
                self.doubts[name] += 1


def _sample(row: Json, where: str) -> Sample:
    prompt, target = _prompt(row["arguments"]), row["target"]
    listed = isinstance(target, list) and all(isinstance(part, str) for part in target)
    return Sample(
        id=_id(row["doc_id"], where),
        epoch=1,
        input=prompt if prompt is not None else text_of(row["arguments"]),
        target=target if listed else text_of(target),
        metadata=Raw(encode(row["doc"] if isinstance(row["doc"], dict) else {"doc": row["doc"]})),
    )


def _id(value: Any, where: str) -> int | str:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise unknown_shape("a doc_id that is neither a number nor a text", where)
    return value


def _content(document: Any) -> str | None:
    """The document in canonical form (RFC 8785): what the digest of the item is made of, whatever the prompt.

    None where it has none, as with numbers beyond 2**53; then its prompt stands for it.
    """
    try:
        return rfc8785.dumps(document).decode()
    except (rfc8785.CanonicalizationError, UnicodeEncodeError, RecursionError):
        return None


def _prompt(arguments: Any) -> str | None:
    """The first argument of the first request, which is its prompt; None where it is no text."""
    first: Any = None
    if isinstance(arguments, dict) and isinstance(request := arguments.get("gen_args_0"), dict):
        first = request.get("arg_0")
    elif isinstance(arguments, list) and arguments:
        first = arguments[0]
        first = first[0] if isinstance(first, list) and first else first
    return first if isinstance(first, str) else None


def _with_scores(scores: dict[str, Score], row: Json, where: str) -> dict[str, Score]:
    chosen = row.get("filter", NO_FILTER)
    metrics = row.get("metrics")
    if not isinstance(metrics, list):
        metrics = [key for key in row if key not in _OWN]
    answer = _answer(row.get("filtered_resps"))
    for metric in map(str, metrics):
        name = f"{metric},{chosen}"
        if name in scores:
            raise LogError(
                f"document {row['doc_id']} has the score {name} twice",
                where=where,
                remedy="this file was put together from several; attach what lm-eval itself wrote",
            )
        scores[name] = Score(value=row.get(metric), answer=answer)
    return scores


def _answer(filtered: Any) -> str | None:
    """What the filter left of the first answer, where that is a text: log-likelihoods are no answer."""
    first = filtered[0] if isinstance(filtered, list) and filtered else filtered
    return first if isinstance(first, str) else None


SAMPLES: Final = Format(NAME, recognise, read)
