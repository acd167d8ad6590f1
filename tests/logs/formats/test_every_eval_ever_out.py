"""Records of Every Eval Ever that are written: computed from samples, bound by checksum, read back as they were."""

import json
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from leadline.errors import InputError
from leadline.logs import read_logs, recomputed
from leadline.logs.writers.every_eval_ever import Record, Source, every_eval_ever
from logs.factory import sample, write_eval
from logs.formats.written import instances, lm_rows, write_record, write_run

NOW = datetime(2026, 4, 1, tzinfo=UTC)
LAB = Source("Lab", "third_party")


def written(record: Record, folder: Path) -> Path:
    """Written."""
    for path, content in ((record.path, record.aggregate), (record.instances_path, record.instances)):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    return folder


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    """What is written is read back."""
    table = read_logs(write_run(tmp_path / "run", {"t": lm_rows("t", 6, ("a", "b"), right=[1, 2])}))
    (record,) = every_eval_ever(table, LAB, retrieved=NOW)
    again = read_logs(written(record, tmp_path / "out"))
    names = ["sample_id", "epoch", "value", "answer", "input", "target"]
    assert again.to_arrow(decoded=True).select(names).sort_by([("sample_id", "ascending"), ("value", "ascending")]).to_pylist() == (
        table.to_arrow(decoded=True).select(names).sort_by([("sample_id", "ascending"), ("value", "ascending")]).to_pylist()
    )  # fmt: skip
    assert again.headers[0].model == "lab/small"
    assert again.headers[0].begun == table.headers[0].begun.replace(microsecond=0)
    assert {row.metric for row in recomputed(again)} == {"mean", "stderr"}
    assert all(row.consistent for row in recomputed(again))


def test_the_checksum_and_the_count_are_of_the_instances(tmp_path: Path) -> None:
    """The checksum and the count are of the instances."""
    (record,) = every_eval_ever(read_logs(write_run(tmp_path, {"t": lm_rows("t", 5)})), LAB, retrieved=NOW)
    detailed = json.loads(record.aggregate)["detailed_evaluation_results"]
    assert detailed["checksum"] == sha256(record.instances).hexdigest()
    assert (detailed["total_rows"], detailed["file_path"]) == (5, record.instances_path)


def test_what_has_no_value_is_counted_and_epochs_are_averaged(tmp_path: Path) -> None:
    """What has no value is counted and epochs are averaged."""
    rows = [
        sample(1, "C"),
        sample(1, "I", epoch=2),
        sample(2, "C"),
        sample(2, float("nan"), epoch=2),
        sample(3, None, error="boom"),
    ]
    table = read_logs(write_eval(tmp_path / "a.eval", samples=rows))
    (record,) = every_eval_ever(table, LAB, retrieved=NOW)
    told = json.loads(record.aggregate)
    (result,) = told["evaluation_results"]
    assert result["score_details"]["score"] == 0.75
    assert result["score_details"]["uncertainty"]["num_samples"] == 2
    assert told["detailed_evaluation_results"]["total_rows"] == 3
    assert told["detailed_evaluation_results"]["additional_details"] == {"results_without_a_value": "2"}
    assert told["eval_library"]["name"] == "inspect_ai"


def shape(value: Any, path: str = "") -> set[tuple[str, str]]:
    """Every place in a document with the kind of value there; places of a list are one place."""
    if isinstance(value, dict):
        return {place for key, part in value.items() for place in shape(part, f"{path}/{key}")}
    if isinstance(value, list):
        return {place for part in value for place in shape(part, f"{path}/*")}
    return {
        (
            path,
            "number"
            if isinstance(value, int | float) and not isinstance(value, bool)
            else type(value).__name__,
        )
    }


def test_records_have_the_shape_of_published_ones(shared_data: Path, tmp_path: Path) -> None:
    """No place of ours that a published record has too holds another kind of value; what they all have, ours have."""
    folder = shared_data / "logs" / "every_eval_ever" / "evaleval+every_eval_ever"
    (record,) = every_eval_ever(read_logs(write_run(tmp_path, {"t": lm_rows("t", 5)})), LAB, retrieved=NOW)
    for name, ours in (
        ("f3a1c0de*0.json", record.aggregate),
        ("*_samples.jsonl", record.instances.splitlines()[0]),
    ):
        (published,) = folder.glob(name)
        theirs, mine = json.loads(published.read_text()), json.loads(ours)
        optional = {"sample_hash", "token_usage"}
        assert theirs.keys() - optional <= mine.keys()
        kinds: dict[str, set[str]] = {}
        for place, kind in shape(theirs):
            kinds.setdefault(place, set()).add(kind)
        assert [
            (place, kind) for place, kind in shape(mine) if place in kinds and kind not in kinds[place]
        ] == []


def test_aggregates_and_tables_without_inputs_give_no_record(tmp_path: Path) -> None:
    """Aggregates and tables without inputs give no record."""
    write_record(tmp_path, instances())
    with pytest.raises(InputError, match="no inputs"):
        every_eval_ever(read_logs(tmp_path, tier="summary"), LAB, retrieved=NOW)
    (tmp_path / "r_samples.jsonl").unlink()
    with pytest.raises(InputError, match="nothing to record"):
        every_eval_ever(read_logs(tmp_path), LAB, retrieved=NOW)


def test_names_of_models_lead_nowhere_else(tmp_path: Path) -> None:
    """Names of models lead nowhere else."""
    table = read_logs(write_run(tmp_path, {"t": lm_rows("t", 3)}, model="../../etc/passwd"))
    (record,) = every_eval_ever(table, Source("Lab", name="../x"), retrieved=NOW)
    assert ".." not in record.path.split("/")
    assert record.path.startswith("data/")
    assert record.path.count("/") == 4
