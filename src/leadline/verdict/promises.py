"""Promises as people read them: subjects at a glance, one line for what reads the same in many arms, no JSON."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from leadline.draw.words import shorten
from leadline.verdict.model import Check
from leadline.verdict.words import short_digest

#: What promises are about, in the order of the page: title, first parts of ids, and what is promised in general.
_SUBJECTS: Final = (
    (
        "The plan",
        ("protocol", "run", "attempts"),
        "frozen first; every run announced, begun later, accounted for",
    ),
    ("Models", ("model",), "these models and no other"),
    ("Data", ("dataset", "epochs"), "this dataset, whole and unchanged"),
    ("Task and settings", ("task", "solver", "generate", "limits"), "as written"),
    ("Scoring", ("scorer", "judge"), "these scorers"),
    ("Logs", ("arm", "log"), "complete, unedited, and in agreement with their own samples"),
    ("Other promises", (), "as written"),
)
_NAMES: Final = {
    "arm.logs": "logs of the arm",
    "attempts.accounted": "every announced run",
    "attempts.max": "number of runs",
    "attempts.undeclared": "undeclared runs",
    "dataset.content": "dataset",
    "dataset.n": "items",
    "dataset.order": "order of items",
    "dataset.samples": "which items",
    "epochs.run": "epochs run",
    "judge.model": "judge",
    "judge.prompt": "judge's prompt",
    "judge.undeclared": "other models",
    "log.arm": "arm of the log",
    "log.edits": "scores edited afterwards",
    "log.recomputed": "the log's own figures",
    "log.replaced": "samples run again",
    "log.retuned": "settings changed on the way",
    "log.rival": "another log of the arm",
    "log.status": "how the run ended",
    "log.summaries": "summaries in the log",
    "model.args": "model arguments",
    "model.base_url": "where the model ran",
    "model.fallback": "other models' answers",
    "model.id": "model",
    "protocol.frozen": "protocol",
    "run.after_freeze": "begun",
    "run.not_before": "not before",
    "scorer.name": "scorer",
    "scorer.params": "scorer's settings",
    "task.name": "task",
    "task.version": "task version",
}
#: Promises whose value tells a reader what was promised, in the order in which a summary says them.
_TOLD: Final = ("model.id", "dataset.n", "epochs", "task.name", "solver", "scorer.name", "judge.model")
_SETTINGS: Final = ("generate.", "limits.")
#: Values that a summary names of one promise, the room it has in the units of `shorten`, and arms that are named.
_VALUES, _ROOM, _ARMS = 6, 1_000.0, 3


@dataclass(frozen=True, slots=True)
class Line:
    """Checks that read the same: one promise, its answer, and every arm and log it was asked of."""

    first: Check
    arms: tuple[str, ...]
    logs: tuple[str, ...]
    count: int

    @property
    def where(self) -> str:
        """The arms by name, or how many where there are many."""
        if not self.arms:
            return "whole study"
        if len(self.arms) <= _ARMS:
            return ", ".join(self.arms)
        return f"{', '.join(self.arms[:_ARMS])} and {len(self.arms) - _ARMS} more"

    @property
    def files(self) -> str:
        """The log where it is one, or how many."""
        return self.logs[0] if len(self.logs) == 1 else f"{len(self.logs)} logs" if self.logs else ""


@dataclass(frozen=True, slots=True)
class Subject:
    """What was promised of one subject, in words, and how many of its promises have which answer."""

    title: str
    promised: str
    kept: int
    unknown: int
    deviations: int


def lines(checks: Iterable[Check]) -> tuple[Line, ...]:
    """Checks in their order; those that differ in nothing but arm and log as one line."""
    found: dict[tuple[str, ...], list[Check]] = {}
    for check in checks:
        key = (check.id, check.answer, check.promised, check.found, check.note)
        found.setdefault(key, []).append(check)
    return tuple(
        Line(
            same[0],
            tuple(dict.fromkeys(one.arm for one in same if one.arm)),
            tuple(dict.fromkeys(one.log for one in same if one.log)),
            len(same),
        )
        for same in found.values()
    )


def subjects(checks: Iterable[Check]) -> tuple[Subject, ...]:
    """Every subject that something was promised of."""
    found: dict[int, list[Check]] = {place: [] for place in range(len(_SUBJECTS))}
    for check in checks:
        found[_place(check.id)].append(check)
    return tuple(_summary(place, asked) for place, asked in found.items() if asked)


def name_of(check_id: str) -> str:
    """A promise in words: a setting by its own name, anything else as it is usually called."""
    for prefix in ("generate.", "limits.", "task.args."):
        if check_id.startswith(prefix):
            return check_id.removeprefix(prefix).replace("_", " ")
    return _NAMES.get(check_id, check_id.replace(".", " ").replace("_", " "))


def readable(text: str) -> str:
    """A promised or found value: settings in JSON as a person would write them, a digest cut short."""
    if text[:1] not in ("{", "["):
        return short_digest(text)
    try:
        return said(json.loads(text)) or "none"
    except (ValueError, RecursionError):  # cut where it got long, or no JSON after all
        return " ".join(text.translate({ord(sign): " " for sign in '{}[]"'}).split())


def said(value: Any) -> str:
    """A JSON value in words; a step of a solver by its name, with its settings in brackets."""
    match value:
        case None:
            return "none"
        case bool():
            return "yes" if value else "no"
        case str():
            return value
        case {"solver": str(name), "params": params} if len(value) == 2:
            settings = said(params) if params else ""
            return f"{name} ({settings})" if settings else name
        case dict():
            return ", ".join(f"{key} {_nested(item)}" for key, item in value.items())
        case list():
            return ", ".join(map(_nested, value))
    return json.dumps(value)


def _nested(value: Any) -> str:
    plain = not isinstance(value, dict | list) or (isinstance(value, dict) and "solver" in value)
    return said(value) if plain else f"({said(value)})"


def _place(check_id: str) -> int:
    head = check_id.partition(".")[0]
    places = (place for place, (_, heads, _) in enumerate(_SUBJECTS) if head in heads)
    return next(places, len(_SUBJECTS) - 1)


def _summary(place: int, asked: list[Check]) -> Subject:
    title, _, general = _SUBJECTS[place]
    answers = [check.answer for check in asked]
    values: dict[str, list[str]] = {}
    for check in sorted(asked, key=lambda check: _rank(check.id)):
        if _rank(check.id) <= len(_TOLD):
            values.setdefault(check.id, []).append(readable(check.promised))
    words = "; ".join(_told(name, tuple(dict.fromkeys(each))) for name, each in values.items())
    return Subject(
        title,
        shorten(words or general, _ROOM),
        answers.count("pass"),
        answers.count("unknown"),
        answers.count("deviation"),
    )


def _rank(check_id: str) -> int:
    """Where a summary says a promise: those of `_TOLD` first, then settings, then none."""
    if check_id in _TOLD:
        return _TOLD.index(check_id)
    return len(_TOLD) if check_id.startswith(_SETTINGS) else len(_TOLD) + 1


def _told(check_id: str, values: tuple[str, ...]) -> str:
    listed = ", ".join(values[:_VALUES])
    listed += f" and {len(values) - _VALUES} more" if len(values) > _VALUES else ""
    match check_id:
        case "dataset.n":
            return f"{listed} items"
        case "epochs":
            return "each once" if listed == "1" else f"each {listed} times"
        case "model.id" | "task.name" | "scorer.name":
            return listed
        case "solver":
            return f"solved by {listed}"
        case "judge.model":
            return f"judged by {listed}"
    return f"{name_of(check_id)} {listed}"
