"""Headers: what conformance is checked against."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from leadline.errors import LogError
from leadline.logs import LogHeader, read_logs
from logs.factory import sample, write_eval


def header(path: Path) -> LogHeader:
    """The header of one log."""
    return read_logs(path, tier="header").headers[0]


def test_every_field_is_carried(tmp_path: Path) -> None:
    """The fields of the `eval` block, the plan, the statistics and the results arrive in their places."""
    path = write_eval(
        tmp_path / "a.eval", task="add", model="m/1", samples=[sample(1), sample(2)], created="2026-01-05T09:00:00+02:00",
        generate_config={"temperature": 0.5}, task_args={"n": 3}, task_version="2-B", run_id="r", eval_id="e",
        config={"limit": 2, "message_limit": 9}, packages={"inspect_ai": "0.3.285", "x": "1"}, metadata={"k": "v"}, tags=["t"],
        dataset={"name": "ds", "location": "ds.csv", "shuffled": True},
        eval_fields={"model_base_url": "http://x", "model_args": {"a": 1}, "model_roles": {"grader": {"model": "g"}},
                     "revision": {"type": "git", "origin": "o", "commit": "c", "dirty": True}, "eval_set_id": "set",
                     "solver": "s", "solver_args": {"q": 1}},
        header_fields={"stats": {"started_at": "2026-01-05T07:00:00Z", "completed_at": "2026-01-05T08:00:00+00:00",
                                 "model_usage": {"m/1": {"total_tokens": 5}}}, "error": {"message": "boom"}},
    )  # fmt: skip
    found = header(path)
    assert (found.task, found.task_version, found.model, found.eval_id, found.run_id) == (
        "add",
        "2-B",
        "m/1",
        "e",
        "r",
    )
    assert found.created == datetime(2026, 1, 5, 7, tzinfo=UTC)
    assert (found.started_at, found.completed_at) == (
        datetime(2026, 1, 5, 7, tzinfo=UTC),
        datetime(2026, 1, 5, 8, tzinfo=UTC),
    )
    assert found.generate_config == {"temperature": 0.5}
    assert found.config["message_limit"] == 9
    assert found.dataset.sample_ids == (1, 2)
    assert (found.dataset.name, found.dataset.location, found.dataset.samples, found.dataset.shuffled) == (
        "ds",
        "ds.csv",
        2,
        True,
    )
    assert (found.model_base_url, found.model_args, found.model_roles) == (
        "http://x",
        {"a": 1},
        {"grader": {"model": "g"}},
    )
    assert found.revision == {"type": "git", "origin": "o", "commit": "c", "dirty": True}
    assert (found.eval_set_id, found.solver, found.solver_args, found.packages["x"]) == (
        "set",
        "s",
        {"q": 1},
        "1",
    )
    assert [step["solver"] for step in found.steps] == ["generate"]
    assert (found.total_samples, found.completed_samples, found.samples_read) == (2, 2, 2)
    assert [(c.score, c.metric, c.value) for c in found.results] == [
        ("match", "accuracy", 1.0),
        ("match", "stderr", 0.0),
    ]
    assert found.model_usage == {"m/1": {"total_tokens": 5}}
    assert (found.error, found.size) == ("boom", path.stat().st_size)
    assert (found.metadata, found.tags) == ({"k": "v"}, ("t",))


def test_edits_are_shown_apart_from_what_was_run(tmp_path: Path) -> None:
    """Tags and metadata stay as run; the edited ones and the edits stand beside them."""
    edits = [{"type": "tags", "tags_add": ["new"], "tags_remove": ["old"]},
             {"type": "metadata", "metadata_set": {"k": 2}, "metadata_remove": ["gone"]}]  # fmt: skip
    path = write_eval(tmp_path / "a.eval", samples=[sample(1)], tags=["old"], metadata={"k": 1, "gone": 0},
                      header_fields={"log_updates": [{"edits": edits, "provenance": {"author": "x"}}]})  # fmt: skip
    found = header(path)
    assert (found.tags, found.metadata) == (("old",), {"k": 1, "gone": 0})
    assert (found.effective_tags, found.effective_metadata) == (("new",), {"k": 2})
    assert found.log_updates[0]["provenance"] == {"author": "x"}


def test_retunes_of_a_running_log_are_carried(tmp_path: Path) -> None:
    """Changes made during a run that never finished are found in its journal."""
    from logs.factory import archive

    spec = {
        "task": "t",
        "model": "m",
        "created": "2026-01-01T00:00:00",
        "dataset": {},
        "config": {"epochs": 2},
    }
    path = archive(tmp_path / "a.eval", [("_journal/start.json", {"version": 2, "eval": spec, "plan": {}}),
                                         ("_journal/config_updates/1.json", [{"max_samples": 3}])])  # fmt: skip
    found = header(path)
    assert found.config_updates == ({"max_samples": 3},)
    assert found.created == datetime(2026, 1, 1, tzinfo=UTC)
    assert found.epochs == 2
    assert len(found.eval_id) == 22


@pytest.mark.parametrize("fields", [{"task": 3}, {"created": "yesterday"}, {"model": None}])
def test_a_header_of_another_shape_is_refused(tmp_path: Path, fields: dict[str, object]) -> None:
    """A header without task, model or time is no header."""
    with pytest.raises(LogError):
        header(write_eval(tmp_path / "a.eval", samples=[sample(1)], eval_fields=fields))


def test_strange_optional_fields_do_not_stop_reading(tmp_path: Path) -> None:
    """Optional fields of the wrong type are read as absent."""
    path = write_eval(tmp_path / "a.eval", samples=[sample(1)], eval_fields={"packages": [], "tags": "x", "revision": 1, "solver": 2},
                      results={"total_samples": "many", "scores": [{"name": "m", "metrics": {"a": {"value": "high"}, "b": 3}}]})  # fmt: skip
    found = header(path)
    assert (found.packages, found.revision, found.solver, found.total_samples) == ({}, None, None, None)
    assert [(c.metric, c.value) for c in found.results] == [("a", None)]
