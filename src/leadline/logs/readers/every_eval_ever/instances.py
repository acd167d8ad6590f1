"""Instance records, one a line: a line per sample and result, gathered into a sample with its scores.

The format has no epochs: a result that comes again for the same sample is a further epoch of it. Where a file holds
several evaluations, their names go before the ids of their samples, because each numbers its own.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from msgspec import Raw

from leadline.errors import LogError
from leadline.logs.accounting import Ledger
from leadline.logs.columns import Columns
from leadline.logs.decode import encode, unknown_shape
from leadline.logs.headers import LogHeader
from leadline.logs.headers_new import evaluation_id, new_header
from leadline.logs.intake import Intake, sort_key
from leadline.logs.lines import first_object, objects
from leadline.logs.readers.base import Format
from leadline.logs.readers.every_eval_ever.aggregate import objects_of, part, require_known, result_name
from leadline.logs.request import Request
from leadline.logs.shapes import Json, Sample, Score
from leadline.logs.source import Source

NAME: Final = "every-eval-ever"
_BLOCK: Final = 1 << 20
_REQUIRED: Final = frozenset(
    {"schema_version", "evaluation_id", "model_id", "sample_id", "input", "evaluation"}
)


def recognise(source: Source) -> bool:
    """Whether the first line is an instance record."""
    row = first_object(source)
    return row is not None and row.keys() >= _REQUIRED


def read(source: Source, sha256: str, request: Request, columns: Columns, ledger: Ledger) -> LogHeader:
    """Read one file of instances; LogError when it holds several models or evaluations."""
    where = str(source.path)
    if source.size > request.limits.document:
        raise LogError(
            f"refused: a file of instances of {source.size:,} bytes; at most {request.limits.document:,} are gathered",
            where=where,
            remedy="pass read_logs(..., limits=Limits(document=...)) with room for it",
        )
    rows = [(f"{where}, line {number:,}", row) for number, row in objects(source, request.limits, ledger)]
    for place, row in rows:
        _check(row, place)
    model = _only(rows, "model_id", where)
    evaluation = _only(rows, "evaluation_id", where)
    names = sorted({str(row.get("evaluation_name") or "") for _, row in rows})
    samples = list(_samples(rows, prefixed=len(names) > 1))
    header = new_header(
        source,
        sha256=sha256,
        format=NAME,
        eval_id=evaluation_id("every-eval-ever", evaluation),
        run_id=evaluation,
        task=names[0] if len(names) == 1 else evaluation,
        model=model,
        ties={"evaluation_id": evaluation, "rows": len(rows), "checksums": _checksums(source, sha256)},
    )
    if request.tier == "header":
        return replace(header, samples_read=len(samples))
    ledger.tier = "sample"
    if any(sample.epoch > 1 for sample in samples):
        ledger.notes.append("results that come again for the same sample are read as further epochs")
    intake = Intake(header, columns, ledger)
    for sample in sorted(samples, key=lambda one: sort_key(one.id, one.epoch)):
        intake.add_sample(sample)
    return intake.finished()


def _checksums(source: Source, sha256: str) -> dict[str, str]:
    """The file's digests by the names that the schema has for algorithms."""
    older = hashlib.md5(usedforsecurity=False)
    for offset in range(0, source.size, _BLOCK):
        older.update(source.read(offset, min(_BLOCK, source.size - offset)))
    return {"sha256": sha256, "md5": older.hexdigest()}


def _check(row: Json, where: str) -> None:
    if not row.keys() >= _REQUIRED:
        raise unknown_shape(f"an instance without {', '.join(sorted(_REQUIRED - row.keys()))}", where)
    require_known(str(row["schema_version"]).removeprefix("instance_level_eval_"), where)
    if not isinstance(row["sample_id"], str | int) or isinstance(row["sample_id"], bool):
        raise unknown_shape("a sample_id that is neither a text nor a number", where)
    if "score" not in part(row, "evaluation"):
        raise unknown_shape("an instance without evaluation.score", where)


def _only(rows: list[tuple[str, Json]], name: str, where: str) -> str:
    found = sorted({str(row[name]) for _, row in rows})
    if len(found) != 1:
        raise LogError(
            f"holds {len(found)} values of {name}: {', '.join(found[:3])}",
            where=where,
            remedy="keep one model and one evaluation in a file, as their aggregate record does",
        )
    return found[0]


def _samples(rows: list[tuple[str, Json]], *, prefixed: bool) -> Iterator[Sample]:
    found: dict[tuple[str, int], Sample] = {}
    times: dict[tuple[str, str], int] = {}
    for where, row in rows:
        sample_id = str(row["sample_id"])
        name = f"{row.get('evaluation_name') or ''}/{sample_id}" if prefixed else sample_id
        score = result_name(row) or "score"
        epoch = times[name, score] = times.get((name, score), 0) + 1
        sample = found.get((name, epoch))
        if sample is None:
            found[name, epoch] = sample = _sample(row, name, epoch, where)
        elif sample.input != _input(row, where):
            raise LogError(
                f"sample {name} has another input than in an earlier line",
                where=where,
                remedy="give the samples of this file unique ids",
            )
        sample.scores = {**(sample.scores or {}), score: _score(row)}
    yield from found.values()


def _sample(row: Json, name: str, epoch: int, where: str) -> Sample:
    given, performance = part(row, "input"), part(row, "performance")
    latency = performance.get("latency_ms")
    choices = given.get("choices")
    error = row.get("error")
    return Sample(
        id=name,
        epoch=epoch,
        input=_input(row, where),
        target=[str(one) for one in given["reference"]] if isinstance(given.get("reference"), list) else "",
        choices=[str(one) for one in choices] if isinstance(choices, list) else None,
        metadata=Raw(encode(part(row, "metadata"))),
        error=error if isinstance(error, str) and error else None,
        total_time=latency / 1000
        if isinstance(latency, int | float) and not isinstance(latency, bool)
        else None,
    )


def _input(row: Json, where: str) -> str:
    raw = part(row, "input").get("raw")
    if not isinstance(raw, str):
        raise unknown_shape("an instance whose input.raw is no text", where)
    return raw


def _score(row: Json) -> Score:
    told = part(row, "evaluation")
    answers = objects_of(row.get("answer_attribution"))
    final = [one for one in answers if one.get("is_terminal")] or answers
    answer = final[-1].get("extracted_value") if final else None
    rest: dict[str, Any] = {key: value for key, value in told.items() if key != "score"}
    return Score(
        value=told["score"],
        answer=answer if isinstance(answer, str) else None,
        metadata=Raw(encode(rest)),
    )


INSTANCES: Final = Format(NAME, recognise, read)
