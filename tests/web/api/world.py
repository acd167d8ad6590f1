"""A registry behind the API: a client that speaks to it in process, and an author who signs on her own side."""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.testclient import TestClient

from leadline.ledger.canon import sha256_hex
from leadline.ledger.keys import SigningKey
from leadline.ledger.statements import make_signed
from leadline.protocol.model import Protocol
from leadline.registry.access import Access, Rates
from leadline.registry.intake import sign_ticket
from leadline.web.api.app import PREFIX, create_api
from leadline.web.context import Site
from leadline.web.settings import Settings
from registry.world import World

TIME = "2026-03-01T10:00:00Z"
#: A policy that never gets in the way of a test.
GENEROUS = Rates(requests_per_minute=0, statements_per_hour=0, bytes_per_day=0)


@dataclass
class Service:
    """A world's registry, served in process."""

    world: World
    access: Access
    client: TestClient = field(init=False)
    site: Site = field(init=False)

    def __post_init__(self) -> None:
        settings = Settings(store=str(self.world.folder / "registry.db"), base_url="https://registry.test")
        self.site = Site(self.world.registry, settings, self.world.clock, self.access)
        app = Starlette(routes=[Mount(PREFIX, create_api(self.site))])
        self.client = TestClient(app, base_url="https://registry.test", raise_server_exceptions=True)

    @property
    def key(self) -> SigningKey:
        """The author's key."""
        return self.world.key

    def get(self, path: str, **options: Any) -> Any:
        """A read that must succeed; its JSON."""
        response = self.client.get(PREFIX + path, **options)
        assert response.status_code == 200, response.text
        return response.json()

    def send(self, envelopes: Sequence[bytes], **headers: str) -> Any:
        """Submit envelopes; the response."""
        body = {"envelopes": [b64encode(one).decode() for one in envelopes]}
        return self.client.post(f"{PREFIX}/statements", json=body, headers=headers)

    def ticket(self, data: bytes, key: SigningKey | None = None, **changes: Any) -> str:
        """The upload request for some bytes, as the header carries it."""
        fields: dict[str, Any] = {
            "digest": sha256_hex(data),
            "size": len(data),
            "origin": self.world.registry.home.origin,
            "expires": self.world.clock.now + timedelta(hours=2),
            "key": key or self.key,
        }
        fields.update(changes)
        envelope = sign_ticket(fields.pop("digest"), fields.pop("size"), **fields)
        return b64encode(envelope).decode()

    def upload(self, data: bytes, key: SigningKey | None = None) -> Any:
        """Upload bytes; the response."""
        headers = {"Leadline-Upload": self.ticket(data, key)}
        return self.client.put(f"{PREFIX}/blobs/{sha256_hex(data)}", content=data, headers=headers)

    def register(self, protocol: Protocol | None = None, key: SigningKey | None = None) -> str:
        """Register a study the way a client does; its id."""
        protocol = protocol or self.world.protocol()
        key = key or self.key
        self.upload(protocol.canonical_bytes(), key)
        known = {one["fingerprint"] for one in self.get("/keys")["keys"]}
        first = [] if key.fingerprint in known else [key_statement(key)]
        response = self.send([*first, freeze(protocol, key)])
        assert response.status_code == 201, response.text
        study: str = response.json()["entries"][-1]["study"]
        return study


def service(folder: Path, **access: Any) -> Service:
    """A served world, open to everybody unless told otherwise."""
    world = World(folder, items=12)
    policy: dict[str, Any] = {"mode": "open", "rates": GENEROUS, **access}
    return Service(world, Access(world.registry.store.shelf, **policy))


def key_statement(key: SigningKey, **more: Any) -> bytes:
    """A key's registration of itself."""
    said = {
        "action": "register",
        "role": "author",
        "public": key.public.vkey,
        "holder": {"name": "Ada", "kind": "human"},
        "time": TIME,
    }
    return make_signed("key", {**said, **more}, key)


def freeze(plan: Protocol, key: SigningKey, **changes: Any) -> bytes:
    """The freeze of a protocol, as an honest client makes it unless told otherwise."""
    due = plan.timeline.due
    said: dict[str, Any] = {
        "title": plan.title,
        "protocol": plan.digest,
        "authors": [author.name for author in plan.authors],
        "area": list(plan.area),
        "hypotheses": [{"id": h.id, "kind": h.kind, "claim": h.claim} for h in plan.hypotheses],
        "created": TIME,
    }
    if due is not None:
        said["due"] = due.isoformat()
    return make_signed("freeze", {**said, **changes}, key)


def statement(kind: str, study: str, key: SigningKey, **said: Any) -> bytes:
    """A signed statement about a study."""
    return make_signed(kind, {"study": study, "created": TIME, **said}, key)


def later(hours: float) -> datetime:
    """A moment after the world's start."""
    return datetime(2026, 3, 1, 9, 0, tzinfo=UTC) + timedelta(hours=hours)
