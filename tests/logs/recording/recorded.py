"""Small recordings for tests."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from leadline.logs.recording.shapes import VERSION, Git, Head, Surroundings
from leadline.logs.recording.writer import Recording

NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
OPEN: list[Recording] = []
AROUND = Surroundings(python="CPython 3.11.7", platform="Linux x86_64", packages={"numpy": "2.1.0"})


class Ticking:
    """A clock that moves one second each time it is read."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        """The next second."""
        self.now += timedelta(seconds=1)
        return self.now


def head(**said: Any) -> Head:
    """The head of a recording of one arm."""
    known: dict[str, Any] = {
        "version": VERSION,
        "id": "",
        "created": "",
        "surroundings": AROUND,
        "task": "probe",
        "model": "ladder/reef-1",
        "metadata": {"leadline_study": "LL-1", "leadline_attempt": "ab" * 32, "leadline_arm": "a"},
    }
    return Head(**(known | said))


def opened(path: Path, **said: Any) -> Recording:
    """A recording at this path, on a clock of its own."""
    OPEN.append(one := Recording(path, head(**said), Ticking()))
    return one


def finished(path: Path, results: int = 3) -> Path:
    """A small finished recording, with content and two scores of the first sample."""
    one = opened(path)
    for number in range(results):
        one.record(number, "right", number % 2 == 0, input=f"q{number}", target="t")
    one.record(0, "loss", 0.25)
    one.finish()
    return path


DIRTY = Git(commit="c" * 40, dirty=True)
