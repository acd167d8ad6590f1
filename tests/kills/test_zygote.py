"""Forked servers are programs of their own: nothing is theirs but the store, and the process that forks has not even that."""

import os
import signal
from pathlib import Path

import pytest

from kills.server import Server

pytestmark = [
    pytest.mark.slow,
    pytest.mark.enable_socket,
    pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="looks at open files as Linux shows them"),
]


def _open_files(pid: int) -> set[str]:
    folder = Path(f"/proc/{pid}/fd")
    return {str(one.readlink()) for one in folder.iterdir()}


def test_a_fork_is_a_server_of_its_own(tmp_path: Path) -> None:
    """It leads its session, has the store and a socket open, dies of SIGKILL or ends in order; the next is another."""
    store = tmp_path / "registry.db"
    server = Server(str(store), tmp_path)
    with server.zygote() as zygote:
        before = _open_files(zygote.pid)
        pids = []
        for end, status in ((server.kill, -signal.SIGKILL), (server.stop, 0)):
            server.start(zygote, create=not pids)
            pids.append(server.pid)
            assert os.getsid(server.pid) == server.pid != os.getsid(zygote.pid)
            assert str(store) in _open_files(server.pid)
            assert any(name.startswith("socket:") for name in _open_files(server.pid))
            held = _open_files(zygote.pid)
            assert not any(str(tmp_path / "registry") in name or name.startswith("socket:") for name in held)
            assert server.running
            assert end() == status
        assert len(set(pids)) == 2
        assert _open_files(zygote.pid) == before


def test_nothing_outlives_the_zygote(tmp_path: Path) -> None:
    """When whoever asks is gone, the server is killed too."""
    server = Server(str(tmp_path / "registry.db"), tmp_path)
    with server.zygote() as zygote:
        server.start(zygote, create=True)
        pid = server.pid
        assert server.running
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
