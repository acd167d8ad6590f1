"""What one server answers beside its pages: the API, MCP, the witness, dumps, and the operator's questions.

A part whose optional libraries are not installed is left out; what is there is decided once.
"""

from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from leadline.errors import QuotaError
from leadline.registry.access import Access, Caller, Rates, access_to
from leadline.registry.intake import Gate
from leadline.registry.intake.work import secrets
from leadline.registry.registry import Registry
from leadline.web import bulk, operation, witness
from leadline.web.api.guard import address_of, header
from leadline.web.context import Site
from leadline.web.problems import problem_response
from leadline.web.settings import Settings

if TYPE_CHECKING:
    from starlette.applications import Starlette


def access_of(registry: Registry, settings: Settings) -> Access:
    """Who may write to a registry served with these settings."""
    quotas = settings.quotas
    rates = Rates(
        statements_per_hour=quotas.statements_per_hour,
        statements_burst=quotas.statements_burst,
        bytes_per_day=quotas.bytes_per_day,
        requests_per_minute=quotas.requests_per_minute,
        requests_burst=quotas.requests_burst,
        computing_per_hour=quotas.computing_per_hour,
        computing_burst=quotas.computing_burst,
    )
    return access_to(registry.store, mode=settings.access, allowed=settings.allowed_keys, rates=rates)


@dataclass(frozen=True, slots=True)
class Beside:
    """Routes of everything that is no page, and the applications among them that have a lifespan of their own.

    Starlette runs only the outermost application's lifespan, so that one must enter theirs.
    """

    routes: tuple[BaseRoute, ...]
    lifespans: "tuple[Starlette, ...]"


def beside(site: Site) -> Beside:
    """What is served beside the pages of this site."""
    found: list[BaseRoute] = [*operation.routes(site), *witness.routes(site), *bulk.routes(site)]
    api = _api(site)
    if api is not None:
        found.append(Mount("/api/v1", api))
    mcp = _mcp(site) if site.settings.mcp else None
    if mcp is not None:
        # Stateless: there is no stream to open with GET, which would only be held, and no session to end with DELETE.
        found.append(Route("/mcp", _Addressed(mcp, site.access), methods=["POST"]))
    return Beside(tuple(found), () if mcp is None else (mcp,))


def _api(site: Site) -> ASGIApp | None:
    try:
        import fastapi  # noqa: F401
    except ImportError:
        return None
    from leadline.web.api.app import create_api

    return create_api(site, scan=secrets)


def _mcp(site: Site) -> "Starlette | None":
    try:
        import mcp  # noqa: F401
    except ImportError:
        return None
    from leadline.mcp.desk import SigningDesk, Visitor
    from leadline.mcp.http import create_mcp_app

    gate = Gate(site.registry, site.access, secrets)
    desk = SigningDesk(site.registry, gate, lambda: Visitor(*_VISITOR.get()))
    return create_mcp_app(desk, hosts=site.settings.hosts, origins=(site.address,))


class _Addressed:
    """Charges each request to the address it comes from, and remembers whose it is while it is worked on."""

    def __init__(self, app: ASGIApp, access: Access | None) -> None:
        self._app, self._access = app, access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        address = address_of(scope)
        try:
            if self._access is not None:
                self._access.charge_request(Caller(address))
        except QuotaError as error:
            await problem_response(error, Request(scope))(scope, receive, send)
            return
        token = _VISITOR.set((address, header(scope, b"leadline-invitation") or None))
        try:
            await self._app(scope, receive, send)
        finally:
            _VISITOR.reset(token)


#: The address of the client whose MCP request is being worked on, and the invitation that came with it.
_VISITOR: ContextVar[tuple[str, str | None]] = ContextVar("leadline_mcp_visitor", default=("mcp", None))
