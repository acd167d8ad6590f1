"""Requests this software sends are bounded, repeated only where that is right, and never led elsewhere."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx2
import pytest

from leadline.errors import InputError, IntegrityError, StoreError
from leadline.registry.outgoing import Http, check_address

URL = "https://example.org/file"


def reply(status: int, body: bytes = b"", **headers: str) -> httpx2.Response:
    """An answer that comes as a stream, as from a network."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx2.Response(status, content=iter([body]), headers=named)


@contextmanager
def answering(
    handler: Callable[[httpx2.Request], httpx2.Response],
) -> Iterator[tuple[Http, list[Any], list[float]]]:
    """A client whose every request is answered by `handler`, the requests, and how long it waited."""
    asked: list[httpx2.Request] = []
    waited: list[float] = []

    def handle(request: httpx2.Request) -> httpx2.Response:
        asked.append(request)
        return handler(request)

    with httpx2.Client(transport=httpx2.MockTransport(handle)) as client:
        yield Http(client, sleep=waited.append), asked, waited


def test_a_redirect_is_an_answer_and_nothing_more() -> None:
    """Whoever is asked cannot send us on, whether by GET or POST."""
    with answering(lambda request: reply(302, location="http://169.254.169.254/")) as (
        http,
        asked,
        _,
    ):
        assert http.get(URL, limit=100).status == 302
        assert http.post(URL, b"", content_type="text/plain", limit=100).status == 302
    assert [str(request.url) for request in asked] == [URL, URL]


def test_answers_are_bounded_as_they_come() -> None:
    """One byte beyond the limit ends it, however much more would follow."""
    taken = 0

    def endless() -> Iterator[bytes]:
        nonlocal taken
        while True:
            taken += 1
            yield bytes(1000)

    with (
        answering(lambda request: httpx2.Response(200, content=endless())) as (http, _, _),
        pytest.raises(IntegrityError, match="longer"),
    ):
        http.get(URL, limit=10_000)
    assert taken <= 12
    with answering(lambda request: reply(200, bytes(100))) as (http, _, _):
        assert len(http.get(URL, limit=100).body) == 100
        with pytest.raises(IntegrityError):
            http.get(URL, limit=99)


def test_compressed_answers_are_refused() -> None:
    """Plain bytes are asked for; a bomb is not unpacked."""
    import gzip

    packed = gzip.compress(bytes(1 << 20))
    with (
        answering(lambda request: reply(200, packed, content_encoding="gzip")) as (http, asked, _),
        pytest.raises(IntegrityError, match="compressed"),
    ):
        http.get(URL, limit=1 << 24)
    assert asked[0].headers["accept-encoding"] == "identity"


def test_reading_is_tried_again_and_writing_is_not() -> None:
    """A server that is away for a moment; a body that begins twice does not get into the file twice."""
    answers = iter([reply(503, b"away"), reply(200, b"here")])
    with answering(lambda request: next(answers)) as (http, _, waited):
        assert http.get(URL, limit=100).body == b"here"
    assert len(waited) == 1
    with answering(lambda request: reply(503)) as (http, asked, _):
        assert http.get(URL, limit=100).status == 503
        assert len(asked) == 3
        assert http.post(URL, b"x", content_type="text/plain", limit=100).status == 503
        assert len(asked) == 4


def test_a_server_that_asks_for_patience_gets_it() -> None:
    """429 with a time: waited for, within bounds, and not for ever."""
    answers = iter([reply(429, retry_after=text) for text in ("7", "99999", "soon")])
    with answering(lambda request: next(answers, None) or reply(200)) as (http, _, waited):
        assert http.get(URL, limit=100).status == 200
    assert waited == [7.0, 60.0, 60.0]
    with answering(lambda request: reply(429, retry_after="0")) as (http, asked, _):
        assert http.get(URL, limit=100).status == 429
    assert len(asked) == 60


def test_nobody_there() -> None:
    """A refused connection is a StoreError that names the address, after three tries."""

    def refuse(request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ConnectError("refused")

    with answering(refuse) as (http, asked, _), pytest.raises(StoreError, match="refused") as caught:
        http.get(URL, limit=100)
    assert (caught.value.where, len(asked)) == (URL, 3)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.org",
        "file:///etc/passwd",
        "ftp://example.org",
        "https://",
        "https://u:p@example.org",
        "http://e.org/#x",
    ],
)
def test_addresses_of_no_server(url: str) -> None:
    """Only http(s), with a host, without a password, query or fragment."""
    with pytest.raises(InputError):
        check_address(url)
    assert check_address("https://example.org/a/") == "https://example.org/a"
