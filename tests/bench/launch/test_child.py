"""The child process: its end is awaited, its status passed on, and interrupts reach it."""

import os
import signal
import sys
import threading
from pathlib import Path

import pytest

from leadline.bench.launch import child


@pytest.fixture
def held(tmp_path: Path) -> int:
    """A descriptor the child inherits."""
    return os.open(tmp_path / "lock", os.O_RDWR | os.O_CREAT)


def python(code: str, held: int) -> child.Ended:
    """Run a line of Python as the child."""
    return child.run(
        [sys.executable, "-S", "-c", code], environment={**os.environ, "HELD": str(held)}, held=held
    )


def interrupt(after: Path, *numbers: int) -> None:
    """Signal this process when a file is there, from another thread."""

    def wait() -> None:
        for number in numbers:
            while not after.exists():
                pass
            after.unlink()
            os.kill(os.getpid(), number)

    threading.Thread(target=wait, daemon=True).start()


def test_a_status_is_passed_on(held: int) -> None:
    """As the child gives it; a signal that ended it counts from 128."""
    assert python("raise SystemExit(7)", held) == child.Ended(7, False, False)
    ended = python("import os; os.kill(os.getpid(), 9)", held)
    assert ended == child.Ended(137, False, True)
    assert not ended.whole


def test_the_child_holds_the_lock(held: int) -> None:
    """The descriptor is open in it under its own number."""
    assert python("import os; os.fstat(int(os.environ['HELD']))", held).code == 0


def test_an_interrupt_reaches_the_child_and_its_end_is_awaited(held: int, tmp_path: Path) -> None:
    """It may put its things in order first."""
    ready, done = tmp_path / "ready", tmp_path / "done"
    interrupt(ready, signal.SIGINT)
    code = f"""
import pathlib, time
try:
    pathlib.Path({str(ready)!r}).touch(); time.sleep(60)
except KeyboardInterrupt:
    time.sleep(.2); pathlib.Path({str(done)!r}).touch()
"""
    ended = python(code, held)
    assert ended == child.Ended(130, True, False)
    assert done.exists()


def test_a_second_interrupt_kills(held: int, tmp_path: Path) -> None:
    """A child that does not want to end is ended."""
    ready, before = tmp_path / "ready", signal.getsignal(signal.SIGINT)  # ignored, in a shell's background
    interrupt(ready, signal.SIGINT, signal.SIGINT)
    code = f"""
import pathlib, signal, time
signal.signal(signal.SIGINT, lambda *_: pathlib.Path({str(ready)!r}).touch())
pathlib.Path({str(ready)!r}).touch()
while True: time.sleep(1)
"""
    assert python(code, held) == child.Ended(130, True, True)
    assert signal.getsignal(signal.SIGINT) is before
