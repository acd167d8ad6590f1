"""Serving a study's page against Starlette answering 700 bytes of JSON, in one run, without a network.

Run: ``python benchmarks/web/pages.py [requests]``. Both applications are called as a server calls them, so that what
HTTP itself costs is in neither rate: over a network the ratio is nearer to one. Read the ratio; the goal is .50 for
a page from the cache. A page that has to be made is given in milliseconds, for whoever wonders.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests"))

from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from leadline.registry.registry import utc_now
from leadline.web.app import create_app
from leadline.web.settings import Settings
from registry.world import World

ROUNDS = 5
JSON = {"studies": [{"id": f"LL-{i:013d}", "title": "A study of something", "index": i} for i in range(10)]}


def scope_of(path: str, *headers: tuple[bytes, bytes]) -> dict[str, Any]:
    """A GET request as a server hands it to an application."""
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", b"127.0.0.1:8300"), (b"accept", b"*/*"), *headers],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 8300),
    }


async def rate(app: Any, count: int, path: str, *headers: tuple[bytes, bytes], status: int = 200) -> float:
    """Requests per second, the best of several rounds."""
    seen: list[int] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            seen.append(message["status"])

    await app(scope_of(path, *headers), receive, send)
    best = 0.0
    for _ in range(ROUNDS):
        began = time.perf_counter()
        for _ in range(count):
            await app(scope_of(path, *headers), receive, send)
        best = max(best, count / (time.perf_counter() - began))
    assert set(seen) == {status}, set(seen)
    return best


async def measure(world: World, study: str, count: int) -> None:
    """Print the rates beside each other."""

    async def answer(request: Any) -> JSONResponse:  # noqa: ARG001
        return JSONResponse(JSON)

    peer = await rate(Starlette(routes=[Route("/json", answer)]), count, "/json")
    print(f"{'Starlette, JSON':34}{peer:10,.0f}/s")
    app = create_app(world.registry, Settings(store="x", mcp=False), clock=utc_now)
    path = f"/study/{study}"
    packed = (b"accept-encoding", b"gzip")
    for label, headers, status in (
        ("study page, plain", (), 200),
        ("study page, gzip", (packed,), 200),
        ("study page, not modified", ((b"if-none-match", b"*"),), 304),
    ):
        found = await rate(app, count, path, *headers, status=status)
        print(f"{label:34}{found:10,.0f}/s   {found / peer:5.2f} of Starlette's JSON")
    made = [await one(app, f"{path}?fresh={i}") for i in range(20)]
    print(f"{'study page, made anew (median)':34}{1000 * sorted(made)[10]:10.1f} ms")


async def one(app: Any, path: str) -> float:
    """Seconds for one request with a query of its own, which no cache has seen."""
    place, _, query = path.partition("?")
    scope = scope_of(place) | {"query_string": query.encode()}

    async def nothing(*_: Any) -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    began = time.perf_counter()
    await app(scope, nothing, nothing)
    return time.perf_counter() - began


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("requests", nargs="?", type=int, default=4_000)
    count = options.parse_args().requests
    with tempfile.TemporaryDirectory() as name:
        world = World(Path(name))
        study = world.honest_study()
        study.publish()
        asyncio.run(measure(world, study.id, count))
        world.registry.close()


if __name__ == "__main__":
    main()
