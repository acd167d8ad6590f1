"""What an operator and the machines around a server ask it: is it alive, can it work, what did it count.

`instrumented` wraps the whole application: each request gets an id, a line in the journal and a place in the
metrics. `routes` are ``/health``, ``/ready`` and ``/metrics``.
"""

import logging
import re
import secrets
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from leadline.errors import Explained
from leadline.ledger.tlog.checkpoint import open_checkpoint
from leadline.web.journal import LOGGER, say, shape
from leadline.web.metrics import Metrics
from leadline.web.problems import RETRY_AFTER
from leadline.web.settings import Settings, is_loopback

if TYPE_CHECKING:
    from leadline.registry.registry import Registry

REQUEST_ID: Final = b"x-request-id"
_GIVEN_ID = re.compile(rb"[A-Za-z0-9_-]{8,64}")
_QUIET: Final = ("/health", "/ready", "/metrics")
#: Headers that a proxy adds: whoever sends one is not on this machine, whatever the connection says.
_FORWARDED: Final = frozenset({b"forwarded", b"x-forwarded-for", b"x-real-ip", b"via"})
_NO_STORE: Final = {"Cache-Control": "no-store"}
_METRICS: Final = "leadline.metrics"
_ID: Final = "leadline.request_id"


def request_id(scope: Scope) -> str:
    """The id of the request, as in its journal line and the header X-Request-ID; empty where none was given."""
    return str(scope.get(_ID, ""))


def instrumented(
    app: ASGIApp, settings: Settings, metrics: Metrics | None, ticks: Callable[[], float] = time.perf_counter
) -> ASGIApp:
    """The application with a request id, a line in the journal and a count for each request.

    An id that a trusted proxy sends is taken over; anybody else's is replaced.
    """
    trusted = bool(settings.trusted_proxy)

    async def instrumented_app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        given = next((value for name, value in scope["headers"] if name == REQUEST_ID), b"")
        name = given if trusted and _GIVEN_ID.fullmatch(given) else secrets.token_hex(8).encode()
        scope[_ID], scope[_METRICS] = name.decode(), metrics
        status, size, began = 500, 0, ticks()

        async def counted(message: Message) -> None:
            nonlocal status, size
            if message["type"] == "http.response.start":
                status = message["status"]
                message.setdefault("headers", [])
                message["headers"] = [*message["headers"], (REQUEST_ID, name)]
            elif message["type"] == "http.response.body":
                size += len(message.get("body", b""))
            await send(message)

        if metrics is not None:
            metrics.begun()
        try:
            await app(scope, receive, counted)
        except Exception as error:
            say(
                "a request failed",
                level=logging.ERROR,
                error=error,
                id=name.decode(),
                path=shape(scope["path"]),
            )
            raise
        finally:
            seconds = ticks() - began
            if metrics is not None:
                metrics.ended(scope["path"], status, seconds)
            if status >= 500 or scope["path"] not in _QUIET:
                _note(scope, settings, name.decode(), status, size, seconds)

    return instrumented_app


def _note(scope: Scope, settings: Settings, name: str, status: int, size: int, seconds: float) -> None:
    level = logging.WARNING if status >= 500 else logging.INFO
    if not LOGGER.isEnabledFor(level):
        return
    details: dict[str, Any] = {
        "method": scope["method"],
        "path": shape(scope["path"]),
        "status": status,
        "bytes": size,
        "ms": round(seconds * 1000, 1),
        "id": name,
    }
    if settings.log_addresses and scope.get("client"):
        details["client"] = scope["client"][0]
    say("request", level=level, **details)


class Readiness:
    """Whether the registry can do its work; remembers how long the tree was when it was last looked at."""

    def __init__(self, registry: "Registry") -> None:
        self._registry = registry
        self._size = 0
        self.entries = 0
        """The size of the tree when it was last looked at."""

    def problems(self) -> list[str]:
        """What keeps the server from its work, in words without secrets; nothing when all is well.

        The store answers, the private log key is there, the newest checkpoint is the log's and covers every
        entry, and the tree is not shorter than it was before or than a checkpoint that was signed.
        """
        home, store = self._registry.home, self._registry.store
        found = []
        try:
            with store.snapshot() as view:
                size = view.size()
                signed = open_checkpoint(view.checkpoint(), [home.log], origin=home.origin).checkpoint
        except Explained as error:
            return [error.message]
        except OSError as error:
            return [f"the store does not answer: {error.strerror or type(error).__name__}"]
        if home.signing is None:
            found.append("the private log key is not here, so nothing can be added")
        if size < self._size:
            found.append(
                f"the log had {self._size} entries and has {size} now: it looks like a restored backup"
            )
        if signed.size != size:
            found.append(f"the newest checkpoint is of {signed.size} entries, the log has {size}")
        self.entries, self._size = size, max(size, self._size)
        return found


def routes(site: Any) -> list[Route]:
    """``/health`` (the process answers), ``/ready`` (it can work; 503 with reasons if not), ``/metrics``."""
    readiness = Readiness(site.registry)
    settings: Settings = site.settings

    async def health(request: Request) -> Response:  # noqa: ARG001
        return JSONResponse({"status": "alive"}, headers=_NO_STORE)

    async def ready(request: Request) -> Response:
        problems = await run_in_threadpool(readiness.problems)
        _counted(request, readiness, problems)
        for problem in problems:
            say("not ready", level=logging.ERROR, problem=problem)
        # Outside, the reasons stay unsaid: they concern the operator alone.
        shown: dict[str, Any] = {"status": "ready" if not problems else "not ready"}
        if problems and _local(request):
            shown["problems"] = problems
        if problems:
            return JSONResponse(shown, 503, headers={**_NO_STORE, "Retry-After": str(RETRY_AFTER)})
        return JSONResponse(shown, headers=_NO_STORE)

    async def metrics(request: Request) -> Response:
        counted: Metrics | None = request.scope.get(_METRICS)
        allowed = settings.metrics == "open" or (settings.metrics == "local" and _local(request))
        if counted is None or not allowed:
            return Response("there is nothing here\n", 404, media_type="text/plain")
        _counted(request, readiness, await run_in_threadpool(readiness.problems))
        return Response(counted.render(), media_type=counted.content_type, headers=_NO_STORE)

    return [Route("/health", health), Route("/ready", ready), Route("/metrics", metrics)]


def _counted(request: Request, readiness: Readiness, problems: list[str]) -> None:
    counted: Metrics | None = request.scope.get(_METRICS)
    if counted is not None:
        counted.state(entries=readiness.entries, ready=not problems)


def _local(request: Request) -> bool:
    """Whether the request came from this machine itself, past no proxy."""
    if any(name in _FORWARDED for name, _ in request.scope["headers"]):
        return False
    return request.client is not None and is_loopback(request.client.host)
