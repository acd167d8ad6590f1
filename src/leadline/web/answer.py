"""A page as bytes: what a renderer returns, and how it goes out over ASGI.

Everything that can be known beforehand is worked out once: the entity tag, the headers, the compressed body.
A page from the cache is then two messages and no thought.
"""

import gzip
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

HTML: Final = "text/html; charset=utf-8"
SVG: Final = "image/svg+xml"
ATOM: Final = "application/atom+xml; charset=utf-8"
JSON: Final = "application/json"
TEXT: Final = "text/plain; charset=utf-8"

#: Pages run our own script and style from this origin, send forms to it, and load nothing from elsewhere.
CONTENT_POLICY: Final = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
#: Pictures and downloads run nothing at all; a picture may carry its own style.
_PICTURE_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'none'"
_BARE_POLICY: Final = "default-src 'none'; sandbox; frame-ancestors 'none'"
_SMALLEST_WORTH_COMPRESSING: Final = 600
_COMPRESSIBLE: Final = (
    "text/",
    "application/json",
    "application/atom+xml",
    "image/svg+xml",
    "application/xml",
)

RawHeaders = list[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a page function returns.

    `filename` makes it a download under that name, which must be ours and plain. `lifetime` is how many seconds
    others may keep it without asking; 0: they ask each time and are told when nothing changed. `shared` lets
    other sites embed it (badges, feeds).
    """

    body: bytes
    media: str = HTML
    status: int = 200
    filename: str | None = None
    lifetime: int = 0
    shared: bool = False
    cached: bool = True
    headers: tuple[tuple[str, str], ...] = ()

    @classmethod
    def page(cls, text: str, *, status: int = 200, cached: bool = True) -> "Answer":
        """An HTML page."""
        return cls(text.encode("utf-8", "replace"), status=status, cached=cached)


class Ready:
    """An answer ready to be sent, whole or compressed, or as "not modified"."""

    __slots__ = ("_gzip", "_head_gzip", "_head_plain", "_plain", "_tags", "_unchanged", "size", "status")

    def __init__(self, answer: Answer) -> None:
        self.status = answer.status
        self._plain = answer.body
        packed = _compressed(answer)
        self._gzip = packed
        tag = sha256(answer.body).hexdigest()[:24]
        common = _common(answer)
        self._tags = (f'"{tag}"'.encode(), f'"{tag}-gz"'.encode())
        self._unchanged = [*common, (b"etag", self._tags[0])]
        self._head_plain = [*common, (b"etag", self._tags[0]), (b"content-length", b"%d" % len(answer.body))]
        self._head_gzip: RawHeaders = []
        if packed is not None:
            self._head_gzip = [
                *common,
                (b"etag", self._tags[1]),
                (b"content-encoding", b"gzip"),
                (b"content-length", b"%d" % len(packed)),
            ]
        self.size = len(answer.body) + len(packed or b"") + 1500

    async def __call__(self, scope: Scope, send: Send) -> None:
        """Send it as the request allows."""
        asked, packed = b"", False
        for name, value in scope["headers"]:
            if name == b"if-none-match":
                asked = value
            elif name == b"accept-encoding":
                packed = self._gzip is not None and _accepts_gzip(value)
        if asked and self.status == 200 and self._matches(asked):
            await send({"type": "http.response.start", "status": 304, "headers": self._unchanged})
            await send({"type": "http.response.body", "body": b""})
            return
        head, body = (self._head_gzip, self._gzip or b"") if packed else (self._head_plain, self._plain)
        await send({"type": "http.response.start", "status": self.status, "headers": head})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

    def _matches(self, asked: bytes) -> bool:
        found = {item.strip().removeprefix(b"W/") for item in asked[:2000].split(b",")}
        return b"*" in found or bool(found & set(self._tags))


class Sent(Response):
    """A ready answer as the response of a route."""

    def __init__(self, ready: Ready) -> None:
        self.ready = ready
        self.status_code = ready.status
        self.background = None

    @classmethod
    def of(cls, answer: Answer) -> "Sent":
        """An answer, made ready."""
        return cls(Ready(answer))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        """Send it as the request allows."""
        await self.ready(scope, send)


def _accepts_gzip(value: bytes) -> bool:
    """Whether an Accept-Encoding names gzip and does not refuse it (RFC 9110, 12.5.3)."""
    for item in value[:500].lower().split(b","):
        coding, _, weight = item.partition(b";")
        if coding.strip() == b"gzip":
            return weight.replace(b" ", b"") not in (b"q=0", b"q=0.0", b"q=0.00", b"q=0.000")
    return False


def _compressed(answer: Answer) -> bytes | None:
    if len(answer.body) < _SMALLEST_WORTH_COMPRESSING or not answer.media.startswith(_COMPRESSIBLE):
        return None
    packed = gzip.compress(answer.body, 6, mtime=0)
    return packed if len(packed) < len(answer.body) else None


def _common(answer: Answer) -> RawHeaders:
    keep = f"public, max-age={answer.lifetime}" if answer.lifetime else "no-cache"
    if not answer.cached:
        keep = "no-store"
    headers = {
        "content-type": answer.media,
        "cache-control": keep,
        "vary": "accept-encoding",
        "content-security-policy": _policy(answer.media),
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "cross-origin" if answer.shared else "same-origin",
        "permissions-policy": "camera=(), geolocation=(), microphone=(), interest-cohort=()",
    }
    if answer.shared:
        headers["access-control-allow-origin"] = "*"
    if answer.filename is not None:
        headers["content-disposition"] = f'attachment; filename="{answer.filename}"'
    headers.update(answer.headers)
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]


def _policy(media: str) -> str:
    if media == HTML:
        return CONTENT_POLICY
    return _PICTURE_POLICY if media == SVG else _BARE_POLICY
