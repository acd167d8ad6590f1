"""Answers to requests that may come twice: the same key and the same request get the same answer, for a day."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from leadline.errors import StateError
from leadline.ledger.canon import sha256_hex
from leadline.store.shelf import MAX_VALUE, Shelf

KEPT: Final = timedelta(hours=24)
#: A request that has not been answered for this long was lost with its process; it may be tried again.
_GIVEN_UP: Final = timedelta(minutes=15)
_SPACE: Final = "answer"


class InProgressError(StateError):
    """The same request came before and is not answered yet."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A remembered answer: HTTP status and the exact bytes of the body."""

    status: int
    body: bytes


class Replay:
    """One request under an idempotency key: `begin` it, do the work, then `finish` or `fail`.

    `request` are the bytes of the request; `caller` keeps the keys of different callers apart.
    """

    def __init__(self, shelf: Shelf, caller: str, key: str, request: bytes) -> None:
        self._shelf = shelf
        self._name = sha256_hex(f"{caller}\0{key}".encode())
        self._digest = sha256_hex(request)
        self._mine: bytes | None = None

    def begin(self, now: datetime) -> Answer | None:
        """The answer given before, or None when the work is to be done now.

        Raises StateError when the key was used for another request, or the same one is in progress.
        """
        mine = _packed("working", self._digest, now)
        while True:
            stored = self._shelf.get(_SPACE, self._name)
            if stored is not None and not _is_over(stored, now):
                return self._known(stored)
            if self._shelf.swap(_SPACE, self._name, stored, mine):
                self._mine = mine
                return None

    def finish(self, answer: Answer, now: datetime) -> None:
        """Remember the answer. One too long to be kept is not: repeating the request is harmless all the same."""
        value = _packed("done", self._digest, now, answer)
        self._shelf.swap(_SPACE, self._name, self._mine, value if len(value) <= MAX_VALUE else None)

    def fail(self) -> None:
        """The work was not done: the same request may come again."""
        self._shelf.swap(_SPACE, self._name, self._mine, None)

    def _known(self, stored: bytes) -> Answer:
        said = json.loads(stored)
        if said["request"] != self._digest:
            raise StateError(
                "this idempotency key was used for another request",
                where="Idempotency-Key",
                remedy="choose a new key for a new request; repeat a request with the same bytes",
            )
        if said["state"] == "working":
            raise InProgressError(
                "the same request is being worked on",
                where="Idempotency-Key",
                remedy="send it again in a few seconds",
            )
        return Answer(said["status"], said["body"].encode())


def forget_answers(shelf: Shelf, now: datetime) -> int:
    """Forget answers that are older than a day; how many these were."""
    forgotten, after = 0, ""
    while page := shelf.items(_SPACE, after=after, limit=100):
        forgotten += sum(shelf.delete(_SPACE, name) for name, stored in page if _is_over(stored, now))
        after = page[-1][0]
    return forgotten


def _is_over(stored: bytes, now: datetime) -> bool:
    said = json.loads(stored)
    kept = KEPT if said["state"] == "done" else _GIVEN_UP
    return datetime.fromisoformat(said["at"]) + kept <= now


def _packed(
    state: Literal["working", "done"], request: str, now: datetime, answer: Answer | None = None
) -> bytes:
    said = {"state": state, "request": request, "at": now.isoformat()}
    more = {} if answer is None else {"status": answer.status, "body": answer.body.decode()}
    return json.dumps({**said, **more}, sort_keys=True).encode()
