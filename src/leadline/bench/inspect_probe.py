"""Loads somebody's Inspect task and runs a few samples of it, in a process of its own.

``python -m leadline.bench.inspect_probe REQUEST.json`` reads what to load, runs it, and writes what
was found to the path the request names. It executes the file it is given: the parent
(`leadline.bench.from_inspect`) starts it with a time limit, for files on the user's own machine only.
"""

import importlib.util
import json
import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from leadline.errors import LogError


def main(arguments: list[str]) -> None:
    """Answer one request: ``{file, task, args, model, dry_run, log_dir, answer}``."""
    request = json.loads(Path(arguments[0]).read_text(encoding="utf-8"))
    file = Path(request["file"])
    os.chdir(file.parent)
    sys.path.insert(0, str(file.parent))
    name = request["task"] or _only_task(file)
    loaded = _load(file, name, request["args"])
    first, second = _item_digests(loaded), _item_digests(_load(file, name, request["args"]))
    answer = {
        "task": name,
        "scorers": _scorer_names(loaded),
        "samples": len(first["ids"]),
        "ids": first["ids"],
        "digests": first["digests"],
        "stable": first == second,
    }
    if request["dry_run"] > 0:
        answer["problem"] = _dry_run(f"{file.name}@{name}", request)
    Path(request["answer"]).write_text(json.dumps(answer), encoding="utf-8")


def _only_task(file: Path) -> str:
    """The task of a file that defines one."""
    from inspect_ai import list_tasks

    names = [info.name for info in list_tasks([file.name], root_dir=file.parent)]
    if len(names) != 1:
        raise SystemExit(
            f"{file.name} defines {len(names)} tasks ({', '.join(names)}): name one, {file.name}@NAME"
        )
    return str(names[0])


def _load(file: Path, name: str, args: dict[str, Any]) -> Any:
    """The Task object, from a fresh execution of the file."""
    module = _execute(file)
    function = getattr(module, name, None)
    if function is None:
        raise SystemExit(f"{file.name} defines no task {name!r}")
    return function(**args)


def _execute(file: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(file.stem, file)
    if spec is None or spec.loader is None:
        raise SystemExit(f"{file.name} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[file.stem] = module
    spec.loader.exec_module(module)
    return module


def _item_digests(task: Any) -> dict[str, Any]:
    """Ids and content digests of a task's items; Inspect numbers items without an id from 1."""
    from leadline.logs.dataset import item_digest

    ids, digests = [], {}
    for number, sample in enumerate(task.dataset, start=1):
        identifier = str(number if sample.id is None else sample.id)
        ids.append(identifier)
        try:
            digests[identifier] = item_digest(identifier, _input(sample.input), sample.target, sample.choices)
        except LogError:
            continue  # an item without a canonical form: the draft then states no dataset hash
    return {"ids": ids, "digests": digests}


def _scorer_names(task: Any) -> list[str]:
    """What the log will call the task's scores: the scorers' names without their package."""
    from inspect_ai._util.registry import registry_unqualified_name

    return [registry_unqualified_name(scorer) for scorer in task.scorer or []]


def _input(value: Any) -> str | list[dict[str, Any]]:
    if isinstance(value, str):
        return value
    return [message.model_dump(mode="json", exclude_none=True) for message in value]


def _dry_run(task: str, request: dict[str, Any]) -> str | None:
    """Run a few samples into the log folder; what went wrong, if anything did."""
    from inspect_ai import eval as run
    from inspect_ai.model import get_model

    model = request["model"] or "mockllm/model"
    mocked = model.startswith("mockllm/")
    try:
        logs = run(
            task,
            model=get_model(model, custom_outputs=_canned) if mocked else model,
            task_args=request["args"],
            limit=request["dry_run"],
            log_dir=request["log_dir"],
            log_format="eval",
            display="none",
            fail_on_error=False,
        )
    except Exception as error:  # noqa: BLE001 -- a missing key or package, or whatever else the user's code raises
        return f"{type(error).__name__}: {error}"
    return _problem(logs[0])


def _problem(log: Any) -> str | None:
    """Why the run of a log is no success: the evaluation ended, or some of its samples did."""
    if log.status != "success":
        return str(log.error.message) if log.error else f"the log ended as {log.status!r}"
    samples = log.samples or []
    failed = [sample.error.message for sample in samples if sample.error is not None]
    return f"{len(failed)} of {len(samples)} samples failed: {failed[0]}" if failed else None


def _canned(*_: Any) -> Any:
    """An answer with its usage stated: without it Inspect would download a tokenizer to count."""
    from inspect_ai.model import ModelOutput, ModelUsage

    output = ModelOutput.from_content("mockllm/model", "A")
    output.usage = ModelUsage(input_tokens=1, output_tokens=1, total_tokens=2)
    return output


if __name__ == "__main__":
    main(sys.argv[1:])
