"""From a request to a page: the cache in front, one thread per page that has to be made."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias
from urllib.parse import parse_qsl

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from leadline.store.protocol import ReadView
from leadline.store.sqlite.store import SqliteStore
from leadline.web.answer import Answer, Ready, Sent
from leadline.web.cache import Key, PageCache, Version
from leadline.web.context import Site

_MOST_QUERY = 10_000


@dataclass(frozen=True, slots=True)
class Asked:
    """What a page function may know of a request: the names in its path, and its query."""

    path: str
    names: Mapping[str, str]
    query: Mapping[str, str]

    @classmethod
    def of(cls, request: Request) -> "Asked":
        """The parts of a request; of a repeated query name the last counts, and empty values are left out."""
        raw = request.scope["query_string"][:_MOST_QUERY].decode("latin-1")
        pairs = (
            parse_qsl(raw, max_num_fields=100, encoding="utf-8", errors="replace")
            if raw.count("&") < 100
            else ()
        )
        names = {name: str(value) for name, value in request.path_params.items()}
        return cls(request.url.path, names, {name: value for name, value in pairs if value})


Renderer: TypeAlias = Callable[[Site, ReadView, Asked], Answer]


class Pages:
    """Serves pages from the cache before any routing; makes those that are missing, each once at a time."""

    def __init__(self, site: Site, inner: ASGIApp | None = None, *, most_bytes: int = 64 << 20) -> None:
        self.site = site
        self.inner = inner
        self.cache = PageCache(most_bytes)
        self._making: dict[tuple[Key, Version], asyncio.Task[Ready]] = {}
        # An embedded store answers in microseconds; one behind a network must not hold up the event loop.
        self._quick = isinstance(site.registry.store, SqliteStore)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A cached page, or whatever the application behind makes of the request."""
        if scope["type"] == "http" and scope["method"] in ("GET", "HEAD") and len(self.cache):
            key = (scope["path"], scope["query_string"])
            ready = self.cache.get(key, await self._version(), time.monotonic())
            if ready is not None:
                await ready(scope, send)
                return
        assert self.inner is not None, "an application stands behind the pages"
        await self.inner(scope, receive, send)

    def endpoint(self, renderer: Renderer) -> Callable[[Request], Awaitable[Sent]]:
        """A route's handler for pages made by `renderer`."""

        async def handle(request: Request) -> Sent:
            return Sent(await self._made(renderer, request))

        return handle

    async def _version(self) -> Version:
        store = self.site.registry.store
        size = store.size() if self._quick else await run_in_threadpool(store.size)
        return size, self.site.today()

    async def _made(self, renderer: Renderer, request: Request) -> Ready:
        key = (request.scope["path"], request.scope["query_string"])
        flight = (key, await self._version())
        task = self._making.get(flight)
        if task is None:
            task = asyncio.ensure_future(self._make(renderer, Asked.of(request), key))
            self._making[flight] = task
            task.add_done_callback(partial(self._landed, flight))
        return await asyncio.shield(task)

    def _landed(self, flight: tuple[Key, Version], task: asyncio.Task[Ready]) -> None:
        self._making.pop(flight, None)
        if not task.cancelled():
            task.exception()  # whoever asked may have gone; then nobody else would look at it

    async def _make(self, renderer: Renderer, asked: Asked, key: Key) -> Ready:
        version, ready, keep = await run_in_threadpool(self._render, renderer, asked)
        if keep:
            self.cache.put(key, version, time.monotonic(), ready)
        return ready

    def _render(self, renderer: Renderer, asked: Asked) -> tuple[Version, Ready, bool]:
        """Everything on a page is read from one state of the record."""
        with self.site.registry.store.snapshot() as view:
            version = (view.size(), self.site.today())
            answer = renderer(self.site, view, asked)
        return version, Ready(answer), answer.cached and answer.status == 200
