"""An author at work: which requests one writer sends, one after another, and what it expects of each."""

from base64 import b64encode
from collections.abc import Generator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from json import dumps
from pathlib import Path
from random import Random
from typing import Any

from leadline.ledger.canon import sha256_hex
from leadline.ledger.keys import SigningKey
from leadline.ledger.statements import make_signed
from leadline.protocol.model import Protocol
from leadline.registry.intake import sign_ticket
from logs.factory import sample, write_eval
from registry.world import document

PREFIX = "/api/v1"
ITEMS = 6


@dataclass(frozen=True)
class Request:
    """One request that is sent until it is answered: the very same bytes each time."""

    method: str
    path: str
    body: bytes
    headers: tuple[tuple[str, str], ...]
    envelopes: tuple[bytes, ...] = ()


Work = Generator[Request, dict[str, Any], None]


class Author:
    """One author of many small studies; the same `number` and `seed` give the same keys, texts and choices."""

    def __init__(self, number: int, seed: int, origin: str, folder: Path) -> None:
        self.name = f"Author {seed}.{number}"
        self.key = SigningKey(
            f"example.org/a{number}", "author", sha256(f"{seed}/{number}".encode()).digest()
        )
        self._origin = origin
        self._draw = Random(f"{seed}/{number}")
        self._folder = folder
        self._sent = 0

    def work(self) -> Work:
        """Requests without end; each is answered with the JSON of its answer before the next is asked for."""
        known = False
        count = 0
        while True:
            count += 1
            protocol = self._protocol(count)
            yield self.upload(protocol.canonical_bytes())
            said = [] if known else [self._introduction()]
            known = True
            receipts = yield self._submit(*said, self._freeze(protocol))
            study = receipts["entries"][-1]["study"]
            for number in range(1, self._draw.randint(2, 5)):
                yield from self._attempt(study, number)

    def _attempt(self, study: str, number: int) -> Work:
        """Opened with a forecast or not, judged meanwhile, and closed with a log or abandoned."""
        opened = self._say("attempt", study, number=number, action="open", status="started")
        together = [self._review(study)] if self._draw.random() < 0.3 else []
        yield self._submit(opened, *together)
        for _ in range(self._draw.randint(0, 3)):
            yield self._submit(self._review(study))
        if self._draw.random() < 0.9:
            ended = self._say(
                "attempt",
                study,
                number=number,
                action="abandon",
                status="cancelled",
                note="no log came of it",
            )
            yield self._submit(ended)
            return
        log = self._log(study, number)
        yield self.upload(log.read_bytes())
        yield self._submit(self._attachment(study, number, log))
        digest = sha256_hex(log.read_bytes())
        log.unlink()
        yield self._submit(
            self._say("attempt", study, number=number, action="close", status="completed", logs=[digest])
        )

    # requests

    def _submit(self, *envelopes: bytes) -> Request:
        self._sent += 1
        body = dumps({"envelopes": [b64encode(one).decode() for one in envelopes]}).encode()
        headers = (
            ("Content-Type", "application/json"),
            ("Idempotency-Key", f"{self.key.fingerprint[:20]}-{self._sent}"),
        )
        return Request("POST", f"{PREFIX}/statements", body, headers, envelopes)

    def upload(self, data: bytes) -> Request:
        """The request that hands over these bytes."""
        digest = sha256_hex(data)
        expires = datetime.now(UTC) + timedelta(hours=20)
        ticket = sign_ticket(digest, len(data), origin=self._origin, expires=expires, key=self.key)
        headers = (
            ("Content-Type", "application/octet-stream"),
            ("Leadline-Upload", b64encode(ticket).decode()),
        )
        return Request("PUT", f"{PREFIX}/blobs/{digest}", data, headers)

    # statements

    def _say(self, kind: str, study: str, **said: Any) -> bytes:
        return make_signed(kind, {"study": study, "created": _time(), **said}, self.key)

    def _introduction(self) -> bytes:
        said = {
            "action": "register",
            "role": "author",
            "public": self.key.public.vkey,
            "holder": {"name": self.name, "kind": "human"},
            "time": _time(),
        }
        return make_signed("key", said, self.key)

    def _protocol(self, count: int) -> Protocol:
        said = document(items=ITEMS, title=f"Study {count} of {self.name}", authors=[{"name": self.name}])
        said["arms"] = [arm for arm in said["arms"] if arm["name"] != "given"]
        said["controls"] = []
        said["timeline"] = {"due": (datetime.now(UTC) + timedelta(days=60)).date().isoformat()}
        return Protocol.model_validate(said)

    def _freeze(self, plan: Protocol) -> bytes:
        said = {
            "title": plan.title,
            "protocol": plan.digest,
            "authors": [author.name for author in plan.authors],
            "due": plan.timeline.due and plan.timeline.due.isoformat(),
            "hypotheses": [{"id": h.id, "kind": h.kind, "claim": h.claim} for h in plan.hypotheses],
            "created": _time(),
        }
        return make_signed("freeze", said, self.key)

    def _review(self, study: str) -> bytes:
        chance = round(self._draw.random(), 9)
        text = f"Thought {self._draw.getrandbits(64):x}"
        return self._say(
            "judgement", study, type="review", target=study, review={"useful": chance}, text=text
        )

    def _log(self, study: str, number: int) -> Path:
        rows = [sample(f"item-{i:03d}x", "C" if self._draw.random() < 0.6 else "I") for i in range(ITEMS)]
        return write_eval(
            self._folder / f"{study}-{number}.eval",
            task="addition",
            model="mockllm/tiny",
            samples=rows,
            created=datetime.now(UTC).isoformat(),
        )

    def _attachment(self, study: str, number: int, path: Path) -> bytes:
        from leadline.registry.handover import handed_over

        (log,) = handed_over([path])
        return self._say("attach", study, attempt=number, logs=[log.said()])


def _time() -> str:
    return datetime.now(UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")
