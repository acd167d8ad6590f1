"""lm-evaluation-harness: a document is one sample however many filters it has; two files are one log."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from leadline.errors import InputError, LogError
from leadline.logs import Limits, item_digest, read_logs, recomputed
from leadline.verdict import compare
from logs.formats.written import BEGUN, STAMP, lm_results, lm_rows, write_lines, write_run


def test_a_document_under_two_filters_is_one_sample_with_two_scores(tmp_path: Path) -> None:
    """A document under two filters is one sample with two scores."""
    table = read_logs(write_run(tmp_path, {"t": lm_rows("t", 6, ("strict", "loose"), right=[1, 2])}))
    assert (table.accounting.read, table.accounting.kept, len(table)) == (6, 6, 12)
    assert set(table.to_arrow()["score"].to_pylist()) == {"exact_match,strict", "exact_match,loose"}
    assert [row.n for row in recomputed(table)] == [6] * 4
    assert all(row.consistent for row in recomputed(table))


def test_settings_of_the_run_come_from_the_results_file(tmp_path: Path) -> None:
    """Settings of the run come from the results file."""
    (header,) = read_logs(write_run(tmp_path, {"t": lm_rows("t", 3)})).headers
    assert (header.format, header.task, header.model, header.task_version) == (
        "lm-eval",
        "t",
        "lab/small",
        "2.0",
    )
    assert header.begun == datetime.fromtimestamp(BEGUN, UTC)
    assert header.generate_config == {"stop_seqs": ["\n"], "temperature": 0.0, "max_tokens": 16}
    assert (header.task_args, header.model_args) == ({"num_fewshot": 3}, {"dtype": "float32"})
    assert header.config == {"limit": 10.0, "random_seed": 0, "chat_template_sha": "ab" * 32}
    assert (header.packages, header.revision) == ({"lm_eval": "0.4.13"}, None)
    (companion,) = header.companions
    assert (companion.format, Path(companion.path).name) == ("lm-eval-results", f"results_{STAMP}.json")


def test_items_are_bound_by_the_document_and_not_by_the_prompt(tmp_path: Path) -> None:
    """Items are bound by the document and not by the prompt."""
    rows = lm_rows("t", 2)
    (header,) = read_logs(write_run(tmp_path, {"t": rows})).headers
    content = json.dumps(rows[1]["doc"], sort_keys=True, separators=(",", ":"))
    assert header.item_digests["1"] == item_digest(1, content, "1")
    assert header.dataset_sha256 is not None


def test_a_document_changed_after_the_run_contradicts_its_hash(tmp_path: Path) -> None:
    """A document changed after the run contradicts its hash."""
    rows = lm_rows("t", 4)
    rows[2]["doc"]["question"] = "an easier one?"
    table = read_logs(write_run(tmp_path, {"t": rows}))
    (header,) = table.headers
    assert header.dataset_sha256 is None
    assert header.dataset_problem == "1 rows contradict their doc_hash"
    assert "1 rows contradict their doc_hash" in table.accounting.logs[0].notes


def test_two_models_on_one_task_keep_their_own_samples(tmp_path: Path) -> None:
    """Two models on one task share its hash and keep their own samples."""
    later = "2026-03-01T11-00-00.000001"
    write_run(tmp_path / "a", {"t": lm_rows("t", 4, right=[0])}, model="lab/a")
    write_run(
        tmp_path / "b", {"t": lm_rows("t", 4, right=[1, 2])}, model="lab/b", stamp=later, date=BEGUN + 3600
    )
    table = read_logs(tmp_path)
    assert {header.log: header.model for header in table.headers} == {
        f"samples_t_{STAMP}.jsonl": "lab/a",
        f"samples_t_{later}.jsonl": "lab/b",
    }
    assert all(row.consistent for row in recomputed(table))


def test_what_fits_two_runs_alike_is_joined_with_neither(tmp_path: Path) -> None:
    """What fits two runs alike is joined with neither."""
    rows = lm_rows("t", 4)
    write_lines(tmp_path / "renamed.jsonl", rows)
    for model in ("a", "b"):
        (tmp_path / f"{model}.json").write_text(
            json.dumps(lm_results({"t": rows}, model=model, date=len(model)))
        )
    table = read_logs(tmp_path)
    found = next(header for header in table.headers if not header.aggregate_only)
    assert (found.model, found.task, found.begun, found.companions) == ("", "", None, ())
    assert "not known" in str(table.accounting)


def test_file_names_do_not_matter_where_the_hash_binds(tmp_path: Path) -> None:
    """File names do not matter where the hash binds."""
    rows = lm_rows("t", 4)
    write_lines(tmp_path / "x" / "anything", rows)
    (tmp_path / "results").write_text(json.dumps(lm_results({"t": rows})))
    (header,) = read_logs(tmp_path).headers
    assert (header.log, header.task, header.model) == ("anything", "t", "lab/small")


def test_cut_samples_are_joined_by_name_and_called_incomplete(tmp_path: Path) -> None:
    """Cut samples are joined by name and called incomplete."""
    rows = lm_rows("t", 8)
    write_run(tmp_path, {"t": rows})
    write_lines(tmp_path / f"samples_t_{STAMP}.jsonl", rows[:5])
    table = read_logs(tmp_path)
    assert (table.accounting.kept, table.accounting.absent) == (5, 3)
    assert table.headers[0].dataset_sha256 is None
    assert all(row.consistent is None for row in recomputed(table))


def test_tasks_without_samples_are_logs_of_claims_and_never_data(tmp_path: Path) -> None:
    """Tasks without samples are logs of claims and never data."""
    write_run(tmp_path, {"t": lm_rows("t", 4), "u": lm_rows("u", 5)})
    (tmp_path / f"samples_u_{STAMP}.jsonl").unlink()
    table = read_logs(tmp_path)
    claims = [(row.recomputed, row.reason) for row in recomputed(table) if row.log.startswith("results")]
    assert claims == [(None, "cannot be recomputed: the log claims 5 samples and holds 0")] * 2
    assert [header.task for header in table.headers if header.aggregate_only] == ["u"]
    measured = table.measured()
    assert [header.task for header in measured.headers] == ["t"]
    assert ("aggregate", "u: results without samples, which are background") in {
        (skip.kind, skip.reason) for skip in measured.accounting.skipped
    }


def test_two_runs_are_compared_like_any_logs_and_reports_alone_are_not(tmp_path: Path) -> None:
    """Two runs are compared like any logs and reports alone are not."""
    a = write_run(tmp_path / "a", {"t": lm_rows("t", 40, right=range(30))}, model="lab/a")
    b = write_run(tmp_path / "b", {"t": lm_rows("t", 40, right=range(10))}, model="lab/b", date=BEGUN + 1)
    found = compare(a, b)
    assert found.estimate.value == pytest.approx(0.5)
    assert found.same_items is True
    with pytest.raises(InputError, match="holds no samples"):
        compare(a / f"results_{STAMP}.json", b)


def broken(rows: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Files of samples that nobody wrote as they are."""
    other = [dict(row) for row in rows]
    other[1] = {key: value for key, value in other[1].items() if key != "doc"}
    changed = [*rows, rows[0] | {"filter": "other", "doc": {"question": "another"}}]
    return [
        [*rows, rows[0]],
        other,
        changed,
        [rows[0] | {"doc_id": [1]}, *rows[1:]],
        [rows[0] | {"doc_id": True}],
    ]


