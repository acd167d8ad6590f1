"""The MCP server inside the web application: one lifespan, one policy, checked host names."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from leadline.web.app import create_app
from leadline.web.settings import Quotas, Settings
from registry.world import World

HEADERS = {"accept": "application/json, text/event-stream", "content-type": "application/json"}


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A registry with one study."""
    world = World(tmp_path / "world", items=12)
    world.register()
    return world


@pytest.fixture
def client(world: World) -> Iterator[TestClient]:
    """A client of the whole application, its lifespan entered."""
    app = create_app(world.registry, Settings(store="unused"), clock=world.clock)
    with TestClient(app, base_url="http://127.0.0.1:8300") as client:
        yield client


def ask(client: TestClient, method: str, headers: dict[str, str] | None = None, **params: Any) -> Any:
    """One JSON-RPC request."""
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    return client.post("/mcp", content=json.dumps(body), headers={**HEADERS, **(headers or {})})


def test_a_tool_answers_over_http(client: TestClient) -> None:
    """A search over HTTP finds the study, in structured form."""
    answer = ask(client, "tools/call", name="search_studies", arguments={"text": "hint"})
    assert answer.status_code == 200, answer.text
    result = answer.json()["result"]
    (hit,) = result["structuredContent"]["hits"]
    assert hit["from_others"]["title"] == "Does a hint raise accuracy on addition?"


def test_other_names_are_refused(client: TestClient) -> None:
    """A page in somebody's browser cannot reach the server under another name or from another origin."""
    assert ask(client, "tools/list", {"host": "evil.example"}).status_code in (400, 421)
    assert ask(client, "tools/list", {"origin": "https://evil.example"}).status_code == 403


def test_nothing_is_held_open(client: TestClient) -> None:
    """A server that keeps no sessions offers no stream, as the protocol allows: GET and DELETE are answered at once."""
    for method in ("GET", "DELETE"):
        answer = client.request(method, "/mcp", headers={**HEADERS, "accept": "text/event-stream"})
        assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


def test_a_large_request_is_refused(client: TestClient) -> None:
    """A body above four megabytes is not read."""
    answer = ask(client, "tools/call", name="search_studies", arguments={"text": "x" * (5 << 20)})
    assert answer.status_code == 413


def test_a_write_is_charged_to_the_address_it_comes_from(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The gate sees the client's address, however many tasks and threads lie between."""
    from leadline.errors import StateError
    from leadline.registry.intake import Gate

    seen: list[str] = []

    def noted(self: Gate, envelopes: Any, *, address: str, invitation: str | None = None) -> None:
        seen.append(address)
        raise StateError("far enough")

    monkeypatch.setattr(Gate, "let_in", noted)
    study = next(world.registry.studies()).id
    arguments = {"study": study, "action": "open", "key": world.key.public.vkey, "envelopes": ["AAAA"]}
    for number in (7, 8):
        app = create_app(world.registry, Settings(store="unused"), clock=world.clock)
        with TestClient(
            app, base_url="http://127.0.0.1:8300", client=(f"192.0.2.{number}", 50_000)
        ) as client:
            answer = ask(client, "tools/call", name="attempt", arguments=arguments)
            assert "far enough" in answer.text
    assert seen == ["192.0.2.7", "192.0.2.8"]


def test_requests_have_a_quota(world: World) -> None:
    """Reading over MCP counts against the address as reading over the API does; the answer says when to come back."""
    quotas = Quotas(requests_per_minute=60, requests_burst=2)
    app = create_app(world.registry, Settings(store="unused", quotas=quotas), clock=world.clock)
    with TestClient(app, base_url="http://127.0.0.1:8300") as client:
        statuses = [ask(client, "tools/list").status_code for _ in range(3)]
        refused = ask(client, "tools/list")
    assert statuses[:2] == [200, 200]
    assert refused.status_code == 429
    assert int(refused.headers["retry-after"]) >= 1
