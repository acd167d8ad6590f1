"""What commands say to do next works as it is printed."""

import re
import shlex
from contextlib import redirect_stdout
from datetime import datetime, timedelta, tzinfo
from io import StringIO
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import pytest
import typer

from cli.shell import Result, leadline, write_logs, write_protocol
from leadline.cli.commands import sealed
from leadline.cli.main import app
from leadline.cli.opening import repeated
from leadline.cli.output import Page
from leadline.cli.remedies import completed


def hint(shown: Result, start: str) -> list[str]:
    """The one command line that begins so, as a shell would split it, without the program's name."""
    (line,) = (one for one in shown.out.splitlines() if one.strip().startswith(f"leadline {start}"))
    return shlex.split(line)[1:]


def arms(shown: Result) -> list[dict[str, object]]:
    """The arms of an attempt, with the metadata that the printed commands give to Inspect."""
    found = []
    lines = shown.out.splitlines()
    for name, line in pairwise(lines):
        if line.strip().startswith("inspect eval"):
            words = shlex.split(line)
            pairs = (value for flag, value in pairwise(words) if flag == "--metadata")
            found.append({"arm": name.strip(), "metadata": dict(pair.split("=", 1) for pair in pairs)})
    return found


def follow(command: list[str], logs: Path | None = None) -> Result:
    """Run a hint, with a folder where it says LOGS."""
    return leadline(*(str(logs) if word == "LOGS" else word for word in command))


@pytest.fixture
def elsewhere(tmp_path: Path, home: Path) -> list[str]:
    """Options for a registry and a key in a folder whose name needs quoting; the defaults must stay untouched."""
    folder = tmp_path / "it's mine"
    folder.mkdir()
    options = ["--store", str(folder / "registry.db"), "--key", str(folder / "author.key")]
    leadline("key", "new", "--key", folder / "author.key")
    assert not (home / "author.key").exists()
    return options


def test_a_study_is_led_from_hint_to_hint(tmp_path: Path, home: Path, elsewhere: list[str]) -> None:
    """check, register, attempts open, attach, close, report, publish: each names the next, ready to run."""
    written = write_protocol(tmp_path / "my study.yaml")
    checked = leadline("check", written, "--replicates", "20", *elsewhere[:2])
    register = [*hint(checked, "register"), *elsewhere[2:], "--no-simulate"]
    opened = follow(hint(leadline(*register), "attempts open"))
    logs = write_logs(tmp_path / "some logs", {"arms": arms(opened)})
    attached = follow(hint(opened, "attach"), logs)
    assert hint(attached, "attempts close") == hint(opened, "attempts close")
    analysed = follow(hint(follow(hint(attached, "attempts close")), "report"))
    assert "Published as entry" in follow(hint(analysed, "report")).out
    assert not (home / "registry.db").exists()
    assert not (home / "author.key").exists()


def next_week(zone: tzinfo) -> datetime:
    """The time of a flush in the week after."""
    return datetime.now(zone) + timedelta(weeks=1)


def test_logs_noted_for_no_attempt_lead_to_the_report(tmp_path: Path, elsewhere: list[str]) -> None:
    """There is no attempt to close then."""
    leadline("key", "seal")
    plan = write_protocol(tmp_path / "plan.yaml")
    opened = follow(hint(leadline("seal", plan, "--no-simulate", *elsewhere), "sealed attempt"))
    logs = write_logs(tmp_path / "logs", {"arms": arms(opened)})
    attach = hint(opened, "sealed attach")
    position = attach.index("--attempt")
    shown = follow([*attach[:position], *attach[position + 2 :]], logs)
    assert hint(shown, "sealed report") == ["sealed", "report", attach[2], *elsewhere]


def test_nobody_is_told_to_make_the_batch_of_a_server() -> None:
    """A server makes it by itself, and refuses to be told over the network."""
    out = StringIO()
    with redirect_stdout(out):
        sealed._batching(Page(), "https://registry.example.org")
    assert "by itself" in out.getvalue()
    assert "flush" not in out.getvalue()


