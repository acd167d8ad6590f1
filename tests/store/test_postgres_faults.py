"""Faults of a server: connections lost at any moment, killed writers, full disks. Nothing acknowledged is lost."""

import os
import random
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from leadline.errors import StoreError
from leadline.store import Draft, ReadView, Store, open_store
from leadline.store.postgres.store import PostgresStore
from store.cluster import Cluster
from store.factory import ORIGIN, Lab
from store.proxy import Proxy, When
from store.test_faults import acknowledged, appender, assert_sound

_TERMINATE = (
    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = 'tests' "
    "AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
)


@pytest.fixture
def shared(postgres_url: str, lab: Lab) -> Iterator[PostgresStore]:
    """A store with two keys in it."""
    with PostgresStore.open(postgres_url) as store:
        lab.start(store)
        yield store


@pytest.fixture
def proxy(cluster: Cluster) -> Iterator[Proxy]:
    """A socket in front of the cluster; its name must be short."""
    with tempfile.TemporaryDirectory(prefix="leadline-px-", dir="/tmp") as folder:
        found = Proxy(Path(folder), cluster.folder)
        found.folder = folder  # type: ignore[attr-defined]
        yield found
        found.close()


@pytest.fixture
def distant(postgres_url: str, proxy: Proxy, lab: Lab) -> Iterator[PostgresStore]:
    """A store reached through the proxy, with two keys in it."""
    url = f"postgresql://leadline@{quote(proxy.folder, safe='')}/tests"  # type: ignore[attr-defined]
    with PostgresStore.open(url, timeout=5) as store:
        lab.start(store)
        yield store


def test_idle_connections_that_were_ended_are_replaced(
    shared: PostgresStore, cluster: Cluster, lab: Lab
) -> None:
    """When the server ended what was idle, the next calls connect anew and nobody notices."""
    for _ in range(3):
        cluster.run(_TERMINATE)
        assert shared.size() == 2
        cluster.run(_TERMINATE)
        lab.add(shared)
    cluster.run(_TERMINATE)
    assert lab.study(shared, "Afterwards").index == 2
    assert_sound(shared, lab, {})


def test_a_connection_lost_before_the_commit(shared: PostgresStore, cluster: Cluster, lab: Lab) -> None:
    """A connection that ends while an append is built or written undoes it clearly; the next call works."""
    protocol = lab.protocol("Lost")
    freeze = lab.freeze("Lost", protocol)

    def build(view: ReadView) -> list[Draft]:
        cluster.run(_TERMINATE)
        return [Draft(freeze, (protocol,))]

    with pytest.raises(StoreError, match="connection to the database was lost") as caught:
        shared.append(build, sign=lab.sign)
    assert "submit the same statement again" in str(caught.value)
    assert shared.size() == 2

    def sign(size: int, root: bytes) -> bytes:
        cluster.run(_TERMINATE)
        return lab.sign(size, root)

    with pytest.raises(StoreError, match="connection to the database was lost"):
        shared.append(lambda view: [Draft(freeze, (protocol,))], sign=sign)
    assert shared.size() == 2
    assert lab.add(shared, freeze, blobs=(protocol,))[0].index == 2
    assert_sound(shared, lab, {})


