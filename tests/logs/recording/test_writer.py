"""Recording: bounded, durable, one writer, honest when it goes on."""

import math
import os
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from leadline.errors import InputError, LogError, StateError, StoreError
from leadline.logs import SampleTable, read_logs
from leadline.logs.recording import dataset_sha256, writer
from leadline.logs.recording.rows import LONGEST_TEXT
from logs.recording.recorded import AROUND, DIRTY, finished, opened


def _rows(path: Path, *columns: str) -> list[tuple[Any, ...]]:
    table = read_logs(path, tier="sample", strict=True).to_arrow().select(columns)
    return [tuple(row.values()) for row in table.to_pylist()]


def test_what_was_recorded_is_read(tmp_path: Path) -> None:
    """Values, answers, errors, times and metadata come back; several scores of a sample are one sample."""
    one = opened(tmp_path / "r.jsonl")
    one.record(
        "a", "right", np.float32(0.5), input="q", target=["x", "y"], answer="x", metadata={"layer": 3}, head=1
    )
    one.record(7, "right", None, error=ValueError("no"), epoch=2)
    one.record("a", "loss", float("nan"), input="q", seed=5)
    one.record("b", "right", "C", reason="odd")
    one.finish()
    table = read_logs(tmp_path, tier="sample", columns=["metadata.layer", "metadata.seed"], strict=True)
    rows = table.to_arrow().select(
        ["sample_id", "epoch", "score", "value", "unscored_reason", "answer", "error"]
    )
    assert sorted(map(str, (tuple(row.values()) for row in rows.to_pylist()))) == sorted(
        map(
            str,
            [
                ("a", 1, "right", 0.5, None, "x", None),
                ("a", 1, "loss", None, "nan", None, None),
                ("7", 2, "right", None, "error", None, "ValueError: no"),
                ("b", 1, "right", 1.0, None, None, None),
            ],
        )
    )
    first = [row for row in table.to_arrow().to_pylist() if row["sample_id"] == "a"]
    assert {(row["metadata.layer"], row["metadata.seed"]) for row in first} == {(3, 5)}
    assert all(row["started_at"] < row["completed_at"] for row in table.to_arrow().to_pylist())
    assert table.accounting.read == table.accounting.kept == 3


def test_the_header_says_what_the_code_said_and_what_was_counted(tmp_path: Path) -> None:
    """Task, model, settings and stamps as declared; ids in their order, epochs, scorers and the shared seed as counted."""
    one = opened(tmp_path / "r.jsonl", task_version="3", task_args={"k": 1}, scorers={"s": {"p": 2}})
    for epoch in (1, 2):
        for name in ("z", "a"):
            one.record(name, "s", 1, epoch=epoch, seed=9)
    one.record("a", "t", 1, seed=9)
    one.finish()
    header = read_logs(tmp_path, strict=True).headers[0]
    assert (header.format, header.status, header.task, header.model) == (
        "recording",
        "success",
        "probe",
        "ladder/reef-1",
    )
    assert (header.task_version, header.task_args, header.generate_config) == ("3", {"k": 1}, {"seed": 9})
    assert header.dataset.sample_ids == ("z", "a")
    assert header.config == {"epochs": 2}
    assert header.scorers == ({"name": "s", "options": {"p": 2}}, {"name": "t"})
    assert header.metadata["leadline_arm"] == "a"
    assert header.packages["numpy"] == "2.1.0"
    assert header.begun < header.completed_at


