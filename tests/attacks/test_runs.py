"""Cheating with runs: each attack changes the checks it must change, no other, and is never a clean pass."""

import json
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from leadline.errors import SecurityError, StateError
from leadline.ledger.keys import SigningKey
from leadline.logs import read_logs
from leadline.logs.container import Archive
from leadline.logs.source import opened
from leadline.registry.registry import Registry
from leadline.verdict.analysis import analyze
from leadline.verdict.report import Report
from logs.factory import archive, claimed, sample, summary
from registry.world import ITEMS, START, World, samples_of


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A registry and a lab in a folder."""
    return World(tmp_path)


def faults(report: Report) -> set[str]:
    """Ids of the checks that did not pass."""
    return {check.id for check in report.conformance if check.answer != "pass"}


def test_the_unattacked_study_is_confirmatory_with_nothing_unknown(world: World) -> None:
    """An honest study has no deviation and no unknown, and its verdict is what the data say."""
    report = world.honest_study().analyze()
    assert report.standing == "confirmatory"
    assert faults(report) == set()
    assert report.verdicts["H1"].outcome == "supported"


DATASET = {"dataset.content", "dataset.samples", "dataset.n"}

ATTACKS: dict[str, tuple[dict[str, Any], set[str], str | None]] = {
    "limit four": ({"only": slice(0, 4)}, DATASET, "hash_mismatch"),
    "hand-picked samples": ({"only": slice(2, 5)}, DATASET, "hash_mismatch"),
    "hand-picked samples in one arm": ({"only": slice(2, 5), "cheat_arm": "hint"}, DATASET, "hash_mismatch"),
    "other decoding": (
        {"generate": {"temperature": 1.9, "seed": 7, "max_tokens": 64}},
        {"generate.temperature", "generate.seed"},
        None,
    ),
    "decoding nobody promised": (
        {"generate": {"temperature": 0.0, "seed": 11, "max_tokens": 64, "top_p": 0.1}},
        {"generate.top_p"},
        None,
    ),
    "decoding not logged": ({"generate": {"seed": 11, "max_tokens": 64}}, {"generate.temperature"}, None),
    "edited aggregate": (
        {"edit_aggregate": 0.999, "cheat_arm": "hint"},
        {"log.recomputed"},
        "inconsistent_log",
    ),
    "wrong model": ({"model": "mockllm/large"}, {"model.id"}, None),
    "wrong model in one arm": ({"model": "mockllm/large", "cheat_arm": "hint"}, {"model.id"}, None),
    "other base URL and model arguments": (
        {"eval_fields": {"model_args": {"quantised": True}}},
        {"model.args.quantised"},
        None,
    ),
    "a judge nobody declared": (
        {"eval_fields": {"model_roles": {"grader": {"model": "mockllm/judge"}}}},
        {"judge.undeclared"},
        None,
    ),
    "another version of the task": ({"task_version": 3}, {"task.version"}, None),
    "another scorer setting": (
        {"scorers": [{"name": "other", "options": {}}]},
        {"scorer.name"},
        None,
    ),
    "edited afterwards": (
        {"header_fields": {"log_updates": [{"edits": [], "provenance": {"author": "x"}}]}},
        {"log.edits"},
        None,
    ),
    "a crashed run passed off as a whole one": ({"status": "error"}, {"log.status"}, None),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_each_attack_changes_its_own_checks_and_no_other(world: World, name: str) -> None:
    """The named checks and nothing unrelated stop passing; the study is not confirmatory."""
    cheat, expected, reason = ATTACKS[name]
    study = world.register()
    world.attempt(study, **cheat)
    report = study.analyze()
    assert faults(report) == expected
    assert report.standing != "confirmatory"
    if reason is not None:
        assert (report.verdicts["H1"].outcome, report.verdicts["H1"].reason) == ("inconclusive", reason)


def test_missing_samples_are_listed_one_by_one(world: World) -> None:
    """Every registered sample that was not run is named in the denominator."""
    study = world.register()
    world.attempt(study, only=slice(0, 4))
    side = next(one for one in study.analyze().denominators if one.arm == "plain")
    assert (side.promised, side.kept) == (ITEMS, 4)
    assert side.missing is not None
    assert side.missing.count == ITEMS - 4
    assert "item-004x#1" in side.missing.samples


def test_a_moved_threshold_is_another_protocol(world: World) -> None:
    """A protocol edited after the freeze has another digest; the frozen one stays the one compared with."""
    study = world.honest_study()
    document = study.protocol.model_dump(mode="json")
    document["hypotheses"][0]["smallest"] = 0.01
    easier = type(study.protocol).model_validate(document)
    report = analyze(easier, study.samples(), registration=study.registration, attempts=study.attempts)
    assert faults(report) == {"protocol.frozen"}
    assert report.standing == "exploratory"


def test_an_amendment_after_the_results_does_not_change_the_verdict(world: World) -> None:
    """The amendment is recorded with what had been seen; the report still answers the first promise."""
    study = world.honest_study()
    first = study.publish()
    document = study.protocol.model_dump(mode="json")
    document["hypotheses"][0]["smallest"] = 0.9
    world.registry.amend(
        study.id, type(study.protocol).model_validate(document), reason="moved", seen="results_known"
    )
    again = study.analyze()
    assert again.verdicts == first.verdicts
    assert again.registration is not None
    assert len(again.registration.amended) == 1
    assert len(study.reports) == 1


def test_a_second_run_that_is_not_disclosed_stays_visible(world: World) -> None:
    """An attempt whose result nobody shows is a deviation, however good the other one is."""
    study = world.register()
    study.open_attempt("the one that came out badly")
    world.attempt(study)
    report = study.analyze()
    assert faults(report) == {"attempts.accounted"}
    assert report.standing == "exploratory"


def test_an_abandoned_attempt_is_a_deviation_with_its_reason(world: World) -> None:
    """Abandoning needs a reason, and the reason is shown."""
    study = world.register()
    run = study.open_attempt()
    study.abandon_attempt(run.number, "the machine died")
    world.attempt(study)
    check = next(c for c in study.analyze().conformance if c.answer != "pass")
    assert (check.id, check.note) == ("attempts.accounted", "the machine died")


def test_a_log_withheld_from_a_closed_attempt_is_missed(world: World) -> None:
    """An attempt that closed with a log's digest is not accounted for without that log."""
    study = world.register()
    with study.attempt() as run:
        paths = world.lab_run(study, run)
        run.attach(paths)
        run.logs = (*run.logs, "ab" * 32)
    report = study.analyze()
    assert "attempts.accounted" in faults(report)
    assert report.standing == "exploratory"


