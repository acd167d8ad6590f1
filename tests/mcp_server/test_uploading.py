"""A log's way into a registry that is served: announced on the command line, put over HTTP, attached over MCP."""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from cli.shell import leadline
from leadline.errors import InputError, NotFoundError, QuotaError
from leadline.ledger import dsse, keyfile
from leadline.ledger.canon import canonical, parse_strict
from leadline.ledger.encoding import b64decode
from leadline.ledger.keys import SigningKey
from leadline.mcp import desk as desk_module
from leadline.mcp.answers import Upload
from leadline.mcp.desk import Signing, SigningDesk, Visitor
from leadline.registry.access import Access, Caller, Rates, invite
from leadline.registry.intake import Gate, Staging, announce
from leadline.registry.registry import utc_now
from leadline.registry.run import Run
from leadline.verdict.conformance.context import ATTEMPT_STAMP
from leadline.web.app import create_app
from leadline.web.settings import Settings
from mcp_server.test_http import HEADERS
from registry.world import World, document


@pytest.fixture
def agent(tmp_path: Path) -> SigningKey:
    """An automated researcher's key, in its file."""
    key = SigningKey.generate("example.org/agent")
    keyfile.save(key, tmp_path / "agent.key")
    return key


class Agent:
    """Calls tools over HTTP, and signs with the command line what comes back."""

    def __init__(self, client: TestClient, key: SigningKey, folder: Path) -> None:
        self.client, self.key, self.folder = client, key, folder
        self.invitation: dict[str, str] = {}

    def call(self, tool: str, **arguments: Any) -> Any:
        """A tool's structured answer."""
        body = {
            "jsonrpc": "2.0",
            "id": 1,
            "method": "tools/call",
            "params": {"name": tool, "arguments": {**arguments, "key": self.key.public.vkey}},
        }
        headers = {**HEADERS, **self.invitation}
        result = self.client.post("/mcp", content=json.dumps(body), headers=headers).json()["result"]
        assert not result.get("isError"), result["content"]
        return result["structuredContent"]

    def say(self, tool: str, **arguments: Any) -> Any:
        """The same call twice, signed in between."""
        answer = self.folder / "answer.json"
        answer.write_text(json.dumps(self.call(tool, **arguments)))
        signed = leadline("key", "sign", answer, "--key", self.folder / "agent.key", "--json")
        return self.call(tool, **arguments, envelopes=signed.json["envelopes"])

    def upload(self, *files: Path, origin: str) -> list[dict[str, str]]:
        """Announce and send files; as the tool `attach` names them."""
        key = self.folder / "agent.key"
        made = leadline("key", "sign-upload", *files, "--origin", origin, "--key", key, "--json").json
        for one in made["uploads"]:
            headers = {**one["headers"], **self.invitation}
            sent = self.client.put(one["path"], content=Path(one["file"]).read_bytes(), headers=headers)
            assert sent.status_code == 201, sent.text
        return [{"sha256": one["sha256"], "name": one["name"]} for one in made["uploads"]]


def test_an_invited_agent_uploads_and_attaches(tmp_path: Path, agent: SigningKey) -> None:
    """From the invitation to attached logs, with nothing but the command line's signatures."""
    world = World(tmp_path / "world", items=12)
    world.clock.now = utc_now()
    token = invite(world.registry.store.shelf)
    plan = json.dumps(document(world.dataset_sha256(), 12))
    app = create_app(world.registry, Settings(store="unused", access="invited"), clock=utc_now)
    with TestClient(app, base_url="http://127.0.0.1:8300") as client:
        me = Agent(client, agent, tmp_path)
        me.invitation = {"Leadline-Invitation": token}
        study = world.registry.study(me.say("register", protocol=plan, simulate=False)["provenance"]["study"])
        me.invitation = {}
        opened = me.say("attempt", study=study.id, action="open")
        logs = world.lab_run(study, Run(study, opened["attempt"], opened["stamp"][ATTEMPT_STAMP]))
        uploads = me.upload(*logs, origin=world.registry.home.origin)
        attached = me.say("attach", study=study.id, number=1, uploads=uploads)
        assert attached["status"] == "recorded"
        assert {row.sha256 for row in study.attachments} == {one["sha256"] for one in uploads}
        assert {row.name for row in study.attachments} == {log.name for log in logs}


