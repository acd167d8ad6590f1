"""Rows of Leadline beside samples of Inspect's own reader, value for value."""

import json
from collections import defaultdict
from datetime import datetime
from pathlib import Path
from typing import Any

from inspect_ai.log import EvalLog, read_eval_log

from leadline.logs import SampleTable, read_logs

Rows = list[dict[str, Any]]


def compare_file(path: Path, peer: Path | None = None) -> int:
    """Read one log with both (Inspect reads `peer` where it cannot read `path`); how many samples were compared."""
    table = read_logs(path)
    assert table.accounting.mismatches == ()
    assert not [fallback for _, fallback in table.accounting.fallbacks if fallback.decoder == "inspect"]
    theirs = read_eval_log(str(peer or path))
    compare_rows(table.to_arrow().to_pylist(), theirs)
    compare_summaries(table, path, theirs)
    return len(theirs.samples or [])


def compare_rows(rows: Rows, log: EvalLog) -> int:
    """Every column of every row equals what Inspect gives for its sample; how many rows were compared."""
    found = defaultdict(list)
    for row in rows:
        found[row["sample_id"], row["epoch"]].append(row)
    samples = log.samples or []
    assert set(found) == {(str(sample.id), sample.epoch) for sample in samples}
    for sample in samples:
        mine = found[str(sample.id), sample.epoch]
        assert {row["score"] for row in mine} == (set(sample.scores) if sample.scores else {None})
        for row in mine:
            compare_row(row, sample)
    return len(rows)


def compare_row(row: dict[str, Any], sample: Any) -> None:
    """Every column of one row."""
    score = (sample.scores or {}).get(row["score"])
    assert (row["score"] is None) == (not sample.scores)
    if score is not None:
        assert _text(json.loads(row["value_json"])) == _text(score.value)
        assert (row["answer"], row["explanation"]) == (score.answer, score.explanation)
        noted = None if row["score_metadata"] is None else json.loads(row["score_metadata"])
        assert _text(noted) == _text(score.metadata)
        assert row["score_edits"] == len(score.history)
        if row["unscored_reason"] is None:
            assert row["score_reason"] == score.reason
    assert row["uuid"] == sample.uuid
    assert row["error"] == (sample.error.message if sample.error else None)
    assert row["limit"] == (sample.limit.type if sample.limit else None)
    assert row["invalidated"] == (sample.invalidation is not None)
    assert row["retries"] == (None if sample.error_retries is None else len(sample.error_retries))
    assert (row["total_time"], row["working_time"]) == (sample.total_time, sample.working_time)
    for name in ("started_at", "completed_at"):
        moment = getattr(sample, name)
        assert row[name] == (datetime.fromisoformat(moment) if moment else None)
    assert _text(json.loads(row["metadata"] or "{}")) == _text(sample.metadata)
    assert row["target"] == (sample.target if isinstance(sample.target, str) else ",".join(sample.target))
    if isinstance(sample.input, str):
        assert row["input"] == sample.input
    else:
        assert all(message.text.strip() in row["input"] for message in sample.input)


def compare_summaries(table: SampleTable, path: Path, log: EvalLog) -> None:
    """What summaries answer is what whole samples answer, where the run was finished."""
    if log.status != "success" or log.invalidated:
        return
    names = ["sample_id", "epoch", "uuid", "score", "value", "value_json", "error", "limit", "total_time"]
    brief = read_logs(path, tier="summary")
    assert brief.to_arrow().select(names).to_pylist() == table.to_arrow().select(names).to_pylist()


def _text(value: Any) -> str:
    """Equal for equal values, NaN and the kinds of numbers included."""
    return json.dumps(value, sort_keys=True)
