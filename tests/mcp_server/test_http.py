"""The MCP server inside the web application: one lifespan, one policy, checked host names."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from leadline.web.app import create_app
from leadline.web.settings import Settings
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


def test_a_large_request_is_refused(client: TestClient) -> None:
    """A body above four megabytes is not read."""
    answer = ask(client, "tools/call", name="search_studies", arguments={"text": "x" * (5 << 20)})
    assert answer.status_code == 413
