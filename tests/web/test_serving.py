"""A real server in a process of its own: it says where it is, and ends in order."""

import json
import logging
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

import pytest

from cli.shell import leadline, write_protocol
from leadline.errors import InputError, StateError, StoreError
from leadline.registry.registry import Registry
from leadline.web.serving import bound, require_servable, who_may_write
from leadline.web.serving import serve as serve_here
from leadline.web.settings import Settings
from registry.world import World

#: Serves with one more page, which says that it has begun and then waits for a file to appear.
SLOW = """
import sys, time
from pathlib import Path
import leadline.web.app as app
from starlette.responses import PlainTextResponse
from starlette.routing import Route

folder = Path(sys.argv[1])

def slow(request):
    (folder / "begun").touch()
    while not (folder / "go").exists():
        time.sleep(0.01)
    return PlainTextResponse("finished")

made = app.create_app
def with_slow(*arguments, **named):
    found = made(*arguments, **named)
    found.router.routes.insert(0, Route("/slow", slow))
    return found

app.create_app = with_slow
from leadline.cli.main import main
sys.exit(main(sys.argv[2:]))
"""


class Server:
    """A running `leadline serve`."""

    def __init__(self, folder: Path, *arguments: str, **settings: str) -> None:
        environ = {name: value for name, value in os.environ.items() if not name.startswith("LEADLINE_")}
        self.process = subprocess.Popen(
            [
                sys.executable,
                "-c",
                SLOW,
                str(folder),
                "serve",
                "--store",
                str(folder / "r.db"),
                "--create",
                "--port",
                "0",
                *arguments,
            ],
            stderr=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**environ, "LEADLINE_HOME": str(folder), "LEADLINE_TEND": "no", **settings},
        )
        self.lines: list[str] = []
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.lines.append(line)
            if found := re.search(r"Leadline is at .*http://127\.0\.0\.1:(\d+)", line):
                self.port = int(found[1])
                break
        else:
            raise AssertionError("".join(self.lines))

    def get(self, path: str) -> tuple[int, bytes]:
        """Status and body."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def end(self, number: int) -> int:
        """Send a signal; the exit status."""
        self.process.send_signal(number)
        _, rest = self.process.communicate(timeout=60)
        self.lines += rest.splitlines(keepends=True)
        return self.process.returncode


@pytest.fixture(autouse=True)
def loggers() -> Iterator[None]:
    """Serving sets logging up for its process; here it is put back."""
    names = ("leadline", "uvicorn", "uvicorn.access", "uvicorn.error")
    before = [
        (one := logging.getLogger(name), one.handlers[:], one.propagate, one.level, one.disabled)
        for name in names
    ]
    yield
    for logger, handlers, propagate, level, disabled in before:
        logger.handlers[:], logger.propagate, logger.disabled = handlers, propagate, disabled
        logger.setLevel(level)


@pytest.fixture
def started(tmp_path: Path) -> Iterator[list[Server]]:
    """Servers of this test; whatever still runs at its end is killed."""
    servers: list[Server] = []
    yield servers
    for server in servers:
        if server.process.poll() is None:
            server.process.kill()
            server.process.communicate()


@pytest.mark.enable_socket
@pytest.mark.skipif(os.name != "posix", reason="signals")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_requests_in_flight_are_finished_before_the_store_is_closed(
    number: int, tmp_path: Path, started: list[Server]
) -> None:
    """A signal stops new connections, lets the slow answer go out whole, and ends with status 0."""
    server = Server(tmp_path)
    started.append(server)
    assert server.get("/health") == (200, b'{"status":"alive"}')
    assert server.get("/ready")[0] == 200
    answers: list[tuple[int, bytes]] = []
    waiting = threading.Thread(target=lambda: answers.append(server.get("/slow")))
    waiting.start()
    while not (tmp_path / "begun").exists():
        assert waiting.is_alive()
    server.process.send_signal(number)
    (tmp_path / "go").touch()
    waiting.join(30)
    assert answers == [(200, b"finished")]
    _, rest = server.process.communicate(timeout=60)
    assert server.process.returncode == 0
    assert "stopped" in rest
    with Registry.open(tmp_path / "r.db", create=False) as registry:
        assert list(registry.fsck()) == []


@pytest.mark.enable_socket
@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_a_signal_before_the_first_request_can_be_taken_is_heard(tmp_path: Path) -> None:
    """Told to end at the very moment it says where it listens, the server ends, and its store is closed."""
    place = tmp_path / "r.db"
    program = (
        "import os, signal, sys; from leadline.web.serving import serve; from leadline.web.settings import Settings;"
        "settings = Settings(store=sys.argv[1], port=0, tend=False);"
        "serve(settings, create=True, listening=lambda at: os.kill(os.getpid(), signal.SIGTERM))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(place)], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert "stopped" in done.stderr


@pytest.mark.enable_socket
def test_the_journal_can_be_json(tmp_path: Path, started: list[Server]) -> None:
    """With --json every line but the one for people is a JSON object with time, level and event."""
    server = Server(tmp_path, "--json")
    started.append(server)
    server.get("/search?q=secret-topic")
    assert server.end(signal.SIGTERM) == 0
    said = [json.loads(line) for line in server.lines if not line.startswith("Leadline is at")]
    assert [one["event"] for one in said] == ["serving", "request", "stopping", "stopped"]
    assert all({"time", "level", "event"} <= set(one) for one in said)
    assert "secret-topic" not in "".join(server.lines)


@pytest.mark.enable_socket
def test_an_invited_newcomer_needs_nothing_but_the_command_line(
    tmp_path: Path, started: list[Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Key, invitation, registration: each is a command, and without the invitation nothing is written."""
    server = Server(tmp_path, LEADLINE_ACCESS="invited")
    started.append(server)
    address = f"http://127.0.0.1:{server.port}"
    token = leadline("key", "invite", "--store", tmp_path / "r.db", "--json").json["token"]
    monkeypatch.setenv("LEADLINE_HOME", str(tmp_path / "newcomer"))
    leadline("key", "new")
    refused = leadline("key", "register", "Ada", "--store", address, "--json", status=None)
    assert refused.status
    assert "--invitation" in refused.error["remedy"]
    leadline("key", "register", "Ada", "--store", address, "--invitation", "LLI-nothing", status=3)
    leadline("key", "register", "Ada", "--store", address, "--invitation", token)
    plan = write_protocol(tmp_path / "study.yaml")
    study = leadline("register", plan, "--no-simulate", "--store", address, "--json").json["id"]
    assert server.get(f"/study/{study}")[0] == 200


