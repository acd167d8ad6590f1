"""Operating a server: health, readiness, metrics and the journal, none of which says more than it should."""

import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from leadline.errors import StoreError
from leadline.web import journal
from leadline.web.metrics import AREAS, Metrics, area
from leadline.web.operation import Readiness, instrumented, request_id, routes
from leadline.web.problems import RETRY_AFTER
from leadline.web.settings import Settings
from registry.world import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A registry with one study."""
    made = World(tmp_path, items=4)
    made.register()
    return made


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """What the journal writes, as JSON lines; logging is put back afterwards."""
    names = ("leadline", "uvicorn", "uvicorn.access", "uvicorn.error")
    before = [
        (one := logging.getLogger(name), one.handlers[:], one.propagate, one.level, one.disabled)
        for name in names
    ]
    stream = io.StringIO()
    journal.configure(Settings(log_format="json"), stream)
    yield stream
    for logger, handlers, propagate, level, disabled in before:
        logger.handlers[:], logger.propagate, logger.disabled = handlers, propagate, disabled
        logger.setLevel(level)


def served(world: World, client: tuple[str, int] = ("127.0.0.1", 5), **settings: Any) -> TestClient:
    """A client of the operator's routes and a page, from this address."""

    async def page(request: Request) -> Response:
        return PlainTextResponse(request_id(request.scope))

    async def broken(request: Request) -> Response:
        raise RuntimeError("postgresql://u:hunter2@db")

    chosen = Settings(**settings)
    site = SimpleNamespace(registry=world.registry, settings=chosen)
    app = Starlette(routes=[*routes(site), Route("/study/{id}", page), Route("/broken", broken)])
    metrics = None if chosen.metrics == "off" else Metrics()
    return TestClient(instrumented(app, chosen, metrics), client=client, raise_server_exceptions=False)


def test_alive_and_ready(world: World) -> None:
    """A server with a sound registry is alive and ready, and says so to anybody, uncached."""
    client = served(world, ("203.0.113.9", 1))
    for path, status in (("/health", "alive"), ("/ready", "ready")):
        answer = client.get(path)
        assert (answer.status_code, answer.json()) == (200, {"status": status})
        assert answer.headers["cache-control"] == "no-store"


def test_not_ready_gives_reasons_to_this_machine_alone(world: World, lines: io.StringIO) -> None:
    """Without the log key the server is not ready; outside nobody learns why, the journal does."""
    world.registry.home.signing = None
    far, near = served(world, ("203.0.113.9", 1)), served(world)
    assert (far.get("/ready").status_code, far.get("/ready").json()) == (503, {"status": "not ready"})
    assert far.get("/ready").headers["retry-after"] == str(RETRY_AFTER)
    assert "private log key" in near.get("/ready").json()["problems"][0]
    assert near.get("/health").status_code == 200
    assert any(
        "private log key" in json.loads(line).get("problem", "") for line in lines.getvalue().splitlines()
    )