def test_logs_made_before_the_freeze_are_retrospective(world: World) -> None:
    """Registering after the result is never confirmatory, even with an attempt's token in the log."""
    study = world.register()
    world.attempt(study, created=START - timedelta(days=3), force=True)
    report = study.analyze()
    assert report.standing == "retrospective"
    assert faults(report) == {"run.after_freeze"}


def test_runs_nobody_announced_leave_the_order_unknown(world: World) -> None:
    """Without an attempt's token the logs' own clock is all there is, and that is not proof."""
    study = world.register()
    study.attach(world.lab_run(study, None))
    report = study.analyze()
    assert faults(report) == {"attempts.accounted", "run.after_freeze"}
    assert {c.answer for c in report.conformance if c.answer != "pass"} == {"unknown"}
    assert report.standing == "qualified"


def test_the_token_of_another_study_does_not_count(world: World) -> None:
    """A log stamped for one study cannot stand in for a run of another."""
    study, other = world.register(), world.register(world.protocol(title="Another study of the same"))
    foreign = other.open_attempt()
    with study.attempt() as run:
        paths = world.lab_run(study, foreign)
        run.attach(paths, force=True)
    assert faults(study.analyze()) == {"run.after_freeze"}


def test_the_same_log_twice_counts_once(world: World) -> None:
    """Attaching a copy changes nothing: not the samples, not the denominators."""
    study = world.register()
    with study.attempt() as run:
        paths = world.lab_run(study, run)
        run.attach(paths)
        copy = paths[0].with_name("copy.eval")
        copy.write_bytes(paths[0].read_bytes())
        run.attach([copy])
    report = study.analyze()
    assert report.standing == "confirmatory"
    assert all(side.kept == ITEMS for side in report.denominators)


def test_only_the_authors_keys_open_attempts(world: World, tmp_path: Path) -> None:
    """Another person's key, though registered, may not run somebody's study."""
    study = world.register()
    stranger = Registry.open(
        tmp_path / "registry.db", key=SigningKey.generate("example.org/eve"), clock=world.clock
    )
    stranger.register_key("Eve")
    with pytest.raises(SecurityError, match="may not act for"):
        stranger.study(study.id).open_attempt()


def test_an_attempt_is_closed_once(world: World) -> None:
    """A closed attempt takes no other result."""
    study = world.register()
    world.attempt(study)
    with pytest.raises(StateError, match="closed already as completed"):
        study.close_attempt(1, [])


def test_identical_reruns_are_pooled(world: World) -> None:
    """Two honest identical runs stay confirmatory; each item is the mean of both."""
    study = world.register()
    world.attempt(study)
    world.attempt(study, name="again")
    report = study.analyze()
    assert report.standing == "confirmatory"
    assert all(
        (side.promised, side.kept, side.read) == (ITEMS, ITEMS, 2 * ITEMS) for side in report.denominators
    )


