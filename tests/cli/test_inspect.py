"""Inspect at both ends: the command it is run with, and the protocol drafted from its task."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from cli.shell import leadline
from leadline.bench.launch.inspect_command import LIMIT_FLAGS, inspect_command
from leadline.protocol import Protocol
from leadline.verdict.seeding import Seeds
from registry.world import document

TASK = """
from inspect_ai import Task, task
from inspect_ai.dataset import Sample
from inspect_ai.scorer import match
from inspect_ai.solver import generate

@task
def sums(n: int = 3):
    items = [Sample(id=f"s{i}", input=f"{i}+1", target=str(i + 1)) for i in range(n)]
    return Task(dataset=items, solver=generate(), scorer=match())
"""


def command(**changes: object) -> list[str]:
    """The words of the command for the arm `plain`, the task changed."""
    plan = document()
    plan["tasks"][0].update(changes)
    protocol = Protocol.model_validate(plan)
    return shlex.split(
        inspect_command(protocol, protocol.arm("plain"), {"leadline_arm": "plain"}, Seeds(4711, 815))
    )


def test_the_command_states_what_was_promised() -> None:
    """Task, model, arguments, limits, decoding and the stamp; epochs when there are several."""
    words = command(args={"n": 3, "deep": True, "name": "a b"}, epochs=2)
    assert words[:5] == ["inspect", "eval", "addition", "--model", "mockllm/tiny"]
    for pair in (["-T", "n=3"], ["-T", "deep=true"], ["-T", "name=a b"], ["-T", "style=plain"], ["--epochs", "2"],
                 ["--message-limit", "10"], ["--temperature", "0.0"], ["--metadata", "leadline_arm=plain"]):  # fmt: skip
        assert any(words[i : i + 2] == pair for i in range(len(words))), pair


def test_a_task_from_a_file_is_named_by_its_file() -> None:
    """Where no package has the task, Inspect is given FILE@TASK, quoted for the shell."""
    assert command(file="my tasks.py")[2] == "my tasks.py@addition"
    assert command(task="mine/addition", file="sub/t.py")[2] == "sub/t.py@addition"


def test_a_promised_server_is_asked() -> None:
    """A model's `base_url` is part of the command."""
    plan = document()
    plan["models"][0]["base_url"] = "https://models.example/v1"
    protocol = Protocol.model_validate(plan)
    words = shlex.split(inspect_command(protocol, protocol.arm("plain"), {}, Seeds(1, 2)))
    assert words[words.index("--model-base-url") + 1] == "https://models.example/v1"


def test_a_seed_that_derives_from_the_freeze_is_filled_in() -> None:
    """`seed: from_freeze` becomes the study's number; settings that are no plain values are left out."""
    words = command(generate={"seed": "from_freeze", "temperature": 1, "stop_seqs": ["x"]})
    assert words[words.index("--seed") + 1] == "4711"
    assert "--stop-seqs" not in words


@pytest.mark.slow
def test_inspect_has_the_flags_the_command_uses() -> None:
    """Every limit and the usual decoding settings are options of `inspect eval`."""
    pytest.importorskip("inspect_ai")
    done = subprocess.run(
        [sys.executable, "-c", "from inspect_ai._cli.main import main; main()", "eval", "--help"],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    known = set(re.findall(r"--?[A-Za-z][\w-]*", done.stdout))
    used = {word for word in command(epochs=2) if word.startswith("-") and len(word) > 1}
    used |= {f"--{name.replace('_', '-')}" for name in LIMIT_FLAGS}
    used |= {"--top-p", "--max-tokens", "--seed", "-M", "--model-base-url"}
    assert used <= known


@pytest.mark.slow
def test_a_protocol_is_drafted_from_a_task(tmp_path: Path) -> None:
    """`new --from-inspect` lists the items the task has with these arguments."""
    pytest.importorskip("inspect_ai")
    (tmp_path / "mine.py").write_text(TASK)
    target = f"{tmp_path / 'mine.py'}@sums"
    text = ["--title", "Sums", "--author", "Ada", "--due", "2027-01-31", "--model", "mockllm/model"]
    done = leadline("new", tmp_path / "study.yaml", "--from-inspect", target, "-T", "n=4", *text)
    assert "dry run failed" not in done.err
    plan = Protocol.load(tmp_path / "study.yaml")
    task = plan.tasks[0]
    assert (task.task, task.args, task.dataset.samples) == ("sums", {"n": 4}, ("s0", "s1", "s2", "s3"))
    assert (plan.title, plan.authors[0].name, plan.models[0].id) == ("Sums", "Ada", "mockllm/model")
    assert str(plan.timeline.due) == "2027-01-31"
    again = leadline("new", tmp_path / "study.yaml", "--from-inspect", target, status=3)
    assert "--force" in again.err


@pytest.mark.slow
def test_a_dry_run_that_fails_is_said(tmp_path: Path) -> None:
    """The reason is on standard error; the draft is written all the same."""
    pytest.importorskip("inspect_ai")
    (tmp_path / "mine.py").write_text(TASK)
    target = f"{tmp_path / 'mine.py'}@sums"
    done = leadline("new", tmp_path / "s.yaml", "--from-inspect", target, "--model", "nobody/nothing")
    assert "the dry run failed: " in done.err and "nobody" in done.err
    assert (tmp_path / "s.yaml").exists()
