"""Bad input of every kind: what is wrong, where, what to do, and the status the shell gets."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from cli.shell import Lab, leadline
from leadline import verdict
from leadline.errors import StoreError


@dataclass(frozen=True)
class Bad:
    """A command on bad input: its arguments, its status, and what the error must say."""

    make: Callable[[Lab], list[str | Path]]
    status: int
    kind: str
    what: str
    where: str | None
    remedy: str


def _half_a_log(lab: Lab) -> list[str | Path]:
    log = lab.folder / "half.eval"
    log.write_bytes((lab.logs / "hint.eval").read_bytes()[:9000])
    return ["compare", log, lab.logs / "plain.eval"]


def _not_a_log(lab: Lab) -> list[str | Path]:
    (lab.folder / "notes.eval").write_text("dear diary")
    return ["compare", lab.folder / "notes.eval", lab.logs / "plain.eval"]


def _wrong_extension(lab: Lab) -> list[str | Path]:
    (lab.folder / "notes.txt").write_text("dear diary")
    return ["attach", lab.study, lab.folder / "notes.txt"]


def _typo(lab: Lab) -> list[str | Path]:
    (lab.folder / "typo.yaml").write_text(lab.protocol.read_text().replace("\nhypotheses:", "\nhypothesis:"))
    return ["check", lab.folder / "typo.yaml"]


def _broken_yaml(lab: Lab) -> list[str | Path]:
    (lab.folder / "broken.yaml").write_text("leadline: 1\ntitle: [one\n")
    return ["register", lab.folder / "broken.yaml"]


def _unknown_column(lab: Lab) -> list[str | Path]:
    plan = yaml.safe_load(lab.protocol.read_text())
    plan["hypotheses"][0]["estimand"]["where"] = "levell = 3"
    (lab.folder / "where.yaml").write_text(yaml.safe_dump(plan))
    return ["check", lab.folder / "where.yaml"]


def _open_key(lab: Lab) -> list[str | Path]:
    key = lab.folder / "open.key"
    shutil.copy(lab.folder / "home" / "author.key", key)
    key.chmod(0o644)
    return ["withdraw", lab.study, "--reason", "none", "--key", key]


def _store_under_a_file(lab: Lab) -> list[str | Path]:
    return ["register", lab.protocol, "--no-simulate", "--store", lab.protocol / "registry.db"]


def _page_nowhere(lab: Lab) -> list[str | Path]:
    return ["report", lab.study, "--html", lab.folder / "no" / "such" / "page.html"]


def _certificate_of_another_log(lab: Lab) -> list[str | Path]:
    leadline("key", "register", "Ada", "--store", lab.folder / "other.db")
    return ["verify", lab.certificate, "--store", lab.folder / "other.db"]


def _other_protocol(lab: Lab) -> list[str | Path]:
    text = lab.protocol.read_text().replace("smallest: 0.15", "smallest: 0.05")
    (lab.folder / "moved.yaml").write_text(text)
    return ["verify", lab.certificate, "--protocol", lab.folder / "moved.yaml"]


def _blocked(lab: Lab) -> list[str | Path]:
    plan = yaml.safe_load(lab.protocol.read_text())
    plan["timeline"] = {"due": "2020-01-01"}
    (lab.folder / "late.yaml").write_text(yaml.safe_dump(plan))
    return ["register", lab.folder / "late.yaml"]


TABLE = {
    "half-written log": Bad(
        _half_a_log, 3, "LogError", "cut short", "half.eval", "wait until the run has finished"
    ),
    "not a log": Bad(
        _not_a_log, 3, "LogError", "does not begin like a log", "notes.eval", "copy the log again"
    ),
    "wrong extension": Bad(
        _wrong_extension, 3, "LogError", "no evaluation log", "notes.txt", "docs/log-formats.md"
    ),
    "no such log": Bad(
        lambda lab: ["compare", "nope.eval", lab.logs],
        3,
        "NotFoundError",
        "'nope.eval'",
        None,
        "check the path",
    ),
    "no such score": Bad(
        lambda lab: ["compare", lab.logs / "hint.eval", lab.logs / "plain.eval", "--score", "judge"],
        3,
        "InputError",
        "no score 'judge'",
        None,
        "match",
    ),
    "level": Bad(
        lambda lab: ["compare", lab.logs / "hint.eval", lab.logs / "plain.eval", "--level", "95"],
        3,
        "InputError",
        "a level of 95",
        None,
        "0.05",
    ),
    "cluster": Bad(
        lambda lab: ["compare", lab.logs / "hint.eval", lab.logs / "plain.eval", "--cluster", "topic"],
        3,
        "ExpressionError",
        "no column is named 'topic'",
        None,
        "metadata.topic",
    ),
    "YAML typo": Bad(
        _typo, 3, "DocumentError", "unknown key 'hypothesis'", "typo.yaml:", "did you mean 'hypotheses'"
    ),
    "broken YAML": Bad(
        _broken_yaml, 3, "DocumentError", "not well-formed YAML", "broken.yaml:3:1", "indentation"
    ),
    "filter without column": Bad(
        _unknown_column, 3, "DocumentError", "no column is named 'levell'", "where.yaml:", "metadata."
    ),
    "blocked by check": Bad(_blocked, 3, "ProtocolError", "I102", "late.yaml: timeline.due", ""),
    "key others can read": Bad(_open_key, 5, "KeyFileError", "mode 0644", "open.key", "chmod 600"),
    "no key": Bad(
        lambda lab: ["register", lab.protocol, "--key", "no.key"],
        3,
        "NotFoundError",
        "no key file",
        "no.key",
        "leadline key new",
    ),
    "store under a file": Bad(
        _store_under_a_file, 4, "StoreError", "cannot be opened", "registry.db", "--store"
    ),
    "page nowhere": Bad(
        _page_nowhere, 4, "StoreError", "cannot be written", "page.html", "check that the folder exists"
    ),
    "server address": Bad(
        lambda lab: ["search", "--store", "mysql://db/leadline"],
        3,
        "InputError",
        "cannot be opened",
        None,
        "registry.db",
    ),
    "unknown study": Bad(
        lambda lab: ["show", "LL-0000000000000"],
        3,
        "NotFoundError",
        "no study LL-0000000000000",
        None,
        "leadline search",
    ),
    "not an id": Bad(
        lambda lab: ["show", "twelve"], 3, "InputError", "'twelve' is not a study id", None, "LL-"
    ),
    "neither file nor id": Bad(
        lambda lab: ["verify", "twelve"], 3, "NotFoundError", "neither a file", None, "certificate"
    ),
    "not a key": Bad(
        lambda lab: ["verify", lab.certificate, "--key", "a+b+c"],
        5,
        "SignatureError",
        "not a verifier key",
        None,
        "copy the key",
    ),
    "another log's key": Bad(_certificate_of_another_log, 5, "SignatureError", "", None, ""),
    "another protocol": Bad(
        _other_protocol,
        5,
        "IntegrityError",
        "this protocol has digest",
        "moved.yaml",
        "changed after the freeze",
    ),
    "unknown template": Bad(
        lambda lab: ["new", "--template", "nope"], 3, "NotFoundError", "'nope'", None, "compare"
    ),
    "two ways to draft": Bad(
        lambda lab: ["new", "--template", "compare", "--from-inspect", "t.py"],
        3,
        "InputError",
        "own template",
        None,
        "leave out",
    ),
    "task argument": Bad(
        lambda lab: ["new", "--from-inspect", "t.py@task", "-T", "level"],
        3,
        "InputError",
        "KEY=VALUE",
        None,
        "-T level=3",
    ),
    "overwriting": Bad(
        lambda lab: ["new", lab.protocol], 3, "StateError", "a file already", "study.yaml", "another file"
    ),
    "key overwritten": Bad(
        lambda lab: ["key", "new"], 3, "StateError", "never overwritten", "author.key", "another path"
    ),
    "attempt not open": Bad(
        lambda lab: ["attempts", "close", lab.study, "7"],
        3,
        "StateError",
        "no attempt 7",
        "LL-",
        "attempts list",
    ),
    "two studies": Bad(
        lambda lab: ["report", lab.study, "b"], 3, "InputError", "of one study", None, "--protocol"
    ),
    "missing argument": Bad(
        lambda lab: ["show"], 2, "UsageError", "Missing argument", None, "leadline show --help"
    ),
    "unknown command": Bad(lambda lab: ["shwo"], 2, "UsageError", "No such command", None, "leadline --help"),
    "unknown option": Bad(
        lambda lab: ["show", "LL-0", "--jsn"], 2, "UsageError", "--jsn", None, "leadline show --help"
    ),
}


@pytest.mark.parametrize("name", TABLE)
def test_bad_input_is_explained(name: str, lab: Lab) -> None:
    """As text on standard error, and as JSON there; standard output stays empty."""
    bad = TABLE[name]
    arguments = bad.make(lab)
    shown = leadline(*arguments, status=bad.status)
    assert shown.out == ""
    assert bad.what in shown.err
    assert (bad.where or "") in shown.err
    assert bad.remedy in shown.err or bad.status == 2
    if bad.status != 2:
        assert "\n  what to do: " in shown.err or not bad.remedy
    error = leadline(*arguments, "--json", status=bad.status).error
    assert set(error) == {"kind", "message", "where", "remedy"}
    assert bad.kind in ("", error["kind"])
    assert (bad.where or "") in (error["where"] or "")
    assert bad.remedy in (error["remedy"] or "")


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="the superuser may write anywhere")
def test_a_store_in_a_folder_that_may_not_be_written(lab: Lab) -> None:
    """Status 4, the folder named, and the registry not half made."""
    closed = lab.folder / "closed"
    closed.mkdir(mode=0o500)
    error = leadline(
        "register", lab.protocol, "--no-simulate", "--store", closed / "r.db", "--json", status=4
    ).error
    assert str(closed) in error["where"]


def test_a_certificate_that_cannot_be_written_does_not_undo_the_registration(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error says that the study is registered, and how to get the certificate elsewhere."""

    def refuse(self: Path, data: bytes) -> int:
        raise OSError(28, "No space left on device", str(self))

    monkeypatch.setattr(Path, "write_bytes", refuse)
    shown = leadline("register", lab.protocol, "--no-simulate", status=4)
    assert f"{lab.study} is registered" in shown.err
    assert f"leadline export {lab.study} FOLDER" in shown.err


