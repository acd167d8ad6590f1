"""Subtler cheating: what a promise leaves unsaid, what a log can hide, and what hostile values can break."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from leadline.errors import LeadlineError, ProtocolError
from leadline.logs import read_logs
from leadline.registry.study import Study
from leadline.verdict.report import Report
from logs.factory import sample
from registry.world import GENERATE, ITEMS, World, samples_of


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A registry and a lab in a folder."""
    return World(tmp_path)


def answers_of(report: Report) -> set[tuple[str, str]]:
    """Id and answer of every check that did not pass."""
    return {(check.id, check.answer) for check in report.conformance if check.answer != "pass"}


def changed(world: World, **task: Any) -> list[dict[str, Any]]:
    """The world's task with some of its fields replaced."""
    (only,) = world.protocol().model_dump(mode="json")["tasks"]
    return [{**only, **task}]


def epochs_of(arm: str, scores: Callable[[int, int], str], epochs: int) -> list[dict[str, Any]]:
    """Samples of an arm in several epochs; `scores` gives the letter by item and epoch."""
    return [
        sample(
            row["id"],
            scores(item, epoch),
            epoch=epoch,
            input=row["input"],
            target=row["target"],
            metadata=row["metadata"],
        )
        for item, row in enumerate(samples_of(arm))
        for epoch in range(1, epochs + 1)
    ]


# -- settings nobody promised -------------------------------------------------------------------

UNSAID: dict[str, tuple[dict[str, Any], set[tuple[str, str]]]] = {
    "an option the scorer was not promised": (
        {"scorers": [{"name": "match", "options": {"ignore_case": True}}]},
        {("scorer.params", "deviation")},
    ),
    "another server behind the model's name": (
        {"eval_fields": {"model_base_url": "http://localhost:8000/v1"}},
        {("model.base_url", "unknown")},
    ),
    "answers from a cache": (
        {"generate": {**GENERATE, "cache": True}},
        {("generate.cache", "deviation")},
    ),
    "a header that switches something on at the provider": (
        {"generate": {**GENERATE, "extra_headers": {"x-beta": "think-more"}}},
        {("generate.extra_headers", "deviation")},
    ),
    "samples tried again after an error": (
        {"eval_fields": {"config": {"epochs": 1, "message_limit": 10, "retry_on_error": 5}}},
        {("limits.retry_on_error", "deviation")},
    ),
    "settings changed during the run": (
        {"header_fields": {"config_updates": [{"generate": {"temperature": 1.0}}]}},
        {("log.retuned", "deviation")},
    ),
    "the subject graded by itself, by role": (
        {"eval_fields": {"model_roles": {"grader": {"model": "mockllm/tiny"}}}},
        {("judge.undeclared", "deviation")},
    ),
    "a setting too large for any float": (
        {"generate": {**GENERATE, "seed": 10**400}},
        {("generate.seed", "deviation")},
    ),
    "a setting that is not valid text": (
        {"generate": {**GENERATE, "stop_seqs": ["\ud800"]}},
        {("generate.stop_seqs", "deviation")},
    ),
}


@pytest.mark.parametrize("name", UNSAID)
def test_what_was_not_promised_is_noticed(world: World, name: str) -> None:
    """Each setting that can change an answer meets its own check, and the report can be written."""
    cheat, expected = UNSAID[name]
    study = world.register()
    world.attempt(study, **cheat)
    report = study.analyze()
    assert answers_of(report) == expected
    assert report.to_json()


def test_transport_settings_are_nobodys_business(world: World) -> None:
    """Connections and call timeouts cannot change an answer and stay free."""
    study = world.register()
    world.attempt(study, generate={**GENERATE, "max_connections": 4, "timeout": 60})
    assert study.analyze().standing == "confirmatory"


