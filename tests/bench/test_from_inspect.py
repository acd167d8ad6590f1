"""A draft from an Inspect task: filled by loading the user's file in a process of its own."""

import os
import time
from datetime import date
from pathlib import Path

import pytest

from leadline.errors import InputError, MissingExtraError, NotFoundError
from leadline.protocol.document import parse
from leadline.registry.check import examine

pytest.importorskip("inspect_ai")

from leadline.bench import from_inspect

TASK = """
import os
from inspect_ai import Task, task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import GenerateConfig
from inspect_ai.scorer import Score, match, mean, scorer
from inspect_ai.solver import generate, system_message

print("a task may print")

@scorer(metrics={"tone": [mean()]})
def graded():
    async def score(state, target):
        return Score(value={"tone": 0.5, "length": 3})
    return score

@task
def adding(n: int = 3, shaky: bool = False):
    noise = os.urandom(4).hex() if shaky else ""
    samples = [Sample(id=f"item-{i}", input=f"{i}+1?{noise}", target=str(i + 1)) for i in range(n)]
    return Task(
        dataset=MemoryDataset(samples, name="sums"), solver=[system_message("Be brief."), generate()],
        scorer=match(), config=GenerateConfig(temperature=0.5), message_limit=9, epochs=2, version=4,
    )

@task
def rated():
    return Task(dataset=[Sample(input="a", target="b"), Sample(input="c", target="d")], scorer=graded())

@scorer(metrics=[mean()])
def refusing():
    async def score(state, target):
        raise RuntimeError("the grader is [bold]away[/bold]")
    return score

@task
def ungraded():
    return Task(dataset=[Sample(input="a", target="b"), Sample(input="c", target="d")], scorer=refusing())

@task
def broken():
    raise RuntimeError("the data set is on another machine")
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file of the user's with several tasks."""
    path = tmp_path / "mine.py"
    path.write_text(TASK, encoding="utf-8")
    return path


def test_what_a_task_tells_is_filled_in(file: Path) -> None:
    """Name, version, arguments, dataset, decoding, limits, steps and scorers come from the task and its dry run."""
    text = from_inspect.draft(f"{file}@adding", task_args={"n": 4}, model="mockllm/model", dry_run=0).text
    assert "nothing was run" in text
    loaded = parse(text).tasks[0]
    assert loaded.dataset.samples == ("item-0", "item-1", "item-2", "item-3")
    assert parse(text).measures[0].score == "match"

    protocol = parse(from_inspect.draft(f"{file}@adding", task_args={"n": 4}).text)
    task = protocol.tasks[0]
    assert (task.task, task.version, task.args, task.epochs) == ("adding", "4", {"n": 4, "shaky": False}, 2)
    assert task.dataset.name == "sums"
    assert task.dataset.n == protocol.sample_size.items == 4
    assert task.dataset.sha256 == loaded.dataset.sha256
    assert task.generate == {"temperature": 0.5}
    assert task.limits == {"message_limit": 9}
    assert task.solver is not None
    assert [step.solver for step in task.solver] == ["system_message", "generate"]
    assert protocol.measures[0].score == task.scorers[0].name == "match"


def test_scores_that_are_tables_name_a_key(file: Path) -> None:
    """Where a score is a table of values, the measure reads its first entry; unnamed items are numbered."""
    text = from_inspect.draft(f"{file}@rated").text
    protocol = parse(text)
    assert "holds several values (length, tone)" in text
    assert (protocol.measures[0].score, protocol.measures[0].key) == ("graded", "length")
    assert protocol.tasks[0].dataset.samples == ("1", "2")
    assert protocol.tasks[0].dataset.sha256 is not None
    assumed = protocol.sample_size.assumptions
    assert not assumed.binary and assumed.sd is not None
    assert all(step.params is not None for step in protocol.tasks[0].solver or ())


def test_a_draft_can_be_simulated_and_says_what_is_open(file: Path) -> None:
    """Only what a person must fill in blocks a draft; the preface counts and names exactly those fields."""
    text = from_inspect.draft(f"{file}@adding", task_args={"n": 40}).text
    examined = examine(parse(text), replicates=20)
    assert examined.characteristics is not None
    blocking = [found for found in examined.findings if found.blocks]
    assert {found.code for found in blocking} == {"I113"}
    assert f'# {len(blocking)} fields only you can fill in are marked "FILL IN":\n' in text
    assert all(f"#   {found.where}\n" in text for found in blocking)
    assert "{" not in text.partition("\n\n")[0]


