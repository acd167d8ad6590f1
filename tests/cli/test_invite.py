"""`leadline key invite`: tokens are shown once, listed without themselves, and can be taken back."""

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from cli.shell import leadline, write_protocol
from leadline.ledger.keys import SigningKey
from leadline.registry.access import Access
from leadline.registry.registry import Registry, utc_now
from leadline.store.remote import wire as wiring
from registry.world import World
from web.api.world import GENEROUS, Service


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A registry."""
    Registry.open(tmp_path / "registry.db").close()
    return tmp_path / "registry.db"


def test_an_invitation_lets_one_key_in_until_it_is_taken_back(store: Path) -> None:
    """The token of `invite` is what a server accepts; `uninvite` ends it."""
    made = leadline(
        "key", "invite", "--note", "for Ada", "--scope", "register", "--store", store, "--json"
    ).json
    key = SigningKey.generate("example.org/ada").fingerprint
    with Registry.open(store) as registry:
        access = Access(registry.store.shelf, mode="invited")
        assert access.redeem(made["token"], key) == {"read", "register"}
        assert "register" in access.scopes(key)
    (listed,) = leadline("key", "invitations", "--store", store, "--json").json
    assert listed["used_by"] == key
    assert made["token"] not in str(listed)
    assert key[:16] in leadline("key", "invitations", "--store", store).out
    assert leadline("key", "uninvite", listed["name"], "--store", store, "--json").json["used_by"] == key
    with Registry.open(store) as registry:
        assert Access(registry.store.shelf, mode="invited").scopes(key) == {"read"}
    assert leadline("key", "invitations", "--store", store, "--json").json == []
    leadline("key", "uninvite", listed["name"], "--store", store, status=3)


def test_a_person_reads_the_token_and_what_it_gives(store: Path) -> None:
    """The token stands on a line of its own; everything but admin is the default; other scopes are refused."""
    shown = leadline("key", "invite", "--store", store).out
    assert any(line.strip().startswith("LLI-") for line in shown.splitlines())
    assert "read, register, report, judge, seal" in shown
    leadline("key", "invite", "--scope", "everything", "--store", store, status=3)


def test_the_first_thing_an_invited_key_writes_may_be_a_study(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the invitation it is refused, with a way on; with it the study is registered and more may follow."""
    world = World(tmp_path / "server", clock=utc_now)  # type: ignore[arg-type]
    served = Service(world, Access(world.registry.store.shelf, mode="invited", rates=GENEROUS))
    monkeypatch.setattr(
        wiring, "_new_client", lambda: TestClient(served.client.app, base_url="https://registry.test")
    )
    at = ("--store", "https://registry.test", "--json")
    token = leadline("key", "invite", "--store", world.folder / "registry.db", "--json").json["token"]
    assert "--invitation" in leadline("key", "new").out
    plan = write_protocol(tmp_path / "study.yaml")
    refused = leadline("register", plan, "--no-simulate", *at, status=3).error
    assert refused["kind"] == "NotAllowedError"
    assert "--invitation CODE" in refused["remedy"]
    study = leadline("register", plan, "--no-simulate", "--invitation", token, *at).json["id"]
    assert leadline("attempts", "open", study, *at).json["number"] == 1
