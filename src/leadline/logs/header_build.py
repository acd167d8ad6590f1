"""From a header document to a `LogHeader`, with the migrations that old logs need.

Old forms: `results.scorer` and `results.metrics` for one unnamed score; `config.max_messages`;
`sandbox` as a pair; missing `task_args_passed`; missing `eval_id`, which is derived as Inspect derives it.
"""

import hashlib
import math
from collections.abc import Iterable
from typing import Any

from leadline.logs.decode import unknown_shape
from leadline.logs.headers import ClaimedMetric, DatasetNote, LogHeader, utc
from leadline.logs.shapes import Json
from leadline.logs.source import Source

#: The digits of base 57: letters and figures without those that are easily taken for one another.
_BASE57 = "23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_ID_LENGTH = 22


def build_header(document: Json, source: Source, *, sha256: str, format: str) -> LogHeader:  # noqa: A002
    """The typed header of `{version, status, eval, plan, results, stats, ...}`; UnknownShapeError if it is none."""
    where = str(source.path)
    spec = _object(document, "eval", where)
    for name in ("task", "model", "created"):
        if not isinstance(spec.get(name), str):
            raise unknown_shape(f"eval.{name} is not a text", where)
    try:
        created = utc(spec["created"])
    except (ValueError, OverflowError):
        raise unknown_shape(f"eval.created is not a time: {spec['created']!r}", where) from None
    plan, stats = _part(document, "plan"), _part(document, "stats")
    results = _part(document, "results")
    model_config, plan_config = _part(spec, "model_generate_config"), _part(plan, "config")
    updates = _objects(document.get("log_updates"))
    tags, metadata = tuple(map(str, spec.get("tags") or ())), _part(spec, "metadata")
    effective_tags, effective_metadata = _edited(tags, metadata, updates)
    return LogHeader(
        log=source.name,
        path=where,
        sha256=sha256,
        size=source.size,
        format=format,
        version=_whole(document.get("version")) or 0,
        status=str(document.get("status") or "started"),
        eval_id=str(spec.get("eval_id") or derived_eval_id(spec)),
        run_id=str(spec.get("run_id") or ""),
        eval_set_id=_text(spec.get("eval_set_id")),
        task=spec["task"],
        task_id=str(spec.get("task_id") or ""),
        task_version=str(spec.get("task_version", 0)),
        task_file=_text(spec.get("task_file")),
        task_registry_name=_text(spec.get("task_registry_name")),
        task_args=_part(spec, "task_args"),
        task_args_passed=_part(spec, "task_args_passed" if "task_args_passed" in spec else "task_args"),
        solver=_text(spec.get("solver")),
        solver_args=spec["solver_args"] if isinstance(spec.get("solver_args"), dict) else None,
        steps=tuple(_step(step) for step in _objects(plan.get("steps"))),
        model=spec["model"],
        model_base_url=_text(spec.get("model_base_url")),
        model_args=_part(spec, "model_args"),
        model_roles=_part(spec, "model_roles"),
        generate_config=_present(model_config) | _present(plan_config),
        model_generate_config=model_config,
        plan_config=plan_config,
        config=_config(_part(spec, "config")),
        dataset=_dataset(_part(spec, "dataset")),
        sandbox=_sandbox(spec.get("sandbox")),
        scorers=tuple(_objects(spec.get("scorers"))),
        tags=tags,
        metadata=metadata,
        effective_tags=effective_tags,
        effective_metadata=effective_metadata,
        revision=spec["revision"] if isinstance(spec.get("revision"), dict) else None,
        packages={str(name): str(version) for name, version in _part(spec, "packages").items()},
        created=created,
        started_at=_moment(stats.get("started_at")),
        completed_at=_moment(stats.get("completed_at")),
        error=_text(_part(document, "error").get("message")),
        results=tuple(_claims(results)),
        total_samples=_whole(results.get("total_samples")),
        completed_samples=_whole(results.get("completed_samples")),
        logged_samples=_whole(results.get("logged_samples")),
        invalidated=document.get("invalidated") is True,
        log_updates=tuple(updates),
        config_updates=tuple(_objects(document.get("config_updates"))),
        model_usage=_part(stats, "model_usage"),
    )