@pytest.mark.enable_socket
@pytest.mark.parametrize(
    ("given", "name"),
    [
        (("--base-url", "https://registry.example.org"), "registry.example.org"),
        (("--base-url", "https://example.org", "--origin", "example.org/lab"), "example.org/lab"),
    ],
)
def test_a_new_log_is_called_what_its_operator_says(
    given: tuple[str, ...], name: str, tmp_path: Path, started: list[Server]
) -> None:
    """By its origin, or the host it is reached at; and a store whose log has another name is not served by mistake."""
    server = Server(tmp_path, *given)
    started.append(server)
    assert server.end(signal.SIGTERM) == 0
    store = tmp_path / "r.db"
    with Registry.open(store, read_only=True) as registry:
        assert registry.home.origin == name
    with pytest.raises(StateError, match=f"the log here is {name}, not other"):
        serve_here(Settings(store=str(store), origin="other", port=0, log_level="error"))


@pytest.mark.enable_socket
def test_who_may_write_is_said_at_the_start(tmp_path: Path, started: list[Server]) -> None:
    """A server on which nobody can write does not look like one on which somebody forgot a step."""
    server = Server(tmp_path)
    started.append(server)
    assert "nobody may write: no key is listed" in "".join(server.lines)
    for access, keys, said in (
        ("open", (), "every key on this machine may write"),
        ("listed", ("ab" * 32,), "1 listed key may write"),
        ("invited", (), "0 listed keys and whoever was invited may write"),
    ):
        assert who_may_write(Settings(access=access, allowed_keys=keys)) == said  # type: ignore[arg-type]


@pytest.mark.enable_socket
def test_a_port_that_is_taken_is_said(tmp_path: Path) -> None:
    """The error names the place before a registry is made."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(StoreError, match="cannot listen"):
            serve_here(Settings(store=str(tmp_path / "r.db"), port=port, log_level="error"), create=True)
    assert not (tmp_path / "r.db").exists()
    with bound(Settings(port=0)) as listener:
        assert listener.getsockname()[0] == "127.0.0.1"


def test_what_cannot_be_served_is_refused_at_once(tmp_path: Path) -> None:
    """An address for everybody without a name, keys beside a file, a registry without its log key."""
    with pytest.raises(InputError, match="base_url"):
        serve_here(Settings(host="0.0.0.0", log_level="error"))
    world = World(tmp_path, items=4)
    require_servable(world.registry)
    world.registry.home.signing = None
    with pytest.raises(StateError, match="private log key"):
        require_servable(world.registry)


@pytest.mark.enable_socket
def test_keys_of_a_file_lie_beside_it(tmp_path: Path) -> None:
    """The setting `keys` is for PostgreSQL; with a file it is a mistake, and said."""
    settings = Settings(store=str(tmp_path / "r.db"), keys=tmp_path / "k", port=0, log_level="error")
    with pytest.raises(InputError, match="beside it"):
        serve_here(settings, create=True)
