"""The log's files are served as C2SP tlog-tiles says: every one of them, nothing else, and cheaply."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from leadline.errors import IntegrityError, StoreError
from leadline.ledger.tlog.checkpoint import open_checkpoint
from leadline.ledger.tlog.tile import decode_bundle, entries_path, tiles
from leadline.registry.registry import Registry
from leadline.web.log import LogApp
from registry.served import grow
from registry.world import Clock

SIZE = 600


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """A registry with two full bundles and a partial one."""
    with Registry.open(tmp_path_factory.mktemp("log") / "registry.db", clock=Clock()) as made:
        grow(made, SIZE - made.store.size())
        yield made


@pytest.fixture
def client(registry: Registry) -> TestClient:
    """A client of the bare application; gzip only where a test asks for it."""
    return TestClient(LogApp(registry.store), headers={"accept-encoding": "identity"})


def test_the_checkpoint(registry: Registry, client: TestClient) -> None:
    """The newest one, as text, kept by caches for seconds."""
    answer = client.get("/checkpoint")
    assert (answer.status_code, answer.content) == (200, registry.store.checkpoint())
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["cache-control"] == "public, max-age=2"
    assert open_checkpoint(answer.content, [registry.home.log]).checkpoint.size == SIZE


def test_a_new_entry_is_in_the_next_checkpoint(tmp_path: Path) -> None:
    """Nothing in memory holds an old checkpoint back."""
    with Registry.open(tmp_path / "registry.db", clock=Clock()) as made:
        client = TestClient(LogApp(made.store))
        before = client.get("/checkpoint").content
        grow(made, 1)
        assert client.get("/checkpoint").content == made.store.checkpoint() != before


def test_every_tile_and_bundle_of_the_tree(registry: Registry, client: TestClient) -> None:
    """As the store has them, for ever cacheable, with their exact length; the second time from memory."""
    for _ in range(2):
        for tile in tiles(SIZE):
            answer = client.get(f"/{tile.path()}")
            assert answer.content == registry.store.tile(tile.level, tile.index, tile.width)
            assert len(answer.content) == 32 * tile.width == int(answer.headers["content-length"])
            assert answer.headers["content-type"] == "application/octet-stream"
            assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
            assert "content-encoding" not in answer.headers
        for n, width in ((0, 256), (1, 256), (2, 88)):
            answer = client.get(f"/{entries_path(n, width)}")
            assert decode_bundle(answer.content, width) == list(
                registry.store.entries(n * 256, n * 256 + width)
            )


def test_partial_tiles_of_older_checkpoints_stay(registry: Registry, client: TestClient) -> None:
    """A client that saw a smaller tree still gets its partial tile and bundle."""
    full = registry.store.tile(0, 0)
    for width in (1, 17, 255):
        assert client.get(f"/tile/0/000.p/{width}").content == full[: 32 * width]
        assert len(decode_bundle(client.get(f"/tile/entries/000.p/{width}").content, width)) == width


@pytest.mark.parametrize("encoding", ["gzip", "br, gzip;q=0.5", "GZIP"])
def test_bundles_are_compressed_for_who_accepts_it(client: TestClient, encoding: str) -> None:
    """The same bytes, smaller; caches are told that it depends on the request."""
    answer = client.get("/tile/entries/000", headers={"accept-encoding": encoding})
    plain = client.get("/tile/entries/000")
    assert (answer.headers["content-encoding"], answer.headers["vary"]) == ("gzip", "accept-encoding")
    assert answer.content == plain.content
    assert int(answer.headers["content-length"]) < int(plain.headers["content-length"])
    assert plain.headers["vary"] == "accept-encoding"
    tile = client.get("/tile/0/000", headers={"accept-encoding": encoding})
    assert "content-encoding" not in tile.headers


@pytest.mark.parametrize("encoding", ["identity", "gzip;q=0", "br", "*"])
def test_others_get_plain_bytes(client: TestClient, encoding: str) -> None:
    """Nobody gets what they cannot read."""
    assert (
        "content-encoding"
        not in client.get("/tile/entries/000", headers={"accept-encoding": encoding}).headers
    )


@pytest.mark.parametrize(
    "path",
    [
        "/tile/0/003",
        "/tile/0/002",
        "/tile/0/002.p/89",
        "/tile/0/000.p/0",
        "/tile/0/000.p/256",
        "/tile/0/000.p/01",
        "/tile/0/0",
        "/tile/0/0000",
        "/tile/0/x000/000",
        "/tile/00/000",
        "/tile/+0/000",
        "/tile/-1/000",
        "/tile/64/000",
        "/tile/63/000",
        "/tile/0/x999/x999/x999/x999/x999/x999/999",
        "/tile/0/000/",
        "/tile/0/000.p/",
        "/tile/0/000.p/5/",
        "/tile/0//000",
        "/tile/entries/002",
        "/tile/entries/000.p/0",
        "/tile/data/000",
        "/tile/",
        "/tile/0/%2e%2e/0/000",
        "/tile/entries/%2e%2e/%2e%2e/etc/passwd",
        "/tile/0/٠٠٠",
        "/checkpoint/",
        "/tile/" + "x" * 5000,
    ],
)
def test_no_other_path_is_answered(client: TestClient, path: str) -> None:
    """Other spellings, tiles that are not there yet, traversal: 404 that nobody remembers."""
    answer = client.get(path)
    assert answer.status_code == 404
    assert answer.headers["cache-control"] == "no-store"


def test_only_reading(client: TestClient) -> None:
    """HEAD has the headers and no body; other methods are refused, also for what is in memory."""
    for path in ("/checkpoint", "/tile/0/000", "/tile/0/000"):
        whole, head = client.get(path), client.head(path)
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["content-length"] == whole.headers["content-length"]
        for method in ("POST", "PUT", "DELETE", "OPTIONS"):
            answer = client.request(method, path)
            assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")


def test_a_page_elsewhere_may_verify(client: TestClient) -> None:
    """The log is public: any site's script may read it; no browser guesses a type."""
    headers = client.get("/checkpoint").headers
    assert headers["access-control-allow-origin"] == "*"
    assert headers["x-content-type-options"] == "nosniff"


