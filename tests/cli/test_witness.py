"""`leadline witness` and `leadline mirror`: two installations that cosign each other, by commands alone."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from cli.shell import leadline, write_protocol
from cli.test_shapes import documented, keys
from leadline.ledger.timestamps import TimeStamp
from leadline.registry import outgoing
from leadline.registry.registry import Registry
from registry.served import URL, Served, copy_of, grow


@pytest.fixture
def study(tmp_path: Path, home: Path) -> str:
    """A registered study in this installation."""
    leadline("key", "new")
    return str(
        leadline("register", write_protocol(tmp_path / "study.yaml"), "--no-simulate", "--json").json["id"]
    )


@pytest.fixture
def mine(study: str, home: Path) -> Iterator[Registry]:
    """This installation's registry."""
    with Registry.open(home / "registry.db", create=False) as registry:
        yield registry


@pytest.fixture
def other(tmp_path: Path, mine: Registry) -> Iterator[Registry]:
    """Another installation: a witness that follows this one's log, set up by commands."""
    store = tmp_path / "other" / "registry.db"
    Registry.open(store).close()
    leadline("witness", "init", "--store", store)
    leadline("witness", "add", mine.home.log.vkey, "--store", store)
    with Registry.open(store, create=False) as registry:
        yield registry


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Whoever is put here answers every request that a command sends."""

    def answering(registry: Registry) -> Served:
        served = Served(registry)
        monkeypatch.setattr(outgoing, "_new_client", lambda: TestClient(served))
        return served

    return answering


def test_a_certificate_that_another_installation_cosigned(
    study: str, mine: Registry, other: Registry, network: Any, tmp_path: Path
) -> None:
    """Ask, export, verify under a policy: who cosigned and when; without the policy, what was not checked."""
    network(other)
    cosigner = leadline("witness", "init", "--store", tmp_path / "other" / "registry.db", "--json").json
    assert set(keys(cosigner)) == documented("witness", "init")
    policy = tmp_path / "policy.txt"
    lines = [
        f"log {mine.home.log.vkey}",
        f"witness them {cosigner['cosigner']} {URL}/witness",
        "quorum them",
        "",
    ]
    policy.write_text("\n".join(lines))
    asked = leadline("witness", "ask", "--policy", policy, "--json").json
    assert set(keys(asked)) == documented("witness", "ask")
    assert (asked["policy_met"], asked["asked"][0]["outcome"]) == (True, "cosigned")
    leadline("export", study, tmp_path / "out")
    certificate = tmp_path / "out" / f"{study}.tlog-proof"
    found = leadline("verify", certificate, "--policy", policy, "--json").json
    assert found["cosigned"] == [{"name": cosigner["name"], "time": found["time"]}]
    assert not any("single-operator" in warning for warning in found["warnings"])
    shown = leadline("verify", certificate, "--policy", policy).out
    assert "cosigned by" in shown
    assert "satisfied" in shown
    blind = leadline("verify", certificate, "--json").json
    assert (blind["standing"], blind["cosigned"]) == ("single-operator timestamp", [])
    assert any("were not checked" in warning for warning in blind["warnings"])


def test_a_certificate_without_cosignatures_does_not_satisfy_a_policy(
    study: str, mine: Registry, other: Registry, tmp_path: Path
) -> None:
    """Status 5, and the quorum is named; a policy that is none is status 3 and names the line."""
    cosigner = leadline("witness", "list", "--store", tmp_path / "other" / "registry.db", "--json").json
    assert set(keys(cosigner)) == documented("witness", "list") - {"certainty", "checkpoint"}
    policy = tmp_path / "policy.txt"
    policy.write_text(f"witness them {cosigner['cosigner']}\nquorum them\n")
    certificate = tmp_path / f"{study}.tlog-proof"
    refused = leadline("verify", certificate, "--policy", policy, "--json", status=5)
    assert "quorum 'them'" in refused.error["message"]
    policy.write_text("quorum them\n")
    broken = leadline("verify", certificate, "--policy", policy, "--json", status=3)
    assert broken.error["where"] == "policy, line 1"
    assert leadline("verify", certificate).out.count("single-operator timestamp") == 1


def test_a_second_copy_of_the_log_ends_with_status_5(
    mine: Registry, other: Registry, network: Any, tmp_path: Path
) -> None:
    """The copy that is behind the witness is told so in words and by the status."""
    network(other)
    key = leadline("witness", "list", "--store", tmp_path / "other" / "registry.db", "--json").json[
        "cosigner"
    ]
    with copy_of(mine, tmp_path / "copy"):
        grow(mine, 3)
        leadline("witness", "ask", key, f"{URL}/witness")
        told = leadline(
            "witness", "ask", key, f"{URL}/witness", "--store", tmp_path / "copy" / "registry.db", status=5
        )
    assert "second copy" in " ".join(told.out.split())


def test_asking_nobody_or_half_a_witness(mine: Registry, tmp_path: Path) -> None:
    """A key without an address, no witness at all, a policy that is not there."""
    for arguments in (("only-a-key",), (), ("--policy", tmp_path / "none.txt")):
        refused = leadline("witness", "ask", *arguments, "--json", status=3)
        assert refused.error["remedy"]


def test_logs_are_added_listed_and_removed(mine: Registry, tmp_path: Path) -> None:
    """By key and origin; without a witness key the next step is said."""
    from ledger.record import LOG

    vkey = tmp_path / "log.vkey"
    vkey.write_text(LOG.public.vkey + "\n")
    assert "witness init" in leadline("witness", "add", vkey).out
    added = leadline("witness", "add", vkey, "--origin", "go.sum database tree", "--json").json
    assert set(keys(added)) == documented("witness", "add")
    assert "go.sum database tree" in leadline("witness", "list").out
    removed = leadline("witness", "remove", "go.sum database tree", "--json").json
    assert set(keys(removed)) == documented("witness", "remove")
    assert "go.sum" not in leadline("witness", "list").out
    assert leadline("witness", "remove", "go.sum database tree", "--json", status=3).error


def test_evidence_is_shown(mine: Registry, network: Any, tmp_path: Path) -> None:
    """A checkpoint that contradicts what was cosigned is listed with its bytes."""
    from ledger.record import LOG
    from ledger.test_witness import HONEST, ORIGIN, Log, format_request

    leadline("witness", "init")
    leadline("witness", "add", LOG.public.vkey, "--origin", ORIGIN)
    with Registry.open(Path(mine.store.where), create=False) as registry:  # type: ignore[attr-defined]
        client = TestClient(Served(registry))
        assert client.post("/witness/add-checkpoint", content=HONEST.request(0, 9)).status_code == 200
        split = format_request(9, [], Log(9, "x").note(9))
        assert client.post("/witness/add-checkpoint", content=split).status_code == 422
    listed = leadline("witness", "list", "--json").json
    assert set(keys(listed)) == documented("witness", "list")
    assert [one["certainty"] for one in listed["evidence"]] == ["certain"]
    assert "Kept as evidence (certain)" in leadline("witness", "list").out


def test_a_mirror_by_commands(study: str, mine: Registry, network: Any, tmp_path: Path) -> None:
    """Copy, read the copy, copy again; a rollback is status 5; an absent blob is named."""
    served = network(mine)
    row = mine.study(study).row
    served.instead[f"/api/v1/blobs/{row.protocol}"] = (410, b'{"reason": "it named people"}')
    arguments = ("mirror", URL, tmp_path / "copy", "--key", mine.home.log.vkey)
    done = leadline(*arguments, "--json").json
    assert set(keys(done)) == documented("mirror")
    assert done["absent"] == [{"sha256": row.protocol, "reason": "it named people"}]
    served.instead.clear()
    assert "everything holds" in leadline(*arguments).out
    assert study in leadline("search", "addition", "--store", done["store"]).out
    assert "all is sound" in leadline("fsck", "--store", done["store"], "--processes", "1").out
    old = mine.store.checkpoint()
    grow(mine, 2)
    leadline("mirror", URL, tmp_path / "copy")
    served.instead["/checkpoint"] = (200, old)
    refused = leadline("mirror", URL, tmp_path / "copy", "--json", status=5)
    assert "went back" in refused.error["message"]
    assert Path(refused.error["where"]).is_file()


def test_a_stamp_by_command(
    mine: Registry, network: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The authority is asked at the address given, over the checkpoint's text; what does not hold is not kept."""
    pytest.importorskip("rfc3161_client")
    from datetime import UTC, datetime

    from leadline.registry import cosigning

    served = network(mine)
    served.instead["/tsr"] = (200, b"token")
    roots = tmp_path / "roots.pem"
    roots.write_text("roots")
    arguments = ("witness", "timestamp", "--tsa", f"{URL}/tsr", "--roots", roots, "--json")
    assert leadline(*arguments, status=3).error
    assert mine.store.shelf.items("timestamps") == []
    body: list[bytes] = []

    def verify(response: bytes, text: bytes, trusted: Any, *, request: bytes) -> TimeStamp:
        body.append(text)
        return TimeStamp(datetime(2026, 3, 1, tzinfo=UTC), "CN=Example")

    monkeypatch.setattr(cosigning, "verify_response", verify)
    done = leadline(*arguments).json
    assert set(keys(done)) == documented("witness", "timestamp")
    assert body == [mine.store.checkpoint().partition(b"\n\n")[0] + b"\n"]
    assert [token for _, token in cosigning.stamps_covering(mine.store.shelf, 0)] == [b"token"]
    assert cosigning.stamps_covering(mine.store.shelf, mine.store.size()) == []