def test_a_tree_that_became_shorter_is_not_ready(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a server has seen the log to hold is remembered: a restored backup under it is noticed."""
    readiness = Readiness(world.registry)
    assert readiness.problems() == []
    readiness._size += 1
    assert "restored backup" in readiness.problems()[0]

    def refuse() -> None:
        raise StoreError("the database is gone")

    monkeypatch.setattr(world.registry.store, "snapshot", refuse)
    assert readiness.problems() == ["the database is gone"]


def test_metrics_are_for_this_machine_unless_opened(world: World) -> None:
    """Anybody else, and anybody behind a proxy, gets nothing; the setting opens or closes them."""
    assert served(world).get("/metrics").status_code == 200
    assert served(world, ("203.0.113.9", 1)).get("/metrics").status_code == 404
    assert served(world).get("/metrics", headers={"X-Forwarded-For": "127.0.0.1"}).status_code == 404
    assert served(world, ("203.0.113.9", 1), metrics="open").get("/metrics").status_code == 200
    assert served(world, metrics="off").get("/metrics").status_code == 404


def test_metrics_count_by_area_and_never_by_study(world: World) -> None:
    """The only labels are a dozen areas and classes of status, whatever was asked for."""
    client = served(world)
    study = next(iter(world.registry.studies())).id
    for path in (
        f"/study/{study}",
        "/study/other?q=secret",
        "/tile/0/000",
        "/api/v1/seals/LL-1",
        "/%2e%2e/etc",
        "/broken",
    ):
        client.get(path)
    text = client.get("/metrics").text
    assert study not in text
    assert "secret" not in text
    counted = {line.split('area="')[1].split('"')[0] for line in text.splitlines() if 'area="' in line}
    assert counted <= {*AREAS.values(), "pages"}
    assert 'leadline_requests_total{area="pages",status="5xx"} 1.0' in text
    assert f"leadline_log_entries {float(world.registry.store.size())}" in text
    assert "leadline_requests_running 1.0" in text


def test_nothing_that_a_sealed_study_does_moves_a_number(world: World) -> None:
    """What stands on the shelf is counted nowhere."""
    client = served(world)
    client.get("/metrics")

    def numbers() -> list[str]:
        text = client.get("/metrics").text
        return [
            line for line in text.splitlines() if not line.startswith(("#", "process_", "leadline_request"))
        ]

    before = numbers()
    world.registry.store.shelf.put("withheld", "LL-1", b"x")
    world.registry.store.shelf.put("outbox", "LL-1", b"x")
    assert numbers() == before


@pytest.mark.parametrize(
    ("path", "where"),
    [
        ("/", "pages"),
        ("/api/v1/x", "api"),
        ("/apis", "pages"),
        ("/tile/0/1", "log"),
        ("", "pages"),
        ("//mcp", "mcp"),
    ],
)
def test_areas(path: str, where: str) -> None:
    """A path counts under its first part, and everything unknown is a page."""
    assert area(path) == where


def test_each_request_has_an_id_and_a_line_without_what_was_asked(world: World, lines: io.StringIO) -> None:
    """The id is in the answer, for the handler and in the journal; study, query and address are not in the journal."""
    client = served(world, ("203.0.113.9", 1))
    answer = client.get("/study/LL-SECRET-9?q=my+topic", headers={"X-Request-ID": "chosen-by-a-stranger"})
    name = answer.headers["x-request-id"]
    assert name == answer.text != "chosen-by-a-stranger"
    (line,) = lines.getvalue().splitlines()
    said = json.loads(line)
    assert (said["event"], said["id"], said["status"], said["path"]) == ("request", name, 200, "/study/*")
    assert not any(word in line for word in ("SECRET", "topic", "203.0.113.9"))


def test_a_proxy_may_name_the_request_and_addresses_are_logged_on_request(
    world: World, lines: io.StringIO
) -> None:
    """With a trusted proxy its well-formed id is kept; addresses appear only when the operator wants them."""
    client = served(world, ("203.0.113.9", 1), trusted_proxy=("127.0.0.1",), log_addresses=True)
    assert (
        client.get("/study/x", headers={"X-Request-ID": "abcdef-12345"}).headers["x-request-id"]
        == "abcdef-12345"
    )
    assert client.get("/study/x", headers={"X-Request-ID": "bad id"}).headers["x-request-id"] != "bad id"
    assert json.loads(lines.getvalue().splitlines()[0])["client"] == "203.0.113.9"


def test_a_failure_is_written_with_its_traceback_and_answered_without(
    world: World, lines: io.StringIO
) -> None:
    """The traceback goes into the journal, under the id that the answer carries; nothing of it goes out."""
    answer = served(world).get("/broken")
    assert answer.status_code == 500
    assert "hunter2" not in answer.text
    said = [json.loads(line) for line in lines.getvalue().splitlines()]
    failed = next(one for one in said if one["event"] == "a request failed")
    assert "RuntimeError" in failed["traceback"]
    assert {one["id"] for one in said} == {failed["id"]}


def test_probes_leave_no_lines(world: World, lines: io.StringIO) -> None:
    """Health checks every second would drown everything else."""
    client = served(world)
    for path in ("/health", "/ready", "/metrics"):
        client.get(path)
    assert lines.getvalue() == ""


@pytest.mark.parametrize(
    ("path", "seen"),
    [
        ("/", "/"), ("/study/LL-1/report.json", "/study/*/report.json"), ("/api/v1/studies", "/api/v1/studies"),
        ("/invite/abcDEF123", "/invite/*"), ("/a/b/c/d/e/f/g/h", "/a/b/c/d/e/f/*"), ("/\x1b[2J", "/*"),
        ("/" + "a" * 400, "/*"), ("/tile/0/x001", "/tile/*/*"),
    ],
)  # fmt: skip
def test_the_shape_of_a_path(path: str, seen: str) -> None:
    """Words stay, whatever could name something becomes a star, and the length is bounded."""
    assert journal.shape(path) == seen


def test_lines_for_people_have_no_control_characters() -> None:
    """What a stranger wrote can neither move the cursor nor begin a second line."""
    record = logging.LogRecord("leadline", logging.ERROR, "", 0, "bad\n\x1b[31m thing", (), None)
    record.details = {"why": "\x1b]0;x\x07\u202eevil\n2026-01-01 fake"}
    for line in (journal.Human().format(record), journal.Json().format(record)):
        assert not any(ord(character) < 32 or character == "\u202e" for character in line)
