"""A serving registry whose disk fills up, or whose database hangs up: a clear 503, nothing lost, no hand work."""

import json
import random
import resource
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kills.audit import audit
from kills.author import PREFIX, Author, Request
from kills.gate import Gate
from kills.server import Server
from kills.stages import DATABASE, Stage, stage
from kills.writer import Writer
from leadline.ledger.keys import VerifyKey
from store.cluster import Cluster

pytestmark = [
    pytest.mark.slow,
    pytest.mark.enable_socket,
    pytest.mark.skipif(
        not hasattr(resource, "prlimit"), reason="limits of another process are set on Linux only"
    ),
]


#: As a proxy passes on what others ask: they are told less than the operator on the machine itself.
OUTSIDE = (("X-Forwarded-For", "203.0.113.9"),)
#: Rows that compress no further, until the table of the shelf is larger than a segment of the write-ahead log: a
#: limit on the size of files then stops the one and not the other, as a full disk would.
FILLER = """
INSERT INTO leadline.shelf SELECT 'filler', g::text,
  (SELECT string_agg(decode(md5(g::text || '/' || i::text), 'hex'), '') FROM generate_series(1, 110) AS i)
FROM generate_series(1, 11000) AS g
"""
SEGMENT = 16 << 20


class Scene:
    """A running server and one author, whose requests are sent one by one."""

    def __init__(self, place: Stage, folder: Path) -> None:
        self.place = place
        self.server = Server(place.url, folder, place.environ)
        self.server.start(create=True)
        origin = VerifyKey.parse((place.keys / "log.vkey").read_text().strip()).name
        self.writer = Writer(Author(1, 5, origin, folder), self.server.port, Gate(is_open=True))
        self._work = self.writer.author.work()
        self.request: Request = next(self._work)

    def send(self) -> tuple[int, bytes]:
        """The request at hand, once; the next one is at hand when it was acknowledged."""
        status, body, busy = self.writer.send(self.request)
        assert not busy
        if status in (200, 201):
            self.request = self._work.send(self.writer.take(self.request, json.loads(body), 1))
        return status, body

    def until_refused(self, most: int) -> bytes:
        """Go on until the server refuses; the refusal's body."""
        for _ in range(most):
            status, body = self.send()
            if status not in (200, 201):
                assert status == 503, body
                self.assert_welcome_later()
                return body
        raise AssertionError("nothing was refused")

    def assert_welcome_later(self) -> None:
        """The newest answer says in machine words that it is a problem, and when to ask again."""
        assert self.writer.headers["content-type"] == "application/problem+json"
        assert 0 < int(self.writer.headers["retry-after"]) < 60

    def upload(self, size: int) -> Request:
        """A file of more than so many bytes, that compress no further."""
        return self.writer.author.upload(random.Random(size).randbytes(size + 1))

    def reads(self) -> bool:
        """Whether the log can be read."""
        request = Request("GET", f"{PREFIX}/log", b"", ())
        return self.writer.send(request)[0] == 200

    def recovers(self) -> None:
        """The very request that was refused is acknowledged by the same process, and more after it."""
        first, until = self.request, time.monotonic() + 60
        while self.request is first:
            status, body = self.send()
            assert status in (200, 201, 503), body
            assert time.monotonic() < until, body
        for _ in range(5):
            assert self.send()[0] in (200, 201)

    def assert_whole(self) -> None:
        """End the server in order; everything that was acknowledged is there."""
        assert self.server.stop() == 0, self.server.journal
        found = audit(self.place, self.writer.acknowledged)
        assert found.problems == ()
        assert found.statements > 10


@pytest.fixture
def open_scene(tmp_path: Path) -> Iterator[Callable[[str], Scene]]:
    """Opens a scene on a store; its server is gone after the test."""
    from contextlib import ExitStack

    with ExitStack() as stack:

        def opened(store: str) -> Scene:
            made = Scene(stack.enter_context(stage(store, tmp_path)), tmp_path)
            stack.callback(made.server.kill)
            stack.callback(made.writer.hang_up)
            return made

        yield opened


