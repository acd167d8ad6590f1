"""The MCP server over HTTP: streamable, stateless, answering in JSON, for mounting in the web application."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mcp.server.transport_security import TransportSecuritySettings

from leadline.mcp.desk import Desk
from leadline.mcp.server import create_server

if TYPE_CHECKING:
    from starlette.applications import Starlette

#: A request holds a protocol at most; evaluation logs are uploaded through the API and named by digest.
MAX_REQUEST = 4 << 20


def create_mcp_app(
    desk: Desk, *, hosts: Sequence[str], origins: Sequence[str] = (), path: str = "/mcp"
) -> "Starlette":
    """An ASGI application that answers at `path`.

    `hosts` are the names requests may be addressed to and `origins` the web origins that may call: anything else is
    refused (421, 403), so that a page in somebody's browser cannot talk to a server on their machine. The
    application that mounts it must enter its lifespan (``app.router.lifespan_context``).
    """
    names = tuple(hosts)
    security = TransportSecuritySettings(
        enable_dns_rebinding_protection=True,
        allowed_hosts=[*names, *(f"{name}:*" for name in names)],
        allowed_origins=list(origins),
    )
    return create_server(desk).streamable_http_app(
        streamable_http_path=path,
        json_response=True,
        stateless_http=True,
        max_request_body_size=MAX_REQUEST,
        transport_security=security,
    )
