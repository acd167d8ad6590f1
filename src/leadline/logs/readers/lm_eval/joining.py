"""Samples and results of lm-eval put together: by the hash of the task's samples, and by the names of the files.

A results file states a hash over the documents, prompts and targets of each task. It binds content, and two models
on one task share it; of several that fit, the one whose name carries the same time is taken. Where no hash fits,
the names alone join the two, and that is said. What stays ambiguous is not joined.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from leadline.logs.headers import LogHeader
from leadline.logs.headers_new import joined_header
from leadline.logs.readers.base import Joined, ReadLog
from leadline.logs.readers.lm_eval import results, samples

_UNTOLD = "no results file here is the one of these samples: task, model, time and settings are not known"
_OTHER = "these are not the samples whose hash the results file states, or not all of them"


class _Place(NamedTuple):
    """A task of a results file: position of the file, the file's header, the task's."""

    at: int
    run: LogHeader
    task: LogHeader


def join(logs: Sequence[ReadLog]) -> Joined:
    """Every samples file completed by its task of a results file; the other tasks are logs without samples."""
    placed: list[ReadLog | None] = list(logs)
    why = [""] * len(logs)
    reports = [at for at, log in enumerate(logs) if log.header.format == results.NAME and log.header.ties]
    places = [_Place(at, logs[at].header, task) for at in reports for task in logs[at].header.ties["tasks"]]
    chosen = _chosen(logs, places)
    for at, log in enumerate(logs):
        if log.header.format == samples.NAME and log.header.ties:
            place = chosen.get(at)
            placed[at] = _untold(log) if place is None else _completed(log, place)
    taken = {(place.at, place.task.task) for place in chosen.values()}
    further: list[ReadLog] = []
    for at in reports:
        left = [task for task in logs[at].header.ties["tasks"] if (at, task.task) not in taken]
        alone = [_alone(logs[at], task) for task in left]
        placed[at] = alone[0] if alone else None
        why[at] = "results of samples files beside it, read with them"
        further += alone[1:]
    return Joined(placed, further, why)


def _chosen(logs: Sequence[ReadLog], places: Sequence[_Place]) -> dict[int, _Place]:
    """The one place of each samples file that has one; two files never share a place."""
    claims: dict[tuple[int, str], list[tuple[int, _Place]]] = defaultdict(list)
    for at, log in enumerate(logs):
        if log.header.format == samples.NAME and (place := _place_of(log.header, places)) is not None:
            claims[place.at, place.task.task].append((at, place))
    chosen: dict[int, _Place] = {}
    for rivals in claims.values():
        fitting = _narrowed(rivals, lambda rival: _stamped(logs[rival[0]].header, rival[1]))
        if len(fitting) == 1:
            chosen[fitting[0][0]] = fitting[0][1]
    return chosen


def _place_of(header: LogHeader, places: Sequence[_Place]) -> _Place | None:
    proven = [place for place in places if _proven(header, place)]
    named = [
        place for place in places if _stamped(header, place) and place.task.task == header.ties.get("task")
    ]
    found = _narrowed(proven or named, lambda place: _stamped(header, place))
    found = _narrowed(found, lambda place: Path(place.run.path).parent == Path(header.path).parent)
    return found[0] if len(found) == 1 else None


def _narrowed(found: list[Any], fits: Any) -> list[Any]:
    """Of several the ones that fit, where any does."""
    return [one for one in found if fits(one)] or found if len(found) > 1 else found


def _proven(header: LogHeader, place: _Place) -> bool:
    own = header.ties.get("task_hash")
    return own is not None and place.task.ties.get("task_hash") == own


def _stamped(header: LogHeader, place: _Place) -> bool:
    own = header.ties.get("stamp")
    return own is not None and place.run.ties.get("stamp") == own


def _completed(log: ReadLog, place: _Place) -> ReadLog:
    own, run, task = log.header, place.run, place.task
    contradicted = not _proven(own, place) and None not in (
        own.ties.get("task_hash"),
        task.ties.get("task_hash"),
    )
    header = joined_header(
        task,
        own,
        run,
        dataset_sha256=None if contradicted else own.dataset_sha256,
        dataset_problem=own.dataset_problem or (_OTHER if contradicted else None),
    )
    notes = (
        log.account.notes if _proven(own, place) else (*log.account.notes, f"joined with {run.log} by name")
    )
    notes = (*notes, _OTHER) if contradicted else notes
    return ReadLog(header, replace(log.account, claimed=task.total_samples, notes=notes))


def _untold(log: ReadLog) -> ReadLog:
    account = replace(log.account, notes=(*log.account.notes, _UNTOLD))
    return ReadLog(replace(log.header, ties={}), account)


def _alone(log: ReadLog, task: LogHeader) -> ReadLog:
    """A task that the results file reports on, with no samples of it here."""
    notes = (*log.account.notes, f"{task.task}: results are reported, and no samples of it are here")
    return ReadLog(replace(task, ties={}), replace(log.account, claimed=task.total_samples, notes=notes))
