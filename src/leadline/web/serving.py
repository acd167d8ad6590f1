"""Running a server: one process, from the first look at its settings to the closed store.

The end is orderly: on SIGTERM or SIGINT no new connection is taken, requests in flight are finished, a periodic
task that has begun is waited for, and then the store is closed. Several such processes may share one PostgreSQL
store; a registry in a file is served by one.
"""

import asyncio
import logging
import os
import secrets
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from leadline.errors import InputError, MissingExtraError, StateError, StoreError
from leadline.registry.registry import Clock, Registry, utc_now
from leadline.store.opening import is_shared
from leadline.web.duties import duties
from leadline.web.journal import configure, say
from leadline.web.metrics import Metrics
from leadline.web.operation import Readiness, instrumented
from leadline.web.settings import Settings, redacted
from leadline.web.tasks import Lease, Scheduler

if TYPE_CHECKING:
    from starlette.types import ASGIApp

#: A request whose head is longer than this is refused before anything looks at it.
_LONGEST_HEAD: Final = 32 * 1024
_MOST_REQUESTS: Final = 1000
#: Seconds in which a database server may come up that was started beside this one.
_PATIENCE: Final = 30.0
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)
Listening = Callable[[str], None]


def serve(
    settings: Settings, *, create: bool = False, clock: Clock = utc_now, listening: Listening | None = None
) -> None:
    """Serve the registry that the settings name until a signal ends it.

    `create` makes a new registry where none is. `listening` is called with the address once connections are
    taken. Raises InputError for settings under which nobody should be served, NotFoundError where there is no
    registry, StateError when it cannot be served as it is, StoreError when the port is taken.
    """
    uvicorn = _uvicorn()
    configure(settings)
    for warning in warnings(settings):
        say("insecure", level=logging.WARNING, why=warning)
    listener = bound(settings)
    settings = replace(settings, port=listener.getsockname()[1])  # port 0 took any: pages name the one it got
    try:
        registry = _opened(settings, create=create, clock=clock)
    except BaseException:
        listener.close()
        raise
    with registry, listener:
        require_servable(registry)
        _require_origin(registry, settings)
        metrics = None if settings.metrics == "off" else Metrics()
        config = _config(uvicorn, _application(registry, settings, metrics, clock), settings)
        scheduler = Scheduler(
            duties(registry, settings, clock), Lease(registry.store.shelf, _owner(), clock), metrics
        )
        say(
            "serving",
            at=settings.address,
            store=redacted(_store(settings)),
            entries=registry.store.size(),
            access=settings.access,
        )
        server = uvicorn.Server(config)
        with _orderly_end(server):
            asyncio.run(_until_told(server, listener, scheduler, settings, listening))
    say("stopped")


def warnings(settings: Settings) -> Iterator[str]:
    """What is dangerous about settings that are allowed; one sentence each.

    Raises InputError for what is not allowed: an address that others can reach, without `base_url` and without
    `insecure`.
    """
    if not settings.loopback and settings.base_url is None and not settings.insecure:
        raise InputError(
            f"{settings.host} can be reached from other machines, and no base_url says under which name",
            where=settings.source or "--host",
            remedy='put a proxy that speaks TLS in front and give base_url = "https://..." (docs/operating.md), '
            "or say --insecure on a network that you trust",
        )
    public = settings.base_url or ""
    if settings.insecure:
        yield "insecure is set: meant for development, never for a registry that others rely on"
    if public.startswith("http://") and not settings.loopback:
        yield f"{public} is not encrypted: anybody between can change what readers see"
    if settings.access == "open":
        yield "access is open: everybody with a key may write, within the quotas"
    if "*" in settings.allowed_hosts:
        yield "allowed_hosts has *: pages can be made to name another host"
    if not settings.loopback and not settings.trusted_proxy:
        yield "no trusted_proxy is given: behind one, all clients would share one quota"


def who_may_write(settings: Settings) -> str:
    """In words for whoever starts the server: which keys may write to it."""
    match settings.access, len(settings.allowed_keys):
        case "open", _:
            alone = settings.loopback and settings.base_url is None
            return "every key on this machine may write" if alone else "every key may write"
        case "listed", 0:
            return "nobody may write: no key is listed (allowed_keys), and access is neither open nor invited"
        case "listed", number:
            return f"{number} listed {'key' if number == 1 else 'keys'} may write"
        case _, number:
            return f"{number} listed {'key' if number == 1 else 'keys'} and whoever was invited may write"


def require_servable(registry: Registry) -> None:
    """StateError when the registry could not do what a server promises."""
    problems = Readiness(registry).problems()
    if problems:
        raise StateError(
            "; ".join(problems),
            where=str(registry.home.folder),
            remedy="run `leadline fsck`, and see the playbooks in docs/operating.md",
        )


