"""Two ways to start the program `leadline`: a fresh interpreter, or a fork of one that has imported it."""

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Protocol, Self

from kills import zygote

_TESTS = Path(__file__).resolve().parents[1]


class Program(Protocol):
    """A program that runs, or did."""

    pid: int

    def poll(self) -> int | None:
        """The exit status, negative for a signal; None while it runs."""
        ...

    def wait(self, timeout: float) -> int:
        """Wait for the exit status; subprocess.TimeoutExpired when it takes longer."""
        ...


def fresh(arguments: Sequence[str], environ: Mapping[str, str], journal: Path) -> Program:
    """Start `leadline ARGUMENTS` as anybody would, in a session of its own; it says everything to `journal`."""
    with journal.open("ab") as said:
        return subprocess.Popen(
            [sys.executable, "-m", "leadline.cli", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            env=dict(environ),
            start_new_session=True,
        )


class Zygote:
    """The process of `kills.zygote`, which starts one program at a time."""

    def __init__(self, environ: Mapping[str, str], journal: Path) -> None:
        known = os.pathsep.join(filter(None, [str(_TESTS), environ.get("PYTHONPATH")]))
        with journal.open("ab") as said:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "kills.zygote"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=said,
                env={**environ, "PYTHONPATH": known},
                start_new_session=True,
                text=True,
            )
        if self.line() != zygote.READY:
            raise RuntimeError(f"the zygote does not start: {journal.read_text(errors='replace')[-2000:]}")

    @property
    def pid(self) -> int:
        """The process that forks."""
        return self._process.pid

    @property
    def said(self) -> IO[str]:
        """What it answers."""
        assert self._process.stdout is not None
        return self._process.stdout

    def line(self) -> str:
        """Its next answer; empty when it has ended."""
        return self.said.readline().strip()

    def start(self, arguments: Sequence[str]) -> Program:
        """Start `leadline ARGUMENTS` in a fork; the one before must have ended and been waited for."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(list(arguments)) + "\n")
        self._process.stdin.flush()
        return _Forked(self, int(self.line()))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it, and what it started."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
        self.said.close()


class _Forked:
    """A program that a zygote started, and whose status it will tell."""

    def __init__(self, parent: Zygote, pid: int) -> None:
        self.pid = pid
        self._parent = parent
        self._status: int | None = None

    def poll(self) -> int | None:
        """As `Program.poll`."""
        if self._status is None and self._told(0):
            self._status = int(self._parent.line())
        return self._status

    def wait(self, timeout: float) -> int:
        """As `Program.wait`."""
        until = time.monotonic() + timeout
        while (status := self.poll()) is None:
            if not self._told(max(0.0, until - time.monotonic())):
                raise subprocess.TimeoutExpired("leadline", timeout)
        return status

    def _told(self, patience: float) -> bool:
        return bool(select.select([self._parent.said], [], [], patience)[0])