def assert_calm(problem: bytes) -> None:
    """The refusal is a problem that says what to do, and nothing of the server's inside."""
    said = json.loads(problem)
    assert (said["status"], said["title"]) == (503, "The store refused")
    assert said["remedy"]
    for inside in (b"/tmp", b"Traceback", b"sqlite3.", b"psycopg", b"leadline-pg"):
        assert inside not in problem


def test_a_full_disk_under_a_registry_in_a_file(open_scene: Callable[[str], Scene]) -> None:
    """While no file can grow statements and uploads are refused with 503, and reads go on; with room, they succeed."""
    scene = open_scene("sqlite")
    for _ in range(15):
        assert scene.send()[0] in (200, 201)
    wal = Path(scene.place.url + "-wal").stat().st_size
    folder = Path(scene.place.url + ".blobs")
    for room in (40_000, 150_000):
        size = max(wal, Path(scene.place.url).stat().st_size) + room
        _limit(scene.server.pid, size)
        assert_calm(scene.until_refused(500))
        assert scene.send()[0] == 503
        assert scene.reads()
        upload = scene.upload(size)
        status, body, _ = scene.writer.send(upload)
        assert status == 503, body
        assert_calm(body)
        scene.assert_welcome_later()
        assert not [path for path in folder.rglob("*") if path.suffix == ".tmp"]
        _limit(scene.server.pid, None)
        assert scene.writer.send(upload)[0] in (200, 201)
        scene.recovers()
    scene.assert_whole()


def test_a_full_disk_under_postgresql(open_scene: Callable[[str], Scene], cluster: Cluster) -> None:
    """The same when it is the database's disk that fills up."""
    scene = open_scene("postgres")
    own = scene.place.cluster
    assert own is not None
    for _ in range(10):
        assert scene.send()[0] in (200, 201)
    own.run(FILLER, DATABASE)
    own.limit_files(SEGMENT + 100_000)
    _hang_up(own)
    try:
        assert_calm(scene.until_refused(500))
        assert scene.reads()
    finally:
        own.limit_files(None)
        _hang_up(own)
    scene.recovers()
    scene.assert_whole()


def test_a_database_that_hangs_up(open_scene: Callable[[str], Scene], cluster: Cluster) -> None:
    """Connections that end are replaced: at worst one request is refused, and the next one succeeds."""
    scene = open_scene("postgres")
    own = scene.place.cluster
    assert own is not None
    for _ in range(10):
        assert scene.send()[0] in (200, 201)
        _hang_up(own)
        first = scene.request
        status, body = scene.send()
        if status == 503:
            assert_calm(body)
            scene.assert_welcome_later()
            assert scene.request is first
            assert scene.send()[0] in (200, 201)
    scene.assert_whole()


def test_a_database_that_is_away_for_a_while(open_scene: Callable[[str], Scene], cluster: Cluster) -> None:
    """While the database is down the server answers 503, its readiness says no, and it serves again by itself."""
    scene = open_scene("postgres")
    own = scene.place.cluster
    assert own is not None
    for _ in range(8):
        assert scene.send()[0] in (200, 201)
    own.crash()
    for path in (f"{PREFIX}/log", "/ready", "/checkpoint", "/", f"{PREFIX}/studies"):
        status, body, _ = scene.writer.send(Request("GET", path, b"", OUTSIDE))
        assert status == 503, (path, status, body[:300])
        assert b"/tmp" not in body
        assert b"psycopg" not in body
        assert path == "/ready" or int(scene.writer.headers["retry-after"]) > 0, path
    assert scene.writer.send(Request("GET", "/health", b"", ()))[0] == 200
    assert_calm(scene.until_refused(1))
    own.start()
    scene.recovers()
    scene.server.kill()
    own.crash()
    later = threading.Timer(2.0, own.start)
    later.start()
    scene.server.start()  # before the database: it waits
    later.join()
    scene.writer.hang_up()
    scene.recovers()
    scene.assert_whole()


def _limit(pid: int, size: int | None) -> None:
    hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)[1]
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard if size is None else size, hard))


def _hang_up(cluster: Cluster) -> None:
    cluster.run(
        f"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{DATABASE}' "
        "AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
    )
