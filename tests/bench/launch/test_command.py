"""The command of a launch: stamps and derived seeds added, and what could hide a run refused beforehand."""

import sys
from pathlib import Path

import pytest

from bench.launch.lab import plan
from leadline.bench.launch.command import Command, commands, prepared
from leadline.errors import InputError
from leadline.protocol.model import Protocol
from leadline.verdict.seeding import Seeds

PROTOCOL = Protocol.model_validate(plan())
SEEDS = Seeds(4711, 815)
STAMP = {"leadline_study": "LL-x", "leadline_attempt": "ab" * 32}


@pytest.fixture(autouse=True)
def inspect(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program of that name, whether or not Inspect is installed."""
    program = tmp_path / "inspect"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    for name in ("INSPECT_EVAL_METADATA", "INSPECT_REQUIRED_HOOKS", "INSPECT_LOG_DIR", "INSPECT_EVAL_SEED"):
        monkeypatch.delenv(name, raising=False)
    return program


def made(*words: str, arm: str | None = None) -> tuple[list[str], dict[str, str]]:
    """The prepared command for the user's words."""
    [one] = commands(PROTOCOL, words, [arm] if arm else [], SEEDS)
    return prepared(one, PROTOCOL, STAMP, SEEDS, Path("berth"))


def test_stamps_and_seeds_become_flags() -> None:
    """Before the user's own words; the hook is required, and told where to look."""
    words, environment = made("inspect", "eval", "t.py", "--temperature", "0")
    assert words[:2] == ["inspect", "eval"] and words[-3:] == ["t.py", "--temperature", "0"]
    added = words[2:-3]
    assert added == [
        "--metadata", "leadline_study=LL-x", "--metadata", f"leadline_attempt={'ab' * 32}", "--seed", "4711",
        "--sample-shuffle", "815",
    ]  # fmt: skip
    assert environment["INSPECT_REQUIRED_HOOKS"] == "leadline/launch"
    assert environment["LEADLINE_LAUNCH"] == "berth"


def test_a_named_arm_brings_its_metadata() -> None:
    """With blanks, since a flag can carry them."""
    words, _ = made("inspect", "eval-set", "t.py", arm="plain")
    assert "told=two words" in words and "leadline_arm=plain" in words


def test_what_the_user_said_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """An own seed is not overruled, and metadata in the environment is not hidden by flags; other hooks stay required."""
    monkeypatch.setenv("INSPECT_EVAL_METADATA", "mine=1 yours=2")
    monkeypatch.setenv("INSPECT_REQUIRED_HOOKS", "other/hook")
    words, environment = made("inspect", "eval", "t.py", "--seed=3")
    assert "--seed" not in words and "mine=1" in words and "yours=2" in words
    assert "INSPECT_EVAL_METADATA" not in environment
    assert environment["INSPECT_REQUIRED_HOOKS"] == "other/hook,leadline/launch"


def test_a_script_gets_variables() -> None:
    """Where no Inspect command is seen, what it starts may read them: blanks as escapes."""
    words, environment = made(sys.executable, "mine.py", arm="plain")
    assert words == [sys.executable, "mine.py"]
    assert environment["INSPECT_EVAL_SEED"] == "4711"
    assert 'told="two\\x20words"' in environment["INSPECT_EVAL_METADATA"].split()


@pytest.mark.parametrize(
    ("words", "arms", "said"),
    [
        (["inspect", "eval-retry", "x.eval"], [], "begins no evaluation"),
        (["inspect", "eval", "t.py", "--detach"], [], "nobody would see"),
        (["no-such-program-here"], [], "no program"),
        (["inspect", "eval", "t.py"], ["nobody"], "no arm 'nobody'"),
        (["inspect", "eval", "t.py"], ["plain", "examples"], "one command is for one arm"),
    ],
)
def test_what_could_hide_a_run_is_refused(words: list[str], arms: list[str], said: str) -> None:
    """Before anything is announced, with something to do about it."""
    with pytest.raises(InputError, match=said) as caught:
        commands(PROTOCOL, words, arms, SEEDS)
    assert caught.value.remedy()


def test_a_command_cannot_claim_another_stamp() -> None:
    """An own `leadline_attempt` would override the launcher's."""
    with pytest.raises(InputError, match="stamps its logs itself"):
        made("inspect", "eval", "t.py", "--metadata", "leadline_attempt=cd")


def test_log_folders_are_where_inspect_was_told() -> None:
    """The flag, in both spellings, and the default."""
    assert Command(("inspect", "eval", "--log-dir=a/b"), 1).log_dir == "a/b"
    assert Command(("inspect", "eval", "--log-dir", "c"), 1).log_dir == "c"
    assert Command(("inspect", "eval"), 1).log_dir == "logs"