def test_a_connection_lost_while_reading(shared: PostgresStore, cluster: Cluster, lab: Lab) -> None:
    """A snapshot whose connection ends says so; the store works on."""
    with (
        pytest.raises(StoreError, match="connection to the database was lost"),
        shared.snapshot() as view,
    ):
        assert view.size() == 2
        cluster.run(_TERMINATE)
        view.size()
    assert shared.size() == 2
    assert lab.study(shared, "Afterwards").index == 2


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_connection_lost_during_the_commit(
    distant: PostgresStore, proxy: Proxy, lab: Lab, when: When
) -> None:
    """Whether a commit took place whose answer was lost is found out: a receipt if it did, an error if not."""
    protocol = lab.protocol("Cut")
    freeze = lab.freeze("Cut", protocol)
    distant.put_blob(protocol)
    proxy.cut_next = when
    if when == "before":
        with pytest.raises(StoreError, match="lost before the commit; nothing was acknowledged"):
            lab.add(distant, freeze)
        assert distant.size() == 2
    else:
        receipt = lab.add(distant, freeze)[0]
        assert (receipt.index, receipt.duplicate) == (2, False)
        assert distant.checkpoint() == receipt.checkpoint
    again = lab.add(distant, freeze)[0]
    assert (again.index, again.duplicate) == (2, when == "after")
    assert lab.study(distant, "Afterwards").index == 3
    assert_sound(distant, lab, {2: again.leaf_hash})


@pytest.mark.parametrize("when", ["before", "after"])
def test_an_outcome_nobody_can_tell_is_called_unknown(
    distant: PostgresStore, proxy: Proxy, lab: Lab, when: When
) -> None:
    """Where the server stays away after a lost commit, the error says "unknown"; submitting again settles it."""
    protocol = lab.protocol("Cut")
    freeze = lab.freeze("Cut", protocol)
    distant.put_blob(protocol)

    def sign(size: int, root: bytes) -> bytes:
        proxy.cut_next, proxy.refuse = when, True
        return lab.sign(size, root)

    with pytest.raises(StoreError, match="unknown") as caught:
        distant.append(lambda view: [Draft(freeze)], sign=sign)
    assert "submit the same statements again" in str(caught.value)
    with pytest.raises(StoreError, match="cannot be reached"):
        distant.size()
    proxy.refuse = False
    again = lab.add(distant, freeze)[0]
    assert (again.index, again.duplicate) == (2, when == "after")
    assert_sound(distant, lab, {2: again.leaf_hash})


def test_other_writes_may_be_repeated_after_a_lost_commit(
    distant: PostgresStore, proxy: Proxy, lab: Lab
) -> None:
    """A blob, a shelf value or a takedown whose commit was cut is done again without harm."""
    name = distant.put_blob(b"kept")
    for when in ("before", "after"):
        for write in (
            lambda: distant.put_blob(b"kept too"),
            lambda: distant.shelf.put("s", "k", b"v"),
            distant.rebuild,
        ):
            proxy.cut_next = when  # type: ignore[assignment]
            with pytest.raises(StoreError, match="whether it took place is unknown"):
                write()
            write()
    assert distant.shelf.get("s", "k") == b"v"
    assert distant.blob(name) == b"kept"
    assert_sound(distant, lab, {})


def test_the_server_may_stop_long_statements(shared: PostgresStore, cluster: Cluster, lab: Lab) -> None:
    """A statement that the server's own limit stops is a clear error; afterwards work goes on."""
    cluster.run("ALTER DATABASE tests SET statement_timeout = '150ms'")
    try:
        with PostgresStore.open(shared.address) as store:

            def build(view: ReadView) -> list[Draft]:
                with pytest.raises(Exception, match="statement timeout"):
                    store.transactions.held.session.row("SELECT pg_sleep(5)")  # type: ignore[union-attr]
                return [Draft(lab.freeze("Stopped", b"{}"), (b"{}",))]

            with pytest.raises(StoreError, match="refused"):
                store.append(build, sign=lab.sign)
            with pytest.raises(StoreError, match="took too long") as caught, store.snapshot():
                store.transactions.held.session.row("SELECT pg_sleep(5)")  # type: ignore[union-attr]
            assert "statement_timeout" in str(caught.value)
            assert lab.study(store, "Afterwards").index == 2
    finally:
        cluster.run("ALTER DATABASE tests RESET statement_timeout")


