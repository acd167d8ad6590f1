"""Which names a request may be addressed to.

A page in somebody's browser can have its own name resolve to this machine, and then read what is here as if it
came from there. So a name with a dot in it that this server does not know is refused (421); addresses in numbers
and bare names cannot be taken over that way.
"""

from ipaddress import ip_address

from starlette.types import ASGIApp, Receive, Scope, Send

from leadline.web.settings import Settings

_REFUSED = b"this server is not known by that name; its operator can add it to allowed_hosts\n"


class Hosts:
    """Refuses requests for names that are not this server's."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self._known = frozenset(name.lower() for name in settings.hosts)
        self._any = "*" in self._known
        self._ends = tuple(name[1:] for name in self._known if name.startswith("*."))
        self._seen: dict[bytes, bool] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        if scope["type"] == "http" and not self._any and not self._allowed(scope):
            head = [
                (b"content-type", b"text/plain; charset=utf-8"),
                (b"content-length", b"%d" % len(_REFUSED)),
            ]
            await send({"type": "http.response.start", "status": 421, "headers": head})
            await send({"type": "http.response.body", "body": _REFUSED})
            return
        await self.app(scope, receive, send)

    def _allowed(self, scope: Scope) -> bool:
        named = next((value for name, value in scope["headers"] if name == b"host"), b"")
        known = self._seen.get(named)
        if known is None:
            known = self._judge(named[:300].decode("latin-1").lower())
            if len(self._seen) < 100:
                self._seen[named] = known
        return known

    def _judge(self, named: str) -> bool:
        host = named if named.endswith("]") else named.rpartition(":")[0] or named
        bare = host.strip("[]").rstrip(".")
        return "." not in bare or bare in self._known or bare.endswith(self._ends) or _is_address(bare)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
