"""A gate that writers pass one request at a time, and that can be closed and seen to be empty behind."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Gate:
    """Whoever `passed` is inside; a closed gate lets nobody in, and `empty` waits for those who are."""

    def __init__(self, *, is_open: bool = False) -> None:
        self._changed = threading.Condition()
        self._open = is_open
        self._inside = 0

    def open(self) -> None:
        """Let everybody in who waits."""
        with self._changed:
            self._open = True
            self._changed.notify_all()

    def close(self) -> None:
        """Let nobody in any more."""
        with self._changed:
            self._open = False

    def empty(self, patience: float) -> bool:
        """Whether those inside are out within so many seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: self._inside == 0, patience)

    @contextmanager
    def passed(self) -> Iterator[None]:
        """Wait until the gate is open, and be inside for the length of the block."""
        with self._changed:
            self._changed.wait_for(lambda: self._open)
            self._inside += 1
        try:
            yield
        finally:
            with self._changed:
                self._inside -= 1
                self._changed.notify_all()
