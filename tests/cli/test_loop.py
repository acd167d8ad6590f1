"""The whole loop by commands alone, from an empty folder to a verified verdict."""

import json
from pathlib import Path

import pytest
import yaml

from cli.shell import Lab, leadline, write_logs, write_protocol
from leadline.protocol import Protocol


def test_from_nothing_to_a_verified_verdict(tmp_path: Path, home: Path) -> None:
    """new, check, key new, register, attempts, attach, report, verify, show, search, export, fsck, rebuild."""
    leadline("new", tmp_path / "first.yaml", "--template", "compare", "--title", "Mine")
    assert Protocol.load(tmp_path / "first.yaml").title == "Mine"
    protocol = write_protocol(tmp_path / "study.yaml")
    assert "It can be registered." in leadline("check", protocol, "--replicates", "20").out
    assert not (home / "registry.db").exists()

    leadline("key", "new", "--name", "example.org/ada")
    assert (home / "author.key").stat().st_mode & 0o777 == 0o600
    registered = leadline("register", protocol, "--json").json
    study, certificate = registered["id"], Path(registered["certificate"])
    assert certificate == tmp_path / f"{study}.tlog-proof"

    opened = leadline("attempts", "open", study, "--json").json
    assert opened["number"] == 1
    logs = write_logs(tmp_path / "logs", opened)
    assert len(leadline("attach", study, logs, "--attempt", "1", "--json").json["logs"]) == 3
    assert leadline("attempts", "close", study, "1", "--json").json["status"] == "completed"

    analysed = leadline("report", study)
    assert "SUPPORTED" in analysed.out
    assert "Nothing was recorded." in analysed.out
    assert leadline("show", study, "--json").json["reports"] == []
    published = leadline("report", study, "--publish", "--html", tmp_path / "page.html")
    assert "Published as entry" in published.out
    assert study in (tmp_path / "page.html").read_text(encoding="utf-8")
    shown = leadline("show", study, "--json").json
    assert shown["state"] == "reported"
    [verdict] = shown["reports"][0]["verdicts"]
    assert (verdict["outcome"], verdict["standing"]) == ("supported", "confirmatory")

    assert "everything holds" in leadline("verify", study).out
    proven = leadline(
        "verify", certificate, "--key", registered["log_key"], "--protocol", protocol, "--json"
    ).json
    assert proven["study"] == study
    assert proven["protocol_matches"] is True
    assert [one["id"] for one in leadline("search", "addition", "--json").json["studies"]] == [study]
    files = leadline("export", study, tmp_path / "out", "--json").json["files"]
    assert str(tmp_path / "out" / f"{study}.tlog-proof") in files
    assert (tmp_path / "out" / "protocol.json").read_bytes() == Protocol.load(protocol).canonical_bytes()
    frozen = json.loads((tmp_path / "out" / "characteristics.json").read_text())
    assert frozen["protocol"] == Protocol.load(protocol).digest
    assert leadline("fsck", "--json").json["sound"] is True
    before = leadline("show", study, "--json").json
    leadline("rebuild")
    assert leadline("show", study, "--json").json == before


def test_the_same_protocol_registered_twice_is_one_study(lab: Lab) -> None:
    """Registering again answers with the study there is, and adds nothing."""
    size = leadline("fsck", "--json").json["entries"]
    again = leadline("register", lab.protocol, "--no-simulate", "--json").json
    assert again["id"] == lab.study
    assert leadline("fsck", "--json").json["entries"] == size


def test_a_published_report_is_the_json_that_report_prints(lab: Lab, tmp_path: Path) -> None:
    """`report ID --json` gives, byte for byte, what `--publish` records."""
    analysed = leadline("report", lab.study, "--json").out
    published = leadline("report", lab.study, "--publish", "--json").out
    leadline("export", lab.study, tmp_path / "out")
    [stored] = (tmp_path / "out").glob("report-*.json")
    assert analysed == published == stored.read_text(encoding="utf-8") + "\n"