def test_a_writer_that_never_ends_is_not_waited_for_forever(postgres_url: str, lab: Lab) -> None:
    """Whoever waits too long for another writer's turn is told so, across handles and between threads."""
    with open_store(postgres_url) as holder, open_store(postgres_url, timeout=0.2) as waiting:
        lab.start(holder)
        entered, leave = threading.Event(), threading.Event()

        def hold(view: ReadView) -> list[Draft]:
            entered.set()
            leave.wait(30)
            return []

        thread = threading.Thread(target=holder.append, args=(hold,), kwargs={"sign": lab.sign})
        thread.start()
        assert entered.wait(30)
        try:
            with pytest.raises(StoreError, match="another process holds the database") as caught:
                lab.study(waiting, "Waiting")
            assert "pg_stat_activity" in str(caught.value)
            assert waiting.size() == 2
            assert waiting.put_blob(b"blobs need no turn")
        finally:
            leave.set()
            thread.join()
        assert lab.study(waiting, "Waited").index == 2


def test_a_full_disk(shared: PostgresStore, cluster: Cluster, lab: Lab) -> None:
    """When the server can let no file grow, appends and blobs are refused clearly; with room, work goes on."""
    for _ in range(240):
        shared.put_blob(os.urandom(65_536))
    receipts = {}
    cluster.limit_files(17 << 20)  # a segment of the write-ahead log has 16 MiB
    try:
        cluster.run(_TERMINATE)  # new connections have the new limit
        with pytest.raises(StoreError, match="disk is full") as caught:
            for i in range(200):
                receipt = lab.study(shared, f"Study {i}")
                receipts[receipt.index] = receipt.leaf_hash
                protocol = os.urandom(30_000).hex().encode()
                lab.add(shared, lab.freeze(f"Large {i}", protocol), blobs=(protocol,))
        assert "nothing was acknowledged" in caught.value.message
        with pytest.raises(StoreError, match="disk is full"):
            shared.put_blob(os.urandom(18 << 20))
        assert shared.leaf_hash(2) == receipts[2]
    finally:
        cluster.limit_files(None)
        cluster.run(_TERMINATE)
    assert_sound(shared, lab, receipts)
    size = shared.size()
    assert lab.study(shared, "With room again").index == size


@pytest.mark.slow
def test_killed_at_any_instant(postgres_url: str, lab: Lab) -> None:
    """After kill -9 of the writer at random instants, every acknowledged entry is there and the record is sound."""
    draw = random.Random(7)
    receipts: dict[int, bytes] = {}
    with open_store(postgres_url) as store:
        lab.start(store)
        for turn in range(5):
            process = appender(postgres_url, f"turn {turn}", 100_000)
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            time.sleep(draw.uniform(0.05, 0.5))
            process.kill()
            output, _ = process.communicate()
            receipts |= acknowledged(output)
            receipt = lab.study(store, f"after turn {turn}")
            receipts[receipt.index] = receipt.leaf_hash
            assert_sound(store, lab, receipts)
    assert len(receipts) > 20


@pytest.mark.slow
def test_two_writers(postgres_url: str, lab: Lab) -> None:
    """Two processes that append at once both succeed with every statement, each at an index of its own."""
    with open_store(postgres_url) as store:
        lab.start(store)
        processes = [appender(postgres_url, name, 40) for name in ("left", "right")]
        both = [acknowledged(process.communicate(timeout=120)[0]) for process in processes]
        assert [len(receipts) for receipts in both] == [40, 40]
        assert store.size() == 82
        assert_sound(store, lab, both[0] | both[1])


@pytest.mark.slow
def test_many_open_a_new_database_at_once(postgres_url: str, lab: Lab) -> None:
    """Of several processes that find an empty database, each ends with the same one schema."""
    opened: list[Store] = []
    threads = [threading.Thread(target=lambda: opened.append(open_store(postgres_url))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(opened) == 6
    for store in opened:
        lab.study(store, "Same") if store.size() else lab.start(store)
    assert list(opened[0].fsck(log_keys=[lab.log.public], origin=ORIGIN)) == []
    for store in opened:
        store.close()
