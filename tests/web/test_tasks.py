"""Periodic tasks: one at a time, by one server of several, and no error of theirs ends a server."""

import asyncio
import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from leadline.errors import StateError
from leadline.store.shelf import MemoryShelf
from leadline.web.duties import duties
from leadline.web.metrics import Metrics
from leadline.web.settings import Settings
from leadline.web.tasks import Lease, Scheduler, Task
from registry.world import World


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        """The time."""
        return self.now


def test_one_of_several_servers_does_the_work() -> None:
    """A lease is one server's until it runs out, and then anybody's; another task is another lease."""
    shelf, clock = MemoryShelf(), Clock()
    one, two = Lease(shelf, "one", clock), Lease(shelf, "two", clock)
    assert one.take("tend", 100)
    assert not two.take("tend", 100)
    assert not one.take("tend", 100)
    assert two.take("bulk", 100)
    clock.now += timedelta(seconds=101)
    assert two.take("tend", 100)
    assert not one.take("tend", 100)


def test_a_lease_that_makes_no_sense_stops_nobody() -> None:
    """Damaged bytes, or a time in another century, are as good as no lease."""
    shelf, clock = MemoryShelf(), Clock()
    for nonsense in (b"", b"{", b"[]", b"{}", json.dumps({"until": "soon"}).encode(),
                     json.dumps({"until": "2126-01-01T00:00:00+00:00"}).encode(),
                     json.dumps({"until": "2026-01-01T00:00:05"}).encode()):  # fmt: skip
        shelf.put("lease", "tend", nonsense)
        assert Lease(shelf, "one", clock).take("tend", 10)


def test_of_two_that_ask_at_once_one_gets_it() -> None:
    """Between reading and writing another server may have taken the lease: the swap tells."""
    shelf, clock = MemoryShelf(), Clock()

    class Late(MemoryShelf):
        """A shelf that shows what was there before the other server came."""

        def get(self, space: str, key: str) -> bytes | None:
            """Nothing, although there is something."""
            return None

        def swap(self, space: str, key: str, expected: bytes | None, value: bytes | None) -> bool:
            """The truth."""
            return shelf.swap(space, key, expected, value)

    assert Lease(shelf, "one", clock).take("tend", 10)
    assert not Lease(Late(), "two", clock).take("tend", 10)


def run(tasks: list[Task], *, turns: int) -> Metrics:
    """Run a scheduler until its first task has been done `turns` times."""
    metrics, clock = Metrics(), Clock()
    counted = 0

    async def main() -> None:
        nonlocal counted
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()

        def first() -> None:
            nonlocal counted
            counted += 1
            clock.now += timedelta(hours=1)
            if counted >= turns:
                loop.call_soon_threadsafe(stop.set)

        scheduler = Scheduler(
            [*tasks, Task("count", 0.01, first, first=0.0)],
            Lease(MemoryShelf(), "me", clock),
            metrics,
            Random(1),
        )
        await asyncio.wait_for(scheduler.run(stop), 20)

    asyncio.run(main())
    return metrics


def test_an_error_is_counted_and_the_next_turn_comes() -> None:
    """Whatever a task raises, the others and its own next turn go on."""

    def explained() -> None:
        raise StateError("no key here", remedy="bring it")

    def strange() -> None:
        raise ZeroDivisionError

    tasks = [Task("explained", 0.01, explained, first=0.0), Task("strange", 0.01, strange, first=0.0)]
    text = run(tasks, turns=3).render().decode()
    for name in ("explained", "strange"):
        assert f'leadline_tasks_total{{outcome="failed",task="{name}"}}' in text
    assert 'leadline_tasks_total{outcome="done",task="count"} 3.0' in text


def test_tasks_never_overlap() -> None:
    """One task at a time, so that none needs to expect another."""
    running, most = 0, 0

    def slow() -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        time.sleep(0.002)  # long enough for another thread to come in, if one could
        running -= 1

    run([Task(f"task{i}", 0.001, slow, first=0.0) for i in range(5)], turns=5)
    assert most == 1


def test_stopping_waits_for_the_task_that_runs_and_begins_no_other() -> None:
    """A stop during a task lets it end; what was due after it is not begun."""
    done: list[str] = []

    async def main() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()

        def first() -> None:
            loop.call_soon_threadsafe(stop.set)
            done.append("first")

        tasks = [
            Task("first", 1, first, first=0.0),
            Task("second", 1, lambda: done.append("second"), first=0.0),
        ]
        await asyncio.wait_for(Scheduler(tasks, Lease(MemoryShelf(), "me", Clock())).run(stop), 20)

    asyncio.run(main())
    assert done == ["first"]


def test_a_task_can_be_asked_for_out_of_turn() -> None:
    """`soon` wakes the scheduler for one task whose turn is far away."""
    done: list[str] = []

    async def main() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()

        def asked() -> None:
            done.append("asked")
            loop.call_soon_threadsafe(stop.set)

        scheduler = Scheduler([Task("asked", 3600, asked, first=3600)], Lease(MemoryShelf(), "me", Clock()))
        loop.call_later(0.01, scheduler.soon, "asked")
        await asyncio.wait_for(scheduler.run(stop), 20)

    asyncio.run(main())
    assert done == ["asked"]


def test_a_server_has_the_duties_its_settings_give_it(tmp_path: Path) -> None:
    """Each duty runs on a real registry without error, and dumps appear only where a folder is named."""
    world = World(tmp_path / "world", items=4)
    world.register()
    names = [task.name for task in duties(world.registry, Settings(), world.clock)]
    assert names == ["sweep", "release", "tend", "flush"]
    settings = Settings(bulk_folder=tmp_path / "bulk")
    for task in duties(world.registry, settings, world.clock):
        task.run()
    assert (tmp_path / "bulk" / "index.json").is_file()
    assert [task.name for task in duties(world.registry, Settings(tend=False), world.clock)] == ["sweep"]
    assert list(world.registry.fsck()) == []
