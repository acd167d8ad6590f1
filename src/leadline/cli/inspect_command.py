"""The `inspect eval` command that runs one arm of a protocol as promised."""

import json
import shlex
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from leadline.protocol import Protocol
    from leadline.protocol.blocks.design import Arm, Task

#: Settings whose flag is not their name with dashes, and the limits Inspect has flags for.
LIMIT_FLAGS = ("message_limit", "token_limit", "time_limit", "working_limit")


def inspect_command(protocol: "Protocol", arm: "Arm", stamp: Mapping[str, str], seed: int) -> str:
    """One shell line: task, model, arguments, decoding, limits, epochs, and the stamp as eval metadata.

    A task with a `file` is named ``FILE@TASK``, as Inspect finds it where no package has it. `seed` replaces a seed that the protocol derives from the freeze. Settings that are not plain values are
    left to the task's own code.
    """
    task, model = protocol.task(arm.task), protocol.model(arm.model)
    words = ["inspect", "eval", _target(task), "--model", model.id or "MODEL"]
    words += ["--model-base-url", model.base_url] if model.base_url else []
    words += _pairs("-M", model.args)
    words += _pairs("-T", {**task.args, **arm.task_args})
    if task.epochs > 1:
        words += ["--epochs", str(task.epochs)]
    words += _flags({key: task.limits[key] for key in LIMIT_FLAGS if key in task.limits})
    words += _flags({**task.generate, **arm.generate}, seed)
    words += _pairs("--metadata", {**arm.metadata, **stamp})
    return shlex.join(words)


def _target(task: "Task") -> str:
    """What Inspect is given: a registered name, or a file with the function in it."""
    return task.task if task.file is None else f"{task.file}@{task.task.rpartition('/')[2]}"


def _pairs(flag: str, values: Mapping[str, Any]) -> list[str]:
    return [word for key, value in values.items() for word in (flag, f"{key}={_value(value)}")]


def _flags(values: Mapping[str, Any], seed: int | None = None) -> list[str]:
    words = []
    for key, value in values.items():
        known = seed if key == "seed" and isinstance(value, str) else value
        if isinstance(known, str | int | float) and not isinstance(known, bool):
            words += [f"--{key.replace('_', '-')}", str(known)]
    return words


def _value(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
