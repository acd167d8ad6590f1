"""A small laboratory: keys, statements of every kind a test needs, and a store that holds them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from leadline.ledger.keys import SigningKey
from leadline.ledger.statements import make_signed
from leadline.ledger.tlog.checkpoint import Checkpoint, sign_checkpoint
from leadline.store import Appended, Draft, Store

ORIGIN = "example.org/registry"
TIME = "2026-01-31T12:00:00Z"


def digest(data: bytes) -> str:
    """SHA-256 in hex."""
    return sha256(data).hexdigest()


def seeded_key(name: str, role: Any = "author") -> SigningKey:
    """A key that is the same in every run."""
    return SigningKey(name, role, sha256(f"{name}/{role}".encode()).digest())


@dataclass
class Lab:
    """Keys of one registry, and the statements its people make."""

    log: SigningKey = field(default_factory=lambda: seeded_key("example.org/log", "log"))
    service: SigningKey = field(default_factory=lambda: seeded_key("example.org/service", "service"))
    author: SigningKey = field(default_factory=lambda: seeded_key("example.org/alice"))

    def sign(self, size: int, root: bytes) -> bytes:
        """Sign a checkpoint, as the registry's log key does."""
        return sign_checkpoint(Checkpoint(ORIGIN, size, root), self.log)

    def statement(self, kind: str, fields: Mapping[str, Any], key: SigningKey | None = None) -> bytes:
        """A signed envelope."""
        return make_signed(kind, fields, key or self.author)

    def register(self, key: SigningKey, **more: Any) -> bytes:
        """A key's registration of itself."""
        holder = {"name": key.name, "kind": "service" if key.role == "service" else "human"}
        fields = {
            "action": "register",
            "role": key.role,
            "public": key.public.vkey,
            "holder": holder,
            "time": TIME,
        }
        return self.statement("key", {**fields, **more}, key)

    def protocol(self, title: str, text: str = "") -> bytes:
        """A protocol's bytes: any JSON does, the store does not interpret it."""
        return json.dumps({"title": title, "text": text}, sort_keys=True).encode()

    def freeze(self, title: str, protocol: bytes, **more: Any) -> bytes:
        """A freeze of a protocol."""
        fields = {
            "title": title,
            "protocol": digest(protocol),
            "authors": ["Alice Example"],
            "area": ["sandbagging"],
            "due": "2026-06-30",
            "hypotheses": [{"id": "h1", "kind": "greater", "claim": f"{title}: the effect is positive"}],
            "created": TIME,
        }
        return self.statement("freeze", {**fields, **more})

    def start(self, store: Store) -> None:
        """Register the service key and the author's key."""
        drafts = [Draft(self.register(self.service)), Draft(self.register(self.author))]
        store.append(lambda view: drafts, sign=self.sign)

    def add(self, store: Store, *envelopes: bytes, blobs: tuple[bytes, ...] = ()) -> list[Appended]:
        """Append envelopes in one transaction, the blobs with the first."""
        drafts = [Draft(envelope, blobs if not i else ()) for i, envelope in enumerate(envelopes)]
        return store.append(lambda view: drafts, sign=self.sign)

    def study(self, store: Store, title: str, text: str = "", **more: Any) -> Appended:
        """Freeze a study; its protocol goes in with it."""
        protocol = self.protocol(title, text)
        (receipt,) = self.add(store, self.freeze(title, protocol, **more), blobs=(protocol,))
        return receipt


def life_of_a_study(lab: Lab, store: Store, title: str = "Deception probes transfer") -> str:
    """A whole study: freeze, attempt, log, close, amendment, report; returns its id."""
    from leadline.ledger import study_id

    study = study_id(lab.study(store, title, "linear probes on activations").leaf_hash)
    amended = lab.protocol(title, "linear probes on later activations")
    log = b"not really a log " * 20
    report = b'{"verdict":"null"}'
    for data in (amended, log, report):
        store.put_blob(data)
    attempt = {"study": study, "number": 1, "created": TIME}
    logs = [{"sha256": digest(log), "name": "a.eval", "size": len(log), "format": "eval", "samples": 3}]
    verdict = {"outcome": "null", "reason": "smaller than d", "standing": "confirmatory"}
    lab.add(store, lab.statement("attempt", {**attempt, "action": "open", "status": "started"}))
    lab.add(store, lab.statement("attach", {"study": study, "attempt": 1, "logs": logs, "created": TIME}))
    lab.add(
        store,
        lab.statement(
            "attempt", {**attempt, "action": "close", "status": "completed", "logs": [digest(log)]}
        ),
    )
    amend = {"study": study, "protocol": digest(amended), "changed": ["/text"], "reason": "a typing error"}
    lab.add(store, lab.statement("amend", {**amend, "seen": "not_looked", "created": TIME}))
    lab.add(
        store,
        lab.statement(
            "report",
            {
                "study": study,
                "report": digest(report),
                "protocol": digest(amended),
                "logs": [digest(log)],
                "engine": "0.1.0",
                "verdicts": {"h1": verdict},
                "created": TIME,
            },
            lab.service,
        ),
    )
    return study


def small_registry(lab: Lab, store: Store) -> list[str]:
    """A dozen statements of all the kinds a registry starts with; returns the ids of its studies."""
    lab.start(store)
    first = life_of_a_study(lab, store)
    second = life_of_a_study(lab, store, "Password-locked models hide arithmetic")
    table = b"model,score\na,0.5\n"
    store.put_blob(table)
    imported = {"content": "table", "digest": digest(table), "title": "Older scores", "source": "a paper"}
    lab.add(store, lab.statement("import", {**imported, "created": TIME}))
    lab.add(store, lab.statement("withdraw", {"study": second, "reason": "a mistake", "created": TIME}))
    return [first, second]
