"""The remembered checkpoint beside a database: what a full disk leaves of it never needs a hand."""

import errno
import os
import time
from pathlib import Path

import pytest

from leadline.store.memory import RememberedCheckpoint, sidecar
from leadline.store.sqlite.store import SqliteStore

NOTE = b"example.org/log\n7\nAAAA\n\n\xe2\x80\x94 example.org/log AAAA\n"


def _full(descriptor: int, data: bytes) -> int:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_leaves_no_empty_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first note appears whole or not at all, and with room again it is written as if nothing had been."""
    memory = RememberedCheckpoint(tmp_path / "registry.db.checkpoint")
    with monkeypatch.context() as patched:
        patched.setattr(os, "write", _full)
        memory.write(NOTE)
    assert memory.read() is None
    with monkeypatch.context() as patched:
        patched.setattr(os, "write", lambda descriptor, data: len(data) // 2)
        memory.write(NOTE)
    assert list(tmp_path.iterdir()) == []
    memory.write(NOTE)
    assert memory.read() == NOTE
    assert [path.name for path in tmp_path.iterdir()] == ["registry.db.checkpoint"]


def test_a_full_disk_leaves_the_last_note(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A later note that cannot be written leaves the one before it."""
    memory = RememberedCheckpoint(tmp_path / "registry.db.checkpoint")
    memory.write(NOTE)
    with monkeypatch.context() as patched:
        patched.setattr(os, "write", _full)
        memory.write(NOTE.replace(b"7", b"8"))
    assert memory.read() == NOTE
    memory.write(NOTE.replace(b"7", b"8"))
    assert memory.read() == NOTE.replace(b"7", b"8")


def test_what_a_killed_process_left_goes_at_the_next_opening(tmp_path: Path) -> None:
    """An old unfinished file is removed; a fresh one, and what only looks like it, stay, and a reader removes none."""
    database = tmp_path / "registry.db"
    SqliteStore.open(database).close()
    base = sidecar(database).name
    left, fresh = f"{base}.{'0a' * 8}.tmp", f"{base}.{'1b' * 8}.tmp"
    others = [f"{base}.mine.tmp", f"other.{base}.{'0a' * 8}.tmp", f"{base}.{'0a' * 8}.tmp.kept"]
    long_ago = time.time() - 7200
    for name in (left, fresh, *others):
        (tmp_path / name).write_bytes(b"")
        if name != fresh:
            os.utime(tmp_path / name, (long_ago, long_ago))
    SqliteStore.open(database, read_only=True).close()
    assert (tmp_path / left).exists()
    SqliteStore.open(database).close()
    assert not (tmp_path / left).exists()
    assert all((tmp_path / name).exists() for name in (fresh, *others))
