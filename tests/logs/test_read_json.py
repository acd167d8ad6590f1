"""`.json` logs, with the forms that old ones have."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
from inspect_ai.log import read_eval_log

from leadline.errors import LogError
from leadline.logs import read_logs, recomputed
from logs.factory import sample


def document(samples: list[dict[str, Any]], **fields: Any) -> dict[str, Any]:
    """A minimal `.json` log."""
    return {
        "version": 2,
        "status": "success",
        "eval": {
            "run_id": "run", "task_id": "task", "created": "2024-05-05T07:59:35-04:00", "task": "t", "model": "m",
            "dataset": {"samples": len(samples)}, "config": {}, "task_args": {"x": 1},
        },
        "plan": {"steps": [{"solver": "s", "params": {"p": 1}}]},
        "results": {"total_samples": len(samples), "completed_samples": len(samples)},
        "stats": {"started_at": "2024-05-05T07:59:35-04:00", "completed_at": ""},
        "samples": samples,
    } | fields  # fmt: skip


def write(path: Path, log: Any, indent: int | None = 2) -> Path:
    """Write a log as Inspect wrote old ones, indented."""
    path.write_text(json.dumps(log, indent=indent), "utf-8")
    return path


def test_rows_and_order(tmp_path: Path) -> None:
    """Samples of a `.json` log are read in the same order and form as those of an `.eval` log."""
    path = write(tmp_path / "a.json", document([sample(2, "I", metadata={"a": [1]}), sample(1, "C")]))
    table = read_logs(path)
    assert [(r["sample_id"], r["value"], r["metadata"]) for r in table.to_arrow().to_pylist()] == [
        ("1", 1.0, "{}"), ("2", 0.0, '{"a":[1]}'),
    ]  # fmt: skip
    assert table.headers[0].format == "inspect-json"
    assert table.accounting.logs[0].tier == "sample"


def test_missing_eval_id_is_derived_as_inspect_derives_it(tmp_path: Path) -> None:
    """Old logs get the identity that Inspect gives them, with the time of creation in UTC."""
    path = write(tmp_path / "a.json", document([sample(1)]))
    assert read_logs(path).headers[0].eval_id == read_eval_log(str(path)).eval.eval_id


def test_single_unnamed_score(tmp_path: Path) -> None:
    """A sample's `score` and the results' `scorer` and `metrics` become a named score and its claims."""
    row = sample(1, None) | {"score": {"value": "C", "answer": "x"}}
    results = {
        "scorer": {"name": "includes", "params": {}},
        "metrics": {"accuracy": {"name": "accuracy", "value": 1.0, "options": {}}},
    }
    path = write(tmp_path / "a.json", document([row], results=results | {"total_samples": 1}))
    table = read_logs(path)
    assert table.to_arrow().select(["score", "value", "answer"]).to_pylist() == [
        {"score": "includes", "value": 1.0, "answer": "x"}
    ]
    assert list(read_eval_log(str(path)).samples[0].scores) == ["includes"]
    (claim,) = recomputed(table)
    assert (claim.score, claim.metric, claim.reported, claim.consistent) == (
        "includes",
        "accuracy",
        1.0,
        True,
    )


def test_old_fields(tmp_path: Path) -> None:
    """`max_messages`, `sandbox` pairs and missing `..._passed` take their new forms."""
    log = document([sample(1)])
    log["eval"] |= {"config": {"max_messages": 7}, "sandbox": ["docker", "c.yaml"]}
    header = read_logs(write(tmp_path / "a.json", log)).headers[0]
    assert header.config == {"message_limit": 7}
    assert header.sandbox == {"type": "docker", "config": "c.yaml"}
    assert header.task_args_passed == {"x": 1}
    assert header.steps[0]["params_passed"] == {"p": 1}
    assert header.completed_at is None


def test_old_transcript_holds_the_attachments(tmp_path: Path) -> None:
    """Attachments of old logs lie in `transcript.content`, referred to as `tc://`."""
    old = sample(1, input="tc://abc") | {"transcript": {"events": [], "content": {"abc": "long text"}}}
    new = sample(1, input="long text")
    digests = {
        read_logs(write(tmp_path / f"{n}.json", document([s], status=n))).headers[0].dataset_sha256
        for n, s in (("success", old), ("error", new))
    }
    assert len(digests) == 1
    assert None not in digests


def test_nan_in_a_json_log(tmp_path: Path) -> None:
    """A bare NaN anywhere makes the whole document take the slower decoder, once, and nothing is lost."""
    path = write(
        tmp_path / "a.json",
        document(
            [
                sample(1, {"m": {"value": math.nan, "history": [{"value": 1}], "metadata": {"k": 1}}}),
                sample(2),
            ],
            stats={"x": math.nan},
        ),
    )
    table = read_logs(path)
    assert table.to_arrow()["value_json"].to_pylist() == ["NaN", '"C"']
    assert table.to_arrow()["score_metadata"].to_pylist() == ['{"k":1}', None]
    assert table.to_arrow()["score_edits"].to_pylist() == [1, 0]
    assert [f.count for f in table.accounting.logs[0].fallbacks] == [1]


def test_duplicates_and_collisions(tmp_path: Path) -> None:
    """A repeated sample counts once, the last one; ids 1 and "1" together are refused."""
    table = read_logs(write(tmp_path / "a.json", document([sample(1, "I"), sample(1, "C")])))
    assert table.to_arrow()["value"].to_pylist() == [1.0]
    assert table.accounting.left_out == {"replaced by a later run of the same sample": 1}
    with pytest.raises(LogError, match="cannot tell them apart"):
        read_logs(write(tmp_path / "b.json", document([sample(1), sample("1")])))


def test_higher_versions_are_left_to_inspect(tmp_path: Path) -> None:
    """A version this reader does not know goes to Inspect's, which refuses it too."""
    with pytest.raises(LogError, match="version 9"):
        read_logs(write(tmp_path / "a.json", document([sample(1)], version=9)))


@pytest.mark.parametrize("keep", [0.3, 0.9, 0.999])
def test_half_written_log(tmp_path: Path, keep: float) -> None:
    """A cut `.json` log is a broken log, not a file of another kind."""
    path = write(tmp_path / "a.json", document([sample(i) for i in range(40)]))
    text = path.read_text()
    path.write_text(text[: int(len(text) * keep)])
    with pytest.raises(LogError, match="JSON"):
        read_logs(path)


def test_a_document_too_large_is_not_opened(tmp_path: Path) -> None:
    """JSON has to be read whole, so its size is bounded."""
    from leadline.logs import Limits

    path = write(tmp_path / "a.json", document([sample(1)]))
    with pytest.raises(LogError, match="refused"):
        read_logs(path, limits=Limits(document=100))
