"""A launch whose registry is on another machine: announced there, run here, closed there; and what if it is away."""

import sys
from collections.abc import Callable
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from leadline.bench.launch.launcher import Launched, Wanted, launch
from leadline.bench.launch.reconcile import left_behind, reconcile
from leadline.errors import StoreError
from leadline.registry.registry import Registry
from leadline.registry.study import Study
from leadline.store.remote import wire as wiring
from leadline.store.remote.store import RemoteStore
from registry.world import ARMS, World
from web.api.world import Service, service

#: Stands for an evaluation: a log for each arm, stamped as a script stamps it.
SCRIPT = """
import sys
from pathlib import Path
from leadline.bench.launch.stamps import stamp
from logs.factory import write_eval
from registry.world import ARMS, GENERATE, samples_of

for arm in ARMS:
    Path("logs").mkdir(exist_ok=True)
    write_eval(
        Path("logs", f"{arm}.eval"), task="addition", model="mockllm/tiny", samples=samples_of(arm, 12),
        created=sys.argv[1], generate_config=GENERATE, task_args={"style": arm}, metadata=stamp(arm),
        config={"message_limit": 10},
    )
"""
TESTS = Path(__file__).resolve().parents[2]


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Service:
    """A served registry with nothing registered; this process knows it by its address alone."""
    found = service(tmp_path / "server")
    monkeypatch.setenv("LEADLINE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PYTHONPATH", f"{TESTS}:{TESTS.parent / 'src'}")
    app = found.client.app
    monkeypatch.setattr(wiring, "_new_client", lambda: TestClient(app, base_url="https://registry.test"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("INSPECT_LOG_DIR", raising=False)
    return found


@pytest.fixture
def connect(served: Service) -> Callable[[], Registry]:
    """Opens it as the launcher does."""

    def open_it() -> Registry:
        registry = Registry.open("https://registry.test", served.key, clock=served.world.clock)
        assert isinstance(registry.store, RemoteStore)
        registry.store._now_at = lambda: served.world.clock.now
        return registry

    return open_it


@pytest.fixture
def study(served: Service, connect: Callable[[], Registry], tmp_path: Path) -> Study:
    """A study registered there."""
    plan = World(tmp_path / "plan", items=12).protocol()
    return connect().register(plan, simulate=False)


def run(connect: Callable[[], Registry], study: Study, served: Service, **more: Any) -> Launched:
    """Launch the script, whose logs say that it began after the announcement (the clock moves when it is read)."""
    created = (served.world.clock() + timedelta(hours=1)).isoformat()
    words = (sys.executable, "-c", SCRIPT, created)
    return launch(connect, study.id, Wanted(words=words, **more), lambda _: None)


def test_an_attempt_is_announced_and_closed_far_away(
    served: Service, connect: Callable[[], Registry], study: Study
) -> None:
    """With the logs of a script that stamped them itself; every check of their beginning passes."""
    done = run(connect, study, served)
    assert (done.attempt, done.code, done.problem) == (1, 0, None)
    assert done.settled is not None and len(done.settled.logs) == len(ARMS)
    answers = {check.answer for check in study.analyze().conformance if check.id == "run.after_freeze"}
    assert answers == {"pass"}
    assert study.attempts[0].status == "closed"


def test_a_registry_that_went_away_gets_the_logs_later(
    served: Service, connect: Callable[[], Registry], study: Study, tmp_path: Path
) -> None:
    """The attempt stays open and the folder stays; reconciling there, and nowhere else, does what closing could not."""
    done = run(_once(connect), study, served)
    assert (
        isinstance(done.problem, StoreError) and done.settled is None and done.code == done.problem.exit_code
    )
    assert study.attempts[0].status == "open"
    assert [one.state for one in left_behind(study.id)] == ["waiting"]
    with World(tmp_path / "other").registry as other:
        assert [one.state for one in reconcile(other)] == ["elsewhere"]
    with connect() as registry:
        [left] = reconcile(registry)
    assert left.state == "settled" and study.attempts[0].status == "closed"
    assert left_behind() == []


def _once(connect: Callable[[], Registry]) -> Callable[[], Registry]:
    """A registry that answers the first call, and then no more."""
    calls = count()

    def open_it() -> Registry:
        if next(calls):
            raise StoreError("the registry does not answer", remedy="try again")
        return connect()

    return open_it
