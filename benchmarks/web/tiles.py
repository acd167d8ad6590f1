"""Serving a tile against a bare ASGI application that answers the same bytes from a variable, in one run.

Run: ``python benchmarks/web/tiles.py [requests]``. uvicorn serves both in turn on the loopback address; the client
is a process of its own that keeps several requests under way on each connection. Read the ratio; the goal is .60.
"""

import argparse
import asyncio
import multiprocessing
import socket
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests"))

from leadline.registry.registry import Registry
from leadline.web.log import LogApp
from registry.served import grow

PATH = "/tile/0/000"
CONNECTIONS, UNDER_WAY, ROUNDS = 4, 8, 5
App = Callable[[Any, Any, Any], Awaitable[None]]


def bare(body: bytes) -> App:
    """The least an ASGI application can do."""
    headers = [(b"content-type", b"application/octet-stream"), (b"content-length", b"%d" % len(body))]
    start = {"type": "http.response.start", "status": 200, "headers": headers}
    message = {"type": "http.response.body", "body": body}

    async def app(scope: Any, receive: Any, send: Any) -> None:  # noqa: ARG001
        await send(start)
        await send(message)

    return app


def client(port: int, count: int, length: int, result: Connection) -> None:
    """Ask `count` times and report the seconds it took; the first answers are not counted."""

    async def connection(number: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        request = f"GET {PATH} HTTP/1.1\r\nhost: localhost\r\n\r\n".encode()
        writer.write(request * UNDER_WAY)
        for done in range(number):
            await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(length)
            if done < number - UNDER_WAY:
                writer.write(request)
        writer.close()

    async def run() -> float:
        await connection(200)
        began = time.perf_counter()
        await asyncio.gather(*(connection(count // CONNECTIONS) for _ in range(CONNECTIONS)))
        return time.perf_counter() - began

    result.send(asyncio.run(run()))


async def rate(app: App, count: int, length: int) -> float:
    """Requests per second over HTTP."""
    import uvicorn

    # Named as TCP: asyncio switches Nagle's algorithm off only where it knows.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", access_log=False, lifespan="off"))
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    while not server.started:
        await asyncio.sleep(0.01)
    ours, theirs = multiprocessing.Pipe()
    asking = multiprocessing.get_context("spawn").Process(
        target=client, args=(listening.getsockname()[1], count, length, theirs)
    )
    asking.start()
    seconds = await asyncio.to_thread(ours.recv)
    asking.join()
    server.should_exit = True
    await serving
    return count / float(seconds)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("requests", nargs="?", type=int, default=6_000)
    count = options.parse_args().requests
    with tempfile.TemporaryDirectory() as name, Registry.open(Path(name) / "registry.db") as registry:
        grow(registry, 300)
        tile = registry.store.tile(0, 0)
        floors, ours = [], []
        for _ in range(ROUNDS):  # in turns, so that both see the same machine
            floors.append(asyncio.run(rate(bare(tile), count, len(tile))))
            ours.append(asyncio.run(rate(LogApp(registry.store), count, len(tile))))
    print(
        f"bare ASGI {max(floors):8,.0f}/s   tiles {max(ours):8,.0f}/s   ratio {max(ours) / max(floors):.2f}"
    )


if __name__ == "__main__":
    main()
