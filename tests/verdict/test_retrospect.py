"""A protocol drafted from logs that nobody registered fits the logs it was drafted from."""

from pathlib import Path
from typing import Any

import pytest

from leadline.errors import InputError
from leadline.logs import SampleTable, read_logs
from leadline.protocol.model import Protocol
from leadline.verdict import analyze
from leadline.verdict.arms import assign
from leadline.verdict.conditions import MOST
from leadline.verdict.needs import required_columns
from leadline.verdict.report import Report
from leadline.verdict.retrospect import COLUMNS, Answers, Found, draft_retrospective, found_in
from logs.factory import sample, write_eval
from logs.formats.written import lm_rows, write_run
from logs.recording.recorded import opened


def samples_of(right: int, n: int = 40, **fields: Any) -> list[dict[str, Any]]:
    """So many right answers, spread over the items."""
    return [
        sample(f"item{i}x", "C" if (i * 7) % n < right else "I", input=f"question {i}", **fields)
        for i in range(n)
    ]


def write(folder: Path, name: str, right: int = 20, **fields: Any) -> Path:
    """One log of the task `add` by `lab/small`, unless told otherwise."""
    folder.mkdir(exist_ok=True)
    known = {"task": "add", "model": "lab/small", "samples": samples_of(right), **fields}
    return write_eval(folder / f"{name}.eval", **known)


def read(folder: Path, mapping: Any = None) -> SampleTable:
    """The logs of a folder, as a draft needs them."""
    return read_logs(folder, tier="sample", columns=[*COLUMNS], mapping=mapping)


def report_of(folder: Path, found: Found, expected: str, mapping: Any = None) -> tuple[Protocol, Report]:
    """The draft as a protocol, and the analysis of the same logs under it."""
    protocol = Protocol.parse(draft_retrospective(found, Answers.read(found, expected, 0.3, "Ada")))
    samples = read_logs(
        folder, tier="sample", columns=list(required_columns(protocol)) or None, mapping=mapping
    )
    return protocol, analyze(protocol, samples)


def deviations(report: Report) -> list[str]:
    """Ids of promises that the logs contradict."""
    return [check.id for check in report.conformance if check.answer == "deviation"]


@pytest.mark.parametrize(
    ("one", "two", "arms"),
    [
        ({"model": "lab/big"}, {}, ("big", "small")),
        ({"task_args": {"style": "a"}}, {"task_args": {"style": "b"}}, ("style-a", "style-b")),
        ({"task_args": {"cot": True}}, {}, ("cot-true", "cot-unset")),
        ({"generate_config": {"temperature": 1.0}}, {}, ("temperature-1.0", "temperature-unset")),
        ({"task_version": 2}, {"task_version": 1}, ("task_version-2", "task_version-1")),
        ({"metadata": {"prompt": "long"}}, {"metadata": {"prompt": "short"}}, ("prompt-long", "prompt-short")),
        ({"metadata": {"leadline_arm": "on", "n": 1}}, {"metadata": {"leadline_arm": "off", "n": 2}}, ("on", "off")),
        ({"model": "a/same"}, {"model": "b/same"}, ("same", "same-2")),
    ],
)  # fmt: skip
def test_arms_are_told_apart_by_what_differs(
    tmp_path: Path, one: dict[str, Any], two: dict[str, Any], arms: tuple[str, str]
) -> None:
    """Each log is its own arm's, in the draft as in the analysis, and contradicts nothing."""
    write(tmp_path, "a", 30, **one)
    write(tmp_path, "b", 10, **two)
    found = found_in(read(tmp_path))
    assert found.arms == arms
    protocol, report = report_of(tmp_path, found, "A > B")
    assert set(assign(protocol, found.headers).values()) == set(arms)
    assert protocol.hypotheses[0].estimand.type == "paired_difference"
    assert (report.standing, report.verdicts["H1"].outcome) == ("retrospective", "supported")
    assert deviations(report) == []
    assert [one.kept for one in report.denominators] == [40, 40]