def test_memory_is_bounded_and_the_least_used_goes_first(registry: Registry) -> None:
    """With room for two tiles, the third pushes out the one that was not asked for since."""
    asked: list[tuple[int, int]] = []

    class Counting:
        shelf = registry.store.shelf

        def tile(self, level: int, n: int, width: int) -> bytes:
            asked.append((n, width))
            return registry.store.tile(level, n, width)

    store: Any = Counting()
    client = TestClient(LogApp(store, cache_bytes=2 * (8192 + 1024)))
    for path in ("0/000", "0/001", "0/000", "0/002.p/88", "0/000", "0/001"):
        assert client.get(f"/tile/{path}").status_code == 200
    assert asked == [(0, 256), (1, 256), (2, 88), (1, 256)]
    asked.clear()
    small = TestClient(LogApp(store, cache_bytes=100))
    for _ in range(2):
        small.get("/tile/0/000")
    assert asked == [(0, 256)] * 2


@pytest.mark.parametrize(("error", "status"), [(StoreError("away"), 503), (IntegrityError("altered"), None)])
def test_a_store_that_fails(registry: Registry, error: Exception, status: int | None) -> None:
    """A store that is away is said to be; damage is never dressed up as an answer."""

    class Failing:
        shelf = registry.store.shelf

        def tile(self, level: int, n: int, width: int) -> bytes:
            raise error

    store: Any = Failing()
    client = TestClient(LogApp(store))
    if status is None:
        with pytest.raises(IntegrityError):
            client.get("/tile/0/000")
    else:
        assert client.get("/tile/0/000").status_code == status


def test_which_paths_are_the_logs() -> None:
    """The router in front asks this."""
    assert [
        LogApp.handles(path)
        for path in ("/checkpoint", "/tile/0/000", "/tile/", "/", "/checkpoints", "/tiles")
    ] == [
        True,
        True,
        True,
        False,
        False,
        False,
    ]