def test_logs_of_a_protocol_nobody_registered_get_a_retrospective_report(lab: Lab) -> None:
    """`report --protocol FILE LOGS... --json` analyses logs without a registry, and says what that is worth."""
    logs = sorted(lab.logs.iterdir())
    found = leadline("report", "--protocol", lab.protocol, *logs, "--json", "--store", "nowhere.db")
    assert found.json["standing"] == "retrospective"
    assert found.json["verdicts"]["H1"]["outcome"] == "supported"
    assert "never registered" in found.err
    refused = leadline("report", "--protocol", lab.protocol, *logs, "--publish", status=3)
    assert "leadline import" in refused.err


def test_import_records_a_retrospective_report(lab: Lab, tmp_path: Path) -> None:
    """`import` makes a registry where there is none, and its record verifies."""
    store = tmp_path / "other" / "registry.db"
    source = ("--source", "a paper", "--origin", "example.org/lab")
    found = leadline("import", lab.protocol, lab.logs, *source, "--store", store, "--json").json
    assert leadline("key", "show", "--store", store, "--json").json["log_key"].startswith("example.org/lab+")
    assert found["verdicts"]["H1"]["standing"] == "retrospective"
    assert leadline("fsck", "--store", store, "--json").json["sound"] is True


def test_amending_needs_a_change_and_names_it(lab: Lab, tmp_path: Path) -> None:
    """An amendment lists the changed promises; the same protocol again is refused."""
    same = leadline("amend", lab.study, lab.protocol, "--reason", "none", "--seen", "nothing_run", status=3)
    assert "exactly the same" in same.err
    plan = yaml.safe_load(lab.protocol.read_text())
    plan["hypotheses"][0]["smallest"] = 0.2
    changed = tmp_path / "changed.yaml"
    changed.write_text(yaml.safe_dump(plan))
    assert "0.15 -> 0.2" in leadline("diff", lab.protocol, changed).out
    amended = leadline("amend", lab.study, changed, "--reason", "a pilot", "--seen", "looked", "--json").json
    assert amended["changes"] == ["/hypotheses/H1/smallest"]
    [kept] = leadline("show", lab.study, "--json").json["amendments"]
    assert (kept["reason"], kept["seen"]) == ("a pilot", "looked")


def test_an_abandoned_attempt_stays_on_show_with_its_reason(lab: Lab) -> None:
    """Nothing that was announced disappears."""
    leadline("attempts", "open", lab.study, "--note", "second try")
    leadline("attempts", "abandon", lab.study, "2", "--reason", "power cut")
    assert "power cut" in leadline("attempts", "list", lab.study).out
    listed = leadline("attempts", "list", lab.study, "--json").json["attempts"]
    ended = [(one["number"], one["state"], one["status"]) for one in listed]
    assert ended == [(1, "closed", "completed"), (2, "abandoned", "cancelled")]
    assert "power cut" in leadline("show", lab.study).out


def test_an_attempt_without_logs_stays_open_unless_its_failure_is_stated(lab: Lab) -> None:
    """What is not there is not called completed; the list says how each attempt ended."""
    leadline("attempts", "open", lab.study)
    for status in ((), ("--status", "completed"), ("--status", "unknown")):
        refused = leadline("attempts", "close", lab.study, "2", *status, "--json", status=3).error
        assert refused["kind"] == "StateError"
        assert f"leadline attach {lab.study} LOGS --attempt 2" in refused["remedy"]
        assert f"leadline attempts abandon {lab.study} 2" in refused["remedy"]
    assert "open" in leadline("attempts", "list", lab.study).out
    closed = leadline("attempts", "close", lab.study, "2", "--status", "failed")
    assert "as failed, with no log" in closed.out
    assert f"leadline report {lab.study}" in closed.out
    for shown in (leadline("attempts", "list", lab.study).out, leadline("show", lab.study).out):
        assert "completed" in shown
        assert "failed" in shown
        assert "closed" not in shown