def test_plans_tell_arms_apart(tmp_path: Path) -> None:
    """Two solvers of one task: each log goes to the task whose steps it ran."""
    for name, right in (("chain", 30), ("plain", 10)):
        steps = [{"solver": name, "params": {}, "params_passed": {}}]
        write(tmp_path, name, right, header_fields={"plan": {"name": "plan", "steps": steps, "config": {}}})
    found = found_in(read(tmp_path))
    assert found.arms == ("solver-chain", "solver-plain")
    protocol, report = report_of(tmp_path, found, "solver-chain > solver-plain")
    assert len(protocol.tasks) == 2
    assert (report.verdicts["H1"].outcome, deviations(report)) == ("supported", [])


def test_a_null_result_is_one(tmp_path: Path) -> None:
    """Two arms alike on 400 items, and a smallest difference of .3."""
    for name in ("a", "b"):
        write(tmp_path, name, samples=samples_of(200, 400), task_args={"style": name})
    _, report = report_of(tmp_path, found_in(read(tmp_path)), ">")
    assert report.verdicts["H1"].outcome == "null"


def test_reruns_with_other_seeds_are_one_arm(tmp_path: Path) -> None:
    """A seed makes a rerun, which the draft says, and no condition."""
    for seed in (1, 2, 3):
        write(
            tmp_path, f"s{seed}", generate_config={"temperature": 1.0, "seed": seed}, metadata={"run": seed}
        )
    found = found_in(read(tmp_path))
    assert [len(one.headers) for one in found.conditions] == [3]
    assert any("3 logs, which differ in generate_config.seed" in note for note in found.notes)
    protocol, report = report_of(tmp_path, found, "> 0.9")
    assert (protocol.hypotheses[0].estimand.type, protocol.hypotheses[0].reference) == ("proportion", 0.9)
    assert report.verdicts["H1"].outcome == "refuted"


def test_a_person_may_say_what_tells_arms_apart(tmp_path: Path) -> None:
    """What is not named is left open, and those logs are weighed as variants of one arm."""
    for style in "ab":
        for shots in (0, 5):
            write(tmp_path, f"{style}{shots}", task_args={"style": style, "shots": shots})
    table = read(tmp_path)
    assert len(found_in(table).arms) == 4
    found = found_in(table, by=["task_args.style"])
    assert [(one.name, len(one.headers)) for one in found.conditions] == [("style-a", 2), ("style-b", 2)]
    protocol, report = report_of(tmp_path, found, "A == B")
    assert [arm.task_args for arm in protocol.arms] == [{"style": "a"}, {"style": "b"}]
    assert report.verdicts["H1"].outcome == "supported"
    with pytest.raises(InputError, match="do not differ in 'style'") as caught:
        found_in(table, by=["style"])
    assert "task_args.style" in str(caught.value.remedy())


def test_no_arm_mixes_models_or_tasks(tmp_path: Path) -> None:
    """Whatever a person goes by, items of two tasks never meet under one id."""
    for task in ("one", "two"):
        for shots in (0, 5):
            write(tmp_path, f"{task}{shots}", task=task, task_args={"shots": shots})
    table = read(tmp_path)
    assert found_in(table, by=["task"]).arms == ("one", "two")
    assert len(found_in(table, by=["task_args.shots"]).arms) == 4


def test_judges_versions_and_items_are_promised(tmp_path: Path) -> None:
    """What the logs say of themselves is in the draft: nobody types it."""
    graded = {"model_roles": {"grader": {"model": "lab/judge"}}}
    for name in ("a", "b"):
        write(
            tmp_path, name, task_args={"style": name}, task_version=3, generate_config={"seed": 5},
            eval_fields=graded, config={"message_limit": 9},
        )  # fmt: skip
    protocol, report = report_of(tmp_path, found_in(read(tmp_path)), "A != B")
    (task,) = protocol.tasks
    assert task.judge is not None
    assert protocol.model(task.judge.model).id == "lab/judge"
    assert (task.version, task.generate, task.limits) == ("3", {"seed": 5}, {"message_limit": 9})
    assert (task.dataset.n, len(task.dataset.samples or ()), task.dataset.sha256 is None) == (40, 40, False)
    assert [one.name for one in task.scorers] == ["match"]
    assert deviations(report) == []
    assert protocol.foreknowledge.level == "outcomes"


