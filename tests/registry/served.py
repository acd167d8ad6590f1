"""A registry as a server shows it, without a network: log, witness and blobs behind a client for `Http`."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.testclient import TestClient

from leadline.errors import NotFoundError
from leadline.registry.outgoing import Http
from leadline.registry.registry import Registry
from leadline.web import witness
from leadline.web.log import LogApp

URL = "http://test"


@dataclass
class Served:
    """Serves one registry; `instead` replaces the answer to a path by (status, body), and `asked` lists the paths."""

    registry: Registry
    instead: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def http(self) -> Http:
        """A client that reaches this registry under any host name, and never waits."""
        return Http(TestClient(self), sleep=lambda seconds: None)

    def __post_init__(self) -> None:
        site: Any = SimpleNamespace(registry=self.registry)
        routes = [*witness.routes(site), Route("/api/v1/blobs/{digest}", self._blob)]
        self._router = Starlette(routes=routes)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        path = scope["path"]
        self.asked.append(path)
        if path in self.instead:
            status, body = self.instead[path]
            await Response(body, status, {"content-type": "application/problem+json"})(scope, receive, send)
        elif LogApp.handles(path):
            await LogApp(self.registry.store)(scope, receive, send)
        else:
            await self._router(scope, receive, send)

    def _blob(self, request: Request) -> Response:
        digest = request.path_params["digest"]
        reason = self.registry.store.taken_down(digest)
        if reason is not None:
            problem = json.dumps({"title": "taken down", "reason": reason})
            return Response(problem, 410, {"content-type": "application/problem+json"})
        try:
            with self.registry.store.open_blob(digest) as file:
                return Response(file.read())
        except NotFoundError:
            return Response("", 404)


def grow(registry: Registry, count: int, word: str = "entry") -> None:
    """Append small statements: each registers a key of its own."""
    from hashlib import sha256

    from leadline.ledger.keys import SigningKey

    def said(number: int) -> tuple[str, dict[str, Any], SigningKey]:
        seed = sha256(f"{registry.home.origin} {word} {number}".encode()).digest()
        key = SigningKey(f"{word}-{number}.example", "author", seed)
        holder = {"name": f"{word} {number}", "kind": "human"}
        fields = {"action": "register", "role": "author", "public": key.public.vkey, "holder": holder}
        return "key", {**fields, "time": registry.time()}, key

    registry.append(lambda view: [said(number) for number in range(count)])


def copy_of(registry: Registry, folder: Path) -> Registry:
    """A second copy of a registry with the same keys, as after restoring a backup elsewhere."""
    import shutil

    source = Path(registry.store.where)  # type: ignore[attr-defined]
    folder.mkdir(parents=True, exist_ok=True)
    for path in source.parent.glob(f"{source.name}*"):
        if path.is_dir():
            shutil.copytree(path, folder / path.name)
        else:
            shutil.copy2(path, folder / path.name)
    return Registry.open(folder / source.name, create=False, clock=registry.clock)