def test_runs_that_differ_in_what_was_left_open_are_one_family(world: World) -> None:
    """Trying several settings that nobody registered divides the level by their number."""
    tasks = world.protocol().model_dump(mode="json")["tasks"]
    tasks[0]["solver"] = None
    study = world.register(world.protocol(tasks=tasks))
    world.attempt(study)
    steps = [{"solver": "generate", "params": {"prompt": "other"}, "params_passed": {}}]
    world.attempt(study, name="again", header_fields={"plan": {"name": "plan", "steps": steps, "config": {}}})
    estimate = study.analyze().verdicts["H1"].estimate
    assert estimate is not None
    assert estimate.alpha < 0.05


def test_an_edited_copy_of_a_log_beside_the_honest_one_is_a_deviation(world: World) -> None:
    """Attaching a second file of the same evaluation with other answers never goes unnoticed."""
    study = world.register()
    with study.attempt() as run:
        paths = world.lab_run(study, run)
        run.attach(paths)
    honest = paths[0]
    forged = world.write_arm(
        study,
        run,
        "plain",
        honest.with_name("forged.eval"),
        eval_id=read_logs(honest, tier="header").headers[0].eval_id,
    )
    study.attach(forged)
    report = study.analyze()
    assert faults(report) == {"log.rival"}
    assert report.standing == "exploratory"
    honest_digests = {sha for attempt in study.attempts for sha in attempt.logs}
    assert {log.sha256 for log in report.logs} == honest_digests, (
        "the file the attempt closed with is analysed"
    )


def test_a_sample_run_again_until_it_pleases_is_not_a_clean_pass(world: World) -> None:
    """An earlier result that a later one replaces inside the file is noticed; `refuse` makes it a deviation."""
    for rule, answer in (("last", "unknown"), ("refuse", "deviation")):
        study = world.register(world.protocol(title=f"duplicates: {rule}", data_rules={"duplicates": rule}))
        with study.attempt() as run:
            paths = world.lab_run(study, run, name=rule)
            requeue(paths[0], "item-001x", "C")
            run.attach(paths)
        checks = [check for check in study.analyze().conformance if check.answer != "pass"]
        assert [(check.id, check.answer) for check in checks if check.id == "log.replaced"] == [
            ("log.replaced", answer)
        ]
        assert study.analyze().standing != "confirmatory"


def test_a_score_edited_in_place_is_a_deviation(world: World) -> None:
    """Inspect keeps the history of an edited score; its presence is enough."""
    study = world.register()
    samples = samples_of("plain", ITEMS)
    samples[1]["scores"]["match"] = {"value": "C", "history": [{"value": "I"}, {"value": "C"}]}
    with study.attempt() as run:
        paths = world.lab_run(study, run, arms=("hint", "given"))
        paths.append(world.write_arm(study, run, "plain", paths[0].with_name("plain.eval"), samples=samples))
        run.attach(paths)
    assert faults(study.analyze()) == {"log.edits"}


def requeue(path: Path, sample_id: str, value: str) -> None:
    """Append a sample again with another score, as a requeued run would; the aggregates are adjusted."""
    with zipfile.ZipFile(path) as source:
        names = source.namelist()
    with opened(path) as handle:
        reader = Archive(handle)
        members: list[tuple[str, Any]] = [(name, reader.read(name)) for name in names]
    member = f"samples/{sample_id}_epoch_1.json"
    again = json.loads(dict(members)[member])
    again["scores"]["match"]["value"] = value
    rows = [json.loads(data) for name, data in members if name.startswith("samples/") and name != member]
    rows.append(again)
    rows.sort(key=lambda row: row["id"])
    changed = {
        "summaries.json": [summary(row) for row in rows],
        "header.json": json.loads(dict(members)["header.json"]) | {"results": claimed(rows)},
    }
    members = [(name, changed.get(name, data)) for name, data in members]
    archive(path, [*members, (member, again)])


def test_a_run_that_scored_nothing_is_listed_and_not_counted(world: World) -> None:
    """An outage is no result: its logs are attached, named, and cost the honest rerun nothing."""
    study = world.register()
    with study.attempt("the provider went down") as run:
        paths = world.lab_run(study, run, samples=unscored(), status="error", results=None)
        run.attach(paths)
    world.attempt(study, name="again")
    report = study.analyze()
    assert report.standing == "confirmatory"
    assert sum(log.note == "scored nothing: not counted" for log in report.logs) == 3
    assert report.verdicts["H1"].outcome == "supported"


def test_a_run_that_scored_something_cannot_hide_as_an_outage(world: World) -> None:
    """One scored sample makes it a result."""
    study = world.register()
    with study.attempt("a bad one") as run:
        samples = [*samples_of("plain", 1), *unscored()[1:]]
        run.attach(world.lab_run(study, run, samples=samples, status="error"))
    world.attempt(study, name="again")
    assert study.analyze().standing == "exploratory"


def unscored() -> list[dict[str, Any]]:
    """The items of the study, each ended by an error."""
    return [
        sample(row["id"], None, input=row["input"], target=row["target"], error="connection lost")
        for row in samples_of("plain", ITEMS)
    ]