def test_other_items_under_the_same_ids_are_not_paired(tmp_path: Path) -> None:
    """Two tasks that both count their items 1, 2, 3."""
    write(tmp_path, "a", task="one")
    write(tmp_path, "b", task="two", samples=[{**row, "input": "another"} for row in samples_of(20)])
    protocol, report = report_of(tmp_path, found_in(read(tmp_path)), "A > B")
    assert protocol.hypotheses[0].estimand.type == "difference"
    assert len(protocol.tasks) == 2
    assert [one.kept for one in report.denominators] == [40, 40]


def test_the_score_that_most_logs_have_is_proposed(tmp_path: Path) -> None:
    """Another one is a matter of its name; one that no log has is refused."""
    write(tmp_path, "a", samples=[sample(i, {"match": "C", "extra": 0.5}) for i in range(5)])
    write(tmp_path, "b", model="lab/big", samples=[sample(i, {"match": "I"}) for i in range(5)])
    table = read(tmp_path)
    found = found_in(table)
    assert (found.score, found.scores, found.binary) == ("match", ("match", "extra"), True)
    extra = found_in(table, score="extra")
    assert (extra.score, extra.binary) == ("extra", False)
    with pytest.raises(InputError, match="no sample of big has the score extra"):
        Answers.read(extra, "A > B", 0.1, "Ada")
    with pytest.raises(InputError, match="no log has a score"):
        found_in(table, score="nothing")


def test_a_score_that_is_a_table_of_values_gets_a_key(tmp_path: Path) -> None:
    """The first entry is proposed, and gives numbers."""
    rows = [sample(i, {"both": {"value": {"right": 1.0, "wrong": 0.0}}}) for i in range(30)]
    write(tmp_path, "a", samples=rows)
    found = found_in(read(tmp_path))
    assert found.key == "right"
    _, report = report_of(tmp_path, found, "> 0.5")
    assert report.denominators[0].kept == 30


def test_lm_eval_and_tables_make_drafts_too(tmp_path: Path) -> None:
    """Two models of lm-eval by their results; two tables by the arm that a mapping takes from a column."""
    for model, right in (("lab/small", range(10)), ("lab/big", range(35))):
        name = model.rpartition("/")[2]
        write_run(tmp_path / "lm" / name, {"t": lm_rows("t", 40, right=list(right))}, model=model)
    lm = found_in(read(tmp_path / "lm"))
    assert lm.arms == ("big", "small")
    assert report_of(tmp_path / "lm", lm, "big > small")[1].verdicts["H1"].outcome == "supported"

    (tmp_path / "tables").mkdir()
    for arm, right in (("on", 35), ("off", 10)):
        rows = "".join(f"i{i}x,{arm},{int(i < right)}\n" for i in range(40))
        (tmp_path / "tables" / f"{arm}.csv").write_text(f"id,arm,ok\n{rows}")
    mapping = {
        "leadline_table": 1,
        "task": "t",
        "columns": {"sample_id": "id", "arm": "arm"},
        "scores": ["ok"],
    }
    tables = found_in(read(tmp_path / "tables", mapping))
    assert tables.arms == ("off", "on")
    assert (
        report_of(tmp_path / "tables", tables, "on > off", mapping)[1].verdicts["H1"].outcome == "supported"
    )


def test_strange_settings_stay_in_their_place(tmp_path: Path) -> None:
    """Names and comments are made from what strangers wrote; the draft is still one document that says it."""
    wild = "x\n# y: 'z'\u2028--- \x1b[2J"
    write(tmp_path, "a", task=wild, model=wild, task_args={wild: wild})
    write(
        tmp_path, "b", task=wild, model=wild, task_args={wild: "q" * 5_000}, status="cancelled\nauthors: []"
    )
    found = found_in(read(tmp_path))
    text = draft_retrospective(found, Answers.read(found, "A > B", 0.1, "Ada"))
    protocol = Protocol.parse(text)
    assert protocol.authors[0].name == "Ada"
    assert protocol.models[0].id == wild
    assert "\x1b" not in text


