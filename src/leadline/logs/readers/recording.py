"""Recordings (`leadline.logs.recording`): chain checked, results of a sample put together, whatever their order.

The file is read twice: once for the chain, the head and how many results each sample has, and once for the samples,
each of which is let go as soon as its last result has come. So memory grows with the number of samples and not with
what was recorded of them.
"""

import math
from dataclasses import replace
from typing import Final

from msgspec import Raw

from leadline.errors import LogError
from leadline.logs.accounting import Ledger
from leadline.logs.columns import Columns
from leadline.logs.decode import encode, parsed_object
from leadline.logs.header_build import build_header
from leadline.logs.headers import LogHeader
from leadline.logs.intake import Intake
from leadline.logs.lines import require_gatherable
from leadline.logs.readers.base import Format
from leadline.logs.recording.rows import item_content
from leadline.logs.recording.scan import Key, Scan, results, scan
from leadline.logs.recording.shapes import FORMAT as NAME
from leadline.logs.recording.shapes import Result, Surroundings
from leadline.logs.request import Request
from leadline.logs.shapes import NO_JSON, Json, Sample, Score
from leadline.logs.source import Source

_BEGINNING: Final = b'{"row":{"recording":{'


def recognise(source: Source) -> bool:
    """Whether the file begins like a recording's first line."""
    return source.head.startswith(_BEGINNING)


def read(source: Source, sha256: str, request: Request, columns: Columns, ledger: Ledger) -> LogHeader:
    """Read one recording into the columns and return its header; there is no cheaper tier than its rows."""
    try:
        return _read(source, sha256, request, columns, ledger)
    except RecursionError as error:
        raise LogError(
            "a row is nested too deeply", where=str(source.path), remedy="record flat tables as metadata"
        ) from error


def _read(source: Source, sha256: str, request: Request, columns: Columns, ledger: Ledger) -> LogHeader:
    require_gatherable(source, request.limits, "a recording")
    found = scan(source)
    header = build_header(_document(found), source, sha256=sha256, format=NAME)
    ledger.notes += _notes(found)
    if request.tier == "header":
        return replace(header, samples_read=len(found.rows))
    ledger.tier = "sample"
    intake = Intake(header, columns, ledger)
    waiting: dict[Key, _Gathered] = {}
    for result in results(source):
        key = result.sample_id, result.epoch
        gathered = waiting.get(key) or waiting.setdefault(key, _Gathered(found.rows[key]))
        if gathered.add(result):
            intake.replaced([key])
        if gathered.complete:
            whole = waiting.pop(key)
            if (why := whole.contentless) is not None:
                intake.without_content(result.sample_id, why)
            intake.add_sample(whole.sample())
    return intake.finished()


class _Gathered:
    """The results of one sample and epoch while they come in."""

    __slots__ = ("_left", "_results")

    def __init__(self, rows: int) -> None:
        self._left = rows
        self._results: dict[str, Result] = {}

    @property
    def complete(self) -> bool:
        """Whether the last of them has come."""
        return self._left == 0

    def add(self, result: Result) -> bool:
        """Take one; True when it stands in the place of an earlier one of the same score."""
        again = self._results.pop(result.score, None) is not None
        self._results[result.score] = result
        self._left -= 1
        return again

    @property
    def contentless(self) -> str | None:
        """Why there is no content to digest, where there is none."""
        contents = {item_content(one.input, one.item) for one in self._results.values()} - {None}
        if not contents:
            return "neither its input nor its item was recorded"
        targets = {encode(one.target) for one in self._results.values() if one.target is not None}
        choices = {encode(one.choices) for one in self._results.values() if one.choices is not None}
        if len(contents) > 1 or len(targets) > 1 or len(choices) > 1:
            return "it was recorded with several contents"
        return None

    def sample(self) -> Sample:
        """The sample with all its scores; what several of them say of it is taken from the first that does."""
        first, *_ = results = [*self._results.values()]
        content = next(
            (said for one in results if (said := item_content(one.input, one.item)) is not None), ""
        )
        return Sample(
            id=first.sample_id,
            epoch=first.epoch,
            input=content,
            target=next((one.target for one in results if one.target is not None), ""),
            choices=next((one.choices for one in results if one.choices is not None), None),
            scores={one.score: _score(one) for one in results},
            metadata=_merged(results),
            error=next((one.error for one in results if one.error is not None), None),
            started_at=min(one.started for one in results),
            completed_at=max(one.at for one in results),
        )


