"""What a server does by itself: a few periodic tasks, one at a time.

An error in a task is written down and never ends the server. Where several servers share one store, a lease on
the shelf (an atomic swap) sees to it that one of them does the work; a lease that its holder let run out is
anybody's.
"""

import asyncio
import json
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from leadline.errors import Explained
from leadline.store.shelf import Shelf
from leadline.web.journal import say
from leadline.web.metrics import Metrics

Clock = Callable[[], datetime]
SPACE = "lease"
_LONGEST_SLEEP = 3600.0
_JITTER = 0.1


@dataclass(frozen=True, slots=True)
class Task:
    """Something done every so many seconds; `run` returns what is worth a line in the journal, or None.

    `first` is how many seconds after the start it is done for the first time.
    """

    name: str
    every: float
    run: Callable[[], Any]
    first: float = 60.0


class Lease:
    """The right of one server to do a task until a given time, kept on the shelf."""

    def __init__(self, shelf: Shelf, owner: str, clock: Clock) -> None:
        self._shelf = shelf
        self._owner = owner
        self._clock = clock

    def take(self, task: str, seconds: float) -> bool:
        """Whether this server may do the task now; if so, nobody else may for `seconds`."""
        held = self._shelf.get(SPACE, task)
        now = self._clock()
        if held is not None and self._until(held) > now:
            return False
        mine = {"owner": self._owner, "until": (now + timedelta(seconds=seconds)).isoformat()}
        return self._shelf.swap(SPACE, task, held, json.dumps(mine).encode())

    def _until(self, held: bytes) -> datetime:
        with suppress(ValueError, KeyError, TypeError):
            found = datetime.fromisoformat(json.loads(held)["until"])
            # A clock that was far ahead must not stop the work for years.
            if found - self._clock() < timedelta(days=400):
                return found
        return self._clock() - timedelta(seconds=1)


@dataclass
class Scheduler:
    """Runs tasks in turn, in a worker thread, with a little jitter, until it is told to stop."""

    tasks: Sequence[Task]
    lease: Lease
    metrics: Metrics | None = None
    dice: Random = field(default_factory=Random)
    _asked: set[str] = field(default_factory=set)
    _wake: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self, stop: asyncio.Event) -> None:
        """Do what is due until `stop` is set; a task that has begun is waited for."""
        loop = asyncio.get_running_loop()
        due = {task.name: loop.time() + task.first * self._jitter() for task in self.tasks}
        while not stop.is_set():
            for task in self.tasks:
                if stop.is_set():
                    return
                if task.name in self._asked or loop.time() >= due[task.name]:
                    self._asked.discard(task.name)
                    await asyncio.to_thread(self.once, task)
                    due[task.name] = loop.time() + task.every * self._jitter()
            await self._sleep(stop, min(due.values(), default=loop.time() + _LONGEST_SLEEP) - loop.time())

    async def _sleep(self, stop: asyncio.Event, seconds: float) -> None:
        self._wake.clear()
        if self._asked:
            return
        waiting = [asyncio.ensure_future(one.wait()) for one in (stop, self._wake)]
        try:
            await asyncio.wait(
                waiting, timeout=max(0.0, min(seconds, _LONGEST_SLEEP)), return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            for one in waiting:
                one.cancel()

    def soon(self, name: str) -> None:
        """Ask for a task out of turn; call it from the loop's own thread."""
        self._asked.add(name)
        self._wake.set()

    def once(self, task: Task) -> None:
        """Do one task now if this server holds its lease; whatever goes wrong is written down."""
        outcome = "done"
        try:
            # Nine tenths of the period: the holder itself must find its lease run out next time.
            if not self.lease.take(task.name, max(1.0, task.every * (1 - 2 * _JITTER))):
                return
            said = task.run()
            if said:
                say("a task is done", task=task.name, said=str(said)[:500])
        except Explained as error:
            outcome = "failed"
            say(
                "a task failed",
                level=logging.ERROR,
                task=task.name,
                why=error.diagnosis(),
                remedy=error.remedy(),
            )
        except Exception as error:  # noqa: BLE001 (one task must not end the server)
            outcome = "failed"
            say("a task failed", level=logging.ERROR, error=error, task=task.name)
        if self.metrics is not None:
            self.metrics.task(task.name, outcome)

    def _jitter(self) -> float:
        return 1 + self.dice.uniform(-_JITTER, _JITTER)