def test_a_model_of_another_arm_may_not_help(world: World) -> None:
    """A baseline model that is registered for its own arm is no helper of another's."""
    models = [
        {"name": "tiny", "id": "mockllm/tiny"},
        {"name": "large", "id": "mockllm/large", "role": "baseline"},
    ]
    study = world.register(world.protocol(models=models))
    world.attempt(study, eval_fields={"model_roles": {"helper": {"model": "mockllm/large"}}})
    assert answers_of(study.analyze()) == {("judge.undeclared", "deviation")}


def test_a_judge_that_is_the_subject_itself_can_be_promised(world: World) -> None:
    """A declared self-grading judge is found in the log, not called unlogged."""
    study = world.register(world.protocol(tasks=changed(world, judge={"model": "mockllm/tiny"})))
    world.attempt(study, eval_fields={"model_roles": {"grader": {"model": "mockllm/tiny"}}})
    assert study.analyze().standing == "confirmatory"


def test_a_promised_judge_prompt_is_never_a_silent_pass(world: World) -> None:
    """The digest of a judge's prompt is compared with the prompts the scorers were given, or stays unknown."""
    import hashlib

    prompt = "Is it right? Answer C or I."
    judge = {"model": "mockllm/judge", "prompt_sha256": hashlib.sha256(prompt.encode()).hexdigest()}
    roles = {"model_roles": {"grader": {"model": "mockllm/judge"}}}
    options = {"template": prompt}
    silent = world.register(world.protocol(tasks=changed(world, judge=judge)))
    world.attempt(silent, eval_fields=roles)
    assert answers_of(silent.analyze()) == {("judge.prompt", "unknown")}
    shown = world.register(
        world.protocol(
            title="prompt logged",
            tasks=changed(world, judge=judge, scorers=[{"name": "match", "params": options}]),
        )
    )
    world.attempt(shown, name="shown", eval_fields=roles, scorers=[{"name": "match", "options": options}])
    assert shown.analyze().standing == "confirmatory"


def test_a_task_of_the_same_name_from_elsewhere_is_not_taken_on_trust(world: World) -> None:
    """A promise of `evals/addition` is not kept for sure by a local file's `addition`; the registry name settles it."""
    study = world.register(world.protocol(tasks=changed(world, task="evals/addition")))
    world.attempt(study)
    assert answers_of(study.analyze()) == {("task.name", "unknown")}
    other = world.register(world.protocol(title="again", tasks=changed(world, task="evals/addition")))
    world.attempt(other, name="again", eval_fields={"task_registry_name": "evals/addition"})
    assert other.analyze().standing == "confirmatory"


def test_a_run_before_the_promised_date_is_a_deviation(world: World) -> None:
    """`not_before` is a promise like any other."""
    study = world.register(world.protocol(timeline={"not_before": "2026-05-01", "due": "2026-06-01"}))
    world.attempt(study)
    assert answers_of(study.analyze()) == {("run.not_before", "deviation")}


# -- runs ---------------------------------------------------------------------------------------


def test_an_attempt_closed_without_a_log_discloses_nothing(world: World) -> None:
    """Closing an attempt empty-handed hides its result as well as abandoning it does."""
    study = world.register()
    study.close_attempt(study.open_attempt().number, [], "failed")
    world.attempt(study)
    assert answers_of(study.analyze()) == {("attempts.accounted", "deviation")}


def test_rerunning_does_not_raise_a_best_of_n(world: World) -> None:
    """Epochs are reduced within a run, runs are averaged: five runs of best-of-one are not a best-of-five."""
    measures = [{"name": "accuracy", "score": "match", "epochs": "max"}]
    study = world.register(world.protocol(measures=measures))
    world.attempt(study)
    for number in range(1, 4):
        lucky = [
            sample(
                row["id"],
                "C" if position % 4 == number else "I",
                input=row["input"],
                target=row["target"],
                metadata=row["metadata"],
            )
            for position, row in enumerate(samples_of("plain"))
        ]
        world.attempt(study, name=f"more{number}", arms=("plain",), samples=lucky)
    estimate = study.analyze().verdicts["H1"].estimate
    assert estimate is not None
    assert estimate.value == pytest.approx(0.9 - (0.5 + 3 * 0.25) / 4)


