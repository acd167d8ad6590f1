"""The few requests this software sends: to addresses an operator configured, bounded in time and size.

Nothing that a statement, a log or an answer names is ever fetched: redirects are not followed, and compressed
answers are refused, so that the bytes counted against the limit are the bytes there are.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from types import TracebackType
from typing import TYPE_CHECKING, BinaryIO, Final, Self
from urllib.parse import urlsplit

from leadline.errors import InputError, IntegrityError, MissingExtraError, StoreError

if TYPE_CHECKING:
    from httpx2 import Client, Response

TIMEOUT: Final = 20.0
#: Seconds between tries of a request that may be repeated.
_PAUSES: Final = (0.5, 2.0)
_WORTH_ANOTHER_TRY: Final = frozenset({500, 502, 503, 504})
#: A server that says when to come back is believed this often, and for at most this many seconds each time.
_PATIENCE, _LONGEST_PAUSE = 60, 60.0
#: A whole transfer may take this long at most; a single read takes `TIMEOUT`.
_LONGEST: Final = 3600.0


@dataclass(frozen=True, slots=True)
class Reply:
    """Status, content type without parameters, and body (empty where it went into a sink)."""

    status: int
    content_type: str
    body: bytes


class Http:
    """A client for one other party. `client` is an `httpx2.Client` of the caller's, `sleep` waits between tries."""

    def __init__(
        self, client: "Client | None" = None, *, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._own = client is None
        self._client = _new_client() if client is None else client
        self._sleep = sleep

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._own:
            self._client.close()

    def get(self, url: str, *, limit: int) -> Reply:
        """GET with up to three tries; `StoreError` when nobody answers, `IntegrityError` beyond `limit` bytes."""
        sink = BytesIO()
        status, content_type = self.download(url, sink, limit=limit)
        return Reply(status, content_type, sink.getvalue())

    def download(self, url: str, sink: BinaryIO, *, limit: int) -> tuple[int, str]:
        """GET into a seekable `sink`, which then holds the body alone; returns status and content type."""
        tries, pauses = 0, list(_PAUSES)
        while True:
            tries += 1
            try:
                status, content_type, wait = self._send("GET", url, sink, limit, None, None)
            except StoreError:
                if not pauses:
                    raise
                pause = pauses.pop(0)
            else:
                if status == 429 and tries < _PATIENCE:
                    pause = _LONGEST_PAUSE if wait is None else wait
                elif status in _WORTH_ANOTHER_TRY and pauses:
                    pause = pauses.pop(0)
                else:
                    return status, content_type
            sink.seek(0)
            sink.truncate()
            self._sleep(min(pause, _LONGEST_PAUSE))

    def post(self, url: str, body: bytes, *, content_type: str, limit: int) -> Reply:
        """POST once; errors as for `get`."""
        sink = BytesIO()
        status, kind, _ = self._send("POST", url, sink, limit, body, content_type)
        return Reply(status, kind, sink.getvalue())

    def _send(
        self, method: str, url: str, sink: BinaryIO, limit: int, body: bytes | None, content_type: str | None
    ) -> tuple[int, str, float | None]:
        from httpx2 import HTTPError, InvalidURL

        headers = {"accept-encoding": "identity"} | ({"content-type": content_type} if content_type else {})
        try:
            with self._client.stream(
                method, url, content=body, headers=headers, follow_redirects=False
            ) as response:
                _receive(response, sink, limit, url)
                kind = response.headers.get("content-type", "").partition(";")[0].strip()
                return response.status_code, kind, _seconds(response.headers.get("retry-after", ""))
        except (HTTPError, InvalidURL) as error:
            raise StoreError(
                f"no answer: {type(error).__name__}: {str(error)[:200]}",
                where=url,
                remedy="check the address and the network, then try again; nothing was changed",
            ) from None


def check_address(url: str) -> str:
    """The address of another party without its last slash; `InputError` unless it is http(s) without credentials."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise InputError(
            f"{url[:200]!r} is not the address of a server", remedy="it looks like https://example.org/prefix"
        )
    if parts.username or parts.password:
        raise InputError(
            "an address with a password in it would end up in records", remedy="leave the password out"
        )
    return url.rstrip("/")


def _seconds(text: str) -> float | None:
    """A Retry-After in seconds; None where it is a date, or nothing."""
    return float(text) if text.isascii() and text.isdigit() and len(text) < 8 else None


def _receive(response: "Response", sink: BinaryIO, limit: int, url: str) -> None:
    if response.headers.get("content-encoding", "identity") != "identity":
        raise IntegrityError(
            "the answer is compressed, although plain bytes were asked for",
            where=url,
            remedy="ask the operator of that server to honour Accept-Encoding",
        )
    received, deadline = 0, time.monotonic() + _LONGEST
    for chunk in response.iter_raw():
        received += len(chunk)
        if received > limit or time.monotonic() > deadline:
            raise IntegrityError(
                f"the answer is longer than {limit:,} bytes, or takes longer than an hour",
                where=url,
                remedy="this is not what the address is meant to serve; ask its operator",
            )
        sink.write(chunk)


def _new_client() -> "Client":
    try:
        from httpx2 import Client
    except ImportError:
        raise MissingExtraError(
            "talking to other servers needs an optional library", remedy="pip install 'leadline[web]'"
        ) from None
    return Client(timeout=TIMEOUT, follow_redirects=False, headers={"user-agent": "leadline"})