@pytest.mark.parametrize(
    ("raised", "status", "said"),
    [
        (KeyboardInterrupt(), 130, "interrupted"),
        (
            OSError(28, "No space left on device", "/some/where"),
            4,
            "/some/where: the disk refused: No space left on device",
        ),
        (BrokenPipeError(32, "Broken pipe"), 141, ""),
        (StoreError("full", where="here", remedy="buy a disk"), 4, "here: full\n  what to do: buy a disk"),
        (
            ZeroDivisionError("division by zero"),
            70,
            "a fault in Leadline: ZeroDivisionError: division by zero",
        ),
    ],
    ids=["interrupt", "disk full", "broken pipe", "explained", "fault"],
)
def test_whatever_is_raised_ends_in_words_and_a_status(
    raised: BaseException, status: int, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No traceback reaches a person who did not ask for one."""

    def fail(*_: object, **__: object) -> None:
        raise raised

    monkeypatch.setattr(verdict, "compare", fail, raising=False)
    shown = leadline("compare", "a", "b", status=status)
    assert said in shown.err
    assert "Traceback" not in shown.err
    if not isinstance(raised, BrokenPipeError | KeyboardInterrupt):
        assert "Traceback" in leadline("--debug", "compare", "a", "b", status=status).err


def test_control_characters_in_errors_do_not_reach_the_terminal(tmp_path: Path) -> None:
    """A file name that would move the cursor is shown without doing so."""
    shown = leadline("compare", "evil\x1b[2Jname", tmp_path, status=3)
    assert "\x1b" not in shown.err


def test_a_reader_that_goes_away_ends_the_command_quietly(lab: Lab) -> None:
    """As any other tool in a pipe: status 141, no complaint."""
    script = (
        "import sys, os\n"
        "from leadline.cli.main import main\n"
        "r, w = os.pipe(); os.dup2(w, 1); os.close(w); os.close(r)\n"
        "sys.exit(main(['schema', 'protocol']))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert done.returncode == 141
    assert done.stderr == ""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_under_standard_output_is_an_error() -> None:
    """Output that could not be written is not success."""
    script = "import sys; from leadline.cli.main import main; sys.exit(main(['schema', 'protocol']))"
    with open("/dev/full", "w") as full:  # noqa: PTH123
        done = subprocess.run(
            [sys.executable, "-c", script], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60
        )
    assert done.returncode == 4
    assert "No space left" in done.stderr
