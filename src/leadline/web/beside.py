"""What one server answers beside its pages: the API, MCP, the witness, dumps, and the operator's questions.

A part whose optional libraries are not installed is left out; what is there is decided once.
"""

from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from leadline.errors import QuotaError
from leadline.registry.access import Access, Caller, Rates, access_to
from leadline.registry.intake import Gate
from leadline.registry.registry import Registry
from leadline.registry.scan import secrets_in
from leadline.store import Appended
from leadline.web import bulk, operation, witness
from leadline.web.api.guard import address_of
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
        found.append(Route("/mcp", _Addressed(mcp, site.access)))
    return Beside(tuple(found), () if mcp is None else (mcp,))


def _api(site: Site) -> ASGIApp | None:
    try:
        import fastapi  # noqa: F401
    except ImportError:
        return None
    from leadline.web.api.app import create_api

    return create_api(site, scan=secrets_in)


def _mcp(site: Site) -> "Starlette | None":
    try:
        import mcp  # noqa: F401
    except ImportError:
        return None
    from leadline.mcp.desk import SigningDesk
    from leadline.mcp.http import create_mcp_app

    desk = SigningDesk(site.registry, _Submitting(site))
    return create_mcp_app(desk, hosts=site.settings.hosts, origins=(site.address,))


class _Submitting:
    """Takes statements from MCP through the same gate as the API's."""

    def __init__(self, site: Site) -> None:
        self._gate = Gate(site.registry, site.access, secrets_in)

    def __call__(self, envelopes: Sequence[bytes], blobs: Sequence[bytes]) -> list[Appended]:
        return self._gate.let_in(envelopes, address=_ADDRESS.get()).submit(blobs)


class _Addressed:
    """Charges each request to the address it comes from, and remembers that address while it is worked on."""

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
        token = _ADDRESS.set(address)
        try:
            await self._app(scope, receive, send)
        finally:
            _ADDRESS.reset(token)


#: The address of the client whose MCP request is being worked on.
_ADDRESS: ContextVar[str] = ContextVar("leadline_mcp_address", default="mcp")
