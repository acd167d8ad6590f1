"""The server under test: `leadline serve` in a process group of its own, at one port for its whole life of many lives."""

import os
import re
import signal
import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from kills.launch import Program, Zygote, fresh

#: Everybody may write, as much as they like; nothing periodic stirs the log.
SETTINGS = """\
access = "open"
mcp = false
tend = false
metrics = "off"
log_level = "error"
[quotas]
statements_per_hour = 0
statements_burst = 0
bytes_per_day = 0
requests_per_minute = 0
requests_burst = 0
"""
LONGEST_START = 90.0


class DeadServerError(Exception):
    """The server did not come up by itself."""


class Server:
    """`leadline serve` for the registry at `store`, killed and started as often as asked.

    `starts` are seconds until it took connections, `forked` those of the starts that were forks of a `zygote`.
    """

    def __init__(self, store: str, folder: Path, environ: Mapping[str, str] | None = None) -> None:
        self.store = store
        self.port = _free_port()
        self.starts: list[float] = []
        self.forked: list[float] = []
        self._config = folder / "serve.toml"
        self._config.write_text(SETTINGS)
        self._journal = folder / "journal"
        self._environ = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("LEADLINE_", "PG"))},
            "LEADLINE_HOME": str(folder / "home"),
            **(environ or {}),
        }
        self._process: Program | None = None

    @property
    def running(self) -> bool:
        """Whether the process is there."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """The number of the running process."""
        assert self._process is not None
        return self._process.pid

    @property
    def journal(self) -> str:
        """What it has said so far."""
        return self._journal.read_text(errors="replace") if self._journal.exists() else ""

    def zygote(self) -> Zygote:
        """A process that can fork this server."""
        return Zygote(self._environ, self._journal)

    def start(self, zygote: Zygote | None = None, *, create: bool = False) -> None:
        """Start it and wait until it accepts connections; DeadServerError when it does not."""
        begun = time.monotonic()
        said = self.begin(zygote, create=create)
        while time.monotonic() - begun < LONGEST_START:
            with self._journal.open("rb") as journal:
                journal.seek(said)
                if re.search(rb"Leadline is at http://", journal.read()):
                    (self.starts if zygote is None else self.forked).append(time.monotonic() - begun)
                    return
            if not self.running:
                break
            time.sleep(0.005)
        self.kill()
        raise DeadServerError(f"the server did not start again:\n{self.journal[said:][-4000:]}")

    def begin(self, zygote: Zygote | None = None, *, create: bool = False) -> int:
        """Start it and wait for nothing; the length of the journal before."""
        said = self._journal.stat().st_size if self._journal.exists() else 0
        command = ["serve", "--store", self.store, "--config", str(self._config), "--port", str(self.port)]
        command += ["--create"] if create else []
        if zygote is None:
            self._process = fresh(command, self._environ, self._journal)
        else:
            self._process = zygote.start(command)
        return said

    def kill(self) -> int:
        """SIGKILL to the server and everything it started; the status, 0 when there was none."""
        return self._signal(signal.SIGKILL)

    def stop(self) -> int:
        """SIGTERM, and wait for an orderly end; the exit status."""
        return self._signal(signal.SIGTERM)

    def _signal(self, number: int) -> int:
        process, self._process = self._process, None
        if process is None:
            return 0
        if process.poll() is None and (number != signal.SIGKILL or not _killed_group(process.pid)):
            with suppress(ProcessLookupError):  # it ended by itself meanwhile; its status tells
                os.kill(process.pid, number)
        return process.wait(timeout=120)


def _killed_group(pid: int) -> bool:
    """Kill a process with all it started; False where it is so young that it leads no group yet, nor started any."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port
