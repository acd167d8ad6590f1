"""Commands for operators, and what is searched before a log becomes public."""

import io
import json
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from cli.shell import Lab, Result, leadline
from leadline.cli.output import emit, note
from logs.factory import sample, write_eval

#: What a stranger may put into a title or a reason: colours, a window title, an overwritten line, turned-round text.
HOSTILE = "\x1b[2J\x1b]0;owned\x07 a\rb \u202egnp.exe\u202c \u2066x\u2069 \u200f \x9b31m \x08"


def test_backup_check_restore(lab: Lab, tmp_path: Path) -> None:
    """A backup is made and checked, restores into a new place, and nothing is overwritten."""
    made = leadline("backup", tmp_path / "b", "--keys", tmp_path / "k", "--json")
    assert made.json["entries"] > 5
    assert "offline" in made.err
    assert leadline("restore", tmp_path / "b", "--check", "--json").json["store"] is None
    place = tmp_path / "new.db"
    done = leadline("restore", tmp_path / "b", "--keys", tmp_path / "k", "--store", place, "--json").json
    assert (done["entries"], done["problems"]) == (made.json["entries"], [])
    assert leadline("show", lab.study, "--store", place, "--json").json["id"] == lab.study
    again = leadline("restore", tmp_path / "b", "--store", place, "--json", status=3)
    assert again.error["kind"] == "StateError"
    inside = leadline("backup", tmp_path / "c", "--keys", tmp_path / "c" / "keys", "--json", status=3)
    assert "find the keys" in inside.error["message"]
    assert "keys" in leadline("backup", tmp_path / "d").out
    assert "Restored" in leadline("restore", tmp_path / "d", "--store", tmp_path / "e.db").out


@pytest.mark.parametrize(
    "command",
    [
        ("key", "invitations"),
        ("key", "invite"),
        ("key", "uninvite", "x"),
        ("witness", "list"),
        ("backup", "b"),
    ],
)
def test_what_is_kept_beside_the_log_is_not_asked_for_over_the_network(command: tuple[str, ...]) -> None:
    """No server shows it, so an empty answer would be a wrong one."""
    error = leadline(*command, "--store", "https://registry.example.org", "--json", status=3).error
    assert error["kind"] == "StateError"
    assert "own machine" in error["remedy"]


def test_export_as_tables_and_as_a_crate(lab: Lab, tmp_path: Path) -> None:
    """`--all` writes tables with a manifest, `--crate` a study for repositories of research data."""
    files = leadline("export", tmp_path / "dump", "--all", "--json").json["files"]
    assert str(tmp_path / "dump" / "studies.parquet") in files
    assert "manifest.json" in leadline("export", "--all", tmp_path / "delta", "--since", "3").out
    assert (
        leadline("export", tmp_path / "x", "--since", "3", "--json", status=3).error["kind"] == "InputError"
    )
    leadline("export", lab.study, tmp_path / "crate.zip", "--crate")
    assert (tmp_path / "crate.zip").is_file()
    shown = leadline("export", lab.study, tmp_path / "crate", "--crate").out
    assert f"leadline verify {tmp_path / 'crate' / 'study'}" in shown
    leadline("verify", tmp_path / "crate" / "study", "--key", tmp_path / "crate" / "study" / "log.vkey")


def test_settings_can_be_looked_at_without_serving(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`serve --check` prints what would hold, without passwords, and names mistakes."""
    (tmp_path / "l.toml").write_text('store = "postgresql://u:hunter2@db/r"\naccess = "open"\n')
    monkeypatch.setenv("LEADLINE_PORT", "9999")
    found = leadline("serve", "--config", tmp_path / "l.toml", "--check", "--json")
    assert found.json["settings"]["port"] == 9999
    assert "hunter2" not in found.out
    assert any("open" in one for one in found.json["warnings"])
    text = leadline("serve", "--config", tmp_path / "l.toml", "--check").out
    assert "hunter2" not in text
    assert "Warning" in text
    refused = leadline("serve", "--host", "0.0.0.0", "--check", "--json", status=3)
    assert "base_url" in refused.error["message"]
    monkeypatch.setenv("LEADLINE_ACESS", "open")
    assert "LEADLINE_ACESS" in leadline("serve", "--check", "--json", status=3).error["where"]


def test_a_registry_key_is_replaced(lab: Lab) -> None:
    """`key rotate-own` replaces the service key, and the record stays sound."""
    done = leadline("key", "rotate-own", "service", "--reason", "yearly", "--json").json
    assert done["index"] is not None
    assert "Restart" in leadline("key", "rotate-own", "installation").out
    assert leadline("fsck", "--json").json["sound"]


def test_a_log_with_a_secret_is_not_attached_unless_allowed(lab: Lab, tmp_path: Path) -> None:
    """The command says where it is, masked; allowing the code lets it through; home folders are only mentioned."""
    secret = "ghp_" + "aB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY3zA5"
    path = write_eval(
        tmp_path / "s.eval", samples=[sample("one", input=f"use {secret}", target="/home/lovelace/x")]
    )
    refused = leadline("attach", lab.study, path, "--json", status=3)
    *notes, error = refused.err.splitlines()
    assert "secret.api-key" in error
    assert "--allow-finding secret.api-key" in error
    assert any("samples/one_epoch_1.json, /input" in line for line in notes)
    assert any("personal.home-path" in line and "will be public" in line for line in notes)
    assert secret not in refused.err
    done = leadline("attach", lab.study, path, "--force", "--allow-finding", "secret.api-key", "--json")
    assert len(done.json["logs"]) == 1
    unknown = leadline("attach", lab.study, path, "--allow-finding", "all", "--json", status=3)
    assert "no finding" in unknown.err


def test_what_strangers_wrote_cannot_move_the_cursor(lab: Lab, tmp_path: Path) -> None:
    """Escapes and turned-round text come out as marks, whether refused, recorded, or in the name of a file."""
    logs = tmp_path / "odd"
    logs.mkdir()
    name = "\x1b[31m\u202e.eval"
    write_eval(logs / name, task=HOSTILE, model=HOSTILE, samples=[sample(HOSTILE, "C"), sample("b", "I")])
    plain = write_eval(tmp_path / "plain.eval", task=HOSTILE, samples=[sample(HOSTILE, HOSTILE)])
    leadline("attempts", "open", lab.study, "--note", "a\u200fb\u061cc\u200e")
    shown = [
        leadline("attempts", "open", lab.study, "--note", HOSTILE, status=3),
        leadline("attempts", "list", lab.study),
        leadline("attach", lab.study, logs, status=3),
        leadline("attach", lab.study, plain, status=None),
        leadline("show", lab.study),
        leadline("show", HOSTILE, status=3),
        leadline("check", tmp_path / "\x1b[31m\u202e.yaml", status=3),
        leadline("compare", logs / name, logs / name, status=None),
        leadline("report", lab.study),
        leadline("restore", "--check", logs, status=3),
        leadline("serve", "--config", logs / name, "--check", status=3),
    ]
    with redirect_stderr(io.StringIO()) as err, redirect_stdout(io.StringIO()) as out:
        note(HOSTILE)
        emit({"a": HOSTILE, HOSTILE: 1})
    assert json.loads(out.getvalue()) == {"a": HOSTILE, HOSTILE: 1}
    shown.append(Result(0, out.getvalue(), err.getvalue()))
    for result in shown:
        for text in (result.out, result.err):
            bad = {character for character in text if _dangerous(character)}
            assert not bad, (bad, text)


def _dangerous(character: str) -> bool:
    control = (ord(character) < 32 and character != "\n") or 127 <= ord(character) < 160
    return control or character in "\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u061c"
