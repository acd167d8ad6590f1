"""`leadline new`: the day it takes, and the file it does not replace."""

from pathlib import Path

import pytest

from cli.shell import leadline
from leadline.protocol import Protocol


@pytest.mark.parametrize("text", ["soon", "20270131", "2027-1-31", "2027-02-30", "31.01.2027", ""])
def test_a_due_day_has_one_form(tmp_path: Path, text: str) -> None:
    """Anything but a day as YYYY-MM-DD is refused with the form, and nothing is written."""
    refused = leadline("new", tmp_path / "s.yaml", "--due", text, status=3)
    assert "--due" in refused.err and "YYYY-MM-DD" in refused.err
    assert not (tmp_path / "s.yaml").exists()


def test_a_due_day_is_filled_in(tmp_path: Path) -> None:
    """A day goes into the template."""
    leadline("new", tmp_path / "s.yaml", "--due", "2031-05-04")
    assert str(Protocol.load(tmp_path / "s.yaml").timeline.due) == "2031-05-04"


def test_an_existing_file_is_replaced_only_with_force(tmp_path: Path) -> None:
    """The refusal names --force, and comes before a task would be loaded."""
    file = tmp_path / "s.yaml"
    file.write_text("mine")
    for more in ((), ("--from-inspect", str(tmp_path / "absent.py") + "@task")):
        refused = leadline("new", file, *more, status=3)
        assert "a file already" in refused.err and "--force" in refused.err
        assert file.read_text() == "mine"
    leadline("new", file, "--force")
    assert file.read_text() != "mine"