def test_what_was_said_is_filled_in(file: Path) -> None:
    """Title, author, day and model are taken over and no longer asked for."""
    made = from_inspect.draft(
        f"{file}@adding", title="Sums: harder", author="Ada", due=date(2027, 1, 31), model="mockllm/model"
    )
    text, plan = made.text, parse(made.text)
    assert made.problem is None
    assert (plan.title, plan.authors[0].name, plan.timeline.due) == ("Sums: harder", "Ada", date(2027, 1, 31))
    assert plan.models[0].id == "mockllm/model"
    assert "#   title" not in text and "#   authors" not in text and "#   models" not in text


@pytest.mark.parametrize("field", ["title", "author", "model"])
def test_texts_that_no_protocol_takes_are_refused(file: Path, field: str) -> None:
    """A text of several lines or none is refused before anything is run."""
    for value in ("two\nlines", " ", "x" * 501):
        with pytest.raises(InputError, match=f"the {field} .* is not one line"):
            from_inspect.draft(f"{file}@adding", **{field: value})


def test_the_file_is_kept_as_inspect_finds_it(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The task's file is in the draft: relative to this folder where it lies below it, else as typed."""
    monkeypatch.chdir(file.parent.parent)
    relative = f"{file.parent.name}/{file.name}"
    assert parse(from_inspect.draft(f"{file}@adding", dry_run=0).text).tasks[0].file == relative
    (file.parent / "below").mkdir()
    monkeypatch.chdir(file.parent / "below")
    assert parse(from_inspect.draft("../mine.py@adding", dry_run=0).text).tasks[0].file == "../mine.py"


def test_parameters_that_may_follow_the_arguments_stay_open(file: Path) -> None:
    """A task with arguments binds its solver by name, and the preface says what to do about the rest."""
    text = from_inspect.draft(f"{file}@adding").text
    assert [(step.solver, step.params) for step in parse(text).tasks[0].solver or ()] == [
        ("system_message", None),
        ("generate", None),
    ]
    assert "parameters of system_message, generate are left open" in text


@pytest.mark.parametrize(
    ("name", "model", "reason"),
    [("ungraded", None, "the grader is away"), ("adding", "nobody/nothing", "nobody")],
)
def test_a_dry_run_that_fails_is_told(file: Path, name: str, model: str | None, reason: str) -> None:
    """The reason is in the result and the preface, no dry run is claimed, and the score is the task's own."""
    made = from_inspect.draft(f"{file}@{name}", model=model)
    assert made.problem is not None and reason in made.problem
    preface = made.text.partition("\n\n")[0]
    assert "The dry run failed: " in preface and "samples could tell" not in preface
    plan = parse(made.text)
    assert plan.measures[0].score == {"ungraded": "refusing", "adding": "match"}[name]
    assert "failed" in plan.foreknowledge.note


def test_a_dataset_that_changes_has_no_hash(file: Path) -> None:
    """A dataset that differs from one load to the next is not bound by hash, and the draft says why."""
    text = from_inspect.draft(f"{file}@adding", task_args={"shaky": True}, dry_run=0).text
    assert "differs from one load to the next" in text
    assert parse(text).tasks[0].dataset.sha256 is None


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("broken", "RuntimeError: the data set is on another machine"),
        ("absent", "defines no task 'absent'"),
        ("", "defines 4 tasks"),
    ],
)
def test_faults_of_the_users_code_are_shown(file: Path, name: str, message: str) -> None:
    """What goes wrong in the user's file is told by its last line, with the file's name."""
    with pytest.raises(InputError) as caught:
        from_inspect.draft(f"{file}@{name}")
    assert message in caught.value.message
    assert caught.value.where == str(file)


def test_a_task_that_hangs_is_ended(tmp_path: Path) -> None:
    """A file that never returns is ended at the time limit, and so is what it started."""
    path = tmp_path / "slow.py"
    path.write_text(
        "import pathlib, subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        f"pathlib.Path({str(tmp_path / 'pid')!r}).write_text(str(child.pid))\n"
        "time.sleep(60)\n"
    )
    began = time.monotonic()
    with pytest.raises(InputError, match="more than 3 s"):
        from_inspect.draft(f"{path}@x", timeout=3)
    assert time.monotonic() - began < 20
    pid = int((tmp_path / "pid").read_text())
    for _ in range(50):
        if not Path(f"/proc/{pid}").exists() or Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z":
            break
        time.sleep(0.1)
    else:
        os.kill(pid, 9)
        pytest.fail("what the task started is still running")


def test_what_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: Path) -> None:
    """A missing file and a missing Inspect are told apart, each with what to do."""
    with pytest.raises(NotFoundError, match="no file"):
        from_inspect.draft(str(tmp_path / "nothing.py") + "@x")
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(MissingExtraError, match="leadline\\[inspect\\]"):
        from_inspect.draft(f"{file}@adding")
