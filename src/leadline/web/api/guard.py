"""What every request passes before any handler sees it: bounded bodies, quotas, conditional reads, no tracebacks.

Raw ASGI: nothing of a body is held that was not asked for.
"""

import json
import logging
import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from hashlib import sha256
from ipaddress import IPv6Address, IPv6Network
from typing import Any, Final, TypeAlias

from starlette.concurrency import run_in_threadpool

from leadline.errors import Explained
from leadline.registry.access import Caller
from leadline.web.context import Site
from leadline.web.problems import MEDIA_TYPE, encoded, plain_problem, problem_of, retry_after

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
App: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

#: The largest JSON body: 64 envelopes of the largest size in base64, and a protocol.
MAX_BODY: Final = 8 << 20
MAX_QUERY: Final = 16_000
#: Answers that depend on more than the record: what was taken down, what witnesses have cosigned meanwhile.
_UNTAGGED: Final = (
    "/blobs/",
    "/protocol",
    "/report",
    "/certificate",
    "/log/checkpoint",
    "/log/cosignatures",
    "/log/timestamps",
)
_HEAD: Final = "leadline.head"
_journal = logging.getLogger("leadline.web.api")


class _TooLongError(Exception):
    """The body is longer than it may be."""


class Guard:
    """The API's outermost layer around `app`, for `site`."""

    def __init__(self, app: App, site: Site) -> None:
        self._app = app
        self._site = site

    @property
    def inner(self) -> App:
        """The application behind the guard."""
        return self._app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it with a problem."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answer = _Answer(send)
        if scope["method"] == "HEAD":  # what GET would answer, without its body (RFC 9110 section 9.3.2)
            answer = _Answer(_bodiless(send))
            scope = {**scope, "method": "GET", _HEAD: True}
        await answered(self._guarded, scope, receive, answer)

    async def _guarded(self, scope: Scope, receive: Receive, answer: Send) -> None:
        assert isinstance(answer, _Answer)
        refusal = _refusal(scope)
        if refusal is not None:
            await answer.problem(refusal)
            return
        access = self._site.access
        if access is not None:
            access.charge_request(Caller(address_of(scope)))
        streamed = scope["method"] == "PUT"
        bounded = receive if streamed else _bounded(receive)
        if scope["method"] != "GET" or any(part in path_of(scope) for part in _UNTAGGED):
            await self._app(scope, bounded, answer)
            return
        tag = await self._tag(scope)
        if tag in header(scope, b"if-none-match").replace("W/", "").split(", "):
            await answer.not_modified(tag)
            return
        answer.tag = tag
        await self._app(scope, bounded, answer)

    async def _tag(self, scope: Scope) -> str:
        """Answers follow from the record, the question and the day (which decides what is overdue)."""
        size = await run_in_threadpool(self._site.registry.store.size)
        said = f"{size}|{self._site.today()}|{path_of(scope)}?{scope['query_string']!r}"
        return f'"{sha256(said.encode()).hexdigest()[:24]}"'