def derived_eval_id(spec: Json) -> str:
    """The id of a log from before logs had ids, as Inspect derives it from run, task and time of creation.

    BLAKE2s of 16 bytes over `run_id + task_id + created`, `created` in UTC, written in base 57, at most the
    last 22 characters.
    """
    content = f"{spec.get('run_id') or ''}{spec.get('task_id') or ''}{utc(spec['created']).isoformat()}"
    number = int.from_bytes(
        hashlib.blake2s(content.encode("utf-8", "replace"), digest_size=16).digest(), "big"
    )
    digits = ""
    while number:
        number, digit = divmod(number, len(_BASE57))
        digits = _BASE57[digit] + digits
    return digits[-_ID_LENGTH:].rjust(_ID_LENGTH, _BASE57[0])


def _claims(results: Json) -> Iterable[ClaimedMetric]:
    scores = _objects(results.get("scores"))
    if "scorer" in results and isinstance(results["scorer"], dict):
        scores = [
            {**results["scorer"], "metrics": results.get("metrics") or results["scorer"].get("metrics")}
        ]
    for score in scores:
        name = str(score.get("name") or "")
        for key, metric in _part(score, "metrics").items():
            if isinstance(metric, dict):
                yield ClaimedMetric(
                    score=name,
                    scorer=str(score.get("scorer") or name),
                    metric=str(key),
                    value=_finite(metric.get("value")),
                    reducer=_text(score.get("reducer")),
                    params=_part(metric, "params") or _part(metric, "options"),
                )


def _edited(tags: tuple[str, ...], metadata: Json, updates: list[Json]) -> tuple[tuple[str, ...], Json]:
    """Tags and metadata with the recorded edits applied in order."""
    names, values = set(tags), dict(metadata)
    for update in updates:
        for edit in _objects(update.get("edits")):
            names -= set(map(str, edit.get("tags_remove") or ()))
            names |= set(map(str, edit.get("tags_add") or ()))
            for key in edit.get("metadata_remove") or ():
                values.pop(key, None)
            values |= _part(edit, "metadata_set")
    return tuple(sorted(names)), values


def _dataset(spec: Json) -> DatasetNote:
    ids = spec.get("sample_ids")
    return DatasetNote(
        name=_text(spec.get("name")),
        location=_text(spec.get("location")),
        samples=_whole(spec.get("samples")),
        sample_ids=tuple(i for i in ids if isinstance(i, str | int)) if isinstance(ids, list) else None,
        shuffled=spec["shuffled"] if isinstance(spec.get("shuffled"), bool) else None,
    )


def _config(config: Json) -> Json:
    if config.get("max_messages") and not config.get("message_limit"):
        return {key: value for key, value in config.items() if key != "max_messages"} | {
            "message_limit": config["max_messages"]
        }
    return config


def _sandbox(value: Any) -> Json | None:
    if isinstance(value, list) and value:
        return {"type": value[0], "config": value[1] if len(value) > 1 else None}
    if isinstance(value, str):
        return {"type": value}
    return value if isinstance(value, dict) else None


def _step(step: Json) -> Json:
    return step if "params_passed" in step else {**step, "params_passed": step.get("params") or {}}


def _object(document: Json, name: str, where: str) -> Json:
    value = document.get(name)
    if not isinstance(value, dict):
        raise unknown_shape(f"{name} is not an object", where)
    return value


def _part(document: Json, name: str) -> Json:
    value = document.get(name)
    return value if isinstance(value, dict) else {}


def _objects(value: Any) -> list[Json]:
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def _present(config: Json) -> Json:
    return {key: value for key, value in config.items() if value is not None}


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _finite(value: Any) -> float | None:
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return float(value)
    return None


def _moment(value: Any) -> Any:
    try:
        return utc(value) if isinstance(value, str) and value else None
    except (ValueError, OverflowError):
        return None
