"""Logs as records of Every Eval Ever: an aggregate record and a file of instances for each.

The numbers are computed from the samples: a log's own aggregates are not passed on. What the schema demands and no
log says is answered by the neutral word it has for that, and samples without a value, which it has no place for, are
left out of the instances and counted in the record.
"""

import json
import math
import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Final, Literal

import pyarrow as pa
import pyarrow.compute as pc

from leadline.errors import InputError
from leadline.logs.headers import LogHeader
from leadline.logs.table import SampleTable

Version = Literal["0.2.2", "0.3.0"]
Relationship = Literal["first_party", "third_party", "collaborative", "other"]
_COLUMNS: Final = (
    "sample_id", "epoch", "score", "value", "value_json", "answer", "input", "target", "error", "total_time",
)  # fmt: skip
#: Decoding settings that the schema names, with the types it takes.
_SETTINGS: Final[dict[str, tuple[type, ...]]] = {
    "temperature": (int, float), "top_p": (int, float), "top_k": (int, float), "max_tokens": (int,),
}  # fmt: skip
_HARNESSES: Final = ("inspect_ai", "lm_eval")
_RIGHT: Final = 1.0


@dataclass(frozen=True, slots=True)
class Source:
    """Who publishes the records: an organisation, and how it stands to the model's maker."""

    organisation: str
    relationship: Relationship = "other"
    name: str = "leadline"


@dataclass(frozen=True, slots=True)
class Record:
    """One log's two files; `path` is the aggregate's below a data store's root, the instances lie beside it."""

    path: str
    aggregate: bytes
    instances_path: str
    instances: bytes


def every_eval_ever(
    table: SampleTable, source: Source, *, retrieved: datetime, version: Version = "0.3.0"
) -> list[Record]:
    """Records of every log of a table that was read at tier "sample", in the order of its logs.

    `retrieved` is when the records are made. `is_correct` of an instance says that its value is 1. Raises
    InputError for a table without inputs (read at a lower tier) or without a log that holds a scored sample.
    """
    rows = table.to_arrow()
    if "input" not in rows.column_names:
        raise InputError(
            "this table has no inputs, which the records hold",
            where="every_eval_ever",
            remedy='read the logs with read_logs(paths, tier="sample")',
        )
    digests = rows["sha256"].cast(pa.string())
    records = []
    for header in table.headers:
        if not header.aggregate_only:
            found = rows.filter(pc.equal(digests, header.sha256)).select(list(_COLUMNS)).to_pylist()
            if any(row["value"] is not None for row in found):
                records.append(_record(header, found, source, retrieved, version))
    if not records:
        raise InputError(
            "no log here holds a scored sample, so there is nothing to record",
            where="every_eval_ever",
            remedy="name logs of finished runs; aggregates alone are not passed on",
        )
    return records


def _record(
    header: LogHeader, rows: list[dict[str, Any]], source: Source, retrieved: datetime, version: Version
) -> Record:
    model = header.model or "unknown"
    evaluation = f"{header.task or 'unknown'}/{model.replace('/', '_')}/{retrieved.timestamp():.0f}"
    names = list(dict.fromkeys(row["score"] for row in rows if row["score"] is not None))
    scored = [row for row in rows if row["value"] is not None]
    instances = "".join(
        json.dumps(_instance(row, header, evaluation, version), ensure_ascii=False) + "\n" for row in scored
    ).encode("utf-8", "backslashreplace")
    number = uuid.UUID(bytes=bytes.fromhex(header.sha256)[:16], version=4)
    developer, _, plain = model.rpartition("/")
    folder = "/".join(("data", *(_path(part) for part in (source.name, developer or "unknown", plain))))
    instances_path = f"{folder}/{number}_samples.jsonl"
    record: dict[str, Any] = {
        "schema_version": version,
        "evaluation_id": evaluation,
        "retrieved_timestamp": f"{retrieved.timestamp():.0f}",
        "source_metadata": {
            "source_name": source.name,
            "source_type": "evaluation_run",
            "source_organization_name": source.organisation,
            "evaluator_relationship": source.relationship,
            "additional_details": {"log_sha256": header.sha256, "log_format": header.format},
        },
        "eval_library": _library(header),
        "model_info": {
            "name": plain,
            "id": model,
            **({"developer": developer} if developer else {}),
            "additional_details": {"deployment_type": "unknown", "model_availability": "unknown"},
        },
        "evaluation_results": [
            _result(header, name, [row for row in rows if row["score"] == name])
            for name in names
            if any(row["value"] is not None for row in rows if row["score"] == name)
        ],
        "detailed_evaluation_results": {
            "format": "jsonl",
            "file_path": instances_path,
            "hash_algorithm": "sha256",
            "checksum": sha256(instances).hexdigest(),
            "total_rows": len(scored),
            "additional_details": {"results_without_a_value": str(len(rows) - len(scored))},
        },
    }
    if header.begun is not None:
        record["evaluation_timestamp"] = f"{header.begun.timestamp():.0f}"
    body = json.dumps(record, ensure_ascii=False, indent=2).encode("utf-8", "backslashreplace") + b"\n"
    return Record(f"{folder}/{number}.json", body, instances_path, instances)


