"""Real Inspect logs: every sample accounted for, every value equal to Inspect's own reader."""

import json
import math
from collections import defaultdict
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from inspect_ai.log import EvalLog, read_eval_log

from leadline.logs import LogHeader, SampleTable, read_logs, recomputed
from logs.peer.compare import Rows, compare_rows


@cache
def everything(folder: Path) -> SampleTable:
    """All logs, read once."""
    return read_logs(folder / "logs" / "inspect")


@cache
def theirs(path: str) -> EvalLog:
    """A log as Inspect reads it."""
    return read_eval_log(path)


@pytest.fixture(scope="module")
def table(shared_data: Path) -> SampleTable:
    """All real logs at the sample tier."""
    return everything(shared_data)


@pytest.fixture(scope="module")
def by_log(table: SampleTable) -> dict[str, Rows]:
    """Rows by file digest."""
    found: dict[str, Rows] = defaultdict(list)
    for row in table.to_arrow().to_pylist():
        found[row["sha256"]].append(row)
    return found


@pytest.fixture(scope="module")
def expected(shared_data: Path) -> dict[str, dict[str, Any]]:
    """What the collection's own description says, by file name within its folder."""
    logs: dict[str, dict[str, Any]] = json.loads(
        (shared_data / "logs" / "inspect" / "expected.json").read_text()
    )["logs"]
    return logs


def test_every_file_and_sample_is_accounted_for(
    table: SampleTable, expected: dict[str, dict[str, Any]]
) -> None:
    """57 logs, 768 samples: in the table, a copy, or the same evaluation in another file."""
    account = table.accounting
    copies = [skip for skip in account.skipped if skip.kind == "copy"]
    assert {Path(copy.path).name for copy in copies} == {"custom.eval", "ignore.json"}
    assert len(account.logs) + len(copies) == len(expected) == 57
    assert [Path(s.path).name for s in account.skipped if s.kind == "not a log"] == ["expected.json"]
    assert not [s for s in account.skipped if s.kind == "unreadable"]
    total = (
        account.kept
        + sum(account.left_out.values())
        + sum(expected[_key(c.path)]["samples_in_file"] for c in copies)
    )
    assert total == sum(log["samples_in_file"] for log in expected.values()) == 768
    for log in account.logs:
        assert log.read == expected[_key(log.path)]["samples_in_file"]


def test_no_fallback_and_no_mismatch(table: SampleTable) -> None:
    """None of them needs Inspect or a second decoding, and their summaries agree with their samples."""
    assert table.accounting.fallbacks == ()
    assert table.accounting.mismatches == ()


def test_values_are_inspects(table: SampleTable, by_log: dict[str, Rows]) -> None:
    """Every shared column of every sample equals what `read_eval_log` gives."""
    compared = sum(compare_rows(by_log[header.sha256], theirs(header.path)) for header in table.headers)
    assert compared == 765


def test_headers_are_inspects(table: SampleTable) -> None:
    """Every shared header field equals what `read_eval_log` gives."""
    for header in table.headers:
        log = theirs(header.path)
        spec = log.eval
        assert (header.eval_id, header.run_id, header.task, header.task_id) == (
            spec.eval_id,
            spec.run_id,
            spec.task,
            spec.task_id,
        )
        assert header.task_version == str(spec.task_version)
        assert (header.model, header.model_base_url, header.task_file) == (
            spec.model,
            spec.model_base_url,
            spec.task_file,
        )
        assert header.created == datetime.fromisoformat(spec.created)
        assert header.status == log.status
        assert header.packages == spec.packages
        assert (header.revision or {}).get("commit") == (spec.revision.commit if spec.revision else None)
        assert (header.dataset.name, header.dataset.samples) == (spec.dataset.name, spec.dataset.samples)
        if (
            header.dataset.sample_ids is not None
        ):  # where the header is silent, Inspect fills in the ids of the samples
            assert list(header.dataset.sample_ids) == list(spec.dataset.sample_ids or [])
        assert header.config.get("epochs") == spec.config.epochs
        assert header.config.get("message_limit") == spec.config.message_limit
        assert header.task_args == spec.task_args
        assert [step["solver"] for step in header.steps] == [step.solver for step in log.plan.steps]
        _compare_claims(header, log)


def _compare_claims(header: LogHeader, log: EvalLog) -> None:
    reported = {
        (s.name, key): m.value
        for s in (log.results.scores if log.results else [])
        for key, m in s.metrics.items()
    }
    assert {(claim.score, claim.metric): claim.value for claim in header.results} == reported
    if log.results:
        assert (header.total_samples or 0, header.completed_samples or 0) == (
            log.results.total_samples,
            log.results.completed_samples,
        )


def test_tiers_agree(shared_data: Path, table: SampleTable) -> None:
    """Summaries give the values, errors and identities that samples give, log by log."""
    low = read_logs(shared_data / "logs" / "inspect", tier="summary")
    names = ["sha256", "sample_id", "epoch", "score", "value", "value_json", "error"]
    assert low.to_arrow().select(names).to_pylist() == table.to_arrow().select(names).to_pylist()


def test_aggregates(table: SampleTable, expected: dict[str, dict[str, Any]]) -> None:
    """Where all samples are there the reported accuracy or mean is recomputed to 1e-9; elsewhere it is not claimed."""
    found = defaultdict(list)
    for entry in recomputed(table):
        found[entry.sha256].append(entry)
    complete = 0
    for header in table.headers:
        facts = expected[_key(header.path)]
        for entry in found[header.sha256]:
            if entry.metric not in ("accuracy", "mean", "stderr"):
                continue
            if facts["samples_complete"]:
                assert entry.consistent is True, entry
                assert entry.recomputed is not None
                assert math.isclose(entry.recomputed, entry.reported or 0.0, abs_tol=1e-9)
                complete += 1
            else:
                assert (entry.recomputed, entry.consistent) == (None, None)
                assert "cannot be recomputed" in (entry.reason or "")
    assert complete == 73


def test_one_dataset_has_one_digest(table: SampleTable) -> None:
    """The 21 runs of one benchmark, by five models in two conditions, have one dataset digest."""
    digests = {h.dataset_sha256 for h in table.headers if h.task.startswith("starsim")}
    assert len(digests) == 1
    assert None not in digests


def test_epochs_are_one_item(table: SampleTable, by_log: dict[str, Rows]) -> None:
    """Four epochs of one item are four rows of one sample id."""
    header = next(h for h in table.headers if h.path.endswith("gpqa-diamond_nbjF337MtumE8dao4wZ3vj.eval"))
    assert [row["epoch"] for row in by_log[header.sha256]] == [1, 2, 3, 4]
    assert len({row["sample_id"] for row in by_log[header.sha256]}) == len(header.item_digests) == 1


def _key(path: str) -> str:
    return "/".join(Path(path).parts[-2:])
