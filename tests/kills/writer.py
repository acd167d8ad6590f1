"""A writer: sends what its author says until it is answered, and remembers every acknowledgement."""

import json
import threading
import time
from collections import Counter
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from random import Random
from typing import Any

from kills.author import Author, Request
from kills.gate import Gate

_AGAIN = 0.02
_BUSY = 0.1
_PATIENCE = 60.0


@dataclass(frozen=True)
class Acknowledged:
    """One statement the server said it holds: at which index, and the checkpoint and proof it gave."""

    envelope: bytes
    index: int
    leaf_hash: str
    hashes: tuple[str, ...]
    checkpoint: str
    tries: int


class Writer(threading.Thread):
    """One of the concurrent writers; a closed gate holds it between two tries, `ending` lets it end with an answer.

    `unanswered` is the request that reached a server and got no answer: nobody knows what became of it. `headers` are
    those of the newest answer, by lower-case name.
    """

    def __init__(self, author: Author, port: int, gate: Gate) -> None:
        super().__init__(daemon=True, name=author.name)
        self.author = author
        self.acknowledged: list[Acknowledged] = []
        self.answers: Counter[str] = Counter()
        self.unexpected: list[str] = []
        self.ending = False
        self._port = port
        self.unanswered: Request | None = None
        self.headers: dict[str, str] = {}
        self._gate = gate
        self._connection: HTTPConnection | None = None
        self._draw = Random(author.name)

    def run(self) -> None:
        """Work until told to end; an answer that no honest author should get ends the work too."""
        work = self.author.work()
        try:
            request = next(work)
            while not self.ending:
                answer = self._answered(request)
                if answer is None:
                    return
                request = work.send(answer)
        except Exception as error:  # noqa: BLE001 (told by the main thread)
            self.unexpected.append(f"{self.name}: {type(error).__name__}: {error}")
        finally:
            self.hang_up()

    def hang_up(self) -> None:
        """Close the connection, if there is one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _answered(self, request: Request) -> dict[str, Any] | None:
        """The answer to a request, however often it has to be sent; None when it was refused."""
        tries = 0
        while True:
            with self._gate.passed():
                tries += 1
                status, body, busy = self.send(request)
                if status in (200, 201):
                    return self.take(request, json.loads(body), tries)
            if status == 0:
                time.sleep(_AGAIN * (0.5 + self._draw.random()))
            elif status in (429, 503) or busy:
                time.sleep(_BUSY * (0.5 + self._draw.random()))
            else:
                path = f"{request.method} {request.path}, try {tries}"
                self.unexpected.append(f"{self.name}: {path}: {status} {body[:1000].decode()}")
                return None

    def send(self, request: Request) -> tuple[int, bytes, bool]:
        """Status, body, and whether another try of the same request is in progress; status 0 without an answer."""
        if self._connection is None:
            self._connection = HTTPConnection("127.0.0.1", self._port, timeout=_PATIENCE)
        try:
            if self._connection.sock is None:
                self._connection.connect()
            self.unanswered = request if request.envelopes else self.unanswered
            self._connection.request(request.method, request.path, request.body, dict(request.headers))
            answer = self._connection.getresponse()
            body = answer.read()
        except (OSError, HTTPException):
            self.hang_up()
            self.answers["none"] += 1
            return 0, b"", False
        self.unanswered = None
        self.headers = {name.lower(): value for name, value in answer.getheaders()}
        busy = answer.getheader("Leadline-In-Progress") is not None
        self.answers["in progress" if busy else str(answer.status)] += 1
        return answer.status, body, busy

    def take(self, request: Request, answer: dict[str, Any], tries: int) -> dict[str, Any]:
        """Remember what an answer acknowledges; the answer."""
        for envelope, entry in zip(request.envelopes, answer.get("entries", ()), strict=True):
            self.acknowledged.append(
                Acknowledged(
                    envelope,
                    entry["index"],
                    entry["leaf_hash"],
                    tuple(entry["hashes"]),
                    answer["checkpoint"],
                    tries,
                )
            )
        return answer