def test_nothing_is_copied_for_an_address_without_seconds(tmp_path: Path, agent: SigningKey) -> None:
    """What was uploaded may be long, and whoever names a key has not shown that they hold it."""
    world = World(tmp_path / "world", items=12)
    access = Access(world.registry.store.shelf, rates=Rates(computing_per_hour=1, computing_burst=1))
    access.charge_computing(Caller("192.0.2.1"), 1)
    asked, signing = [Upload(sha256="0" * 64)], Signing(agent.public.vkey)

    def desk(address: str) -> SigningDesk:
        return SigningDesk(world.registry, Gate(world.registry, access), lambda: Visitor(address))

    folder = tmp_path / "copies"
    folder.mkdir()
    with pytest.raises(QuotaError, match="computations for this address"):
        desk("192.0.2.1").fetch(asked, signing, folder)
    assert not list(folder.iterdir())
    with pytest.raises(NotFoundError):
        desk("192.0.2.2").fetch(asked, signing, folder)


def test_no_more_is_laid_out_than_the_disk_is_there_for(
    tmp_path: Path, agent: SigningKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Too many bytes for one draft are refused before any is copied."""
    world = World(tmp_path / "world", items=12)
    access = Access(world.registry.store.shelf)
    staged = Staging(world.registry.store.shelf).begin(
        agent.fingerprint, sha256(b"log").hexdigest(), 3, utc_now()
    )
    staged.write(b"log")
    staged.finish()
    desk = SigningDesk(world.registry, Gate(world.registry, access), lambda: Visitor("192.0.2.1"))
    asked, signing = [Upload(sha256=sha256(b"log").hexdigest())], Signing(agent.public.vkey)
    folder = tmp_path / "copies"
    folder.mkdir()
    monkeypatch.setattr(desk_module, "MOST_FETCHED", 2)
    with pytest.raises(InputError, match="more than 2 bytes together"):
        desk.fetch(asked, signing, folder)
    assert not list(folder.iterdir())
    monkeypatch.setattr(desk_module, "MOST_FETCHED", 3)
    assert [path.read_bytes() for path in desk.fetch(asked, signing, folder)] == [b"log"]


def test_a_ticket_says_what_the_document_says(tmp_path: Path, agent: SigningKey) -> None:
    """Payload type, fields, spelling: as docs/mcp.md has them, for whoever makes one without Leadline."""
    file = tmp_path / "a.eval"
    file.write_bytes(b"bytes")
    made = announce(file, origin="registry.example.org/log", key=agent, now=utc_now())
    opened = dsse.decode(b64decode(made.ticket.encode()))
    dsse.check_signature(opened, agent.public)
    assert opened.payload_type == "application/vnd.leadline.upload-request+json"
    assert opened.keyid == agent.fingerprint
    said = parse_strict(opened.payload)
    assert canonical(said) == opened.payload
    assert said == {
        "digest": made.sha256,
        "expires": f"{made.expires:%Y-%m-%dT%H:%M:%SZ}",
        "key": agent.public.vkey,
        "origin": "registry.example.org/log",
        "size": 5,
    }
    text = (Path(__file__).parents[2] / "docs" / "mcp.md").read_text()
    assert opened.payload_type in text
    assert all(f"| `{field}` |" in text for field in said)


def test_files_that_are_not_there_and_times_that_are_too_long(tmp_path: Path, agent: SigningKey) -> None:
    """Errors of the tree, before anything is signed."""
    from datetime import timedelta

    with pytest.raises(NotFoundError, match="cannot be read"):
        announce(tmp_path / "none.eval", origin="o", key=agent, now=utc_now())
    with pytest.raises(InputError, match="at most a day"):
        announce(tmp_path, origin="o", key=agent, now=utc_now(), valid=timedelta(hours=25))
    refused = leadline(
        "key",
        "sign-upload",
        tmp_path / "none.eval",
        "--origin",
        "o",
        "--key",
        tmp_path / "agent.key",
        status=None,
    )
    assert refused.status == 3
