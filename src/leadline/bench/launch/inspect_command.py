"""The `inspect eval` command that runs one arm of a protocol as promised."""

import shlex
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from leadline.registry.spelling import pairs

if TYPE_CHECKING:
    from leadline.protocol import Protocol
    from leadline.protocol.blocks.design import Arm, Task
    from leadline.verdict.seeding import Seeds

#: The limits Inspect has flags for.
LIMIT_FLAGS = ("message_limit", "token_limit", "time_limit", "working_limit", "turn_limit", "cost_limit")


def inspect_command(protocol: "Protocol", arm: "Arm", stamp: Mapping[str, Any], seeds: "Seeds") -> str:
    """The words of `inspect_words` as one shell line."""
    return shlex.join(inspect_words(protocol, arm, stamp, seeds))


def inspect_words(protocol: "Protocol", arm: "Arm", stamp: Mapping[str, Any], seeds: "Seeds") -> list[str]:
    """The words of the command: task, model, arguments, decoding, limits, epochs, and the stamp as eval metadata.

    A task with a `file` is named ``FILE@TASK``, as Inspect finds it where no package has it. `seeds` fills in what
    the protocol derives from the freeze. Settings that are not plain values are left to the task's own code.
    """
    task, model = protocol.task(arm.task), protocol.model(arm.model)
    words = ["inspect", "eval", _target(task), "--model", model.id or "MODEL"]
    words += ["--model-base-url", model.base_url] if model.base_url else []
    words += pairs("-M", model.args)
    words += pairs("-T", {**task.args, **arm.task_args})
    if task.epochs > 1:
        words += ["--epochs", str(task.epochs)]
    words += _flags({key: task.limits[key] for key in LIMIT_FLAGS if key in task.limits})
    words += _flags({**task.generate, **arm.generate}, seeds)
    if task.dataset.order == "from_freeze":
        words += ["--sample-shuffle", str(seeds.shuffle)]
    return words + pairs("--metadata", {**arm.metadata, **stamp})


def _target(task: "Task") -> str:
    """What Inspect is given: a registered name, or a file with the function in it."""
    return task.task if task.file is None else f"{task.file}@{task.task.rpartition('/')[2]}"


def _flags(values: Mapping[str, Any], seeds: "Seeds | None" = None) -> list[str]:
    words = []
    for key, value in values.items():
        known = seeds.generate if seeds and key == "seed" and isinstance(value, str) else value
        if isinstance(known, str | int | float) and not isinstance(known, bool):
            words += [f"--{key.replace('_', '-')}", str(known)]
    return words
