"""Aggregate records of schema 0.2 and 0.3: results as somebody reports them, and where their samples are."""

import math
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final

from leadline.logs.accounting import Ledger
from leadline.logs.columns import Columns
from leadline.logs.decode import decode_object, object_in, unknown_shape
from leadline.logs.headers import ClaimedMetric, DatasetNote, LogHeader, utc
from leadline.logs.headers_new import evaluation_id, new_header
from leadline.logs.readers.base import Format
from leadline.logs.request import Request
from leadline.logs.shapes import Json
from leadline.logs.source import Source

NAME: Final = "every-eval-ever-aggregate"
#: Versions of the schema this reader was checked on, by their first two numbers.
KNOWN_VERSIONS: Final = ("0.2", "0.3")
_PARTS: Final = (b'"evaluation_results"', b'"schema_version"', b'"model_info"')
_STATED: Final = frozenset({"mean", "accuracy", "std", "var", "stderr"})


def recognise(source: Source) -> bool:
    """Whether the file is one JSON object with the parts of an aggregate record."""
    data = source.whole()
    if not all(part in data for part in _PARTS):
        return False
    document = object_in(data)
    return (
        document is not None
        and isinstance(document.get("evaluation_results"), list)
        and isinstance(document.get("model_info"), dict)
        and isinstance(document.get("schema_version"), str)
    )


def read(source: Source, sha256: str, request: Request, columns: Columns, ledger: Ledger) -> LogHeader:  # noqa: ARG001
    """Read one record. Its results are claims; there is no sample in it."""
    where = str(source.path)
    document = decode_object(source.whole(), where=where, on_retry=ledger.retried)
    require_known(document.get("schema_version"), where)
    ledger.tier = "header"
    model, results = part(document, "model_info"), objects_of(document.get("evaluation_results"))
    names = sorted({str(one.get("evaluation_name") or "") for one in results})
    source_told = part(document, "source_metadata")
    library = part(document, "eval_library")
    detailed = part(document, "detailed_evaluation_results")
    begun = moment(document.get("evaluation_timestamp"))
    settings = [part(part(one, "generation_config"), "generation_args") for one in results]
    same = settings[0] if settings and all(one == settings[0] for one in settings) else {}
    total = detailed.get("total_rows")
    return new_header(
        source,
        sha256=sha256,
        format=NAME,
        eval_id=evaluation_id("every-eval-ever", str(document.get("evaluation_id"))),
        run_id=str(document.get("evaluation_id") or ""),
        task=names[0] if len(names) == 1 else str(source_told.get("source_name") or ""),
        model=str(model.get("id") or model.get("name") or ""),
        created=begun,
        started_at=begun,
        generate_config={key: value for key, value in same.items() if value is not None},
        dataset=_dataset(results),
        metadata={"source": source_told} if source_told else {},
        packages={str(library["name"]): str(library.get("version"))} if "name" in library else {},
        results=tuple(_claims(results)),
        aggregate_only=True,
        ties={
            "evaluation_id": document.get("evaluation_id"),
            "algorithm": detailed.get("hash_algorithm") or "sha256",
            "checksum": detailed.get("checksum"),
            "total_rows": total if isinstance(total, int) and not isinstance(total, bool) else None,
        },
    )


def require_known(version: Any, where: str) -> None:
    """UnknownShapeError for a version of the schema that this reader was not checked on."""
    if not isinstance(version, str) or ".".join(version.split(".")[:2]) not in KNOWN_VERSIONS:
        raise unknown_shape(
            f"Every Eval Ever schema {str(version)[:40]!r}; known are {' and '.join(KNOWN_VERSIONS)}", where
        )


def result_name(result: Json) -> str:
    """What joins an instance to a result: its id, else the name of its evaluation."""
    return str(result.get("evaluation_result_id") or result.get("evaluation_name") or "")


def _claims(results: Iterable[Json]) -> Iterable[ClaimedMetric]:
    for result in results:
        name, config, details = (
            result_name(result),
            part(result, "metric_config"),
            part(result, "score_details"),
        )
        kind = str(
            config.get("metric_kind") or config.get("metric_id") or config.get("metric_name") or "score"
        )
        scorer = str(result.get("evaluation_name") or name)
        yield ClaimedMetric(
            name, scorer, kind.lower() if kind.lower() in _STATED else kind, number(details.get("score"))
        )
        error = part(part(details, "uncertainty"), "standard_error")
        if "value" in error:
            yield ClaimedMetric(name, scorer, "stderr", number(error["value"]))


def _dataset(results: list[Json]) -> DatasetNote:
    sources = [part(one, "source_data") for one in results]
    if not sources or any(one != sources[0] for one in sources):
        return DatasetNote()
    only = sources[0]
    place = only.get("hf_repo")
    size = only.get("samples_number")
    return DatasetNote(
        name=str(only["dataset_name"]) if "dataset_name" in only else None,
        location=place if isinstance(place, str) else None,
        samples=size if isinstance(size, int) and not isinstance(size, bool) else None,
    )


def moment(value: Any) -> datetime | None:
    """A Unix time, as a number or as text, or an ISO 8601 time; None where it is neither."""
    if not isinstance(value, str | int | float) or isinstance(value, bool):
        return None
    try:
        return datetime.fromtimestamp(float(value), UTC)
    except (ValueError, OverflowError, OSError):
        pass
    try:
        return utc(str(value))
    except (ValueError, OverflowError):
        return None


def number(value: Any) -> float | None:
    """A finite number, or None."""
    try:
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
            return float(value)
    except OverflowError:
        return None
    return None


def part(document: Json, name: str) -> Json:
    """An object inside an object; empty where there is none."""
    value = document.get(name)
    return value if isinstance(value, dict) else {}


def objects_of(value: Any) -> list[Json]:
    """The objects of a list; empty where it is none."""
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


AGGREGATE: Final = Format(NAME, recognise, read, whole=True)
