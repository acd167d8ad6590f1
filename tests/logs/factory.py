"""Small Inspect `.eval` logs, written directly: about a millisecond each, valid for Inspect's own reader.

`write_eval` is the door; `sample` builds one sample, `archive` writes raw members where a test needs a
container that no honest writer would make. Nothing here calls the reader under test: the ZIP records,
the thinning of summaries and the aggregates are this file's own.

    write_eval(tmp_path / "a.eval", task="add", model="mockllm/a",
               samples=[sample(1, "C"), sample(2, "I"), sample(3, {"match": "C", "judge": 0.5})])
"""

import hashlib
import json
import math
import struct
import zlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import zstandard

Compression = Literal["zstd", "deflate", "stored"]
Json = dict[str, Any]
METHODS: dict[Compression, int] = {"zstd": 93, "deflate": 8, "stored": 0}
CREATED = "2026-01-05T09:00:00+00:00"
LETTERS = {"C": 1.0, "I": 0.0, "P": 0.5, "N": 0.0}
_ZSTD = zstandard.ZstdCompressor(level=1, write_content_size=False)


def sample(
    id: str | int,  # noqa: A002
    score: Any = "C",
    *,
    epoch: int = 1,
    input: str | list[Json] = "question",  # noqa: A002
    target: str | list[str] = "answer",
    choices: list[str] | None = None,
    metadata: Json | None = None,
    error: str | None = None,
    limit: str | None = None,
    uuid: str | None = None,
    **fields: Any,
) -> Json:
    """One full sample as Inspect writes it.

    `score` is a raw value (put under the scorer "match"), a mapping scorer -> raw value, a mapping
    scorer -> score record (a dict with "value"), or None for a sample that was not scored.
    """
    record: Json = {
        "id": id,
        "epoch": epoch,
        "input": input,
        "target": target,
        "messages": [],
        "output": {"model": "mockllm/model", "choices": [], "completion": ""},
        "metadata": metadata or {},
        "store": {},
        "events": [],
        "model_usage": {},
        "attachments": {},
    }
    if choices is not None:
        record["choices"] = choices
    if score is not None:
        scores = score if isinstance(score, Mapping) else {"match": score}
        record["scores"] = {name: _score(value) for name, value in scores.items()}
    if error is not None:
        record["error"] = {"message": error, "traceback": error, "traceback_ansi": error}
    if limit is not None:
        record["limit"] = {"type": limit, "limit": 1}
    if uuid is not None:
        record["uuid"] = uuid
    record.update(fields)
    return record


def _score(value: Any) -> Json:
    return dict(value) if isinstance(value, Mapping) and "value" in value else {"value": value, "history": []}


def write_eval(
    path: Path | str,
    *,
    task: str = "demo",
    model: str = "mockllm/model",
    samples: Iterable[Json] = (),
    created: str = CREATED,
    generate_config: Json | None = None,
    status: str = "success",
    compression: Compression = "zstd",
    eval_id: str | None = None,
    run_id: str | None = None,
    task_args: Json | None = None,
    task_version: int | str = 0,
    dataset: Json | None = None,
    config: Json | None = None,
    packages: Mapping[str, str] | None = None,
    metadata: Json | None = None,
    tags: list[str] | None = None,
    scorers: list[Json] | None = None,
    results: Json | Literal["auto"] | None = "auto",
    summaries: list[Json] | Literal["auto"] | None = "auto",
    eval_fields: Json | None = None,
    header_fields: Json | None = None,
    finished: bool = True,
    spread: bool = True,
    version: int = 2,
) -> Path:
    """Write one `.eval` log and return its path.

    `eval_fields` and `header_fields` overlay the `eval` block and the header. `results="auto"` claims
    the true accuracy and standard error of every scorer; a dict claims whatever it says. `finished=False`
    leaves only the journal (a crashed run). `spread` gives samples without times a start of their own,
    one second apart from `created`; identical arguments give identical bytes.
    """
    path = Path(path)
    rows = [_stamped(s, path.name, created, position if spread else 0) for position, s in enumerate(samples)]
    spec = _spec(
        path.name, task, model, rows, created=created, eval_id=eval_id, run_id=run_id, task_args=task_args,
        task_version=task_version, dataset=dataset, config=config, packages=packages, metadata=metadata, tags=tags,
        scorers=scorers, generate_config=generate_config,
    )  # fmt: skip
    spec.update(eval_fields or {})
    plan = {"name": "plan", "steps": [{"solver": "generate", "params": {}, "params_passed": {}}],
            "config": generate_config or {}}  # fmt: skip
    thin = [summary(row) for row in rows] if summaries == "auto" else summaries
    members: list[tuple[str, Any]] = [
        ("_journal/start.json", {"version": version, "eval": spec, "plan": plan}),
        *((f"samples/{row['id']}_epoch_{row['epoch']}.json", row) for row in rows),
    ]
    if thin is not None:
        members.append(("_journal/summaries/1.json", thin))
    if finished:
        if thin is not None:
            members.append(("summaries.json", thin))
        header: Json = {"version": version, "status": status, "eval": spec, "plan": plan}
        header["results"] = claimed(rows) if results == "auto" else results
        header["stats"] = {
            "started_at": created,
            "completed_at": _later(created, len(rows) + 1),
            "model_usage": {},
        }
        header["invalidated"] = any("invalidation" in row for row in rows)
        members.append(("header.json", header | (header_fields or {})))
    archive(path, members, compression=compression)
    return path


