"""Every Eval Ever: aggregates are claims; instances are samples once their record is found."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from leadline.errors import InputError, LogError
from leadline.logs import read_logs, recomputed
from leadline.verdict import compare
from logs.formats.written import instances, write_lines, write_record


@pytest.mark.parametrize("version", ["0.2.0", "0.2.2", "0.3.0"])
def test_instances_are_completed_by_their_record(tmp_path: Path, version: str) -> None:
    """Instances are completed by their record."""
    table = read_logs(write_record(tmp_path, instances(version=version), version=version))
    (header,) = table.headers
    assert (header.format, header.task, header.model) == ("every-eval-ever", "bench", "org/model")
    assert header.begun == datetime(2026, 3, 1, 10, tzinfo=UTC)
    assert header.packages == {"lab_eval": "1.2"}
    assert [(row.reported, row.recomputed, row.consistent) for row in recomputed(table)] == [
        (0.25, 0.25, True)
    ]
    row = table.to_arrow().slice(1, 1).to_pylist()[0]
    assert (row["sample_id"], row["value"], row["answer"], row["target"]) == ("s1", 1.0, "1", "1")
    assert (row["total_time"], json.loads(row["score_metadata"])) == (1.5, {"is_correct": True})
    assert json.loads(row["metadata"]) == {"subject": "sums"}
    assert [skip.kind for skip in table.accounting.skipped] == ["companion"]


def test_a_record_of_other_instances_is_named_and_binds_nothing(tmp_path: Path) -> None:
    """A record of other instances is named and binds nothing."""
    table = read_logs(write_record(tmp_path, instances(), checksum="0" * 64, total_rows=9))
    (header,) = table.headers
    assert header.dataset_sha256 is None
    assert header.dataset_problem == "the checksum in the aggregate record is of other instances"
    assert table.accounting.absent == 5
    notes = " ".join(table.accounting.logs[0].notes)
    assert "another checksum" in notes
    assert "9 rows and 4 are here" in notes


def test_an_aggregate_alone_is_background(tmp_path: Path) -> None:
    """An aggregate alone is background."""
    write_record(tmp_path / "a", instances())
    (tmp_path / "a" / "r_samples.jsonl").unlink()
    write_record(tmp_path / "b", instances())
    table = read_logs(tmp_path / "a")
    assert (len(table), [header.aggregate_only for header in table.headers]) == (0, [True])
    assert table.measured().headers == ()
    with pytest.raises(InputError, match="holds no samples"):
        compare(tmp_path / "a", tmp_path / "b")


def test_instances_alone_say_no_time(tmp_path: Path) -> None:
    """Instances alone say no time."""
    table = read_logs(write_lines(tmp_path / "i.jsonl", instances()))
    assert table.headers[0].begun is None
    assert "time of the run is not known" in str(table.accounting)


def test_several_evaluations_in_a_file_keep_their_samples_apart(tmp_path: Path) -> None:
    """Several evaluations in a file keep their samples apart."""
    table = read_logs(write_record(tmp_path, instances(2, names=("x", "y"))))
    assert sorted(set(table.to_arrow()["sample_id"].to_pylist())) == ["x/s0", "x/s1", "y/s0", "y/s1"]
    assert all(row.consistent for row in recomputed(table))


def test_a_result_that_comes_again_is_a_further_epoch(tmp_path: Path) -> None:
    """A result that comes again is a further epoch."""
    rows = instances(2)
    table = read_logs(write_lines(tmp_path / "i.jsonl", [*rows, *rows]))
    assert sorted(zip(*(table.to_arrow()[name].to_pylist() for name in ("sample_id", "epoch")), strict=True)) == [
        ("s0", 1), ("s0", 2), ("s1", 1), ("s1", 2),
    ]  # fmt: skip
    assert "further epochs" in str(table.accounting)


def test_other_versions_models_and_shapes_are_refused(tmp_path: Path) -> None:
    """Other versions models and shapes are refused."""
    rows = instances(2)
    cases = [
        instances(version="9.0"),
        [rows[0], rows[1] | {"model_id": "other"}],
        [rows[0], rows[1] | {"evaluation": {}}],
        [rows[0], rows[1] | {"input": {"raw": 3}}],
        [rows[0], {"sample_id": "s1"}],
        [rows[0], rows[0] | {"input": {"raw": "other", "reference": []}, "evaluation_result_id": "b"}],
    ]
    for number, case in enumerate(cases):
        path = write_lines(tmp_path / f"{number}.jsonl", case)
        with pytest.raises(LogError) as caught:
            read_logs(path)
        assert caught.value.remedy()
