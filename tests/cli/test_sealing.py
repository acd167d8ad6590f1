"""`leadline seal`, `sealed`, `reveal`: the life of a sealed study from the command line."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from cli.shell import leadline, write_logs, write_protocol
from leadline.registry.access import Access
from leadline.registry.registry import Registry, utc_now
from leadline.registry.sealing import flush
from leadline.store.remote import wire as wiring
from registry.world import World
from web.api.world import GENEROUS, Service


def later(home: Path, weeks: int) -> None:
    """The batch of a week to come is made, as a server would."""
    with Registry.open(home / "registry.db") as registry:
        assert flush(registry, datetime.now(UTC).date() + timedelta(weeks=weeks)).batch is not None


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    """A protocol, an author's key, and an age identity."""
    leadline("key", "new", "--name", "example.org/ada")
    leadline("key", "seal")
    return write_protocol(tmp_path / "plan.yaml")


def test_a_study_lives_under_seal_and_is_revealed(plan: Path, home: Path, tmp_path: Path) -> None:
    """Seal, announce, run, attach, close, report, open the verdict, reveal, verify."""
    sealed = leadline("seal", plan, "--no-simulate", "--json").json
    study = sealed["id"]
    assert Path(sealed["secrets"]).parent == home / "seals"
    opened = leadline("sealed", "attempt", study, "--json").json
    logs = write_logs(tmp_path / "logs", opened)
    leadline("sealed", "attach", study, logs, "--attempt", "1")
    assert len(leadline("sealed", "close", study, "1", "--json").json["logs"]) == 3
    refused = leadline("sealed", "report", study, "--json", status=3)
    assert "no batch has committed" in refused.error["message"]
    later(home, 1)
    assert leadline("sealed", "sync", study, "--json").json["waiting_bytes"] == 0
    report = leadline("sealed", "report", study, "--json").json
    assert report["verdicts"]["H1"]["outcome"] == "supported"
    later(home, 2)
    assert leadline("reveal", study, "--field", "verdict", "--json").json["fields"] == ["verdict"]
    shown = leadline("sealed", "show", study, "--json").json
    assert shown["standing"] == "sealed"
    assert shown["fields"]["verdict"]["value"]["H1"]["outcome"] == "supported"
    done = leadline("reveal", study, "--json").json
    assert (done["scope"], done["left_out"]) == ("whole", [])
    assert "SUPPORTED" in leadline("show", study).out
    leadline("verify", study)
    leadline("fsck")


def test_a_sealed_study_is_not_shown(plan: Path) -> None:
    """Other commands say that it is sealed, and where to look."""
    study = leadline("seal", plan, "--no-simulate", "--json").json["id"]
    for command in (("show", study), ("report", study), ("attempts", "open", study)):
        refused = leadline(*command, "--json", status=3)
        assert "is sealed until" in refused.error["message"]
    assert study in leadline("sealed", "show", study).out


def test_trustees_open_it_together(plan: Path, tmp_path: Path) -> None:
    """Each writes a share to a private file; two of two reveal."""
    names = []
    for number in (1, 2):
        made = leadline("key", "seal", "--identity", tmp_path / f"{number}.age", "--json").json
        assert made["made"]
        assert leadline("key", "seal", "--identity", made["file"], "--json").json == {**made, "made": False}
        names += ["--trustee", made["recipient"]]
    study = leadline("seal", plan, "--no-simulate", *names, "--quorum", "2", "--json").json["id"]
    shares: list[str | Path] = []
    for number in (1, 2):
        path = tmp_path / f"{number}.share"
        leadline("sealed", "share", study, "--out", path, "--identity", tmp_path / f"{number}.age")
        assert path.stat().st_mode & 0o777 == 0o600
        shares += ["--share", path]
    leadline("reveal", study, *shares[:2], status=3)
    leadline("reveal", study, "--share", plan, status=3)
    leadline("reveal", study, "--field", "title", *shares, status=3)
    assert leadline("reveal", study, *shares, "--json").json["scope"] == "whole"