def test_more_conditions_than_anybody_can_name_are_refused(tmp_path: Path) -> None:
    """With what they differ in."""
    for i in range(MOST + 1):
        write(tmp_path, f"l{i}", samples=[sample(1)], task_args={"level": i})
    with pytest.raises(InputError, match=r"task_args\.level"):
        found_in(read(tmp_path))


@pytest.mark.parametrize(
    ("expected", "smallest", "author", "where"),
    [
        ("A > B", 0.0, "Ada", "smallest"),
        ("A > B", float("nan"), "Ada", "smallest"),
        ("A > B", 5.0, "Ada", "smallest"),
        ("A > B", 0.1, " ", "author"),
        ("A > B", 0.1, "A\nB", "author"),
        ("A > X", 0.1, "Ada", "expected"),
    ],
)
def test_answers_that_make_no_sense_name_their_field(
    tmp_path: Path, expected: str, smallest: float, author: str, where: str
) -> None:
    """So that it can be asked again."""
    write(tmp_path, "a")
    write(tmp_path, "b", model="lab/big")
    with pytest.raises(InputError) as caught:
        Answers.read(found_in(read(tmp_path)), expected, smallest, author)
    assert caught.value.where == where


def test_logs_without_scored_samples_make_no_draft(tmp_path: Path) -> None:
    """Nothing could be measured."""
    write(tmp_path, "a", samples=[sample(1, None)])
    with pytest.raises(InputError, match="holds a sample with a score"):
        found_in(read(tmp_path))


def test_recordings_are_told_apart_by_the_arm_they_were_recorded_for(tmp_path: Path) -> None:
    """Recorded results without a harness become a draft like any log."""
    for arm, right in (("steered", 35), ("plain", 10)):
        one = opened(tmp_path / f"{arm}.jsonl", metadata={"leadline_arm": arm})
        for number in range(40):
            one.record(f"i{number}x", "right", number < right, input=f"q{number}")
        one.finish()
    found = found_in(read(tmp_path))
    assert found.arms == ("plain", "steered")
    protocol, report = report_of(tmp_path, found, "steered > plain")
    assert [task.harness for task in protocol.tasks] == ["recorded"]
    assert (report.verdicts["H1"].outcome, deviations(report)) == ("supported", [])


@pytest.mark.parametrize("expected", ["A == B", "A != B", "A <= B"])
def test_every_kind_of_claim_makes_a_protocol_that_is_judged(tmp_path: Path, expected: str) -> None:
    """Equivalence, difference and non-inferiority, on arms alike."""
    write(tmp_path, "a", samples=samples_of(200, 400))
    write(tmp_path, "b", samples=samples_of(200, 400), model="lab/big")
    _, report = report_of(tmp_path, found_in(read(tmp_path)), expected)
    assert report.verdicts["H1"].outcome == ("null" if expected == "A != B" else "supported")


def test_real_logs_of_other_harnesses_make_drafts(shared_data: Path) -> None:
    """200 multiple-choice items of lm-eval, about as good as guessing; one instance of Every Eval Ever."""
    folder = shared_data / "logs" / "lm_eval" / "generated_lm_eval_0.4.13"
    found = found_in(read(folder))
    assert (found.arms, found.score) == (("toy_gen", "toy_mc"), "acc,none")
    protocol, report = report_of(folder, found, "toy_mc > 0.25")
    assert (report.verdicts["H1"].outcome, report.standing) == ("null", "retrospective")
    assert protocol.task(protocol.arm("toy_mc").task).dataset.n == 200
    every = found_in(read(shared_data / "logs" / "every_eval_ever"))
    assert [len(ids) for ids in every.items.values()] == [1]


def test_real_inspect_logs_are_each_of_one_arm(shared_data: Path) -> None:
    """A folder of many tasks and models: every log is assigned to the arm that it was found in."""
    folder = shared_data / "logs" / "inspect" / "meridianlabs-ai+inspect_scout"
    found = found_in(read(folder))
    arm = next(name for name in found.arms if found.items[name])
    protocol, _ = report_of(folder, found, f"{arm} > 0.5")
    assigned = assign(protocol, found.headers)
    assert all(assigned[log.sha256] == one.name for one in found.conditions for log in one.headers)