class Faults:
    """The innermost layer: no exception leaves the application, so that no framework answers it in its own way."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with a problem whatever the application raises."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        await answered(self._app, scope, receive, _Answer(send, plain=True))


async def answered(app: App, scope: Scope, receive: Receive, answer: "_Answer") -> None:
    """Let `app` answer; what it raises is answered with a problem."""
    try:
        await app(scope, receive, answer)
    except _TooLongError:
        problem = plain_problem(
            413,
            "The body is too long",
            f"a body has at most {MAX_BODY:,} bytes",
            "send fewer statements at a time; large files go to PUT /blobs/DIGEST",
            path_of(scope),
        )
        await answer.problem(problem)
    except Explained as error:
        await answer.problem(problem_of(error, path_of(scope)), error)
    except Exception as error:  # noqa: BLE001 (the last line of defence: journalled with its id, answered without its inside)
        fault = secrets.token_hex(8)
        _journal.exception("fault %s: %s %s", fault, scope["method"], path_of(scope))
        await answer.problem(problem_of(error, path_of(scope), fault=fault), error)


class _Answer:
    """The way back: adds the headers every answer has, and knows whether it has begun."""

    def __init__(self, send: Send, *, plain: bool = False) -> None:
        self._send = send
        self._plain = plain
        self.begun = False
        self.tag: str | None = None

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.begun = True
        if message["type"] == "http.response.start" and not self._plain:
            headers = list(message.get("headers", []))
            names = {name.lower() for name, _ in headers}
            headers += [one for one in _ALWAYS if one[0] not in names]
            if self.tag is not None and message["status"] == 200:
                headers += [(b"etag", self.tag.encode()), (b"cache-control", b"public, no-cache")]
            elif b"cache-control" not in names:
                headers.append((b"cache-control", b"no-store"))
            message = {**message, "headers": headers}
        await self._send(message)

    async def not_modified(self, tag: str) -> None:
        """What the client has is what it would get."""
        headers = [(b"etag", tag.encode()), (b"cache-control", b"public, no-cache")]
        await self({"type": "http.response.start", "status": 304, "headers": headers})
        await self({"type": "http.response.body", "body": b""})

    async def problem(self, document: dict[str, Any], error: Exception | None = None) -> None:
        """Answer with a problem, unless the answer has begun already."""
        if self.begun:
            return
        self.tag = None
        body = encoded(document)
        headers = [(b"content-type", MEDIA_TYPE.encode()), (b"content-length", str(len(body)).encode())]
        wait = None if error is None else retry_after(error)
        if wait is not None:
            headers.append((b"retry-after", str(wait).encode()))
        await self({"type": "http.response.start", "status": document["status"], "headers": headers})
        await self({"type": "http.response.body", "body": body})


def wants_head(scope: Scope) -> bool:
    """Whether the client asked for the headers alone: nothing long need be read to make them."""
    return bool(scope.get(_HEAD))


def _bodiless(send: Send) -> Send:
    """The way back for an answer of which only the headers go out."""
    ended = False

    async def sending(message: Message) -> None:
        nonlocal ended
        if message["type"] != "http.response.body":
            await send(message)
        elif not ended:
            ended = True
            await send({"type": "http.response.body", "body": b""})

    return sending


def header(scope: Scope, name: bytes) -> str:
    """A request header as text; empty when it is absent."""
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), "")


def path_of(scope: Scope) -> str:
    """The path of the request as it was asked for."""
    return str(scope["path"])


def address_of(scope: Scope) -> str:
    """The client's address, a whole network of IPv6 counted as one client."""
    client = scope.get("client")
    host = str(client[0]) if client else "unknown"
    try:
        address = IPv6Address(host)
    except ValueError:
        return host
    plain = address.ipv4_mapped
    return str(IPv6Network((int(address) >> 64 << 64, 64)) if plain is None else plain)


def _refusal(scope: Scope) -> dict[str, Any] | None:
    """A problem with the request's envelope, if there is one."""
    path = path_of(scope)
    if header(scope, b"content-encoding") not in ("", "identity"):
        return plain_problem(
            415,
            "Encoded bodies are not taken",
            "a compressed body can be a thousand times longer than it looks",
            "send the body as it is, without Content-Encoding",
            path,
        )
    if len(scope["query_string"]) > MAX_QUERY:
        return plain_problem(
            414,
            "The query is too long",
            f"a query has at most {MAX_QUERY:,} bytes",
            "ask for less at a time",
            path,
        )
    length = header(scope, b"content-length")
    if length and scope["method"] != "PUT" and (not length.isdecimal() or int(length[:20]) > MAX_BODY):
        raise _TooLongError
    return None


def _bounded(receive: Receive) -> Receive:
    """The body, until it is too long."""
    seen = 0

    async def bounded() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > MAX_BODY:
            raise _TooLongError
        return message

    return bounded


_ALWAYS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'; sandbox"),
    (b"referrer-policy", b"no-referrer"),
)


def json_bytes(value: Any) -> bytes:
    """Plain values as JSON bytes."""
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")