def test_what_is_needed_is_said(plan: Path, home: Path) -> None:
    """No age identity, a date that is none, a release far off, a file that was lost and is made again."""
    (home / "author.age").rename(home / "kept.age")
    refused = leadline("seal", plan, "--no-simulate", "--json", status=3)
    assert "leadline key seal" in str(refused.error)
    (home / "kept.age").rename(home / "author.age")
    leadline("seal", plan, "--release", "soon", "--no-simulate", status=3)
    made = leadline("seal", plan, "--no-simulate", "--release", "2031-02-01", "--json").json
    assert made["embargo"] == "2031-03-31"
    study = made["id"]
    leadline("sealed", "hold", study)
    Path(made["secrets"]).unlink()
    leadline("sealed", "report", study, status=3)
    assert leadline("sealed", "recover", study, "--json").json["statements"] == 0
    leadline("sealed", "attempt", study)
    leadline("sealed", "abandon", study, "1", "--reason", "no machine")
    assert "Nothing to do" not in leadline("sealed", "flush").out
    assert "Nothing to do" in leadline("sealed", "flush").out
    assert "2 of 2 statements" in leadline("sealed", "sync", study).out
    leadline("reveal", study)
    assert "open record" in leadline("sealed", "enter", study).out


def test_a_study_lives_under_seal_at_an_address(
    plan: Path, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same commands with --store: it waits for the round, runs, reports, is held back, and is revealed."""
    served = Service(
        world := World(tmp_path / "server", clock=utc_now),  # type: ignore[arg-type]
        Access(world.registry.store.shelf, mode="open", rates=GENEROUS),
    )
    monkeypatch.setattr(
        wiring, "_new_client", lambda: TestClient(served.client.app, base_url="https://registry.test")
    )
    at = ("--store", "https://registry.test", "--json")

    def week(number: int) -> None:
        day = datetime.now(UTC).date() + timedelta(weeks=number)
        assert flush(world.registry, day, bucket=4).batch is not None

    sealed = leadline("seal", plan, "--no-simulate", "--tier", "hazard", *at).json
    study = sealed["id"]
    assert (sealed["index"], sealed["tier"]) == (None, "hazard")
    assert "waits for next week's round" in leadline("seal", plan, "--no-simulate", *at[:2]).out
    logs = write_logs(tmp_path / "logs", leadline("sealed", "attempt", study, *at).json)
    leadline("sealed", "attach", study, logs, "--attempt", "1", *at)
    leadline("sealed", "close", study, "1", *at)
    week(1)
    assert leadline("sealed", "show", study, *at).json["standing"] == "sealed"
    assert leadline("sealed", "report", study, *at).json["verdicts"]["H1"]["outcome"] == "supported"
    week(2)
    assert leadline("sealed", "hold", study, *at).json == {"study": study}
    assert leadline("reveal", study, "--field", "verdict", *at).json["fields"] == ["verdict"]
    (home / "seals" / f"{study}.seal").rename(tmp_path / "kept.seal")
    assert leadline("sealed", "recover", study, *at).json["statements"] == 4
    (tmp_path / "kept.seal").replace(home / "seals" / f"{study}.seal")
    done = leadline("reveal", study, *at).json
    assert (done["scope"], done["left_out"]) == ("whole", [])
    assert "SUPPORTED" in leadline("show", study, *at[:2]).out
    assert leadline("withhold", study, *at).json == {"study": study, "withheld": True}
    assert "over the network" in leadline("sealed", "flush", *at, status=3).error["message"]


def test_seals_can_wait_for_a_padded_round_at_home(plan: Path, home: Path) -> None:
    """`--wait` and `--pad` do at home what a server does."""
    named = ("--origin", "example.org/lab")
    sealed = leadline("seal", plan, "--no-simulate", "--tier", "hazard", "--wait", *named, "--json").json
    assert leadline("key", "show", "--json").json["log_key"].startswith("example.org/lab+")
    assert sealed["index"] is None
    assert "Nothing to do" in leadline("sealed", "flush", "--pad", "3").out
    with Registry.open(home / "registry.db") as registry:
        done = flush(registry, datetime.now(UTC).date() + timedelta(weeks=1), bucket=3)
    assert (len(done.seals), done.slots) == (3, 3)
    assert leadline("sealed", "show", sealed["id"], "--json").json["period"] == sealed["period"]
