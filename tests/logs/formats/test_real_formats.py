"""Files that other people's harnesses wrote, where they lie beside the checkout."""

from pathlib import Path

import pytest

from leadline.logs import read_logs, recomputed


def test_lm_eval_with_all_its_samples(shared_data: Path) -> None:
    """Lm eval with all its samples."""
    table = read_logs(shared_data / "logs" / "lm_eval" / "generated_lm_eval_0.4.13")
    found = {(row.score, row.metric): row for row in recomputed(table)}
    assert (found["acc,none", "mean"].recomputed, found["acc,none", "mean"].n) == (pytest.approx(0.265), 200)
    assert found["acc,none", "stderr"].recomputed == pytest.approx(0.03128528, abs=5e-9)
    assert found["acc_norm,none", "mean"].recomputed == pytest.approx(0.235)
    assert found["acc_norm,none", "stderr"].recomputed == pytest.approx(0.03005648, abs=5e-9)
    for chosen in ("strict-match", "flexible-extract"):
        assert (
            found[f"exact_match,{chosen}", "mean"].recomputed,
            found[f"exact_match,{chosen}", "mean"].n,
        ) == (0, 200)
    assert all(row.consistent for row in found.values())
    assert {header.task: header.samples_read for header in table.headers} == {"toy_gen": 200, "toy_mc": 200}
    assert all(header.dataset_sha256 and header.dataset_problem is None for header in table.headers)


def test_lm_eval_with_ten_of_five_thousand(shared_data: Path) -> None:
    """Lm eval with ten of five thousand."""
    table = read_logs(shared_data / "logs" / "lm_eval" / "evaleval+every_eval_ever")
    assert (table.accounting.kept, table.accounting.absent) == (10, 9_990)
    assert {row.consistent for row in recomputed(table)} == {None}
    assert {(h.task, h.aggregate_only) for h in table.headers} == {
        ("math_perturbed_full", False),
        ("math_rephrased_full", True),
    }
    claims = {row.metric: row.reported for row in recomputed(table) if row.log.startswith("results")}
    assert claims == {"mean": 0.0004, "stderr": pytest.approx(0.00028281, abs=5e-9)}


def test_every_eval_ever(shared_data: Path) -> None:
    """Aggregates are background, and one instance is not enough for the mean that is claimed."""
    table = read_logs(shared_data / "logs" / "every_eval_ever")
    background = {header.log[:8]: len(header.results) for header in table.headers if header.aggregate_only}
    assert background == {"98ea850e": 6, "676f4465": 15}
    (claim,) = [row for row in recomputed(table) if row.log.startswith("f3a1c0de")]
    assert (claim.reported, claim.recomputed, claim.n, claim.consistent) == (0.75, 1.0, 1, False)
    notes = {log.log[:8]: log.notes for log in table.accounting.logs}
    assert notes["f3a1c0de"] == ()
    reasons = {Path(skip.path).name: skip.kind for skip in table.accounting.skipped}
    assert (reasons["aggregate.jsonl"], reasons["README.md"]) == ("not a log", "not a log")
