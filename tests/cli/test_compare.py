"""`leadline compare`: options that make no sense are refused, what was skipped is said."""

from pathlib import Path
from typing import get_args

import pytest

from cli.shell import leadline
from logs.factory import sample, write_eval


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """A folder with the logs of two prompts on the same forty items."""
    folder = tmp_path / "logs"
    folder.mkdir()
    for style, right in (("hint", 30), ("plain", 10)):
        samples = [sample(f"{i}x", "C" if i < right else "I", input=f"q{i}") for i in range(40)]
        write_eval(folder / f"{style}.eval", samples=samples, task_args={"style": style})
    return folder


def test_the_methods_offered_are_those_that_answer() -> None:
    """What `--method` accepts is what a paired difference can be answered with."""
    from leadline.cli.commands.compare import PairedMethod
    from leadline.protocol.consistency import METHODS

    assert get_args(PairedMethod) == METHODS["paired_difference"]


@pytest.mark.parametrize(
    ("options", "status", "said"),
    [
        (("--method", "wilson"), 2, "'wilson' is not one of"),
        (("--smallest", "5"), 3, "did you mean .05?"),
        (("--cluster", "id"), 3, "did you mean sample_id?"),
    ],
)
def test_options_that_make_no_sense_are_refused(
    logs: Path, options: tuple[str, str], status: int, said: str
) -> None:
    """Nothing is printed as a result, and the remedy is."""
    shown = leadline("compare", logs / "hint.eval", logs / "plain.eval", *options, status=status)
    assert shown.out == ""
    assert said in " ".join(shown.err.split())


def test_a_folder_of_both_arms_is_not_a_side(logs: Path) -> None:
    """The groups in the folder are listed, with a file to name instead."""
    shown = leadline("compare", logs, logs / "plain.eval", status=3)
    said = " ".join(shown.err.split())
    assert "A holds 2 different setups" in said
    assert "task_args.style hint" in said and "plain.eval" in said
    assert "name one log, e.g. " in said


def test_a_log_against_itself_is_refused(logs: Path) -> None:
    """There is nothing to compare."""
    log = logs / "hint.eval"
    error = leadline("compare", log, log, "--json", status=3).error
    assert "the same evaluation on both sides" in error["message"]


def test_skipped_files_are_told_everywhere(logs: Path) -> None:
    """On the terminal, on the page and in the JSON."""
    folder = logs.parent / "one"
    folder.mkdir()
    (folder / "hint.eval").write_bytes((logs / "hint.eval").read_bytes())
    (folder / "torn.eval").write_bytes((logs / "hint.eval").read_bytes()[:500])
    page = logs.parent / "page.html"
    arguments = ("compare", folder, logs / "plain.eval")
    assert "A: torn.eval was skipped" in leadline(*arguments, "--html", page).out
    assert "A: torn.eval was skipped" in page.read_text(encoding="utf-8")
    assert any(
        note.startswith("A: torn.eval was skipped") for note in leadline(*arguments, "--json").json["notes"]
    )