def test_with_first_only_nothing_else_enters_any_number(world: World) -> None:
    """Under `reruns: first` the estimate, the denominators and the controls rest on the runs that decided."""
    study = world.register(world.protocol(attempts={"reruns": "first"}))
    world.attempt(study)
    once = study.analyze()
    flipped = [
        sample(row["id"], "I", input=row["input"], target=row["target"], metadata=row["metadata"])
        for row in samples_of("given")
    ]
    world.attempt(study, name="again", samples=flipped)
    twice = study.analyze()
    assert twice.verdicts["H1"] == once.verdicts["H1"]
    assert twice.controls == once.controls
    assert twice.denominators == once.denominators


@pytest.mark.parametrize("which", ["samples", "scorer"])
def test_reruns_that_differ_in_something_left_open_are_variants(world: World, which: str) -> None:
    """Other samples and other scorer settings, where nobody bound them, divide the level."""
    dataset: dict[str, Any] = {"n": ITEMS}
    tasks = changed(world, dataset=dataset) if which == "samples" else changed(world, scorers=[])
    study = world.register(world.protocol(tasks=tasks))
    world.attempt(study)
    for arm in ("plain", "hint", "given"):
        rows = samples_of(arm)
        if which == "samples":
            rows = [{**row, "id": f"other-{row['id']}"} for row in rows]
        scorers = [{"name": "match", "options": {"ignore_case": True}}] if which == "scorer" else None
        world.attempt(study, name=f"again-{arm}", arms=(arm,), samples=rows, scorers=scorers)
    report = study.analyze()
    estimate = report.verdicts["H1"].estimate
    assert estimate is not None
    assert estimate.alpha < 0.05


@pytest.mark.parametrize("n", [4, ITEMS + 20])
def test_a_dataset_that_promises_nothing_still_owes_the_registered_number(tmp_path: Path, n: int) -> None:
    """Without ids, number or digest the sample size is the promise: fewer and more are both noticed."""
    world = World(tmp_path)
    study = world.register(world.protocol(tasks=changed(world, dataset={})))
    world.items = n
    world.attempt(study)
    assert answers_of(study.analyze()) == {("dataset.n", "deviation")}


def test_hand_picked_epochs_are_a_deviation(world: World) -> None:
    """Every sample must show every epoch; a few missing ones within the cap are not overlooked."""
    study = world.register(world.protocol(tasks=changed(world, epochs=2)))

    def letter(item: int, epoch: int) -> str:
        return "C" if (item + epoch) % 2 else "I"

    with study.attempt() as run:
        paths = []
        for arm in ("plain", "hint", "given"):
            rows = epochs_of(arm, letter, 2)
            if arm == "hint":
                rows = [row for row in rows if (row["id"], row["epoch"]) != ("item-000x", 2)]
            paths.append(world.write_arm(study, run, arm, world.folder / f"{arm}.eval", samples=rows))
        run.attach(paths)
    assert answers_of(study.analyze()) == {("epochs.run", "deviation")}


