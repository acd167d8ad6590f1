"""Faults: killed at any instant, a full disk, two writers. Nothing acknowledged is lost, nothing is torn."""

import errno
import os
import random
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from leadline.errors import IntegrityError, NotFoundError, StoreError
from leadline.store import Store, open_store
from leadline.store.sqlite.store import SqliteStore
from store.factory import ORIGIN, Lab, digest

TESTS = Path(__file__).resolve().parents[1]


def appender(path: Path | str, name: str, count: int, file_limit: int = 0) -> subprocess.Popen[str]:
    """A process that appends; its stdout has a line for each receipt."""
    command = [sys.executable, "-m", "store.appender", str(path), name, str(count), str(file_limit)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=TESTS)


def acknowledged(output: str) -> dict[int, bytes]:
    """Index and leaf hash of every complete receipt line."""
    lines = [line.split() for line in output.split("\n")[:-1]]
    return {int(words[0]): bytes.fromhex(words[1]) for words in lines if words[0].isdigit()}


def assert_sound(store: Store, lab: Lab, receipts: dict[int, bytes]) -> None:
    """Every acknowledged entry is there, and fsck has nothing to say."""
    assert list(store.fsck(log_keys=[lab.log.public], origin=ORIGIN)) == []
    assert {index: store.leaf_hash(index) for index in receipts} == receipts


@pytest.mark.slow
def test_killed_at_any_instant(tmp_path: Path, lab: Lab) -> None:
    """After kill -9 at random instants, every acknowledged entry is there and the record is sound."""
    path = tmp_path / "registry.db"
    with open_store(path) as store:
        lab.start(store)
    draw = random.Random(7)
    receipts: dict[int, bytes] = {}
    for turn in range(6):
        process = appender(path, f"turn {turn}", 100_000)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(draw.uniform(0.01, 0.4))
        process.kill()
        output, _ = process.communicate()
        receipts |= acknowledged(output)
        with open_store(path) as store:
            assert_sound(store, lab, receipts)
            receipts[store.size()] = lab.study(store, f"after turn {turn}").leaf_hash
    assert len(receipts) > 20


@pytest.mark.slow
def test_two_writers(tmp_path: Path, lab: Lab) -> None:
    """Two processes that append at once both succeed with every statement, each at an index of its own."""
    path = tmp_path / "registry.db"
    with open_store(path) as store:
        lab.start(store)
    processes = [appender(path, name, 40) for name in ("left", "right")]
    outputs = [process.communicate(timeout=120)[0] for process in processes]
    both = [acknowledged(output) for output in outputs]
    assert [len(receipts) for receipts in both] == [40, 40]
    with open_store(path) as store:
        assert store.size() == 82
        assert_sound(store, lab, both[0] | both[1])
        assert len(both[0] | both[1]) == 80


@pytest.mark.slow
def test_file_size_limit(tmp_path: Path, lab: Lab) -> None:
    """When the system lets files grow no further, the append is refused clearly and the rest is safe."""
    path = tmp_path / "registry.db"
    with open_store(path) as store:
        lab.start(store)
    limit = path.stat().st_size + 200_000
    output, _ = appender(path, "starved", 100_000, limit).communicate(timeout=120)
    receipts = acknowledged(output)
    assert "refused StoreError" in output
    assert "nothing was acknowledged" in output
    with open_store(path) as store:
        assert_sound(store, lab, receipts)
        lab.study(store, "With room again")


def test_full_disk(tmp_path: Path, lab: Lab) -> None:
    """SQLite's "database full" is a StoreError that says nothing was acknowledged; with room, work goes on."""
    with SqliteStore.open(tmp_path / "registry.db") as store:
        lab.start(store)
        (pages,) = store.record.db.execute("PRAGMA page_count").fetchone()
        store.record.db.execute(f"PRAGMA max_page_count = {pages + 2}")
        receipts = {}
        with pytest.raises(StoreError, match="disk is full") as caught:
            for i in range(100):
                receipt = lab.study(store, f"Study {i}", " ".join(f"word{i}x{j}" for j in range(400)))
                receipts[receipt.index] = receipt.leaf_hash
        assert "nothing was acknowledged" in caught.value.message
        with pytest.raises(StoreError, match="disk is full"):
            store.put_blob(os.urandom(60_000))
        store.record.db.execute("PRAGMA max_page_count = 1000000")
        assert_sound(store, lab, receipts)
        assert lab.study(store, "With room again").index == 2 + len(receipts)


def test_a_locked_database_times_out(tmp_path: Path, lab: Lab) -> None:
    """When another process holds the write lock for too long, the error says who to look for."""
    path = tmp_path / "registry.db"
    with open_store(path, timeout=0.05) as store:
        lab.start(store)
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="another process holds the database") as caught:
            lab.study(store, "Waiting")
        assert "try again" in str(caught.value)
        assert store.size() == 2
        other.execute("ROLLBACK")
        other.close()
        assert lab.study(store, "Waited").index == 2


