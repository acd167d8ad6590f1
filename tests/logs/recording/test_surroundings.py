"""What is said of machine and code, and what is not."""

import getpass
import subprocess
from pathlib import Path

import msgspec
import pytest

from leadline.logs.recording.surroundings import surroundings, without_credentials


@pytest.mark.parametrize(
    ("remote", "kept"),
    [
        ("https://user:secret@example.org/lab/probes.git", "https://example.org/lab/probes.git"),
        ("https://ghp_token@example.org/lab/probes", "https://example.org/lab/probes"),
        ("https://a@b@example.org/lab", "https://example.org/lab"),
        ("https://example.org/lab?token=secret", None),
        ("ssh://git@example.org/lab/probes", "ssh://example.org/lab/probes"),
        ("git@example.org:lab/probes.git", "example.org:lab/probes.git"),
        ("/home/ada/probes", None),
        ("file:///home/ada/probes", None),
        ("../probes", None),
        ("C:\\Users\\ada\\probes", None),
        ("", None),
        (None, None),
    ],
)
def test_a_remote_keeps_its_address_and_loses_everything_else(remote: str | None, kept: str | None) -> None:
    """No user, token, query, or path on this machine."""
    assert without_credentials(remote) == kept


def test_a_repository_is_described_by_commit_and_whether_it_differs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Commit, dirty and remote; outside a repository there is none of it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert surroundings().git is None
    who = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    (tmp_path / "code.py").write_text("1")
    for words in (["init", "-q"], ["add", "code.py"], [*who, "commit", "-qm", "x"]):
        subprocess.run(["git", *words], check=True)
    subprocess.run(["git", "remote", "add", "origin", "https://me:pw@example.org/lab/code"], check=True)
    git = surroundings().git
    assert git is not None
    assert (len(git.commit), git.dirty, git.remote) == (40, False, "https://example.org/lab/code")
    (tmp_path / "code.py").write_text("2")
    git = surroundings().git
    assert git is not None and git.dirty


def test_nothing_of_the_person_or_the_place_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """No environment variable, no user, no folder; named packages, whether installed or not."""
    monkeypatch.setenv("SECRET_TOKEN", "hunter2-hunter2")
    said = surroundings(["pytest", "no-such-package"])
    text = msgspec.json.encode(said).decode()
    assert "hunter2" not in text and str(Path.cwd()) not in text and str(Path.home()) not in text
    assert getpass.getuser() == "root" or getpass.getuser() not in text
    assert said.packages["pytest"][0].isdigit()
    assert said.packages["no-such-package"] == "not installed"
    assert "numpy" in said.packages or "leadline" in said.packages