def test_ending_what_has_ended_says_how_it_ended_and_where_to_look(lab: Lab) -> None:
    """Closing twice, an unknown attempt, withdrawing twice: the state, and no entry that does not exist."""
    entries = leadline("fsck", "--json").json["entries"]
    for number, said in (("1", "closed already as completed"), ("7", "no attempt 7; it has 1")):
        for command in (("close",), ("abandon", "--reason", "none")):
            error = leadline(
                "attempts", command[0], lab.study, number, *command[1:], "--json", status=3
            ).error
            assert said in error["message"]
            assert (error["kind"], error["where"]) == ("StateError", lab.study)
            assert f"leadline attempts list {lab.study}" in error["remedy"]
    leadline("withdraw", lab.study, "--reason", "wrong model")
    error = leadline("withdraw", lab.study, "--reason", "again", "--json", status=3).error
    assert error["message"] == "the study is withdrawn already: wrong model"
    assert f"leadline show {lab.study}" in error["remedy"]
    assert leadline("fsck", "--json").json["entries"] == entries + 1


def test_nothing_is_added_to_a_withdrawn_study(lab: Lab) -> None:
    """No attempt, log, report or amendment; what was there is still shown."""
    leadline("withdraw", lab.study, "--reason", "wrong model")
    for command in (
        ("attempts", "open", lab.study),
        ("attach", lab.study, lab.logs),
        ("report", lab.study, "--publish"),
        ("amend", lab.study, lab.protocol, "--reason", "none", "--seen", "looked"),
    ):
        error = leadline(*command, "--json", status=3).error
        assert (error["kind"], error["where"]) == ("StateError", lab.study)
        assert "withdrawn" in error["message"]
        assert "wrong model" in error["message"]
    assert leadline("report", lab.study, "--json").json["verdicts"]


def test_logs_are_attached_to_an_open_attempt_that_exists(lab: Lab) -> None:
    """Even files attached before do not hide that the attempt is closed or unknown."""
    for number, said in (("1", "closed already"), ("9", "no attempt 9")):
        error = leadline("attach", lab.study, lab.logs, "--attempt", number, "--json", status=3).error
        assert error["kind"] == "StateError"
        assert said in error["message"]


def test_a_log_stamped_for_something_else_is_refused_unless_forced(lab: Lab, tmp_path: Path) -> None:
    """A log of another attempt or study is named; --force attaches it all the same."""
    leadline("attempts", "open", lab.study)
    error = leadline("attach", lab.study, lab.logs, "--attempt", "2", "--json", status=3).error
    assert "stamped for attempt 1" in error["message"]
    assert error["where"].endswith(".eval")
    assert "--force" in error["remedy"]
    second = write_protocol(tmp_path / "second.yaml", title="Does a hint help with multiplication?")
    other = leadline("register", second, "--no-simulate", "--json").json["id"]
    error = leadline("attach", other, lab.logs, "--json", status=3).error
    assert f"stamped for the study {lab.study}" in error["message"]
    assert len(leadline("attach", other, lab.logs, "--force", "--json").json["logs"]) == 3


def test_publishing_twice_is_publishing_once(lab: Lab) -> None:
    """The same report is one statement, and the reader is told which."""
    leadline("report", lab.study, "--publish")
    entries = leadline("fsck", "--json").json["entries"]
    again = leadline("report", lab.study, "--publish").out
    [report] = leadline("show", lab.study, "--json").json["reports"]
    assert f"Already published as entry {report['index']}" in again
    assert leadline("fsck", "--json").json["entries"] == entries


