"""`tend`, `withhold`, `take-down`, `judge` and key recovery on the command line."""

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cli.shell import Lab, leadline
from leadline.registry.registry import Registry


def overdue() -> str:
    """A day on which the lab's study is overdue and not yet to be closed."""
    return (datetime.now(UTC) + timedelta(days=100)).date().isoformat()


@contextmanager
def on(day: str) -> Iterator[None]:
    """Commands run on that day."""
    then = datetime.fromisoformat(day).replace(tzinfo=UTC)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(Registry.open.__func__.__kwdefaults__, "clock", lambda: then)  # type: ignore[attr-defined]
        yield


def key_of(path: Path, name: str) -> str:
    """A new key in a file, known to the log; its fingerprint."""
    leadline("key", "new", "--key", path, "--name", name)
    leadline("key", "register", name, "--key", path)
    return str(leadline("key", "show", "--key", path, "--json").json["fingerprint"])


def test_tend_publishes_an_overdue_study(lab: Lab) -> None:
    """A dry run says so and writes nothing; the real one names the entry; the next finds nothing."""
    day = overdue()
    planned = leadline("tend", "--today", day, "--dry-run", "--json").json
    assert [one["kind"] for one in planned["events"]] == ["published"]
    assert leadline("show", lab.study, "--json").json["reports"] == []
    refused = leadline("tend", "--today", day, status=3)
    assert "has not come yet" in refused.err
    assert leadline("show", lab.study, "--json").json["reports"] == []
    with on(day):
        assert f"Published {lab.study} (entry" in leadline("tend").out
    (report,) = leadline("show", lab.study, "--json").json["reports"]
    assert report["automatic"] is True
    assert "published by the registry itself" in " ".join(leadline("show", lab.study).out.split())
    with on(day):
        assert leadline("tend").out == "Nothing is due.\n"


def test_a_withheld_study_closes_with_the_others(lab: Lab) -> None:
    """`withhold` keeps it from being published; past its grace it is closed, and `show` says when."""
    leadline("withhold", lab.study)
    with on(overdue()):
        assert leadline("tend").out == "Nothing is due.\n"
    later = (datetime.now(UTC) + timedelta(days=90 + 90 + 62)).date().isoformat()
    with on(later):
        (event,) = leadline("tend", "--json").json["events"]
    assert (event["kind"], event["studies"]) == ("closed", [lab.study])
    shown = leadline("show", lab.study, "--json").json
    assert (shown["status"], shown["closed"]) == ("closed-undisclosed", event["index"])
    assert f"closed as undisclosed (entry {event['index']})" in leadline("show", lab.study).out
    assert leadline("withhold", lab.study, "--lift", "--json").json == {"study": lab.study, "withheld": False}


def test_take_down_leaves_the_reason(lab: Lab) -> None:
    """The digest and the reason stay, and the record is sound."""
    digest = leadline("show", lab.study, "--json").json["logs"][0]["sha256"]
    done = leadline("take-down", digest, "--reason", "it held an address", "--json").json
    assert (done["sha256"], done["reason"]) == (digest, "it held an address")
    assert "already: it held an address" in leadline("take-down", digest, "--reason", "x", status=3).err
    assert leadline("fsck", "--processes", "1").status == 0


def test_judge_records_each_type(lab: Lab, tmp_path: Path) -> None:
    """Forecast, review, critique from a file, trust, outcome; `show` tells them all."""
    bob = tmp_path / "bob.key"
    key_of(bob, "bob.example")
    study, sign = lab.study, ("--key", bob, "--json")
    odds = ("--probability", "H1=supported:.75", "--probability", "H1=null:.25")
    first = leadline("judge", study, "--type", "forecast", *odds, "--minutes", "3", *sign).json
    assert first["counts"] is True
    leadline("judge", study, "--type", "review", "--replicates", ".7", "--text", "sound", *sign)
    part = {"question": "Is it length?", "hypothesis": "H1", "answers": [{"answer": "yes", "moves": -0.5}]}
    (tmp_path / "q.json").write_text(json.dumps(part))
    leadline("judge", study, "--type", "critique", "--file", tmp_path / "q.json", "--yes", *sign)
    trust = ("--level", "unknown", "--of", "mockllm/tiny", "--basis", "a mock", "--purpose", "subject")
    leadline("judge", study, "--type", "trust", *trust, *sign)
    seen = ("--event", "useful", "--did-not-happen", "--basis", "nobody did")
    leadline("judge", study, "--type", "outcome", *seen, *sign)
    said = leadline("show", study, "--json").json["judgements"]
    assert [one["type"] for one in said] == ["forecast", "review", "trust", "outcome", "critique"]
    assert said[3]["part"] == {"basis": "nobody did", "event": "useful", "happened": False}
    page = leadline("show", study).out
    for words in ("Is it length?", "did not try", "yes (-0.5)", "supported 0.75, null 0.25", "3 minutes"):
        assert words in page


def test_a_judgement_is_taken_back_by_its_signer(lab: Lab, tmp_path: Path) -> None:
    """By its entry; somebody else's is refused as a matter of evidence."""
    bob = tmp_path / "bob.key"
    key_of(bob, "bob.example")
    index = leadline("judge", lab.study, "--type", "review", "--text", "no", "--key", bob, "--json").json[
        "index"
    ]
    leadline("judge", lab.study, "--type", "review", "--revoke", str(index), status=5)
    leadline("judge", lab.study, "--type", "review", "--revoke", str(index), "--key", bob)
    assert leadline("show", lab.study, "--json").json["judgements"] == []