def bound(settings: Settings) -> socket.socket:
    """A socket that listens where the settings say; StoreError when the system refuses."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    found = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":
            found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind((settings.host.strip("[]"), settings.port))
        found.set_inheritable(False)
    except OSError as error:
        found.close()
        raise StoreError(
            f"cannot listen there: {error.strerror or error}",
            where=f"{settings.host}:{settings.port}",
            remedy="end what uses the port, or choose another with --port; 0 takes any free one",
        ) from error
    return found


def _store(settings: Settings) -> str:
    """The address to open; where PostgreSQL's keys are, is told through the environment as to any command."""
    from leadline.registry.places import default_store

    found = settings.store or str(default_store())
    if settings.keys is not None:
        if not is_shared(found):
            raise InputError(
                "the keys of a registry in a file lie beside it",
                where=settings.source or "keys",
                remedy="leave keys out; it is for postgresql:// stores",
            )
        os.environ["LEADLINE_KEYS"] = str(settings.keys)
    return found


def _require_origin(registry: Registry, settings: Settings) -> None:
    if settings.origin not in (None, registry.home.origin):
        raise StateError(
            f"the log here is {registry.home.origin}, not {settings.origin}; a log keeps its name for ever",
            where=settings.source or "--origin",
            remedy="name the store you mean, or leave origin out",
        )


def _opened(settings: Settings, *, create: bool, clock: Clock) -> Registry:
    """The registry; a database server that is not there yet, or still recovers, is waited for a little while."""
    store = _store(settings)
    until, waiting = time.monotonic() + _PATIENCE, False
    while True:
        try:
            return Registry.open(store, create=create, origin=settings.new_origin, clock=clock)
        except StoreError as error:
            if not is_shared(store) or not _may_come(error) or time.monotonic() > until:
                raise
            if not waiting:
                say("waiting for the database", level=logging.WARNING, why=error.message)
            waiting = True
            time.sleep(0.5)


def _may_come(error: StoreError) -> bool:
    from leadline.store.postgres.errors import UnreachableError

    return isinstance(error, UnreachableError)


def _application(registry: Registry, settings: Settings, metrics: Metrics | None, clock: Clock) -> "ASGIApp":
    from leadline.web.app import create_app

    return instrumented(create_app(registry, settings, clock=clock), settings, metrics)


def _uvicorn() -> Any:
    try:
        import uvicorn
    except ImportError as error:
        raise MissingExtraError(
            "serving needs libraries that are not installed", remedy="pip install 'leadline[web]'"
        ) from error
    return uvicorn


def _config(uvicorn: Any, app: "ASGIApp", settings: Settings) -> Any:
    return uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        lifespan="on",
        ws="none",
        server_header=False,
        proxy_headers=bool(settings.trusted_proxy),
        forwarded_allow_ips=list(settings.trusted_proxy),
        limit_concurrency=_MOST_REQUESTS,
        h11_max_incomplete_event_size=_LONGEST_HEAD,
        timeout_keep_alive=15,
        timeout_graceful_shutdown=settings.shutdown_seconds,
    )


async def _until_told(
    server: Any,
    listener: socket.socket,
    scheduler: Scheduler,
    settings: Settings,
    listening: Listening | None,
) -> None:
    """Serve and do the periodic tasks; the end of serving ends both."""
    stop = asyncio.Event()
    tasks = asyncio.create_task(scheduler.run(stop))
    if listening is not None:
        listener.listen(2048)  # from here on connections wait for the server instead of being refused
        listening(_listening_at(listener, settings))
    try:
        await server.serve(sockets=[listener])
    finally:
        say("stopping")
        stop.set()
        await tasks
    if not server.started:
        raise StateError(
            "the server did not start", remedy='see the lines above; run it with log_level = "debug"'
        )


@contextmanager
def _orderly_end(server: Any) -> Iterator[None]:
    """A signal before uvicorn listens for them ends it too, and those it raises again at its end do nothing more."""

    def told(number: int, frame: object) -> None:  # noqa: ARG001
        server.should_exit = True

    try:
        before = {number: signal.signal(number, told) for number in _SIGNALS}
    except ValueError:  # not the main thread, as in tests: whoever started it ends it
        yield
        return
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _owner() -> str:
    return f"{socket.gethostname()[:64]}/{os.getpid()}/{secrets.token_hex(4)}"


def _listening_at(listener: socket.socket, settings: Settings) -> str:
    host, port = listener.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    local = f"http://{shown}:{port}"
    return local if settings.base_url is None else f"{settings.base_url} (listening at {local})"
