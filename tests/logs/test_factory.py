"""The factory's logs are what Inspect itself would accept."""

import time
from pathlib import Path
from typing import get_args

import pytest
from inspect_ai.log import read_eval_log, read_eval_log_sample_summaries

from logs.factory import Compression, sample, write_eval


@pytest.mark.parametrize("compression", get_args(Compression))
def test_inspect_reads_every_compression(tmp_path: Path, compression: Compression) -> None:
    """Inspect's reader accepts the log, whatever the compression."""
    rows = [
        sample(1, "C"),
        sample("two", {"a": 0.5, "b": {"value": "I", "answer": "x"}}, error="boom", limit="time"),
    ]
    log = read_eval_log(str(write_eval(tmp_path / "a.eval", samples=rows, compression=compression)))
    assert log.status == "success"
    assert [s.id for s in log.samples or []] == [1, "two"]
    assert log.samples[1].scores["b"].answer == "x"


def test_unfinished_log_is_a_started_one(tmp_path: Path) -> None:
    """Without a finish only the journal is written, and Inspect reads it as started."""
    path = write_eval(tmp_path / "a.eval", samples=[sample(1), sample(2)], finished=False)
    assert read_eval_log(str(path), header_only=True).status == "started"
    assert len(read_eval_log_sample_summaries(str(path))) == 2


def test_equal_arguments_give_equal_bytes(tmp_path: Path) -> None:
    """The writer is a function of its arguments and the file name."""
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        write_eval(tmp_path / folder / "x.eval", samples=[sample(1), sample(2, "I")])
    assert (tmp_path / "a" / "x.eval").read_bytes() == (tmp_path / "b" / "x.eval").read_bytes()


def test_different_names_are_different_evaluations(tmp_path: Path) -> None:
    """Two files get two evaluation ids unless a test says otherwise."""
    ids = {
        read_eval_log(str(write_eval(tmp_path / n, samples=[sample(1)])), header_only=True).eval.eval_id
        for n in ("a.eval", "b.eval")
    }
    assert len(ids) == 2


def test_a_small_log_takes_milliseconds(tmp_path: Path) -> None:
    """Thousands of logs can be written in a test: well below 20 ms of processor time each."""
    start = time.process_time()
    for number in range(20):
        write_eval(tmp_path / f"{number}.eval", samples=[sample(i, "CI"[i % 2]) for i in range(20)])
    assert (time.process_time() - start) / 20 < 0.02