@pytest.mark.parametrize("failing", ["fsync", "write", "replace"])
def test_a_disk_that_fills_while_a_blob_arrives(
    tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    """ENOSPC at any step of a large blob leaves no row, no half-written file, and a clear error."""

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    class Full:
        def read(self, size: int) -> bytes:
            if size > 70_000:
                refuse()
            return b"x" * size

    data = os.urandom(100_000)
    with monkeypatch.context() as patch:
        if failing == "fsync":
            patch.setattr(os, "fsync", refuse)
        elif failing == "replace":
            patch.setattr(Path, "replace", refuse)
        source = Full() if failing == "write" else data
        with pytest.raises(StoreError, match="No space left on device") as caught:
            store.put_blob(source)  # type: ignore[arg-type]
    assert "nothing was acknowledged" in caught.value.message
    assert not store.has_blob(digest(data))
    assert [path for path in (tmp_path / "registry.db.blobs").rglob("*") if path.is_file()] == []
    assert store.put_blob(data) == digest(data)


def test_an_altered_blob_file_is_never_read(tmp_path: Path, store: Store, lab: Lab) -> None:
    """Every read of a large blob checks its bytes; fsck names it, altered or missing."""
    data = bytes(range(256)) * 400
    name = store.put_blob(data)
    file = tmp_path / "registry.db.blobs" / name[:2] / name[2:]
    assert file.read_bytes() == data
    for position in (0, 50_000, len(data) - 1):
        altered = bytearray(data)
        altered[position] ^= 1
        file.write_bytes(altered)
        for read in (store.blob, store.open_blob):
            with pytest.raises(IntegrityError, match="was altered"):
                read(name)
        codes = {problem.code for problem in store.fsck(log_keys=[lab.log.public], origin=ORIGIN)}
        assert codes == {"blob-unreadable"}
    file.write_bytes(data + b"\0")
    with pytest.raises(IntegrityError, match="was altered"):
        store.open_blob(name)
    file.unlink()
    assert not store.has_blob(name)
    with pytest.raises(NotFoundError, match="missing"):
        store.blob(name)
    assert {p.code for p in store.fsck(log_keys=[lab.log.public], origin=ORIGIN)} == {"blob-unreadable"}
    assert store.put_blob(data) == name
    assert store.blob(name) == data


def test_an_altered_small_blob_is_never_read(store: SqliteStore, lab: Lab) -> None:
    """A small blob whose row was altered raises IntegrityError when it is read."""
    name = store.put_blob(b"exact bytes")
    store.record.db.execute("UPDATE blob SET content = x'00'")
    with pytest.raises(IntegrityError, match="was altered"):
        store.blob(name)
    codes = {problem.code for problem in store.fsck(log_keys=[lab.log.public], origin=ORIGIN)}
    assert codes == {"blob-hash"}


@pytest.mark.parametrize("size", [1_000, 100_000])
def test_taken_down_bytes_leave_the_disk(tmp_path: Path, store: Store, lab: Lab, size: int) -> None:
    """After a takedown no file of the store holds the bytes, not even one left by an interrupted takedown."""
    data = os.urandom(size)
    name = store.put_blob(data)
    store.take_down(name, "personal data")
    for path in tmp_path.rglob("*"):
        assert not path.is_file() or data[:64] not in path.read_bytes()
    if size > 65_536:
        leftover = tmp_path / "registry.db.blobs" / name[:2] / name[2:]
        leftover.write_bytes(data)
        codes = {problem.code for problem in store.fsck(log_keys=[lab.log.public], origin=ORIGIN)}
        assert codes == {"blob-unreadable"}
        store.take_down(name, "once more")
        assert not leftover.exists()
        assert store.taken_down(name) == "personal data"
        assert list(store.fsck(log_keys=[lab.log.public], origin=ORIGIN)) == []


def test_a_large_blob_does_not_load_where_it_should_not(store: Store) -> None:
    """A caller's limit holds for whatever length the blob has."""
    name = store.put_blob(b"x" * 100_000)
    assert len(store.blob(name, limit=100_000)) == 100_000
    with pytest.raises(StoreError, match="longer than 99,999 bytes"):
        store.blob(name, limit=99_999)


def test_a_write_cannot_begin_inside_a_write(store: Store, lab: Lab) -> None:
    """Putting a blob from inside a builder would tear the transaction; it is refused and undone."""
    from leadline.errors import StateError

    lab.start(store)
    with pytest.raises(StateError, match="inside another transaction"):
        store.append(lambda view: [store.put_blob(b"late")], sign=lab.sign)  # type: ignore[list-item]
    assert store.size() == 2
    assert lab.study(store, "Afterwards").index == 2


def test_damage_under_an_open_store_is_said(tmp_path: Path, lab: Lab) -> None:
    """A database whose pages are overwritten raises IntegrityError on reading, or is named by fsck."""
    path = tmp_path / "registry.db"
    with open_store(path) as store:
        lab.start(store)
        for i in range(20):
            lab.study(store, f"Study {i}")
    data = bytearray(path.read_bytes())
    for page in range(1, len(data) // 4096):
        data[page * 4096 : page * 4096 + 64] = b"\xff" * 64
    path.write_bytes(data)
    with pytest.raises(IntegrityError, match="damaged"), open_store(path) as store:
        list(store.entries())
