"""Pages that were made already: fresh after every statement, bounded, conditional, compressed."""

import gzip
from datetime import date
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from leadline.registry.registry import Registry
from leadline.web.answer import Answer, Ready
from leadline.web.app import create_app
from leadline.web.cache import LONGEST, PageCache
from leadline.web.settings import Settings
from registry.world import World

DAY = date(2026, 3, 1)


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A registry with one study."""
    made = World(tmp_path / "world", items=6)
    made.register()
    return made


def client_of(world: World) -> TestClient:
    """A client of the pages over this registry."""
    return TestClient(create_app(world.registry, Settings(store="x"), clock=world.clock))


def test_a_page_shows_what_was_appended_a_moment_ago(world: World) -> None:
    """The next request after an append sees it, whoever appended: this process or another."""
    client = client_of(world)
    assert "Second study" not in client.get("/search").text
    world.register(world.protocol(title="Second study"))
    assert "Second study" in client.get("/search").text
    with Registry.open(world.folder / "registry.db", key=world.key, clock=world.clock) as other:
        other.register(world.protocol(title="Third study"), simulate=False)
    assert "Third study" in client.get("/search").text


def test_a_page_is_made_once_per_state_of_the_record(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Repetition answers from memory with the very same bytes."""
    app = create_app(world.registry, Settings(store="x"), clock=lambda: world.clock.now)
    client = TestClient(app)
    first = client.get("/about")
    monkeypatch.setattr(world.registry.store, "snapshot", None)
    assert client.get("/about").content == first.content


def test_a_new_day_makes_new_pages(world: World) -> None:
    """What becomes overdue at midnight is overdue on the page without any statement."""
    client = client_of(world)
    assert "Overdue" not in client.get("/search").text
    world.clock.now = world.clock.now.replace(month=7)
    assert "Overdue" in client.get("/search").text


def test_conditional_requests_are_answered_briefly(world: World) -> None:
    """An entity tag that still holds gets 304 without a body; one that does not gets the page."""
    client = client_of(world)
    first = client.get("/about")
    again = client.get("/about", headers={"if-none-match": first.headers["etag"]})
    assert again.status_code == 304
    assert again.content == b""
    assert again.headers["etag"]
    assert client.get("/about", headers={"if-none-match": '"other"'}).status_code == 200
    assert (
        client.get("/about", headers={"if-none-match": f'W/"x", W/{first.headers["etag"]}'}).status_code
        == 304
    )


def test_head_has_the_headers_and_no_body(world: World) -> None:
    """HEAD is GET without its body, fresh and from memory."""
    client = client_of(world)
    for _ in range(2):
        answer = client.head("/about")
        assert answer.status_code == 200
        assert answer.content == b""
        assert int(answer.headers["content-length"]) > 500


def test_compression_is_only_for_those_who_ask(world: World) -> None:
    """Gzip where it is accepted, plain where it is not or is refused; both are the same page."""
    client = client_of(world)
    plain = client.get("/about", headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
    packed = client.get("/about", headers={"accept-encoding": "br, gzip;q=0.8"})
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.content == plain.content
    assert packed.headers["etag"] != plain.headers["etag"]
    assert "content-encoding" not in client.get("/about", headers={"accept-encoding": "gzip;q=0"}).headers
    assert "accept-encoding" in plain.headers["vary"]


def test_errors_and_drafts_are_never_kept(world: World) -> None:
    """What is not a page of the record says no-store."""
    client = client_of(world)
    assert client.get("/nope").headers["cache-control"] == "no-store"
    form = client.post("/draft/check", data={"text": "leadline: 1"})
    assert form.headers["cache-control"] == "no-store"


def ready(size: int) -> Ready:
    """A page of about so many bytes that do not compress."""
    return Ready(Answer(bytes(size), "application/octet-stream"))


def test_the_cache_is_bounded_by_bytes() -> None:
    """The pages asked for longest ago go first, and what is kept never exceeds the bound."""
    cache = PageCache(40_000)
    for n in range(50):
        cache.put((f"/{n}", b""), (1, DAY), 0.0, ready(5_000))
        cache.get(("/0", b""), (1, DAY), 0.0)
        assert cache.held <= 40_000
    assert cache.get(("/0", b""), (1, DAY), 0.0) is not None
    assert cache.get(("/1", b""), (1, DAY), 0.0) is None
    assert cache.get(("/49", b""), (1, DAY), 0.0) is not None


def test_the_cache_forgets_by_version_and_age() -> None:
    """Another size, another day or too much time make a page again."""
    cache = PageCache(1_000_000)
    cache.put(("/", b""), (1, DAY), 0.0, ready(10))
    assert cache.get(("/", b""), (1, DAY), LONGEST) is not None
    assert cache.get(("/", b""), (2, DAY), 0.0) is None
    assert cache.get(("/", b""), (1, date(2026, 3, 2)), 0.0) is None
    assert cache.get(("/", b""), (1, DAY), LONGEST + 1) is None


def test_a_page_too_large_is_not_kept() -> None:
    """One page cannot push all others out."""
    cache = PageCache(10_000)
    cache.put(("/", b""), (1, DAY), 0.0, ready(9_000))
    assert len(cache) == 0
    assert cache.held == 0


def test_compressed_bytes_do_not_depend_on_the_moment() -> None:
    """The same page is the same bytes: nothing of the clock is in the gzip header."""
    made = Ready(Answer(b"<p>page</p>" * 200))
    again = Ready(Answer(b"<p>page</p>" * 200))
    assert made._gzip == again._gzip
    assert gzip.decompress(made._gzip or b"") == b"<p>page</p>" * 200
