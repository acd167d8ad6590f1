"""Blocks of a protocol, filled in with what the headers of logs say."""

import re
from collections.abc import Callable, Collection, Sequence
from typing import Any, Final

from leadline.logs.headers import LogHeader
from leadline.logs.recording.shapes import FORMAT as RECORDING
from leadline.protocol.blocks.base import Block
from leadline.protocol.blocks.design import Dataset, Scorer, SolverStep, Task
from leadline.protocol.blocks.identity import Model
from leadline.verdict.conformance.context import show
from leadline.verdict.conformance.settings import CONDUCT, LIMITS

#: Datasets up to this many items are promised id by id, larger ones by digest and number alone.
MOST_LISTED: Final = 200_000
#: What a model is called in a protocol where its logs do not say.
UNSTATED: Final = "not stated in the logs"

Settings = dict[str, Any]


def models_of(headers: Sequence[LogHeader]) -> dict[str, Model]:
    """The models of some logs by the id in their headers; one without an id is promised by a rule that says so."""
    found: dict[str, Model] = {}
    for header in headers:
        taken = [model.name for key, model in found.items() if key != header.model]
        found[header.model] = Model(
            name=distinct(name_of(header.model or "unstated"), taken),
            id=header.model or None,
            rule=None if header.model else UNSTATED,
            base_url=header.model_base_url,
            args=plain(header.model_args),
        )
    return found


def task_of(headers: Sequence[LogHeader], name: str, decoding: Callable[[LogHeader], Settings]) -> Task:
    """The task that some logs ran: arguments and decoding that they share, items where all ran the same.

    `decoding` gives the generate options of a log that are to be promised.
    """
    first = headers[0]
    same_items = all(
        header.dataset_sha256 == first.dataset_sha256
        and header.item_digests.keys() == first.item_digests.keys()
        for header in headers
    )
    ids = sorted(first.item_digests) if same_items and len(first.item_digests) <= MOST_LISTED else None
    counts = {len(header.item_digests) for header in headers}
    return Task(
        name=name,
        harness="recorded" if first.format == RECORDING else "inspect",
        task=first.task,
        version=first.task_version or None,
        args=shared([plain(header.task_args) for header in headers]),
        dataset=Dataset(
            name=first.dataset.name,
            sha256=first.dataset_sha256 if same_items else None,
            n=counts.pop() if len(counts) == 1 and 0 not in counts else None,
            samples=tuple(ids) if ids else None,
        ),
        epochs=first.epochs,
        limits={key: first.config[key] for key in (*LIMITS, *CONDUCT) if first.config.get(key)},
        generate=shared([decoding(header) for header in headers]),
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


def shared(settings: Sequence[Settings]) -> Settings:
    """The settings that all have, with one value."""
    first = settings[0]
    return {key: value for key, value in first.items() if all(key in s and s[key] == value for s in settings)}


def beyond(settings: Settings, promised: Settings) -> Settings:
    """The settings that are not promised yet."""
    return {key: value for key, value in settings.items() if key not in promised}


def shown(value: Any) -> str:
    """A setting's value as one short line."""
    return "unset" if value is None else show(value)


def line(text: str) -> str:
    """Text as one line of a protocol: no control characters, at most 500 characters."""
    return re.sub(r"[\x00-\x1f\x7f\x85\u2028\u2029]+", " ", text)[:500]


def name_of(text: str) -> str:
    """A block name made from any text."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("-._")[:64] or "x"


def distinct(name: str, taken: Collection[str]) -> str:
    """The name, with a number after it where it is taken."""
    found, number = name, 1
    while found in taken:
        number += 1
        found = f"{name[:58]}-{number}"
    return found


def plain(value: Any) -> Any:
    """Logged settings as plain JSON values."""
    if isinstance(value, Block):
        return value.model_dump(mode="json")
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value if isinstance(value, str | int | float | bool | type(None)) else str(value)