def test_a_sealed_study_is_led_from_hint_to_hint(
    tmp_path: Path, home: Path, elsewhere: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """seal, attempt, attach, close, flush, report, flush, reveal: the registry and the key go along."""
    leadline("key", "seal")
    plan = write_protocol(tmp_path / "plan.yaml")
    opened = follow(hint(leadline("seal", plan, "--no-simulate", *elsewhere), "sealed attempt"))
    logs = write_logs(tmp_path / "logs", {"arms": arms(opened)})
    attached = follow(hint(opened, "sealed attach"), logs)
    assert "Noted 3 logs" in attached.out
    assert hint(attached, "sealed close") == hint(opened, "sealed close")
    closed = follow(hint(attached, "sealed close"))
    assert "with 3 logs" in closed.out
    follow(hint(closed, "sealed flush"))
    reported = follow(hint(closed, "sealed report"))
    with monkeypatch.context() as patch:
        patch.setattr(sealed, "datetime", SimpleNamespace(now=next_week))
        follow(hint(reported, "sealed flush"))
    assert "Opened verdict" in follow(hint(reported, "reveal")).out
    assert not (home / "registry.db").exists()


def test_a_lost_key_is_vouched_for_as_printed(tmp_path: Path, elsewhere: list[str]) -> None:
    """What the guardians run names the registry, and nobody's key."""
    store, names = elsewhere[:2], []
    for name in ("one", "two"):
        leadline("key", "new", "--key", tmp_path / name)
        leadline("key", "register", name, *store, "--key", tmp_path / name)
        names.append(leadline("key", "show", *store, "--key", tmp_path / name, "--json").json["fingerprint"])
    leadline("key", "register", "Ada", *elsewhere)
    leadline("key", "guardians", *names, "--threshold", "2", *elsewhere)
    lost = leadline("key", "show", *elsewhere, "--json").json["fingerprint"]
    leadline("key", "new", "--key", tmp_path / "new")
    command = hint(leadline("key", "recover", lost, *store, "--key", tmp_path / "new"), "key vouch")
    assert "--key" not in command
    for name in ("one", "two"):
        assert "Vouched" in leadline(*command, "--key", tmp_path / name).out


def test_what_the_environment_says_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what was given by hand comes back, and never a password."""
    monkeypatch.setenv("LEADLINE_STORE", "here.db")
    assert repeated("leadline show", store="here.db", key="a b") == "leadline show --key 'a b'"
    assert repeated("leadline show") == "leadline show"
    for address in (
        "postgresql://ada:geheim@db.example.org/x",
        "postgresql://ada:ge@heim@db.example.org/x",
        "postgresql://db.example.org/x?user=ada&password=geheim",
    ):
        shown = repeated("leadline show", store=address)
        assert not re.search("ge.?heim", shown)
        assert "PASSWORD" in shown
        assert "db.example.org/x" in shown


def remedy(shown: Result) -> list[str]:
    """The first command that an error advises, without the program's name."""
    found = re.search("`leadline ([^`]*)`", shown.err)
    assert found, shown.err
    return shlex.split(found[1])


def test_what_an_error_says_to_run_works_as_printed(tmp_path: Path, home: Path, elsewhere: list[str]) -> None:
    """The library words remedies without knowing where the registry is; the command that failed does."""
    plan = write_protocol(tmp_path / "plan.yaml")
    opened = follow(hint(leadline("register", plan, "--no-simulate", *elsewhere), "attempts open"))
    logs = write_logs(tmp_path / "logs", {"arms": arms(opened)})
    attach = remedy(leadline(*hint(opened, "attempts close"), status=3))
    assert attach == hint(opened, "attach")
    follow(attach, logs)
    follow(hint(opened, "attempts close"))
    listing = remedy(leadline(*hint(opened, "attempts close"), status=3))
    assert listing == ["attempts", "list", attach[1], *elsewhere[:2]]
    assert "completed" in follow(listing).out
    assert not (home / "registry.db").exists()


def test_a_missing_key_is_made_where_it_was_looked_for(tmp_path: Path, home: Path) -> None:
    """Not at the default place, which the same command would then not read."""
    key = tmp_path / "my keys.key"
    plan = write_protocol(tmp_path / "plan.yaml")
    register = ("register", plan, "--no-simulate", "--key", key)
    follow(remedy(leadline(*register, status=3)))
    assert "Registered" in leadline(*register).out
    assert not (home / "author.key").exists()


@pytest.mark.parametrize(
    ("given", "said", "completed_to"),
    [
        (["show", "X"], "see `leadline search`", "see `leadline search`"),
        (["show", "X", "--store=a b.db"], "see `leadline search`", "see `leadline search --store 'a b.db'`"),
        (["show", "--store", "a", "--store", "b"], "`leadline fsck`", "`leadline fsck --store b`"),
        (["show", "--", "--store", "a"], "`leadline fsck`", "`leadline fsck`"),
        (["show", "--store", "a"], "`leadline fsck --store c`", "`leadline fsck --store c`"),
        (["show", "--store", "a"], "`leadline key new`, `leadline no such`", "`leadline key new`, `leadline no such`"),
        (["show", "--store", "a", "--key", "k"], "`leadline search`", "`leadline search --store a`"),
        (["report", "--key", "k"], "`leadline attach X LOGS`", "`leadline attach X LOGS --key k`"),
        (["report", "--store", "https://x.test"], "`leadline sealed flush`", "`leadline sealed flush`"),
        (["report", "--store", "a.db"], "`leadline sealed flush`", "`leadline sealed flush --store a.db`"),
    ],
)  # fmt: skip
def test_only_commands_that_take_a_registry_are_completed(
    given: list[str], said: str, completed_to: str
) -> None:
    """And only with what was given by hand; what a server does by itself is not asked of it."""
    assert completed(said, given, typer.main.get_command(app)) == completed_to


def test_the_report_says_how_to_check_it_where_it_is(tmp_path: Path, elsewhere: list[str]) -> None:
    """The export names the registry; a page for others names only what they can reach."""
    plan = write_protocol(tmp_path / "plan.yaml")
    opened = follow(hint(leadline("register", plan, "--no-simulate", *elsewhere), "attempts open"))
    follow(hint(opened, "attach"), write_logs(tmp_path / "logs", {"arms": arms(opened)}))
    study, page = hint(opened, "attach")[1], tmp_path / "page.html"
    shown = leadline("report", study, *elsewhere, "--html", page)
    assert hint(shown, "export") == ["export", study, *elsewhere[:2]]
    assert hint(shown, "verify") == ["verify", f"./{study}"]
    assert f"leadline export {study} &amp;&amp; leadline verify ./{study}" in page.read_text()
