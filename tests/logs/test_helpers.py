"""Several processes read what one reads."""

import signal
from pathlib import Path
from typing import Any

import pytest

from leadline.errors import InputError, LogError
from leadline.logs import helpers, read, read_logs
from leadline.logs.request import compile_request
from logs.factory import sample, write_eval
from logs.test_cache import same


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """Logs of several sorts: plain, a copy, one of the same evaluation, NaN, damaged, no log at all."""
    folder = tmp_path / "logs"
    folder.mkdir()
    for number in range(4):
        rows = [sample(i, "CI"[i % 2], metadata={"k": i + number / 2}) for i in range(3)]
        write_eval(folder / f"{number}.eval", samples=rows)
    (folder / "copy.eval").write_bytes((folder / "0.eval").read_bytes())
    write_eval(folder / "nan.eval", samples=[sample(1, float("nan"))])
    write_eval(folder / "again.eval", eval_id="e", samples=[sample(1), sample(2)])
    write_eval(folder / "once.eval", eval_id="e", samples=[sample(1)])
    (folder / "cut.eval").write_bytes((folder / "1.eval").read_bytes()[:-30])
    (folder / "notes.txt").write_text("no log")
    return folder


@pytest.mark.parametrize("asked", [{}, {"tier": "summary"}, {"columns": ["value", "metadata.k"]}])
def test_the_result_is_the_same(logs: Path, asked: dict[str, Any]) -> None:
    """Rows in the same order, headers, and everything that was skipped, with the same words."""
    same(read_logs(logs, workers=1, **asked), read_logs(logs, workers=3, **asked))


def test_what_only_inspect_can_read_is_left_to_this_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A helper asks nobody else."""

    def asked(*_: Any, why: str, **__: Any) -> None:
        raise LogError(f"asked here: {why}")

    monkeypatch.setattr(read, "read_with_inspect", asked)
    write_eval(tmp_path / "new.eval", version=9, samples=[sample(1, "C")])
    write_eval(tmp_path / "old.eval", samples=[sample(1, "C")])
    same(read_logs(tmp_path, workers=1), found := read_logs(tmp_path, workers=2))
    assert "asked here" in found.accounting.skipped[0].reason


def test_errors_are_the_same(logs: Path) -> None:
    """The first file that cannot be read, whoever tried."""
    with pytest.raises(LogError) as one:
        read_logs(logs, strict=True, workers=1)
    with pytest.raises(LogError) as several:
        read_logs(logs, strict=True, workers=2)
    assert str(one.value) == str(several.value)


def test_helpers_that_are_killed_cost_nothing_but_time(logs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a killed helper was asked for is read here."""
    started = helpers._Helper._started

    def struck(self: Any) -> Any:
        process = started(self)
        process.send_signal(signal.SIGKILL)
        return process

    plain = read_logs(logs, workers=1)
    monkeypatch.setattr(helpers._Helper, "_started", struck)
    same(plain, read_logs(logs, workers=2))


def test_they_are_gone_afterwards(logs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also when reading stopped at an error."""
    made: list[Any] = []
    monkeypatch.setattr(helpers, "_Helper", lambda: made.append(_MADE()) or made[-1])
    with pytest.raises(LogError):
        read_logs(logs, strict=True, workers=2)
    processes = [helper._process for helper in made if helper._process is not None]
    assert processes
    assert all(process.poll() is not None for process in processes)


_MADE = helpers._Helper


def test_they_fill_the_cache(logs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And take from it."""
    monkeypatch.setenv("LEADLINE_HOME", str(tmp_path / "home"))
    plain = read_logs(logs)
    for _ in range(2):
        same(plain, read_logs(logs, workers=2, cache=tmp_path / "cache"))
    assert len(list((tmp_path / "cache").glob("*.columns"))) == 7


def test_how_many(logs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """None by itself for little; as many as processors for much; never more than files; a bound."""
    files = sorted(logs.glob("?.eval"))
    whole, brief = compile_request("sample"), compile_request("summary")
    monkeypatch.setattr(helpers.os, "sched_getaffinity", lambda _: {0, 1, 2}, raising=False)
    assert helpers.helpers_wanted(files, whole, None) == 1
    monkeypatch.setattr(helpers, "PAYS_FROM", 1)
    assert helpers.helpers_wanted(files, whole, None) == 3
    assert helpers.helpers_wanted(files, brief, None) == 1
    assert helpers.helpers_wanted(files, brief, 2) == 2
    assert helpers.helpers_wanted(files, whole, 9) == 4
    assert helpers.helpers_wanted(files[:1], whole, 9) == 1
    for wrong in (0, -1, 65):
        with pytest.raises(InputError, match="workers"):
            helpers.helpers_wanted(files, whole, wrong)