def test_an_exported_study_verifies_without_the_registry(
    lab: Lab, tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`export ID` alone writes a folder of that name; a stranger verifies it with --key or the folder's key."""
    leadline("report", lab.study, "--publish")
    monkeypatch.chdir(tmp_path)
    written = leadline("export", lab.study)
    assert f"leadline verify ./{lab.study} --key" in written.out
    assert not (tmp_path / lab.study / "checkpoint").exists()
    (home / "registry.db").rename(home / "elsewhere.db")
    (home / "registry.db.keys").rename(home / "elsewhere.keys")
    shown = leadline("verify", lab.study).out
    assert "everything holds" in shown
    assert "recomputed report: byte for byte the same" in " ".join(shown.split())
    assert "compare it with the key the log is known by" in " ".join(shown.split())
    checked = leadline("verify", lab.study, "--key", f"{lab.study}/log.vkey", "--json").json
    assert (checked["kind"], checked["holds"], checked["study"]) == ("bundle", True, lab.study)
    report = next((tmp_path / lab.study).glob("report-*.json"))
    report.write_bytes(report.read_bytes().replace(b"supported", b"refuted!!"))
    failed = leadline("verify", lab.study, "--json", status=1).json
    assert [step["name"] for step in failed["steps"] if not step["ok"]] == [
        report.stem.replace("-", " "),
        "recomputed report",
    ]


def test_a_withdrawn_study_keeps_its_history(lab: Lab) -> None:
    """The tombstone carries the reason; the logs stay listed."""
    leadline("withdraw", lab.study, "--reason", "wrong model")
    assert "withdrawn: wrong model" in leadline("show", lab.study).out
    assert len(leadline("show", lab.study, "--json").json["logs"]) == 3


def test_a_log_that_was_changed_belongs_to_no_study(lab: Lab) -> None:
    """`verify LOG` finds the attached bytes, and says no to any other."""
    log = lab.logs / "hint.eval"
    assert leadline("verify", log, "--json").json["attached"] == [{"study": lab.study, "attempt": 1}]
    log.write_bytes(log.read_bytes() + b" ")
    refused = leadline("verify", log, "--json", status=1)
    assert refused.json["holds"] is False
    assert "not what any study rests on" in leadline("verify", log, status=1).out


def test_a_damaged_record_fails_verification_and_fsck(lab: Lab, home: Path) -> None:
    """A stored log whose bytes changed makes `verify` say no (1) and `fsck` name it (5)."""
    leadline("report", lab.study, "--publish")
    database = (home / "registry.db").read_bytes()
    needle = (lab.logs / "hint.eval").read_bytes()[200:232]
    at = database.find(needle)
    assert at > 0, "small logs are kept in the database"
    (home / "registry.db").write_bytes(database[:at] + bytes([needle[0] ^ 1]) + database[at + 1 :])
    verified = leadline("verify", lab.study, "--json", status=1).json
    assert next(step["name"] for step in verified["steps"] if not step["ok"]) == "log hint.eval"
    checked = leadline("fsck", "--json", "--processes", "1", status=5).json
    assert checked["sound"] is False
    assert all(problem["remedy"] for problem in checked["problems"])
    assert "what to do:" in leadline("fsck", "--processes", "1", status=5).out


def test_keys_are_announced_replaced_and_revoked(lab: Lab, home: Path) -> None:
    """The successor inherits the right to act for the study; the old key loses it."""
    assert leadline("key", "show", "--json").json["state"] == "active"
    assert leadline("key", "register", "Ada", "--json").json["index"] is None
    rotated = leadline("key", "rotate", home / "second.key", "--json").json
    assert rotated["replaces"] == leadline("key", "show", "--json").json["fingerprint"]
    assert leadline("key", "show", "--json").json["state"] == "rotated"
    leadline("withdraw", lab.study, "--reason", "old key", status=5)
    leadline("attempts", "open", lab.study, "--key", home / "second.key")
    leadline("key", "revoke", "--reason", "lost", "--key", home / "second.key")
    leadline("attempts", "open", lab.study, "--key", home / "second.key", status=5)


def test_a_new_log_has_the_name_that_was_asked_for(home: Path, tmp_path: Path) -> None:
    """It is chosen when the registry is made, and asking for another name afterwards is refused."""
    leadline("key", "new")
    place = ("--store", tmp_path / "own.db")
    leadline("key", "register", "Ada", "--origin", "example.org/lab", *place)
    assert leadline("key", "show", "--json", *place).json["log_key"].startswith("example.org/lab+")
    leadline("key", "register", "Ada", "--origin", "example.org/lab", *place)
    error = leadline("key", "register", "Ada", "--origin", "other", "--json", *place, status=3).error
    assert "example.org/lab already" in error["message"]


def test_a_new_key_can_be_announced_before_any_study(home: Path) -> None:
    """`key register` makes the registry."""
    leadline("key", "new")
    assert leadline("key", "show", "--json").json["state"] is None
    assert leadline("key", "register", "Ada", "--kind", "llm", "--json").json["index"] is not None
    assert (home / "registry.db").exists()


def test_similar_finds_the_study_nearest_in_words(lab: Lab, tmp_path: Path) -> None:
    """Another protocol about the same thing is pointed at what is registered."""
    other = write_protocol(tmp_path / "other.yaml", title="Does a hint raise accuracy on subtraction?")
    assert [one["id"] for one in leadline("similar", other, "--json").json["studies"]] == [lab.study]
    assert lab.study in leadline("similar", other).out
    assert "the very same protocol" in leadline("similar", lab.protocol).out


def test_similar_finds_a_study_under_another_title(lab: Lab, tmp_path: Path) -> None:
    """A twin with the same arms and claims is nearest, although no word of the titles agrees."""
    decoy = write_protocol(tmp_path / "decoy.yaml", title="Bananas ripen faster beside apples")
    plan = yaml.safe_load(decoy.read_text())
    for arm in plan["arms"]:
        arm["technique"] = "fruit bowl"
    plan["hypotheses"][0]["claim"] = "Fruit ripens"
    decoy.write_text(yaml.safe_dump(plan))
    leadline("register", decoy, "--no-simulate")
    twin = write_protocol(tmp_path / "twin.yaml", title="Fruit salad")
    assert leadline("similar", twin, "--json").json["studies"][0]["id"] == lab.study


def test_search_goes_on_with_its_cursor(lab: Lab, tmp_path: Path) -> None:
    """Two pages of one study each, and then the end."""
    second = write_protocol(tmp_path / "second.yaml", title="Does a hint help with multiplication?")
    leadline("register", second, "--no-simulate")
    first = leadline("search", "hint", "--limit", "1", "--json").json
    after = leadline("search", "hint", "--limit", "1", "--cursor", first["cursor"], "--json").json
    found = {first["studies"][0]["id"], after["studies"][0]["id"]}
    assert len(found) == 2
    assert after["cursor"] is None
    assert f"--cursor {first['cursor']}" in leadline("search", "hint", "--limit", "1").out
    assert leadline("search", "--state", "reported", "--json").json["studies"] == []
    assert "Nothing" not in leadline("search", "nosuchword").out


def test_the_whole_record_can_be_exported(lab: Lab, tmp_path: Path) -> None:
    """`export DIR` writes what a tlog-tiles client reads."""
    leadline("export", tmp_path / "all")
    assert (tmp_path / "all" / "checkpoint").exists()
    assert lab.study in (tmp_path / "all" / "studies.jsonl").read_text()


def test_two_logs_are_compared_without_any_registry(lab: Lab, home: Path, tmp_path: Path) -> None:
    """`compare` needs nothing but the logs, and its draft is a protocol."""
    (home / "registry.db").rename(home / "elsewhere.db")
    a, b, draft, page = (
        lab.logs / "hint.eval",
        lab.logs / "plain.eval",
        tmp_path / "next.yaml",
        tmp_path / "c.html",
    )
    shown = leadline("compare", a, b, "--smallest", ".05", "--save-protocol", draft, "--html", page)
    assert "SUPPORTED" in shown.out
    assert f"leadline check {draft}" in shown.err
    assert Protocol.load(draft).hypotheses[0].smallest == 0.05
    assert page.read_text(encoding="utf-8").startswith("<!")
    assert leadline("compare", a, b, "--method", "cr1", "--cluster", "none", "--json").json["pairs"] == 40
    again = leadline("compare", a, b, "--save-protocol", draft, status=3)
    assert "a file already" in again.err
    assert not (home / "registry.db").exists()


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("search", ("search",)),
        ("show", ("show", "LL-0000000000000")),
        ("report", ("report", "LL-0000000000000")),
        ("fsck", ("fsck",)),
        ("rebuild", ("rebuild",)),
        ("export", ("export", "out")),
        ("verify", ("verify", "LL-0000000000000")),
        ("list", ("attempts", "list", "LL-0000000000000")),
    ],
)
def test_commands_that_read_never_make_a_registry(name: str, arguments: tuple[str, ...], home: Path) -> None:
    """Where there is no registry they say so, and leave nothing behind."""
    assert "there is no registry here" in leadline(*arguments, status=3).err, name
    assert not home.exists()