def test_an_unreadable_log_is_not_left_behind_in_silence(world: World) -> None:
    """A folder with a broken log in it is refused, so that breaking a file does not hide a run."""
    study = world.register()
    run = study.open_attempt()
    paths = world.lab_run(study, run)
    data = paths[0].read_bytes()
    paths[0].write_bytes(data[: len(data) // 2])
    with pytest.raises(LeadlineError, match="plain"):
        run.attach([paths[0].parent])


def test_logs_of_one_name_keep_their_arms(world: World) -> None:
    """An edited aggregate is held against the arm it belongs to, whatever the files are called."""
    study = world.register()
    with study.attempt() as run:
        for arm in ("hint", "plain", "given"):
            folder = world.folder / arm
            folder.mkdir()
            edit = 0.999 if arm == "hint" else None
            path = world.write_arm(study, run, arm, folder / f"{arm}.eval", edit_aggregate=edit)
            shutil.move(path, folder / "log.eval")
            run.attach(folder / "log.eval")
    report = study.analyze()
    assert [(c.id, c.arm) for c in report.conformance if c.answer != "pass"] == [("log.recomputed", "hint")]
    assert report.verdicts["H1"].reason == "inconsistent_log"


def test_runs_that_differ_in_opposite_directions_do_not_support_a_difference(world: World) -> None:
    """Two open settings, one raising and one lowering the score, disagree although both differ from zero."""
    hypotheses = world.protocol().model_dump(mode="json")["hypotheses"]
    hypotheses[0] |= {"kind": "differs"}
    study = world.register(world.protocol(hypotheses=hypotheses, tasks=changed(world, solver=None)))
    world.attempt(study)
    steps = [{"solver": "generate", "params": {"prompt": "other"}, "params_passed": {}}]
    opposite = [
        {**row, "scores": {"match": {"value": "C" if position % 20 == 0 else "I", "history": []}}}
        for position, row in enumerate(samples_of("hint"))
    ]
    plan = {"plan": {"name": "plan", "steps": steps, "config": {}}}
    world.attempt(study, name="other", arms=("hint",), samples=opposite, header_fields=plan)
    verdict = study.analyze().verdicts["H1"]
    assert (verdict.outcome, verdict.reason) == ("inconclusive", "variants_disagree")


def test_a_failed_negative_control_is_told_beside_the_verdict(world: World) -> None:
    """An effect where there should be none is marked on every verdict it casts doubt on."""
    controls = world.protocol().model_dump(mode="json")["controls"]
    controls.append(
        {
            "name": "nothing",
            "kind": "negative",
            "estimand": {"type": "proportion", "measure": "accuracy", "arms": ["given"]},
            "high": 0.1,
        }
    )
    study = world.register(world.protocol(controls=controls))
    world.attempt(study)
    assert "negative_control_failed" in study.analyze().verdicts["H1"].notes


# -- items --------------------------------------------------------------------------------------

BY_LEVEL = {
    "type": "paired_difference",
    "measure": "accuracy",
    "arms": ["hint", "plain"],
    "where": "metadata.level < 100",
}


def regrouped(world: World, study: Study, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """A run whose hint arm says other things of its samples' metadata, which no digest binds."""
    rows = [{**row, "metadata": change(row)} for row in samples_of("hint")]
    with study.attempt() as run:
        paths = world.lab_run(study, run, arms=("plain", "given"))
        paths.append(world.write_arm(study, run, "hint", world.folder / "hint.eval", samples=rows))
        run.attach(paths)


def test_an_item_cannot_leave_the_scope_in_one_arm_only(world: World) -> None:
    """What a solver writes into a sample's metadata does not choose the items of a comparison."""
    hypotheses = world.protocol().model_dump(mode="json")["hypotheses"]
    hypotheses[0]["estimand"] = BY_LEVEL
    study = world.register(world.protocol(hypotheses=hypotheses))
    wrong = {row["id"] for row in samples_of("hint") if row["scores"]["match"]["value"] == "I"}
    regrouped(world, study, lambda row: {"level": 200 if row["id"] in wrong else 1})
    report = study.analyze()
    assert (report.verdicts["H1"].outcome, report.verdicts["H1"].reason) == ("inconclusive", "items_disagree")


def test_an_item_cannot_change_its_cluster_between_arms(world: World) -> None:
    """Clusters are a property of the item: arms that disagree on them give no interval."""
    measures = [{"name": "accuracy", "score": "match", "cluster": "metadata.group"}]
    size = {**world.protocol().model_dump(mode="json")["sample_size"], "clusters": 10}
    study = world.register(world.protocol(measures=measures, sample_size=size))

    def group(row: dict[str, Any], shift: int) -> dict[str, Any]:
        return {"group": (int(row["id"][5:8]) + shift) // 4}

    with study.attempt() as run:
        paths = []
        for arm in ("plain", "hint", "given"):
            rows = [{**row, "metadata": group(row, arm == "hint")} for row in samples_of(arm)]
            paths.append(world.write_arm(study, run, arm, world.folder / f"{arm}.eval", samples=rows))
        run.attach(paths)
    report = study.analyze()
    assert (report.verdicts["H1"].outcome, report.verdicts["H1"].reason) == ("inconclusive", "items_disagree")


def test_a_control_with_most_of_its_results_missing_shows_nothing(world: World) -> None:
    """A positive control passes on its promised items, not on those that happened to survive."""
    study = world.register()
    broken = [
        row
        if position < 20
        else {**row, "scores": {}, "error": {"message": "x", "traceback": "x", "traceback_ansi": "x"}}
        for position, row in enumerate(samples_of("given"))
    ]
    with study.attempt() as run:
        paths = world.lab_run(study, run, arms=("plain", "hint"))
        paths.append(world.write_arm(study, run, "given", world.folder / "given.eval", samples=broken))
        run.attach(paths)
    (control,) = study.analyze().controls
    assert (control.outcome, control.reason) == ("unresolved", "missing_above_cap")


def test_samples_are_promised_once_each(world: World) -> None:
    """An id listed twice, or a number that is not the number of ids, is refused before it is frozen."""
    ids = [f"item-{i:03d}x" for i in range(ITEMS)]
    with pytest.raises(ProtocolError, match="twice"):
        world.protocol(tasks=changed(world, dataset={"samples": [*ids, ids[0]]}))
    with pytest.raises(ProtocolError, match="40 ids"):
        world.protocol(tasks=changed(world, dataset={"samples": ids, "n": 30}))


def test_an_arm_that_changes_no_argument_is_not_mistaken_for_one_that_does(world: World) -> None:
    """Arguments an arm does not expect count as a difference, so unstamped logs find their arm in any number."""
    from leadline.verdict.arms import assign

    arms = world.protocol().model_dump(mode="json")["arms"]
    arms[0]["task_args"] = {}
    protocol = world.protocol(arms=arms)
    study = world.register()
    paths = [
        world.write_arm(study, None, "hint", world.folder / f"hint-{number}.eval") for number in range(3)
    ]
    assert set(assign(protocol, read_logs(paths, tier="sample").headers).values()) == {"hint"}


# -- odd input ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    [10**4200, float("nan"), float("inf"), {"a": 1}, ["C"], None, "", "C" * 10_000, True, "\ud800"],
    ids=["huge", "nan", "inf", "dict", "list", "null", "empty", "long", "true", "surrogate"],
)
def test_an_odd_score_value_never_breaks_the_report(world: World, value: Any) -> None:
    """One odd value is counted with a reason or refused with an explanation; nothing crashes."""
    study = world.register()
    rows = samples_of("plain")
    rows[3] = {**rows[3], "scores": {"match": {"value": value, "history": []}}}
    with study.attempt() as run:
        paths = world.lab_run(study, run, arms=("hint", "given"))
        paths.append(
            world.write_arm(study, run, "plain", world.folder / "plain.eval", samples=rows, results=None)
        )
        try:
            run.attach(paths)
            report = study.analyze()
        except LeadlineError:
            return
    side = next(one for one in report.denominators if one.arm == "plain")
    assert side.kept + sum(left.count for left in side.left_out) == ITEMS
    assert report.to_json()


def test_an_enormous_id_costs_no_memory(world: World) -> None:
    """A single id of a megabyte is refused before it is multiplied by the number of samples."""
    document = {
        "version": 2,
        "status": "success",
        "eval": {
            "task": "addition",
            "model": "mockllm/tiny",
            "created": "2026-03-02T00:00:00+00:00",
            "dataset": {},
            "config": {},
        },
        "samples": [sample("x" * 2_000_000, "C")],
    }
    import json

    path = world.folder / "huge.json"
    path.write_text(json.dumps(document))
    with pytest.raises(LeadlineError, match="id"):
        read_logs(path, tier="sample")


def test_an_arm_without_a_log_and_a_log_without_samples_are_told(world: World) -> None:
    """No log for an arm, and a log with nothing in it, end inconclusive with a reason."""
    study = world.register()
    with study.attempt() as run:
        paths = world.lab_run(study, run, arms=("plain",))
        paths.append(
            world.write_arm(
                study,
                run,
                "given",
                world.folder / "given.eval",
                samples=[sample("item-000x", None)],
                results=None,
            )
        )
        run.attach(paths)
    report = study.analyze()
    assert report.verdicts["H1"].reason == "no_data"
    assert ("arm.logs", "deviation") in answers_of(report)
    assert report.to_json()


def test_a_score_that_is_a_table_is_read_by_its_key(world: World) -> None:
    """A registered key reads one entry of a dict; where it is absent the result counts as unscored."""
    measures = [{"name": "accuracy", "score": "match", "key": "right"}]
    study = world.register(world.protocol(measures=measures))
    with study.attempt() as run:
        paths = []
        for arm in ("plain", "hint", "given"):
            rows = samples_of(arm)
            for position, row in enumerate(rows):
                letter = row["scores"]["match"]["value"]
                entry = {"other": 1} if position == 0 else {"right": letter == "C", "other": 1}
                row["scores"]["match"]["value"] = entry
            paths.append(
                world.write_arm(study, run, arm, world.folder / f"{arm}.eval", samples=rows, results=None)
            )
        run.attach(paths)
    report = study.analyze()
    assert report.verdicts["H1"].outcome == "supported"
    assert all(side.left_out[0].reason == "unscored" for side in report.denominators)


@pytest.mark.parametrize("level", ["high", {"a": 1}, True], ids=["text", "table", "true"])
def test_a_log_the_analysis_chokes_on_does_not_prevent_the_report(world: World, level: Any) -> None:
    """Metadata of another kind than the registered filter needs ends inconclusive, and is said."""
    hypotheses = world.protocol().model_dump(mode="json")["hypotheses"]
    hypotheses[0]["estimand"] = BY_LEVEL
    study = world.register(world.protocol(hypotheses=hypotheses))
    regrouped(world, study, lambda row: {"level": level})
    report = study.publish()
    verdict = report.verdicts["H1"]
    assert verdict.outcome == "inconclusive"
    assert verdict.reason is not None
    assert verdict.reason.startswith("not_analysable: ")


def test_runs_that_disagree_on_clusters_do_not_prevent_the_report(world: World) -> None:
    """A rerun that puts its samples into other clusters ends inconclusive; denominators still balance."""
    measures = [{"name": "accuracy", "score": "match", "cluster": "metadata.group"}]
    size = {**world.protocol().model_dump(mode="json")["sample_size"], "clusters": 10}
    study = world.register(world.protocol(measures=measures, sample_size=size))
    for shift in (0, 1):
        with study.attempt() as run:
            for arm in ("plain", "hint", "given"):
                rows = [
                    {**row, "metadata": {"group": (position + shift) // 4}}
                    for position, row in enumerate(samples_of(arm))
                ]
                run.attach(
                    world.write_arm(study, run, arm, world.folder / f"{arm}{shift}.eval", samples=rows)
                )
    report = study.analyze()
    assert str(report.verdicts["H1"].reason).startswith("not_analysable: ")
    for side in report.denominators:
        assert side.promised == side.kept + sum(left.count for left in side.left_out)


def test_an_epoch_outside_the_promised_ones_is_a_missing_one(world: World) -> None:
    """Numbering an unwelcome result as epoch 0 takes it out of the analysis, and is a deviation."""
    study = world.register()
    rows = samples_of("hint")
    rows[9] = {**rows[9], "epoch": 0}
    with study.attempt() as run:
        paths = world.lab_run(study, run, arms=("plain", "given"))
        paths.append(world.write_arm(study, run, "hint", world.folder / "hint.eval", samples=rows))
        run.attach(paths)
    assert answers_of(study.analyze()) == {("epochs.run", "deviation")}