def _score(result: Result) -> Score:
    value = math.nan if result.value is None else result.value
    return Score(value, result.answer, result.explanation, result.reason, result.metadata)


def _merged(results: list[Result]) -> Raw:
    """The sample's metadata: every entry of its results', of several with one name the first; the seed among them."""
    if len(results) == 1 and results[0].seed is None:
        return results[0].metadata
    merged: Json = {}
    for result in results:
        seed = {} if result.seed is None else {"seed": result.seed}
        merged = seed | parsed_object(result.metadata) | merged
    return Raw(encode(merged)) if merged else NO_JSON


def _document(found: Scan) -> Json:
    """The head and what was counted, in the form of a log's header."""
    head, around = found.head, found.head.surroundings
    scorers = [
        {"name": name} | ({"options": head.scorers[name]} if name in head.scorers else {})
        for name in found.scores
    ]
    spec = {
        "eval_id": head.id,
        "task": head.task,
        "task_version": head.task_version,
        "task_args": head.task_args,
        "model": head.model,
        "model_args": head.model_args,
        "model_generate_config": _generate(found),
        "created": head.created,
        "dataset": {
            "samples": len({name for name, _ in found.rows}),
            "sample_ids": list(dict.fromkeys(name for name, _ in found.rows)),
        },
        "config": {"epochs": max((epoch for _, epoch in found.rows), default=1)},
        "scorers": scorers,
        "metadata": head.metadata,
        "packages": around.packages | {"python": around.python},
        "revision": _revision(around),
    }
    ended = None if found.end is None else found.end.at
    return {
        "version": head.version,
        "status": "started" if found.end is None else found.end.status,
        "eval": spec,
        "stats": {"started_at": head.created, "completed_at": ended},
        "config_updates": _changes(found),
    }


def _generate(found: Scan) -> Json:
    """The settings that were declared, and the seed where every result names the same one."""
    said = [seed for seed in found.seeds if seed is not None]
    return ({"seed": said[0]} if len(found.seeds) == len(said) == 1 else {}) | found.head.generate


def _changes(found: Scan) -> list[Json]:
    """What was not as the head says: seeds of results, and the surroundings of later segments."""
    changes: list[Json] = []
    declared = found.head.generate.get("seed")
    if declared is not None and set(found.seeds) - {None, declared}:
        changes.append({"seed": "results name another seed than the one declared"})
    before = found.head.surroundings
    for segment in found.segments:
        now = segment.surroundings
        shared = before.packages.keys() & now.packages.keys()
        same_packages = all(before.packages[name] == now.packages[name] for name in shared)
        if not same_packages or (before.python, before.platform, before.git) != (
            now.python,
            now.platform,
            now.git,
        ):
            changes.append({"at": segment.at, "surroundings": "other than when the recording began"})
    return changes


def _revision(around: Surroundings) -> Json | None:
    git = around.git
    if git is None:
        return None
    return {"type": "git", "origin": git.remote, "commit": git.commit, "dirty": git.dirty}


def _notes(found: Scan) -> list[str]:
    notes = [f"an exception ended the block that recorded: {pause.error}" for pause in found.pauses[:5]]
    notes += [
        f"opened again after {one.results:,} results"
        + (f"; {one.torn:,} bytes of a torn line cut off" * bool(one.torn))
        for one in found.segments[:5]
    ]
    if found.torn:
        notes.append(
            f"the last line is torn: {found.torn:,} bytes of a row that was never acknowledged are not read"
        )
    if found.end is None:
        notes.append("the recording was not finished")
    return notes


FORMAT: Final = Format(NAME, recognise, read)
