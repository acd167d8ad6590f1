"""Leadline's own formats pass the tests it asks of others'."""

import json
from abc import abstractmethod
from pathlib import Path
from typing import ClassVar

import pytest

from leadline.logs.readers import FORMATS, every_eval_ever, inspect_eval, inspect_json, lm_eval, recording
from leadline.logs.readers.base import Format
from leadline.logs.testing import FormatConformance
from logs.factory import sample, write_eval
from logs.formats.written import STAMP, instances, lm_results, lm_rows, write_lines, write_record
from logs.recording.recorded import finished


class Written(FormatConformance):
    """Files are written before each test."""

    format: ClassVar[Format] = lm_eval.SAMPLES

    @pytest.fixture(autouse=True)
    def files_of_the_format(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Put the files in place."""
        monkeypatch.setattr(type(self), "files", self.write(tmp_path / "files"), raising=False)

    @abstractmethod
    def write(self, folder: Path) -> tuple[Path, ...]:
        """Files of the format in a new folder."""


class TestLmEvalSamples(Written):
    """A line per document and filter."""

    format = lm_eval.SAMPLES

    def write(self, folder: Path) -> tuple[Path, ...]:
        """One filter, two filters."""
        one = write_lines(folder / f"samples_t_{STAMP}.jsonl", lm_rows("t", 4, right=[1]))
        return one, write_lines(folder / "any.jsonl", lm_rows("u", 3, ("a", "b")))


class TestLmEvalResults(Written):
    """Aggregates of two tasks."""

    format = lm_eval.RESULTS

    def write(self, folder: Path) -> tuple[Path, ...]:
        """One results file."""
        folder.mkdir()
        path = folder / "results.json"
        path.write_text(json.dumps(lm_results({"t": lm_rows("t", 4), "u": lm_rows("u", 3)}), indent=1))
        return (path,)


class TestEveryEvalEverInstances(Written):
    """A line per sample and result."""

    format = every_eval_ever.INSTANCES

    def write(self, folder: Path) -> tuple[Path, ...]:
        """One evaluation, and two in a file."""
        one = write_lines(folder / "a.jsonl", instances(3))
        return one, write_lines(folder / "b.jsonl", instances(2, names=("x", "y")))


class TestEveryEvalEverAggregate(Written):
    """A record by itself."""

    format = every_eval_ever.AGGREGATE

    def write(self, folder: Path) -> tuple[Path, ...]:
        """The record of some instances."""
        return (write_record(folder, instances(3)) / "r.json",)


class TestInspectEval(Written):
    """Inspect's archive; damage to it is looked at closely elsewhere, and asking Inspect itself takes seconds."""

    format = inspect_eval.FORMAT
    mutations = 8

    def write(self, folder: Path) -> tuple[Path, ...]:
        """Two epochs and a sample without a score."""
        folder.mkdir()
        rows = [sample(1, "C"), sample(1, "I", epoch=2), sample(2, None, error="boom")]
        return (write_eval(folder / "a.eval", samples=rows),)


class TestInspectJson(Written):
    """Inspect's one document."""

    format = inspect_json.FORMAT
    mutations = 0

    def write(self, folder: Path) -> tuple[Path, ...]:
        """A header and one sample."""
        folder.mkdir()
        path = folder / "a.json"
        spec = {
            "task": "t",
            "model": "m",
            "created": "2026-01-05T09:00:00+00:00",
            "eval_id": "e",
            "run_id": "r",
        }
        log = {"version": 2, "status": "success", "eval": spec, "samples": [sample(1, "C")]}
        path.write_text(json.dumps(log))
        return (path,)


class TestRecording(Written):
    """Rows that are chained; damage to them is looked at closely elsewhere."""

    format = recording.FORMAT
    mutations = 8

    def write(self, folder: Path) -> tuple[Path, ...]:
        """A finished recording."""
        folder.mkdir()
        return (finished(folder / "a.jsonl"),)


def test_every_format_is_tried() -> None:
    """Every format is tried."""
    tried = {kind.format.name for kind in Written.__subclasses__()}
    assert tried == {form.name for form in FORMATS}
