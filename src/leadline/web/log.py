"""The log as anybody may read it: checkpoint, tiles and entry bundles (C2SP tlog-tiles), as a bare ASGI application.

It stands before any router: a monitor that follows a log asks for thousands of small files that never change, so a
full tile is one dictionary look-up and two messages once it has been asked for.
"""

import gzip
from collections import OrderedDict
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final, TypeAlias

from starlette.concurrency import run_in_threadpool

from leadline.errors import InputError, NotFoundError, StoreError
from leadline.ledger.tlog.tile import Tile, parse_path
from leadline.registry.cosigning import newest_checkpoint
from leadline.store.protocol import Store
from leadline.web.problems import RETRY_AFTER

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]

CACHE_BYTES: Final = 64 << 20
#: What one cached answer costs beside its body.
_OVERHEAD: Final = 1024
_PUBLIC: Final = (
    (b"access-control-allow-origin", b"*"),
    (b"cross-origin-resource-policy", b"cross-origin"),
    (b"x-content-type-options", b"nosniff"),
)
_FOREVER: Final = (b"cache-control", b"public, max-age=31536000, immutable")
_BRIEFLY: Final = (b"cache-control", b"public, max-age=2")
_NEVER: Final = (b"cache-control", b"no-store")
_LATER: Final = (b"retry-after", b"%d" % RETRY_AFTER)
_BINARY: Final = (b"content-type", b"application/octet-stream")
_TEXT: Final = (b"content-type", b"text/plain; charset=utf-8")


class _Answer:
    """The two messages of an answer, made once."""

    __slots__ = ("body", "cost", "head", "start")

    def __init__(self, status: int, body: bytes, *headers: tuple[bytes, bytes]) -> None:
        length = (b"content-length", b"%d" % len(body))
        self.start = {
            "type": "http.response.start",
            "status": status,
            "headers": [*headers, *_PUBLIC, length],
        }
        self.body = {"type": "http.response.body", "body": body}
        self.head = {"type": "http.response.body", "body": b""}
        self.cost = len(body) + _OVERHEAD


class LogApp:
    """Serves ``/checkpoint`` and ``/tile/...`` of one store; `cache_bytes` bounds what is kept in memory.

    Bundles are compressed for clients that accept gzip; tiles are hashes and never are. An answer outside these
    paths is 404; `handles` says beforehand whether a path is one of them.
    """

    def __init__(self, store: Store, *, cache_bytes: int = CACHE_BYTES) -> None:
        self._store = store
        self._limit = cache_bytes
        self._held = 0
        self._cache: OrderedDict[tuple[str, bool], _Answer] = OrderedDict()

    @staticmethod
    def handles(path: str) -> bool:
        """Whether this application answers for `path`."""
        return path == "/checkpoint" or path.startswith("/tile/")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        """Answer one HTTP request."""
        path: str = scope["path"]
        zipped = path.startswith("/tile/entries/") and _accepts_gzip(scope)
        answer = self._cache.get((path, zipped))
        if answer is None or scope["method"] not in ("GET", "HEAD"):
            answer = await self._find(scope["method"], path, zipped)
        else:
            self._cache.move_to_end((path, zipped))
        await send(answer.start)
        await send(answer.head if scope["method"] == "HEAD" else answer.body)

    async def _find(self, method: str, path: str, zipped: bool) -> _Answer:
        if method not in ("GET", "HEAD"):
            return _Answer(405, b"only GET and HEAD\n", _TEXT, _NEVER, (b"allow", b"GET, HEAD"))
        try:
            if path == "/checkpoint":
                return await run_in_threadpool(self._checkpoint)
            kind, tile = parse_path(path.removeprefix("/"))
            answer = await run_in_threadpool(self._read, kind, tile, zipped)
        except (NotFoundError, InputError) as error:
            # A tile that is not there yet may be there soon: nobody may remember that it was not.
            return _Answer(404, error.message.encode() + b"\n", _TEXT, _NEVER)
        except StoreError:
            return _Answer(503, b"the store does not answer; try again\n", _TEXT, _NEVER, _LATER)
        self._remember((path, zipped), answer)
        return answer

    def _checkpoint(self) -> _Answer:
        return _Answer(200, newest_checkpoint(self._store, self._store.shelf), _TEXT, _BRIEFLY)

    def _read(self, kind: str, tile: Tile, zipped: bool) -> _Answer:
        if kind == "tile":
            return _Answer(200, self._store.tile(tile.level, tile.index, tile.width), _BINARY, _FOREVER)
        bundle = self._store.entry_bundle(tile.index, tile.width)
        vary = (b"vary", b"accept-encoding")
        if not zipped:
            return _Answer(200, bundle, _BINARY, _FOREVER, vary)
        packed = gzip.compress(bundle, 6, mtime=0)
        return _Answer(200, packed, _BINARY, _FOREVER, vary, (b"content-encoding", b"gzip"))

    def _remember(self, place: tuple[str, bool], answer: _Answer) -> None:
        if answer.cost > self._limit:
            return
        if (before := self._cache.pop(place, None)) is not None:
            self._held -= before.cost
        self._cache[place] = answer
        self._held += answer.cost
        while self._held > self._limit:
            self._held -= self._cache.popitem(last=False)[1].cost


def _accepts_gzip(scope: Scope) -> bool:
    """Whether the client takes gzip: named, and not with a weight of zero."""
    for name, value in scope["headers"]:
        if name == b"accept-encoding":
            for part in value.lower().split(b","):
                coding, _, weight = part.partition(b";")
                if coding.strip() == b"gzip":
                    return weight.strip() not in (b"q=0", b"q=0.0", b"q=0.00", b"q=0.000")
    return False