@pytest.mark.parametrize("case", range(5))
def test_files_put_together_by_hand_are_refused(tmp_path: Path, case: int) -> None:
    """Files put together by hand are refused."""
    write_lines(tmp_path / "samples.jsonl", broken(lm_rows("t", 3))[case])
    with pytest.raises(LogError) as caught:
        read_logs(tmp_path)
    assert caught.value.remedy()


def test_sizes_are_bounded(tmp_path: Path) -> None:
    """Sizes are bounded."""
    write_run(tmp_path, {"t": lm_rows("t", 50)})
    for limits in (Limits(line=200), Limits(rows=49), Limits(document=1000)):
        with pytest.raises(LogError, match="refused"):
            read_logs(tmp_path / f"samples_t_{STAMP}.jsonl", limits=limits)


def test_the_header_tier_counts_documents_and_gives_no_rows(tmp_path: Path) -> None:
    """The header tier counts documents and gives no rows."""
    table = read_logs(write_run(tmp_path, {"t": lm_rows("t", 6, ("a", "b"))}), tier="header")
    assert (len(table), table.headers[0].samples_read) == (0, 6)


def test_reading_by_itself_and_after_a_copy_gives_the_same_log(tmp_path: Path) -> None:
    """Reading by itself and after a copy gives the same log."""
    one, two = write_run(tmp_path / "a", {"t": lm_rows("t", 3)}), tmp_path / "b"
    for number, path in enumerate(sorted(one.iterdir())):
        (two / str(number)).mkdir(parents=True)
        (two / str(number) / path.name).write_bytes(path.read_bytes())
    first, second = read_logs(one), read_logs(two)
    blank = {"path": "", "companions": ()}
    assert [replace(h, **blank) for h in first.headers] == [replace(h, **blank) for h in second.headers]
    assert first.to_arrow().equals(second.to_arrow())