def _stamped(row: Json, name: str, created: str, seconds: int) -> Json:
    stamp = {
        "uuid": hashlib.blake2s(f"{name}/{row['id']!r}/{row['epoch']}".encode(), digest_size=11).hexdigest(),
        "started_at": _later(created, seconds),
        "completed_at": _later(created, seconds + 1),
        "total_time": 1.0,
        "working_time": 0.5,
    }
    return {**row, **{key: value for key, value in stamp.items() if key not in row}}


def _later(created: str, seconds: float) -> str:
    return (datetime.fromisoformat(created) + timedelta(seconds=seconds)).astimezone(UTC).isoformat()


def _spec(
    name: str,
    task: str,
    model: str,
    rows: Sequence[Json],
    *,
    created: str,
    eval_id: str | None,
    run_id: str | None,
    generate_config: Json | None,
    **given: Any,
) -> Json:
    identity = hashlib.blake2s(f"{name}/{task}/{model}/{created}".encode(), digest_size=11).hexdigest()
    ids = list(dict.fromkeys(row["id"] for row in rows))
    epochs = max((row["epoch"] for row in rows), default=1)
    spec: Json = {
        "eval_id": eval_id or identity,
        "run_id": run_id or f"run-{identity}",
        "created": created,
        "task": task,
        "task_id": f"task-{identity}",
        "task_version": given["task_version"],
        "task_file": f"{task}.py",
        "task_args": given["task_args"] or {},
        "task_args_passed": given["task_args"] or {},
        "dataset": {"name": task, "samples": len(ids), "sample_ids": ids, "shuffled": False},
        "model": model,
        "model_generate_config": generate_config or {},
        "model_args": {},
        "config": {"epochs": epochs, "epochs_reducer": ["mean"], **(given["config"] or {})},
        "packages": dict(given["packages"] or {"inspect_ai": "0.3.285"}),
        "scorers": given["scorers"] or [{"name": n, "options": {}} for n in scorer_names(rows)],
    }
    spec["dataset"] |= given["dataset"] or {}
    for key in ("metadata", "tags"):
        if given[key] is not None:
            spec[key] = given[key]
    return spec


def scorer_names(rows: Iterable[Json]) -> list[str]:
    """Scorer names in order of first appearance."""
    return list(dict.fromkeys(name for row in rows for name in row.get("scores") or {}))


def summary(row: Json) -> Json:
    """The summary Inspect would keep of a sample: text cut and whitespace collapsed, errors as message only."""
    keep = ("id", "epoch", "choices", "metadata", "model_usage", "started_at", "completed_at", "total_time",
            "working_time", "uuid", "model_fallbacks")  # fmt: skip
    thin: Json = {key: row[key] for key in keep if key in row}
    thin["metadata"] = {key: _thin_value(value) for key, value in row.get("metadata", {}).items()}
    thin["input"] = _cut(row["input"], 5120) if isinstance(row["input"], str) else row["input"]
    thin["target"] = row["target"]
    if "scores" in row:
        thin["scores"] = {name: _thin_score(score) for name, score in row["scores"].items()}
    if "error" in row:
        thin["error"] = row["error"]["message"]
    if "limit" in row:
        thin["limit"] = row["limit"]["type"]
    if row.get("error_retries") is not None:
        thin["retries"] = len(row["error_retries"])
    return thin | {"completed": True, "message_count": len(row.get("messages", []))}


def _thin_score(score: Json) -> Json:
    thin = {key: score[key] for key in ("value", "reason") if key in score}
    for key in ("answer", "explanation"):
        if score.get(key) is not None:
            thin[key] = _thin_value(score[key])
    if score.get("metadata"):
        thin["metadata"] = {key: _thin_value(value) for key, value in score["metadata"].items()}
    return thin | {"history": []}


def _thin_value(value: Any) -> Any:
    if isinstance(value, str):
        collapsed = " ".join(value.split())
        return collapsed if len(collapsed) <= 1024 else collapsed[:1000].rsplit(" ", 1)[0] + "..."
    if isinstance(value, list | dict) and len(json.dumps(value)) > 1024:
        return "Key removed from summary (> 1k)"
    return value


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[:limit] + "...\n(content truncated)"