def _result(header: LogHeader, name: str, rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    items = _items(rows)
    mean = math.fsum(items) / len(items)
    values = [row["value"] for row in rows if row["value"] is not None]
    uncertainty: dict[str, Any] = {"num_samples": len(items)}
    if len(items) > 1:
        spread = math.fsum((item - mean) ** 2 for item in items) / (len(items) - 1)
        uncertainty["standard_deviation"] = math.sqrt(spread)
        uncertainty["standard_error"] = {"value": math.sqrt(spread / len(items)), "method": "analytic"}
    binary = set(values) <= {0.0, 1.0}
    ranged = (
        {"min_score": 0.0, "max_score": 1.0}
        if binary
        else {"min_score": min(values), "max_score": max(values)}
    )
    result: dict[str, Any] = {
        "evaluation_result_id": _result_id(header, name),
        "evaluation_name": header.task or "unknown",
        "source_data": {
            "dataset_name": header.dataset.name or header.task or "unknown",
            "source_type": "other",
        },
        "metric_config": {
            "metric_id": name,
            "metric_name": name,
            "metric_kind": "mean",
            "lower_is_better": False,
            "score_type": "binary" if binary else "continuous",
            **ranged,
            "additional_details": {
                "aggregation": "mean over samples of the mean over epochs",
                "direction": "not stated by the log",
                "range": "of the scale" if binary else "as observed",
            },
        },
        "score_details": {
            "score": mean,
            "details": {"results_without_a_value": str(len(rows) - len(values))},
            "uncertainty": uncertainty,
        },
    }
    if settings := _settings(header):
        result["generation_config"] = settings
    return result


def _items(rows: Iterable[dict[str, Any]]) -> list[float]:
    """One number per sample: the mean of its epochs that have a value."""
    found: dict[str, list[float]] = defaultdict(list)
    for row in rows:
        if row["value"] is not None:
            found[row["sample_id"]].append(row["value"])
    return [math.fsum(values) / len(values) for values in found.values()]


def _result_id(header: LogHeader, name: str) -> str:
    return f"{header.task or 'unknown'}.{name}"


def _instance(row: dict[str, Any], header: LogHeader, evaluation: str, version: Version) -> dict[str, Any]:
    answer, seconds = row["answer"], row["total_time"]
    told: dict[str, Any] = {
        "schema_version": version,
        "evaluation_id": evaluation,
        "model_id": header.model or "unknown",
        "evaluation_name": header.task or "unknown",
        "evaluation_result_id": _result_id(header, row["score"]),
        "sample_id": row["sample_id"],
        "interaction_type": "single_turn",
        "input": {"raw": row["input"] or "", "reference": [row["target"]] if row["target"] else []},
        "output": {"raw": [] if answer is None else [answer]},
        "answer_attribution": list(_attribution(answer)),
        "evaluation": {"score": row["value"], "is_correct": row["value"] == _RIGHT},
        "metadata": {"epoch": str(row["epoch"]), "value": row["value_json"] or "null"},
    }
    if row["error"] is not None:
        told["error"] = row["error"]
    if seconds is not None and seconds >= 0:
        told["performance"] = {"latency_ms": seconds * 1000}
    return told


def _attribution(answer: str | None) -> Iterator[dict[str, Any]]:
    if answer is not None:
        yield {
            "turn_idx": 0,
            "source": "output.raw",
            "extracted_value": answer,
            "extraction_method": "as the scorer logged it",
            "is_terminal": True,
        }


def _library(header: LogHeader) -> dict[str, str]:
    for name in (*_HARNESSES, *sorted(header.packages)):
        if name in header.packages:
            return {"name": name, "version": header.packages[name]}
    return {"name": "unknown", "version": "unknown"}


def _settings(header: LogHeader) -> dict[str, Any]:
    named, other = {}, {}
    for key, value in header.generate_config.items():
        kinds = _SETTINGS.get(key)
        if kinds is not None and isinstance(value, kinds) and not isinstance(value, bool):
            named[key] = value
        else:
            other[key] = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    found: dict[str, Any] = {"generation_args": named} if named else {}
    return found | ({"additional_details": other} if other else {})


def _path(part: str) -> str:
    """A part of a path: no separators, nothing that leads elsewhere."""
    kept = "".join(sign if sign.isalnum() or sign in "-_." else "_" for sign in part).strip(".")
    return kept[:100] or "unknown"