def test_items_are_bound_by_text_or_by_digest(tmp_path: Path) -> None:
    """The digest promised beforehand is the one computed from the rows; without content there is none."""
    items = [
        {"sample_id": 1, "input": "q", "target": "t", "choices": ["t", "u"]},
        {"sample_id": 2, "item": {"pixels": [1, 2.5]}},
        {"sample_id": 3, "item": b"\x00\x01"},
    ]
    one = opened(tmp_path / "r.jsonl")
    for item in items:
        one.record(score="s", value=1, **item)
    one.finish()
    assert read_logs(tmp_path, strict=True).headers[0].dataset_sha256 == dataset_sha256(items)
    assert dataset_sha256(items[:2]) != dataset_sha256([items[0], {**items[1], "item": {"pixels": [1, 2]}}])
    bare = opened(tmp_path / "bare" / "r.jsonl")
    bare.record(1, "s", 1, input="q")
    bare.record(2, "s", 1)
    bare.finish()
    header = read_logs(tmp_path / "bare", strict=True).headers[0]
    assert header.dataset_sha256 is None
    assert "neither its input nor its item" in str(header.dataset_problem)
    assert _rows(tmp_path / "bare", "item_sha256")[1] == (None,)


def test_a_sample_recorded_with_two_contents_is_bound_by_none(tmp_path: Path) -> None:
    """What contradicts itself is not a data set."""
    one = opened(tmp_path / "r.jsonl")
    one.record(1, "s", 1, input="q")
    one.record(1, "t", 1, input="another")
    one.finish()
    assert read_logs(tmp_path, strict=True).headers[0].dataset_sha256 is None


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ({"sample_id": ""}, "sample_id"),
        ({"sample_id": "x" * 5000}, "characters"),
        ({"score": 3.5}, "score"),
        ({"score": "s" * 500}, "characters"),
        ({"value": None}, "no reason"),
        ({"value": math.inf}, "infinite"),
        ({"value": 2**60}, "beyond"),
        ({"value": "x" * (LONGEST_TEXT + 1)}, "characters"),
        ({"epoch": 0}, "epoch"),
        ({"epoch": True}, "epoch"),
        ({"answer": 3}, "not a text"),
        ({"answer": "x" * (LONGEST_TEXT + 1)}, "characters"),
        ({"input": "a", "item": 1}, "both"),
        ({"metadata": {"x": "y" * 70_000}}, "metadata"),
        ({"metadata": {"x": float("nan")}}, "finite"),
        ({"surprise": object()}, "no JSON value"),
        ({"answer": "\ud800"}, "canonical"),
        ({"seed": 1.5}, "seed"),
        ({"choices": ["x" * 190_000] * 6}, "bytes"),
    ],
)
def test_what_cannot_be_recorded_is_refused_and_leaves_no_trace(
    tmp_path: Path, arguments: dict[str, Any], why: str
) -> None:
    """Every refusal says why and what to do, and the next result is recorded as if nothing had been."""
    one = opened(path := tmp_path / "r.jsonl")
    size = path.stat().st_size
    with pytest.raises(InputError, match=why) as refused:
        one.record(**({"sample_id": 1, "score": "s", "value": 1} | arguments))
    assert refused.value.remedy()
    assert path.stat().st_size == size
    one.record(1, "s", 1)
    one.finish()
    assert _rows(path, "value") == [(1.0,)]


def test_a_result_is_recorded_once(tmp_path: Path) -> None:
    """The same score of the same sample and epoch is refused, in one call of many too."""
    one = opened(tmp_path / "r.jsonl")
    one.record(1, "s", 1)
    with pytest.raises(StateError, match="recorded already"):
        one.record("1", "s", 0)
    with pytest.raises(StateError, match="recorded already"):
        one.record_many([{"sample_id": 2, "score": "s", "value": 1}] * 2)
    one.record(1, "s", 0, epoch=2)
    assert one.results == 2


