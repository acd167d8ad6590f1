"""Answers to requests that may come twice: the same key and the same request get the same answer, for a day.

What is being worked on is known to the process that works on it, and to no other: a mark left by a process that
was killed, or by a database that went away, never keeps a request from being sent again. At worst two processes
do the same work, and the log holds its statements once all the same.
"""

import json
import secrets
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from leadline.errors import StateError, StoreError
from leadline.ledger.canon import sha256_hex
from leadline.store.shelf import MAX_VALUE, Shelf

KEPT: Final = timedelta(hours=24)
#: A mark of work this old belongs to no request that is still waited for.
_GIVEN_UP: Final = timedelta(hours=1)
_SPACE: Final = "answer"
#: The requests this process works on at the moment.
_working: Final[set[str]] = set()


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
        self._token = secrets.token_hex(8)
        self._mine: bytes | None = None

    def begin(self, now: datetime) -> Answer | None:
        """The answer given before, or None when the work is to be done now.

        Raises StateError when the key was used for another request, or the same one is in progress.
        """
        mine = _packed("working", self._digest, now, token=self._token)
        _working.add(self._token)
        try:
            while True:
                stored = self._shelf.get(_SPACE, self._name)
                if stored is not None and not _is_free(stored, now):
                    return self._known(stored)
                if self._shelf.swap(_SPACE, self._name, stored, mine):
                    self._mine = mine
                    return None
        finally:
            if self._mine is None:
                _working.discard(self._token)

    def finish(self, answer: Answer, now: datetime) -> None:
        """Remember the answer. One too long to be kept, or a store that refuses, is no harm: the work is done."""
        value = _packed("done", self._digest, now, answer)
        self._end(value if len(value) <= MAX_VALUE else None)

    def fail(self) -> None:
        """The work was not done: the same request may come again."""
        self._end(None)

    def _end(self, value: bytes | None) -> None:
        try:
            with suppress(StoreError):
                self._shelf.swap(_SPACE, self._name, self._mine, value)
        finally:
            _working.discard(self._token)

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


def _is_free(stored: bytes, now: datetime) -> bool:
    """Whether nobody works on the request, and no answer to it is kept."""
    said = json.loads(stored)
    return _is_over(stored, now) if said["state"] == "done" else said.get("token") not in _working


def _is_over(stored: bytes, now: datetime) -> bool:
    said = json.loads(stored)
    kept = KEPT if said["state"] == "done" else _GIVEN_UP
    return datetime.fromisoformat(said["at"]) + kept <= now


def _packed(
    state: Literal["working", "done"],
    request: str,
    now: datetime,
    answer: Answer | None = None,
    *,
    token: str = "",
) -> bytes:
    said = {"state": state, "request": request, "at": now.isoformat(), "token": token}
    more = {} if answer is None else {"status": answer.status, "body": answer.body.decode()}
    return json.dumps({**said, **more}, sort_keys=True).encode()
