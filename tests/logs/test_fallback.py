"""Logs of another shape go to Inspect's own reader, and the account says so."""

import json
import sys
from pathlib import Path

import pytest

from leadline.errors import LogError
from leadline.logs import read_logs
from logs.factory import archive, sample, summary, write_eval


def odd_log(path: Path) -> Path:
    """A log whose sample has a form only Inspect knows: an epoch written as text."""
    plain = write_eval(path, samples=[sample(1, "C"), sample(2, {"m": {"value": "I", "answer": "x"}})])
    from leadline.logs.container import Archive
    from leadline.logs.source import opened

    with opened(plain) as source:
        found = Archive(source)
        members = {name: json.loads(found.read(name)) for name in found.members}
    members["samples/1_epoch_1.json"]["epoch"] = "1"
    return archive(path, members.items())


def test_inspect_reads_what_this_reader_does_not_know(tmp_path: Path) -> None:
    """An unknown shape is read by Inspect, with a count and the reason; rows are taken once."""
    table = read_logs(odd_log(tmp_path / "a.eval"))
    assert table.to_arrow().select(["sample_id", "value", "answer"]).to_pylist() == [
        {"sample_id": "1", "value": 1.0, "answer": None}, {"sample_id": "2", "value": 0.0, "answer": "x"},
    ]  # fmt: skip
    ((log, fallback),) = table.accounting.fallbacks
    assert (log, fallback.decoder, fallback.count) == ("a.eval", "inspect", 1)
    assert "epoch" in fallback.reason
    assert table.accounting.kept == 2
    assert table.headers[0].dataset_sha256 is not None


def test_without_inspect_the_error_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where Inspect is missing, the log is unreadable and the remedy is the extra."""
    write_eval(tmp_path / "b.eval", samples=[sample(1)])
    odd_log(tmp_path / "a.eval")
    monkeypatch.setitem(sys.modules, "inspect_ai", None)
    (skipped,) = read_logs(tmp_path).accounting.skipped
    assert skipped.kind == "unreadable"
    assert "Inspect" in skipped.reason


def test_what_inspect_cannot_read_either_is_an_error(tmp_path: Path) -> None:
    """A shape that nobody knows is an error that carries Inspect's own words."""
    path = write_eval(tmp_path / "a.eval", samples=[sample(1)], eval_fields={"model": None})
    with pytest.raises(LogError, match="Inspect cannot read it either"):
        read_logs(path)


def test_damage_does_not_go_to_inspect(tmp_path: Path) -> None:
    """A damaged member is refused at once: another reader would not make it whole."""
    members = [("header.json", b"{"), ("summaries.json", [summary(sample(1))])]
    with pytest.raises(LogError, match=r"header\.json"):
        read_logs(archive(tmp_path / "a.eval", members))


def test_unknown_versions_are_not_guessed_at(tmp_path: Path) -> None:
    """A future version is left to Inspect; the version that test logs carry is read."""
    assert (
        read_logs(write_eval(tmp_path / "a.eval", samples=[sample(1)], version=3)).accounting.fallbacks == ()
    )
    table = read_logs(write_eval(tmp_path / "b.eval", samples=[sample(1)], version=4))
    assert [f.reason for _, f in table.accounting.fallbacks] == [
        "has a shape this reader does not know: version 4"
    ]
