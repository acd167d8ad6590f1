"""`leadline verify`: what it looks at, what was taken down, and whom it trusts."""

from pathlib import Path

import pytest

from cli.shell import Lab, leadline


@pytest.fixture
def published(lab: Lab) -> Lab:
    """The lab with its report published."""
    leadline("report", lab.study, "--publish")
    return lab


def test_what_was_taken_down_is_told_from_what_fails(published: Lab, tmp_path: Path) -> None:
    """The reason is said, everything else is checked, and the status is one of its own; a missing file still fails."""
    digest = leadline("show", published.study, "--json").json["logs"][0]["sha256"]
    leadline("take-down", digest, "--reason", "held a participant's name")
    seen = leadline("verify", published.study, "--json", status=6).json
    assert seen["holds"] is True
    gone = [step for step in seen["steps"] if step["ok"] is None]
    assert [step["detail"] for step in gone[:1]] == ["taken down: held a participant's name"]
    assert gone[-1]["name"] == "recomputed report"
    shown = leadline("verify", published.study, status=6).out
    assert "everything that is there holds; something was taken down" in " ".join(shown.split())
    study, whole = tmp_path / "study", tmp_path / "whole"
    leadline("export", published.study, study)
    for _ in range(2):  # with the notice, and without it
        status = 6 if (study / "taken-down.json").exists() else 1
        found = leadline("verify", study, "--json", status=status).json
        assert found["holds"] is (status == 6)
        (study / "taken-down.json").unlink(missing_ok=True)
    leadline("export", whole)
    found = leadline("verify", whole, "--json", status=6).json
    assert [problem["code"] for problem in found["problems"]] == ["export.taken-down"]
    (whole / "taken-down.json").unlink()
    assert leadline("verify", whole, "--json", status=5).json["holds"] is False


def test_a_notice_excuses_no_bytes_that_are_there(published: Lab, tmp_path: Path) -> None:
    """A folder may say what is gone; of what it holds, every byte counts."""
    folder = tmp_path / "study"
    leadline("export", published.study, folder)
    log = next((folder / "logs").rglob("*.eval"))
    digest = log.parent.name if len(log.parent.name) == 64 else None
    listed = leadline("show", published.study, "--json").json["logs"]
    names = ",".join(f'"{digest or one["sha256"]}":"x"' for one in listed[: 1 if digest else None])
    (folder / "taken-down.json").write_text("{" + names + "}")
    log.write_bytes(log.read_bytes() + b" ")
    leadline("verify", folder, status=1)


def test_a_policy_holds_for_studies_and_folders_too(published: Lab, tmp_path: Path) -> None:
    """Nobody cosigned: a policy that asks for nobody is satisfied, one that names a witness is not."""
    witness = leadline("witness", "init", "--json").json["vkey"]
    log_key = leadline("key", "show", "--json").json["log_key"]
    easy, strict = tmp_path / "easy", tmp_path / "strict"
    easy.write_text(f"log {log_key}\nquorum none\n")
    strict.write_text(f"log {log_key}\nwitness w {witness}\nquorum w\n")
    study, whole = tmp_path / "study", tmp_path / "whole"
    leadline("export", published.study, study)
    leadline("export", whole)
    for subject in (published.study, study):
        steps = leadline("verify", subject, "--policy", easy, "--json").json["steps"]
        assert [step["ok"] for step in steps if step["name"] == "policy"] == [True]
        failed = leadline("verify", subject, "--policy", strict, "--json", status=1).json["steps"]
        assert [step["name"] for step in failed if not step["ok"]] == ["policy"]
    leadline("verify", whole, "--policy", easy)
    assert leadline("verify", whole, "--policy", strict, "--json", status=5).error["kind"] == "SignatureError"
    log = next(published.logs.iterdir())
    leadline("verify", log, "--policy", easy, status=3)
    leadline("verify", published.study, "--protocol", published.protocol, status=3)


def test_an_id_is_the_registry_s_study_and_a_path_the_folder(
    published: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An exported folder carries the study's name, so `verify` says which of the two it looked at."""
    monkeypatch.chdir(tmp_path)
    leadline("export", published.study)
    assert leadline("verify", published.study, "--json").json["kind"] == "study"
    assert "in  the registry" in leadline("verify", published.study).out
    assert leadline("verify", f"./{published.study}", "--json").json["kind"] == "bundle"
    assert "in  the folder" in leadline("verify", f"./{published.study}").out
    key = f"{published.study}/log.vkey"
    leadline("verify", published.study, "--key", key)
    other = leadline("witness", "init", "--store", tmp_path / "home" / "registry.db", "--json").json
    assert other
    (tmp_path / "other.vkey").write_text(
        leadline("key", "new", "--key", tmp_path / "k", "--json").json["vkey"]
    )
    error = leadline("verify", published.study, "--key", tmp_path / "other.vkey", "--json", status=5).error
    assert "another key than the one given" in error["message"]


def test_the_command_printed_for_a_crate_can_be_run(published: Lab, tmp_path: Path) -> None:
    """An archive is unpacked first."""
    shown = leadline("export", published.study, tmp_path / "c.zip", "--crate").out
    assert f"python -m zipfile -e {tmp_path / 'c.zip'} {tmp_path / 'c'}" in shown
    assert f"leadline verify {tmp_path / 'c' / 'study'} --key" in shown
