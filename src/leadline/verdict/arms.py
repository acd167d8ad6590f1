"""Which log belongs to which arm.

A log is matched by what it says of itself (task, model, the arguments and metadata in which the arms
differ), never by its file name. The closest arm wins, so that a log with a wrong setting still meets
the arm it was meant for, where the conformance list names what differs. A log that is equally close
to two arms belongs to the one that has no log yet, if there is just one; otherwise to none.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from leadline.logs.headers import LogHeader
from leadline.logs.recording.shapes import FORMAT as RECORDING
from leadline.protocol.blocks.design import Arm, Task
from leadline.protocol.model import Protocol

#: The arm's name in eval metadata settles a tie (it is a stamp, so it never overrules a difference).
ARM_STAMP = "leadline_arm"
#: Mismatches in task or model weigh more than any one argument.
WEIGHT = {"task": 3, "model": 2}


def assign(protocol: Protocol, headers: Sequence[LogHeader]) -> dict[str, str | None]:
    """Arm name (or None) for each log's sha256."""
    result: dict[str, str | None] = {}
    ties: list[tuple[LogHeader, list[str]]] = []
    for header in headers:
        arms = closest(protocol, header)
        if len(arms) == 1:
            result[header.sha256] = arms[0]
        else:
            ties.append((header, arms))
    for header, arms in sorted(ties, key=lambda tie: tie[0].sha256):
        vacant = [name for name in arms if name not in result.values()]
        result[header.sha256] = vacant[0] if len(vacant) == 1 else None
    return result


def closest(protocol: Protocol, header: LogHeader) -> list[str]:
    """The arms whose promises differ least from this log; the stamp decides among them, where it names one of them.

    Arms that are equally close are told apart by version and plan of their tasks first. Empty when neither task nor
    model is any arm's.
    """
    distances = {arm.name: _distance(protocol, arm, header) for arm in protocol.arms}
    known = {name: distance for name, distance in distances.items() if distance is not None}
    nearest = [name for name, distance in known.items() if distance == min(known.values())]
    if len(nearest) > 1:
        nearest = [n for n in nearest if _is_planned(protocol.task(protocol.arm(n).task), header)] or nearest
    stamp = (header.metadata or {}).get(ARM_STAMP)
    return [stamp] if stamp in nearest else nearest


def expected_args(protocol: Protocol, arm: Arm) -> dict[str, Any]:
    """The arm's task arguments: the task's, with what the arm changes."""
    return {**protocol.task(arm.task).args, **arm.task_args}


def expected_generate(protocol: Protocol, arm: Arm) -> dict[str, Any]:
    """The arm's generate config: the task's, with what the arm changes."""
    return {**protocol.task(arm.task).generate, **arm.generate}


def _distance(protocol: Protocol, arm: Arm, header: LogHeader) -> int | None:
    """Weighted number of identity fields that differ; None when neither task nor model is the arm's."""
    task_differs = not same_task(protocol.task(arm.task).task, header.task)
    model_differs = not same_model(protocol.model(arm.model).id, header.model)
    # A recording whose code did not say what it ran is of the arm that it was recorded for; nobody else's log is.
    silent = header.format == RECORDING and not (header.task and header.model)
    if task_differs and model_differs and not (silent and (header.metadata or {}).get(ARM_STAMP) == arm.name):
        return None
    distance = WEIGHT["task"] * task_differs + WEIGHT["model"] * model_differs
    expected = expected_args(protocol, arm)
    distance += _differing(expected, header.task_args)
    distance += len((header.task_args_passed or {}).keys() - expected.keys())
    distance += _differing(expected_generate(protocol, arm), header.generate_config)
    return distance + _differing(arm.metadata, header.metadata)


def _is_planned(task: Task, header: LogHeader) -> bool:
    """Whether the log is of the task's version, and ran its steps; a step's parameters may be left open."""
    if task.version is not None and str(task.version) != header.task_version:
        return False
    return task.solver is None or (
        len(task.solver) == len(header.steps)
        and all(
            step.solver == ran.get("solver") and step.params in (None, ran.get("params") or {})
            for step, ran in zip(task.solver, header.steps, strict=True)
        )
    )


def _differing(expected: Mapping[str, Any], found: Mapping[str, Any] | None) -> int:
    found = found or {}
    return sum(found.get(key) != value for key, value in expected.items())


def same_task(expected: str, found: str) -> bool:
    """Task names are equal, or equal but for the package prefix of a registered task."""
    if "/" in expected and "/" in found:
        return expected == found
    return expected.rsplit("/", 1)[-1] == found.rsplit("/", 1)[-1]


def same_model(expected: str | None, found: str) -> bool:
    """Model ids are equal; a rule that has not been fixed to an id matches nothing."""
    return expected is not None and expected == found
