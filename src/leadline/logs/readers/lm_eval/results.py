"""`results_*.json`: what a run of lm-eval was told, and the aggregates it reports, a log for each task."""

import math
import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from leadline.logs.accounting import Ledger
from leadline.logs.columns import Columns
from leadline.logs.decode import decode_object, object_in, unknown_shape
from leadline.logs.headers import ClaimedMetric, DatasetNote, LogHeader
from leadline.logs.headers_new import evaluation_id, new_header
from leadline.logs.readers.base import Format
from leadline.logs.request import Request
from leadline.logs.shapes import Json
from leadline.logs.source import Source

NAME: Final = "lm-eval-results"
_PARTS: Final = (b'"results"', b'"configs"', b'"versions"', b'"n-shot"')
_FILE: Final = re.compile(r"results_(?P<stamp>\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{1,9})\.json")
_STDERR: Final = "_stderr"
#: lm-eval's names of decoding settings that Inspect has too.
_SETTINGS: Final = {"max_gen_toks": "max_tokens", "until": "stop_seqs"}
_SEEDS: Final = ("random_seed", "numpy_seed", "torch_seed", "fewshot_seed")
_PROMPTING: Final = ("chat_template_sha", "system_instruction_sha", "fewshot_as_multiturn")
#: Aggregations under which a reported value is the mean of the samples' values.
_MEAN: Final = "mean"


def recognise(source: Source) -> bool:
    """Whether the file is one JSON object with the parts of a results file."""
    data = source.whole()
    if not all(part in data for part in _PARTS):
        return False
    document = object_in(data)
    if document is None:  # or the beginning of one that was cut
        begun = source.head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{")
        return begun and _PARTS[0] in source.head and b",none" in source.head
    return all(isinstance(document.get(part), dict) for part in ("results", "configs", "versions", "n-shot"))


def read(source: Source, sha256: str, request: Request, columns: Columns, ledger: Ledger) -> LogHeader:  # noqa: ARG001
    """Read one results file: a header whose ties hold one header per task, for `join` to place."""
    where = str(source.path)
    document = decode_object(source.whole(), where=where, on_retry=ledger.retried)
    ledger.tier = "header"
    named = _FILE.fullmatch(source.name)
    stamp = named["stamp"] if named else None
    tasks = tuple(
        _task(source, sha256, document, str(task))
        for task in document["results"]
        if task in document["configs"]
    )
    if not tasks:
        raise unknown_shape("results without a task that is described under configs", where)
    groups = sorted(str(name) for name in document["results"].keys() - document["configs"].keys())
    if groups:
        ledger.notes.append(f"results of groups of tasks are not recomputed: {', '.join(groups)[:200]}")
    return replace(tasks[0], ties={"tasks": tasks, "stamp": stamp, "notes": tuple(ledger.notes)})


def _task(source: Source, sha256: str, document: Json, task: str) -> LogHeader:
    config, run = _part(_part(document, "configs"), task), _part(document, "config")
    model, shots = _model(document), _part(document, "n-shot").get(task)
    samples, begun = _part(_part(document, "n-samples"), task), _moment(document.get("date"))
    effective, limit = _whole(samples.get("effective")), run.get("limit")
    took = _seconds(document.get("total_evaluation_time_seconds"))
    few = {"num_fewshot": shots} if shots else {}
    settings = _settings(_part(config, "generation_kwargs")) | _settings(_part(run, "gen_kwargs"))
    version = document.get("lm_eval_version")
    commit = document.get("git_hash")
    return new_header(
        source,
        sha256=sha256,
        format=NAME,
        eval_id=evaluation_id(NAME, model, task, str(document.get("date"))),
        task=task,
        model=model,
        created=begun,
        started_at=begun,
        completed_at=_later(begun, took),
        task_version=_version(_part(document, "versions").get(task)),
        task_args=few,
        task_args_passed=few,
        model_args=_model_args(run.get("model_args")),
        generate_config=settings,
        plan_config=settings,
        config={
            key: value
            for key, value in {
                "limit": limit,
                **{name: run.get(name) for name in _SEEDS},
                **{name: document.get(name) for name in _PROMPTING},
            }.items()
            if value is not None
        },
        dataset=DatasetNote(
            name=_text(config.get("dataset_path")),
            location=_text(config.get("dataset_name")),
            samples=effective,
        ),
        scorers=tuple({"name": name, "options": options} for name, options in _metrics(config)),
        metadata=_part(config, "metadata"),
        revision={"type": "git", "commit": commit} if isinstance(commit, str) else None,
        packages={"lm_eval": version} if isinstance(version, str) else {},
        results=tuple(_claims(task, document, config)),
        total_samples=effective,
        aggregate_only=True,
        ties={"task_hash": _part(document, "task_hashes").get(task)},
    )


def _claims(task: str, document: Json, config: Json) -> Iterable[ClaimedMetric]:
    """`metric,filter` and `metric_stderr,filter` as the aggregates of the score `metric,filter`."""
    aggregations = {name: options.get("aggregation", _MEAN) for name, options in _metrics(config)}
    for key, value in _part(_part(document, "results"), task).items():
        metric, comma, chosen = key.partition(",")
        if not comma:
            continue
        plain = metric.removesuffix(_STDERR)
        is_error = (plain != metric and plain in aggregations) or (
            plain != metric and f"{plain},{chosen}" in document["results"][task]
        )
        score = f"{plain if is_error else metric},{chosen}"
        how = str(aggregations.get(plain if is_error else metric, _MEAN))
        shown = how if not is_error else "stderr" if how == _MEAN else f"stderr of {how}"
        yield ClaimedMetric(score=score, scorer=score, metric=shown, value=_finite(value))


def _metrics(config: Json) -> list[tuple[str, Json]]:
    listed = config.get("metric_list")
    found = listed if isinstance(listed, list) else []
    return [
        (str(one.get("metric")), {key: value for key, value in one.items() if key != "metric"})
        for one in found
        if isinstance(one, dict)
    ]


def _model(document: Json) -> str:
    """The model's name, else what the model's arguments call it, else the kind of model."""
    named = document.get("model_name")
    if isinstance(named, str) and named:
        return named
    run = _part(document, "config")
    arguments = _pairs(run.get("model_args"))
    return str(arguments.get("pretrained") or arguments.get("model") or run.get("model") or "")


def _model_args(value: Any) -> Json:
    return {key: part for key, part in _pairs(value).items() if key not in {"pretrained", "model"}}


def _pairs(value: Any) -> Json:
    if isinstance(value, str):
        return dict(pair.split("=", 1) for pair in value.split(",") if "=" in pair)
    return value if isinstance(value, dict) else {}


def _settings(found: Json) -> Json:
    return {_SETTINGS.get(key, key): value for key, value in found.items() if value is not None}


def _version(value: Any) -> str:
    return "" if value is None else str(value)


def _moment(value: Any) -> datetime | None:
    """A Unix time as lm-eval writes it: when the run began."""
    number = _finite(value)
    try:
        return None if number is None else datetime.fromtimestamp(number, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _later(begun: datetime | None, seconds: float | None) -> datetime | None:
    try:
        return None if begun is None or seconds is None else begun + timedelta(seconds=seconds)
    except OverflowError:
        return None


def _seconds(value: Any) -> float | None:
    try:
        return _finite(float(value)) if isinstance(value, str) else _finite(value)
    except ValueError:
        return None


def _part(document: Json, name: str) -> Json:
    value = document.get(name)
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _finite(value: Any) -> float | None:
    try:
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
            return float(value)
    except OverflowError:
        return None
    return None


RESULTS: Final = Format(NAME, recognise, read, whole=True)