def test_tables_and_iterables_are_recorded_in_steps(tmp_path: Path) -> None:
    """Arrow tables and generators alike; an error names its row and keeps the steps before it."""
    one = opened(tmp_path / "r.jsonl")
    table = pa.table(
        {"sample_id": list(range(1000)), "score": ["s"] * 1000, "value": [0.5] * 1000, "layer": [2] * 1000}
    )
    assert one.record_many(table) == 1000
    assert one.record_many({"sample_id": i, "score": "t", "value": 1} for i in range(3)) == 3
    many = ({"sample_id": i, "score": "u", "value": object() if i == 600 else 1} for i in range(1000))
    with pytest.raises(InputError, match="row 600"):
        one.record_many(many)
    with pytest.raises(InputError, match="row 0 is no mapping"):
        one.record_many([{"sample": 1}])
    one.finish()
    assert one.results == 1000 + 3 + 512
    found = read_logs(tmp_path, columns=["metadata.layer"], strict=True).to_arrow()
    assert found.num_rows == one.results
    assert found["metadata.layer"].drop_null().unique().to_pylist() == [2]


def test_threads_record_together(tmp_path: Path) -> None:
    """Rows of many threads make one chain."""
    one = opened(tmp_path / "r.jsonl")

    def work(who: int) -> None:
        for number in range(50):
            one.record(f"{who}-{number}", "s", number)

    threads = [threading.Thread(target=work, args=(who,)) for who in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    one.finish()
    assert len(_rows(tmp_path / "r.jsonl", "value")) == 400


def test_a_second_writer_is_refused(tmp_path: Path) -> None:
    """While one has the file nobody else gets it, not even in the same process; afterwards somebody does."""
    one = opened(tmp_path / "r.jsonl")
    with pytest.raises(StateError, match="writing to this file"):
        opened(tmp_path / "r.jsonl")
    one.record(1, "s", 1)
    one.close()
    opened(tmp_path / "r.jsonl").close()


def test_a_forked_process_cannot_write_into_its_parents_chain(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker process that inherited the recording is told to hand its results back."""
    one = opened(tmp_path / "r.jsonl")
    monkeypatch.setattr(os, "getpid", lambda: -1)
    with pytest.raises(StateError, match="process that opened it"):
        one.record(1, "s", 1)


def test_going_on_is_a_segment_that_says_so(tmp_path: Path) -> None:
    """A torn line is cut off and told of; results before it stand, and are not recorded twice."""
    one = opened(path := tmp_path / "r.jsonl")
    one.record(1, "s", 1)
    one.close()
    with path.open("ab") as file:
        file.write(b'{"row":{"result":{"sam')
    again = opened(path)
    assert again.results == 1
    with pytest.raises(StateError, match="recorded already"):
        again.record(1, "s", 1)
    again.record(2, "s", 0)
    again.finish()
    table = read_logs(path, strict=True)
    assert sorted(table.to_arrow()["value"].to_pylist()) == [0.0, 1.0]
    assert table.headers[0].config_updates == ()
    assert any("opened again after 1 results; 22 bytes" in note for note in table.accounting.logs[0].notes)


def test_a_file_killed_in_its_first_line_begins_anew(tmp_path: Path) -> None:
    """Nothing was acknowledged, so nothing is lost."""
    path = tmp_path / "r.jsonl"
    path.write_bytes(b'{"row":{"recording":{"crea')
    one = opened(path)
    one.record(1, "s", 1)
    one.finish()
    assert len(_rows(path, "value")) == 1


def test_other_surroundings_of_a_segment_are_a_change_under_way(tmp_path: Path) -> None:
    """Going on with another commit or another version shows in the header."""
    for number, around in enumerate(({"git": DIRTY}, {"packages": {"numpy": "9.9"}}, {"python": "PyPy"})):
        path = tmp_path / f"{number}.jsonl"
        opened(path).close()
        import msgspec

        opened(path, surroundings=msgspec.structs.replace(AROUND, **around)).finish()
        assert len(read_logs(path, strict=True).headers[0].config_updates) == 1


def test_another_run_or_a_finished_one_is_not_gone_on_with(tmp_path: Path) -> None:
    """The error names what differs and what to do."""
    opened(path := tmp_path / "r.jsonl").close()
    with pytest.raises(StateError, match="another model"):
        opened(path, model="other")
    with pytest.raises(StateError, match="another metadata"):
        opened(path, metadata={"leadline_attempt": "cd" * 32})
    done = finished(tmp_path / "done.jsonl")
    before = done.read_bytes()
    with pytest.raises(StateError, match="finished, with 4 results"):
        opened(done)
    assert done.read_bytes() == before


def test_a_damaged_recording_is_not_gone_on_with(tmp_path: Path) -> None:
    """A chain that breaks is refused, and the file left as it is."""
    one = opened(path := tmp_path / "r.jsonl")
    one.record(1, "s", 1)
    one.close()
    path.write_bytes(damaged := path.read_bytes().replace(b'"value":1', b'"value":2'))
    with pytest.raises(LogError, match="chain"):
        opened(path)
    assert path.read_bytes() == damaged


def test_a_full_disk_costs_the_row_and_nothing_else(tmp_path: Path) -> None:
    """Half a row is taken back; when there is room again recording goes on."""
    one = opened(path := tmp_path / "r.jsonl")
    one.record(1, "s", 1)
    file = one._file
    assert file is not None

    class Full:
        """A file that takes ten bytes and then no more."""

        def __init__(self) -> None:
            self.taken = 0

        def write(self, data: memoryview) -> int:
            if self.taken:
                raise OSError(28, "No space left on device")
            self.taken = file.write(data[:10])
            return self.taken

        def __getattr__(self, name: str) -> Any:
            return getattr(file, name)

    one._file = Full()  # type: ignore[assignment]
    with pytest.raises(StoreError, match="No space left"):
        one.record(2, "s", 1)
    one._file = file
    one.record(2, "s", 0)
    one.finish()
    assert sorted(_rows(path, "sample_id", "value")) == [("1", 1.0), ("2", 0.0)]


def test_rows_are_forced_to_the_disk_when_a_second_has_passed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not for every row, and not never."""
    forced: list[int] = []
    now = [0.0]
    monkeypatch.setattr(writer.os, "fsync", forced.append)
    monkeypatch.setattr(writer.time, "monotonic", lambda: now[0])
    one = opened(tmp_path / "r.jsonl")
    before = len(forced)
    for number in range(10):
        one.record(number, "s", 1)
    assert len(forced) == before
    now[0] = 1.5
    one.record("late", "s", 1)
    assert len(forced) == before + 1


def test_a_repeated_result_of_a_hand_made_chain_counts_once_and_is_told(tmp_path: Path) -> None:
    """The later one stands, as with any log, and the account names the other."""
    one = opened(path := tmp_path / "r.jsonl")
    one.record(1, "s", 1)
    one._seen.clear()
    one.record(1, "s", 0)
    one._seen.add(("filler", 1, "s"))
    one.finish()
    table: SampleTable = read_logs(path, strict=True)
    assert table.to_arrow()["value"].to_pylist() == [0.0]
    assert table.accounting.left_out == {"replaced by a later run of the same sample": 1}


def test_a_declared_seed_that_results_contradict_shows(tmp_path: Path) -> None:
    """What the head says of the seed is compared with the rows."""
    one = opened(path := tmp_path / "r.jsonl", generate={"seed": 1})
    one.record(1, "s", 1, seed=1)
    one.record(2, "s", 1, seed=2)
    one.finish()
    header = read_logs(path, strict=True).headers[0]
    assert header.generate_config == {"seed": 1}
    assert len(header.config_updates) == 1


def test_summaries_and_headers_of_a_recording_are_read_at_those_tiers(tmp_path: Path) -> None:
    """Cheaper tiers give the same values, or no rows at all."""
    path = finished(tmp_path / "r.jsonl")
    assert read_logs(path, tier="summary", strict=True).to_arrow().num_rows == 4
    only = read_logs(path, tier="header", strict=True)
    assert (only.to_arrow().num_rows, only.headers[0].samples_read) == (0, 3)
