"""A process that has imported the server and opened nothing: it forks, and the child is `leadline serve`.

Importing takes most of a start, and says nothing about recovery. A child begins where a new interpreter is when its
imports are done: it has a session of its own, runs the command line's own `main` with its own arguments, binds its own
socket and opens the store, about which the parent knows not even the address. It is killed like any other process.

The parent reads a line of JSON (the arguments) for each server, and writes two: its process id, and later its status
as `subprocess` counts. When its standard input ends, it kills the server it has, and ends.
"""

import json
import os
import select
import signal
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

READY = "ready"


def _imported() -> "Callable[[list[str]], int]":
    """The command line's `main`, with everything imported that a server needs to answer its first write."""
    import psycopg  # noqa: F401
    import uvicorn.lifespan.on
    import uvicorn.loops.auto
    import uvicorn.protocols.http.auto  # noqa: F401

    import leadline.store.postgres.store
    import leadline.web.api.app
    import leadline.web.app
    import leadline.web.serving  # noqa: F401
    from leadline.cli.main import main

    return main


def _say(word: object) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


def _child(main: "Callable[[list[str]], int]", arguments: list[str]) -> None:
    """Be a program of its own: nothing of the parent's channels stays open."""
    os.setsid()
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, sys.stdin.fileno())
    os.close(nothing)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    sys.argv = ["leadline", *arguments]
    sys.exit(main(arguments))


def _ended(pid: int, alive: int) -> int:
    """The child's status once it has ended; it is killed when nobody is there any more who could ask for it.

    `alive` is the reading end of a pipe that only the child can write to, so that its end is seen at once.
    """
    ready, _, _ = select.select([alive, sys.stdin.fileno()], [], [])
    if alive not in ready:
        os.killpg(pid, signal.SIGKILL)
    os.close(alive)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def run() -> None:
    """Fork one server after another until standard input ends."""
    main = _imported()
    _say(READY)
    while line := sys.stdin.readline():
        alive, held = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(alive)
            _child(main, json.loads(line))
        os.close(held)
        _say(pid)
        _say(_ended(pid, alive))


if __name__ == "__main__":
    run()