def test_the_self_check_is_private(lab: Lab) -> None:
    """It goes to standard error, and nothing of it into the record."""
    from leadline.registry.judging import SELF_CHECK

    done = leadline("judge", lab.study, "--type", "critique", "--question", "why?", "--yes")
    assert all(line in done.err for line in SELF_CHECK)
    (said,) = leadline("show", lab.study, "--json").json["judgements"]
    assert said["part"] == {"question": "why?", "answers": []}


def test_no_critique_is_signed_where_nobody_can_be_asked(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a terminal, or with --json, the questions are in the error; --yes says they were answered."""
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    asked = ("judge", lab.study, "--type", "critique", "--question", "why?")
    leadline(*asked, status=3)
    assert "--yes" in leadline(*asked, "--json", status=3).error["remedy"]
    assert leadline("show", lab.study, "--json").json["judgements"] == []
    leadline(*asked, "--json", "--yes")
    assert len(leadline("show", lab.study, "--json").json["judgements"]) == 1


def test_what_authors_say_of_their_own_study_is_told_apart(lab: Lab, tmp_path: Path) -> None:
    """`show` lists it under a heading of its own, and JSON labels it."""
    bob = tmp_path / "bob.key"
    key_of(bob, "bob.example")
    leadline("judge", lab.study, "--type", "review", "--text", "ours is fine")
    leadline("judge", lab.study, "--type", "review", "--text", "theirs is not", "--key", bob)
    said = leadline("show", lab.study, "--json").json["judgements"]
    assert [one["own"] for one in said] == [True, False]
    others, own = leadline("show", lab.study).out.split("What its authors say")
    assert "theirs is not" in others.split("What others say")[1]
    assert "ours is fine" in own


def test_a_writer_who_thinks_better_of_it_signs_nothing(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal the self-check ends in a question."""

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr("sys.stdin", Terminal("n\n"))
    leadline("judge", lab.study, "--type", "critique", "--question", "why?", status=130)
    assert leadline("show", lab.study, "--json").json["judgements"] == []


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--type", "review", "--question", "why?"), "belongs to a critique"),
        (("--type", "forecast", "--probability", "H1:supported"), "no probability"),
        (("--type", "critique", "--question", "q", "--answer", "yes"), "how far"),
        (("--type", "critique", "--question", "q", "--answer", "yes=2", "--yes"), "less than or equal to 1"),
        (("--type", "review"), "says nothing"),
        (("--type", "outcome", "--event", "useful", "--basis", "b"), "happened"),
    ],
)
def test_judgements_that_make_no_sense_are_refused(lab: Lab, options: tuple[str, ...], words: str) -> None:
    """With what to do instead."""
    refused = leadline("judge", lab.study, *options, "--json", status=3).error
    assert words in refused["message"] + (refused["where"] or "")
    assert refused["remedy"]


def test_a_lost_key_is_recovered_by_its_guardians(lab: Lab, tmp_path: Path) -> None:
    """Named, announced, vouched for twice: the new key then acts for the study."""
    files = [tmp_path / f"{name}.key" for name in ("bob", "carol", "dave")]
    prints = [key_of(path, f"{path.stem}.example") for path in files]
    named = leadline("key", "guardians", *(one[:12] for one in prints), "--json").json
    assert (named["guardians"], named["threshold"]) == (3, 2)
    assert "3, of which 2 suffice" in leadline("key", "show").out
    lost = leadline("key", "show", "--json").json["fingerprint"]
    new = tmp_path / "new.key"
    leadline("key", "new", "--key", new)
    announced = leadline("key", "recover", lost[:12], "--key", new, "--json").json
    assert (announced["state"], announced["needed"]) == ("pending", 2)
    heir = announced["fingerprint"][:16]
    assert leadline("key", "vouch", heir, "--key", files[0], "--json").json["granted"] is False
    assert leadline("key", "vouch", heir, "--key", files[2], "--json").json["granted"] is True
    leadline("report", lab.study, "--publish", "--key", new)


def test_the_holder_of_a_key_that_is_not_lost_refuses(lab: Lab, tmp_path: Path) -> None:
    """`key veto` revokes the pending key; without guardians co-authors are asked instead."""
    lost = leadline("key", "show", "--json").json["fingerprint"]
    other = tmp_path / "other.key"
    leadline("key", "new", "--key", other)
    assert "--study ID" in leadline("key", "recover", lost, "--key", other).out
    prints = [key_of(tmp_path / f"{name}.key", f"{name}.example") for name in ("bob", "carol")]
    leadline("key", "guardians", *prints)
    thief = tmp_path / "thief.key"
    leadline("key", "new", "--key", thief)
    pending = leadline("key", "recover", lost, "--key", thief, "--json").json["fingerprint"]
    assert leadline("key", "show", "--json").json["claimed_by"] == [pending]
    assert f"leadline key veto {pending[:16]}" in leadline("key", "show").out
    leadline("key", "veto", pending, "--reason", "I have it here")
    assert (
        "pending successor" in leadline("key", "vouch", pending, "--key", tmp_path / "bob.key", status=3).err
    )
    leadline("key", "guardians", "--none")


def test_import_records_a_finished_result(lab: Lab, tmp_path: Path) -> None:
    """A comparison or a table, labelled as retrospective in words."""
    table = tmp_path / "old.csv"
    table.write_text("model,score\na,0.5\n")
    done = leadline("import", table, "--title", "Old scores", "--source", "a paper")
    assert "weighs less than a registered study" in " ".join(done.out.split())
    result = tmp_path / "c.json"
    result.write_text('{"kind": "leadline/comparison"}')
    found = leadline("import", result, "--title", "Old", "--source", "a paper", "--json").json
    assert found["content"] == "report"
    leadline("import", table, "--source", "a paper", status=2)
