"""A protocol drafted from logs: what they say is filled in, what only a person knows is marked."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from leadline.logs.headers import LogHeader
from leadline.protocol.blocks.base import Block
from leadline.protocol.blocks.claims import Estimand, Hypothesis
from leadline.protocol.blocks.conduct import Assumptions, Foreknowledge, SampleSize
from leadline.protocol.blocks.design import Arm, Dataset, Measure, Scorer, SolverStep, Task
from leadline.protocol.blocks.identity import Author, Model
from leadline.protocol.document import dump
from leadline.protocol.model import Protocol
from leadline.verdict.conformance.settings import LIMITS, TRANSPORT

if TYPE_CHECKING:
    from leadline.verdict.comparison import Comparison

FILL_IN = "FILL IN"
DEFAULT_SMALLEST = 0.05

_PREFACE = """\
# Drafted from logs that were already seen: they are named as pilots below, and the next run is the test.
# Three things only you know are marked "{mark}": who you are, the claim, and why the smallest effect matters.
# Then: leadline check {{this file}}, and leadline register {{this file}}.
"""


def draft_from_comparison(comparison: "Comparison") -> str:
    """YAML text of a protocol for the next run of a comparison of two logs."""
    a, b = (side[0] for side in comparison.headers)
    arms = ("a", "b")
    models = _models([a, b])
    tasks = _tasks([a, b])
    alias = {header.sha256: _alias(models, header) for header in (a, b)}
    measure = Measure(name=name_of(comparison.score), score=comparison.score, cluster=comparison.cluster_by)
    protocol = Protocol(
        title=f"{a.model} against {b.model} on {a.task}"[:500],
        authors=(Author(name=FILL_IN),),
        models=tuple(models.values()),
        tasks=tuple(tasks),
        arms=tuple(
            _arm(name, header, alias[header.sha256], _task_of(tasks, header))
            for name, header in zip(arms, (a, b), strict=True)
        ),
        measures=(measure,),
        hypotheses=(
            Hypothesis(
                id="H1",
                claim=f"{FILL_IN}: {a.model} and {b.model} differ on {comparison.score}"[:500],
                kind="differs",
                estimand=Estimand(type="paired_difference", measure=measure.name, arms=arms),
                smallest=comparison.smallest or DEFAULT_SMALLEST,
                why_smallest=FILL_IN,
            ),
        ),
        sample_size=SampleSize(
            items=max(comparison.pairs, 1), clusters=comparison.clusters, assumptions=_assumptions(comparison)
        ),
        foreknowledge=Foreknowledge(level="pilot_outcomes", pilots=(a.sha256, b.sha256)),
    )
    return _PREFACE.format(mark=FILL_IN) + dump(protocol)


def name_of(text: str) -> str:
    """A block name made from any text."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("-._")[:64] or "x"


def _models(headers: Sequence[LogHeader]) -> dict[str, Model]:
    return {
        header.model: Model(name=name_of(header.model), id=header.model, args=plain(header.model_args))
        for header in headers
    }


def _alias(models: dict[str, Model], header: LogHeader) -> str:
    return models[header.model].name


def _tasks(headers: Sequence[LogHeader]) -> list[Task]:
    """One task per distinct name; arguments and decoding that the logs share go to the task."""
    names = list(dict.fromkeys(header.task for header in headers))
    return [_task([header for header in headers if header.task == name]) for name in names]


def _task(headers: Sequence[LogHeader]) -> Task:
    first = headers[0]
    same_items = all(header.dataset_sha256 == first.dataset_sha256 for header in headers)
    ids = sorted(first.item_digests) if same_items and first.item_digests else None
    return Task(
        name=name_of(first.task),
        task=first.task,
        version=first.task_version or None,
        args=_shared([plain(header.task_args) for header in headers]),
        dataset=Dataset(
            name=first.dataset.name,
            sha256=first.dataset_sha256 if same_items else None,
            n=len(ids) if ids else None,
            samples=tuple(ids) if ids else None,
        ),
        epochs=first.epochs,
        limits={key: first.config[key] for key in LIMITS if first.config.get(key) is not None},
        generate=_shared([_decoding(header) for header in headers]),
        solver=_steps(headers),
        scorers=tuple(
            Scorer(name=str(scorer.get("name")), params=plain(scorer.get("options") or {}))
            for scorer in first.scorers
        ),
    )


def _steps(headers: Sequence[LogHeader]) -> tuple[SolverStep, ...] | None:
    first = headers[0]
    if any(header.steps != first.steps for header in headers) or not first.steps:
        return None
    return tuple(
        SolverStep(solver=str(step.get("solver")), params=plain(step.get("params") or {}))
        for step in first.steps
    )


def _task_of(tasks: Sequence[Task], header: LogHeader) -> Task:
    return next(task for task in tasks if task.task == header.task)


def _arm(name: str, header: LogHeader, model: str, task: Task) -> Arm:
    return Arm(
        name=name,
        technique=f"{FILL_IN} (arm {name})",
        model=model,
        task=task.name,
        task_args=_beyond(plain(header.task_args), task.args),
        generate=_beyond(_decoding(header), task.generate),
    )


def _decoding(header: LogHeader) -> dict[str, Any]:
    config = plain(header.generate_config)
    return {key: value for key, value in config.items() if value is not None and key not in TRANSPORT}


def _shared(settings: Sequence[dict[str, Any]]) -> dict[str, Any]:
    first = settings[0]
    return {key: value for key, value in first.items() if all(key in s and s[key] == value for s in settings)}


def _beyond(settings: dict[str, Any], shared: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in settings.items() if key not in shared}


def _assumptions(comparison: "Comparison") -> Assumptions:
    """The pilot's own numbers, so that power is computed from them."""
    binary = comparison.both is not None
    estimate = comparison.estimate
    sd = None
    if not binary and estimate is not None and estimate.se:
        # Standard deviation of a single value if both arms vary alike and correlate at the default.
        sd = float(estimate.se * np.sqrt(comparison.pairs))
    return Assumptions(
        baseline=None if comparison.b.mean is None else round(comparison.b.mean, 6),
        binary=binary,
        sd=None if sd is None else max(round(sd, 6), 1e-6),
        source="the two logs this draft was made from",
    )


def plain(value: Any) -> Any:
    """Logged settings as plain JSON values."""
    if isinstance(value, Block):
        return value.model_dump(mode="json")
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value if isinstance(value, str | int | float | bool | type(None)) else str(value)
