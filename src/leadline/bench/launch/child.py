"""The evaluation as a child process: whatever is asked of the launcher is asked of it, and its end is awaited."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from types import FrameType
from typing import IO, Any, Final

_PASSED_ON: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True, slots=True)
class Ended:
    """How a child ended: its status as a shell gives it (128 + N for signal N, its own or the launcher's)."""

    code: int
    interrupted: bool
    killed: bool

    @property
    def whole(self) -> bool:
        """Whether it came to its own end."""
        return not (self.interrupted or self.killed)


def run(
    words: Sequence[str], *, environment: dict[str, str], held: int, output: IO[Any] | None = None
) -> Ended:
    """Run a command to its end, with the descriptor `held` kept open in it.

    The first interrupt is passed on and the end is awaited; a second one kills. On a terminal the child stands in the
    launcher's own process group, so that it may draw and read there, and the terminal interrupts both; elsewhere
    it has a group of its own, and hears of an interrupt from the launcher.
    """
    alone = not _on_terminal()
    seen: list[int] = []
    told = 0
    child: subprocess.Popen[bytes] | None = None

    def pass_on(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 -- the signature of a handler
        seen.append(number)
        tell()

    def tell() -> None:
        # A signal may come while the child is being started, and again between two lines of this: each is told once.
        nonlocal told
        while child is not None and told < len(seen):
            told += 1
            _tell(child, seen[:told], alone)

    with _handled(pass_on):
        child = subprocess.Popen(  # noqa: S603 -- the command the user asked for
            list(words), env=environment, pass_fds=(held,), stdout=output, process_group=0 if alone else None
        )
        tell()
        code = child.wait()
    if seen:
        return Ended(128 + seen[0], True, code < 0)
    return Ended(128 - code if code < 0 else code, False, code < 0)


def _tell(child: "subprocess.Popen[bytes]", seen: Sequence[int], alone: bool) -> None:
    with suppress(ProcessLookupError, PermissionError):
        if len(seen) > 1:
            os.killpg(child.pid, signal.SIGKILL) if alone else child.kill()
        elif alone or seen[0] != signal.SIGINT:
            child.send_signal(seen[0])


def _on_terminal() -> bool:
    try:
        return sys.__stdin__ is not None and os.tcgetpgrp(sys.__stdin__.fileno()) == os.getpgrp()
    except (OSError, ValueError):
        return False


@contextmanager
def _handled(handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Signals go to `handler`; only a main thread can have them."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, handler) for number in _PASSED_ON}
    try:
        yield
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)
