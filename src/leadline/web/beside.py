"""What one server answers beside its pages: the API, MCP, the witness, dumps, and the operator's questions.

A part whose optional libraries are not installed is left out; what is there is decided once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp

from leadline.errors import SignatureError
from leadline.ledger.dsse import decode
from leadline.ledger.statements import parse
from leadline.registry.access import Access, Caller, Rates, access_to
from leadline.registry.intake import submit
from leadline.registry.registry import Registry
from leadline.registry.scan import secrets_in
from leadline.store import Appended
from leadline.web import bulk, operation, witness
from leadline.web.context import Site
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
        found.append(Route("/mcp", mcp))
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
    """Takes statements from MCP under the same policy as the API: quotas first, then rights, then signatures."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def __call__(self, envelopes: Sequence[bytes], blobs: Sequence[bytes]) -> list[Appended]:
        access: Access | None = self._site.access
        signers = [decode(envelope).keyid for envelope in envelopes]
        if access is not None:
            for envelope, keyid in zip(envelopes, signers, strict=True):
                access.charge_statements(Caller("mcp", keyid), 1)
                access.require_kind(keyid, parse(decode(envelope).payload).kind)
        try:
            return submit(self._site.registry, envelopes, blobs, scan=secrets_in)
        except SignatureError:
            if access is not None:
                for keyid in signers:
                    access.forgive_statements(keyid, 1)
            raise
