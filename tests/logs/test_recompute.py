"""Aggregates are claims: recomputed from samples, or said to be beyond recomputing."""

import math
from pathlib import Path
from typing import Any

import pytest

from leadline.logs import read_logs, recomputed
from logs.factory import claimed, sample, write_eval


def claim(value: float, metric: str = "accuracy", score: str = "match", **fields: Any) -> dict[str, Any]:
    """Results with one claimed metric."""
    entry = {"name": metric, "value": value, "params": fields.pop("params", {})}
    return {"total_samples": fields.pop("total", None), "completed_samples": 0,
            "scores": [{"name": score, "scorer": score, "metrics": {metric: entry}} | fields]}  # fmt: skip


def one(path: Path) -> Any:
    """The only recomputed aggregate of a log."""
    (found,) = recomputed(read_logs(path))
    return found


def test_honest_logs_are_consistent(tmp_path: Path) -> None:
    """Accuracy and standard error of several scorers over epochs come out as reported, at both tiers."""
    rows = [sample(i, {"m": "CIPN"[(i + e) % 4], "n": i / 3}, epoch=e) for i in range(9) for e in (1, 2)]
    path = write_eval(tmp_path / "a.eval", samples=rows)
    for tier in ("summary", "sample"):
        found = recomputed(read_logs(path, tier=tier))
        assert [(f.score, f.metric, f.consistent, f.n) for f in found] == [
            ("m", "accuracy", True, 9), ("m", "stderr", True, 9), ("n", "accuracy", True, 9), ("n", "stderr", True, 9),
        ]  # fmt: skip


def test_an_edited_aggregate_is_caught(tmp_path: Path) -> None:
    """A claim that the samples do not bear out is inconsistent, and both numbers are given."""
    rows = [sample(i, "I" if i else "C") for i in range(4)]
    forged = claimed(rows)
    forged["scores"][0]["metrics"]["accuracy"]["value"] = 0.75
    table = read_logs(write_eval(tmp_path / "a.eval", samples=rows, results=forged))
    found = {f.metric: f for f in recomputed(table)}
    assert (found["accuracy"].reported, found["accuracy"].recomputed, found["accuracy"].consistent) == (
        0.75,
        0.25,
        False,
    )
    assert found["stderr"].consistent is True


def test_missing_samples_are_never_replaced_by_the_claim(tmp_path: Path) -> None:
    """Where samples are missing the answer is "cannot be recomputed", without a number."""
    found = one(write_eval(tmp_path / "a.eval", samples=[sample(1)], results=claim(0.9, total=80)))
    assert (found.recomputed, found.consistent) == (None, None)
    assert found.reason == "cannot be recomputed: the log claims 80 samples and holds 1"


@pytest.mark.parametrize(
    ("metric", "expected"),
    [("mean", 2.0), ("std", 1.0), ("var", 1.0), ("stderr", 1 / math.sqrt(3)), ("accuracy", 2.0)],
)
def test_metrics(tmp_path: Path, metric: str, expected: float) -> None:
    """Known metrics over values 1, 2, 3."""
    found = one(
        write_eval(
            tmp_path / "a.eval", samples=[sample(i, i) for i in (1, 2, 3)], results=claim(expected, metric)
        )
    )
    assert found.consistent is True
    assert found.recomputed == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(("reducer", "expected"), [(None, 2.0), ("mean", 2.0), ("median", 1.0), ("max", 4.0)])
def test_reducers(tmp_path: Path, reducer: str | None, expected: float) -> None:
    """Epochs are combined as the log says before the mean is taken."""
    rows = [sample(1, value, epoch=epoch) for epoch, value in enumerate((1, 1, 4), start=1)]
    found = one(
        write_eval(tmp_path / "a.eval", samples=rows, results=claim(expected, "mean", reducer=reducer))
    )
    assert (found.recomputed, found.n) == (expected, 1)


def test_unscored_values_leave_the_denominator_and_unknown_text_counts_zero(tmp_path: Path) -> None:
    """NaN is skipped and unknown text is 0, as Inspect's metrics have it."""
    rows = [sample(1, "C"), sample(2, math.nan), sample(3, "what"), sample(4, None)]
    found = one(write_eval(tmp_path / "a.eval", samples=rows, results=claim(0.5)))
    assert (found.recomputed, found.n, found.consistent) == (0.5, 2, True)


def test_scorers_that_give_an_object(tmp_path: Path) -> None:
    """A score named after a key of its scorer's values is recomputed from that key."""
    rows = [sample(i, {"rubric": {"value": {"clear": i, "true": "C"}}}) for i in (0, 1)]
    found = one(
        write_eval(
            tmp_path / "a.eval", samples=rows, results=claim(0.5, "mean", score="clear", scorer="rubric")
        )
    )
    assert (found.recomputed, found.consistent) == (0.5, True)


@pytest.mark.parametrize(
    ("results", "rows", "why"),
    [
        (claim(1, "f1"), [sample(1)], "metric 'f1'"),
        (claim(1, "stderr", params={"cluster": "topic"}), [sample(1)], "options of its own"),
        (claim(1, reducer="pass_at_2"), [sample(1)], "reducer 'pass_at_2'"),
        (claim(1, score="other"), [sample(1)], "no sample has a score"),
        (claim(1), [sample(1, {"match": {"value": [1, 2]}})], "lists or objects"),
    ],
)
def test_what_is_not_known_is_said(tmp_path: Path, results: Any, rows: Any, why: str) -> None:
    """Unknown metrics, options, reducers, scores and values have a reason and no number."""
    found = one(write_eval(tmp_path / "a.eval", samples=rows, results=results))
    assert (found.recomputed, found.consistent) == (None, None)
    assert why in found.reason