def claimed(rows: Sequence[Json]) -> Json:
    """Honest aggregates: accuracy and standard error over items, epochs reduced by the mean."""
    scores = []
    for name in scorer_names(rows):
        items: dict[str, list[float]] = {}
        for row in rows:
            score = (row.get("scores") or {}).get(name)
            if score is not None and isinstance(value := _number(score["value"]), float):
                items.setdefault(str(row["id"]), []).append(value)
        means = [math.fsum(values) / len(values) for values in items.values()]
        n = len(means)
        mean = math.fsum(means) / n if n else 0.0
        variance = math.fsum((m - mean) ** 2 for m in means) / (n - 1) if n > 1 else 0.0
        metrics = {
            "accuracy": {"name": "accuracy", "value": mean, "params": {}},
            "stderr": {"name": "stderr", "value": math.sqrt(variance / n) if n else 0.0, "params": {}},
        }
        scores.append({"name": name, "scorer": name, "reducer": "mean", "params": {}, "metrics": metrics,
                       "scored_samples": n, "unscored_samples": 0})  # fmt: skip
    return {
        "total_samples": len(rows),
        "completed_samples": sum("error" not in r for r in rows),
        "scores": scores,
    }


def _number(value: Any) -> float | None:
    if isinstance(value, str):
        return LETTERS.get(value)
    if isinstance(value, int | float) and not (isinstance(value, float) and math.isnan(value)):
        return float(value)
    return None


def encode(payload: Any) -> bytes:
    """JSON as Inspect writes it: compact, NaN and infinities bare; bytes pass through untouched."""
    if isinstance(payload, bytes):
        return payload
    return json.dumps(payload, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass")


def compress(data: bytes, compression: Compression, *, frame: int | None = None) -> bytes:
    """Compress one member; `frame` splits zstd input into frames of that many bytes."""
    if compression == "stored":
        return data
    if compression == "deflate":
        deflate = zlib.compressobj(1, zlib.DEFLATED, -15)
        return deflate.compress(data) + deflate.flush()
    if frame is None:
        return _ZSTD.compress(data)
    return b"".join(_ZSTD.compress(data[at : at + frame]) for at in range(0, len(data), frame))


def archive(
    path: Path | str,
    members: Iterable[tuple[str, Any]],
    *,
    compression: Compression = "zstd",
    frame: int | None = None,
    declare: Mapping[str, Mapping[str, int]] | None = None,
    zip64: bool = False,
    comment: bytes = b"",
) -> Path:
    """Write members, in order, duplicates allowed, as a ZIP archive.

    `declare` lies in the central directory: {member: {"size": n, "crc": n, "packed": n}}. `zip64` puts
    every size and offset into ZIP64 records, whatever their magnitude.
    """
    path = Path(path)
    body = bytearray()
    directory = bytearray()
    count = 0
    for name, payload in members:
        data = encode(payload)
        packed = compress(data, compression, frame=frame)
        said = (declare or {}).get(name, {})
        crc, size = said.get("crc", zlib.crc32(data)), said.get("size", len(data))
        directory += _central(
            name, METHODS[compression], crc, said.get("packed", len(packed)), size, len(body), zip64
        )
        encoded = name.encode()
        body += struct.pack("<4s5H3I2H", b"PK\x03\x04", 63, 0x800, METHODS[compression], 0, 0x5A21, zlib.crc32(data),
                            len(packed), len(data), len(encoded), 0) + encoded + packed  # fmt: skip
        count += 1
    path.write_bytes(bytes(body) + bytes(directory) + _end(count, len(directory), len(body), zip64, comment))
    return path


def _central(name: str, method: int, crc: int, packed: int, size: int, offset: int, zip64: bool) -> bytes:
    encoded = name.encode()
    extra = struct.pack("<HHQQQ", 1, 24, size, packed, offset) if zip64 else b""
    if zip64:
        packed = size = offset = 0xFFFFFFFF
    record = struct.pack("<4s6H3I5H2I", b"PK\x01\x02", 0x33F, 63, 0x800, method, 0, 0x5A21, crc, packed, size,
                         len(encoded), len(extra), 0, 0, 0, 0, offset)  # fmt: skip
    return record + encoded + extra


def _end(count: int, size: int, offset: int, zip64: bool, comment: bytes) -> bytes:
    tail = b""
    if zip64:
        tail = struct.pack("<4sQ2H2I4Q", b"PK\x06\x06", 44, 63, 63, 0, 0, count, count, size, offset)
        tail += struct.pack("<4sIQI", b"PK\x06\x07", 0, offset + size, 1)
        count, size, offset = 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF
    return (
        tail
        + struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, count, count, size, offset, len(comment))
        + comment
    )
