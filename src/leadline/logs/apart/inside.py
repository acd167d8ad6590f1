"""Inside the process apart: bounds first, then the function, then its answer."""

import json
import os
import signal
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any, Final, NoReturn

from leadline import errors
from leadline.errors import Explained
from leadline.logs.apart.limits import MIB, ApartLimits

#: First byte of what comes back.
ANSWER: Final = b"A"
ERROR: Final = b"E"
REMEDY: Final = (
    "this input asks for more than is allowed to any; if it is honest, read it on a machine of your own"
)
#: Events of Python's audit table that open the network or start another program.
_REFUSED: Final = (
    "socket.connect", "socket.bind", "socket.sendto", "socket.sendmsg", "socket.getaddrinfo",
    "socket.gethostbyname", "subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.spawn",
    "os.fork", "os.forkpty", "pty.spawn",
)  # fmt: skip
_confined = False


def confined() -> bool:
    """Whether this process is one apart; such a process starts no other."""
    return _confined


def found(function: str) -> Callable[[bytes], bytes]:
    """The function that ``package.module:function`` names."""
    module, _, name = function.partition(":")
    called: Callable[[bytes], bytes] = getattr(import_module(module), name)
    return called


def alone() -> NoReturn:
    """The whole life of a fresh interpreter whose arguments are a function and its limits."""
    answer(sys.argv[2], ApartLimits(**json.loads(sys.argv[3])))


def answer(function: str, limits: ApartLimits) -> NoReturn:
    """Read the payload from standard input, write the answer to standard output, and end this process."""
    global _confined  # noqa: PLW0603 (this process has one life)
    _confined = True
    _bound(limits)
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints is not the answer
    payload = sys.stdin.buffer.read()
    sys.addaudithook(_refuse)
    try:
        result = bytes(memoryview(found(function)(payload)))
    except BaseException as error:  # noqa: BLE001 (the parent hears of it in one form)
        result, mark = _told(error, limits), ERROR
    else:
        mark = ANSWER
    out.write(mark)
    out.write(result)
    out.flush()
    os._exit(0 if mark == ANSWER else 1)  # no library's farewell, which may hang


def _bound(limits: ApartLimits) -> None:
    try:
        import resource
    except ImportError:  # pragma: no cover (Windows: the clock alone)
        return
    bounds = (
        (resource.RLIMIT_AS, limits.memory),
        (resource.RLIMIT_CPU, limits.cpu_seconds),
        (resource.RLIMIT_FSIZE, limits.output),
        (resource.RLIMIT_NOFILE, limits.files),
        (resource.RLIMIT_CORE, 0),
    )
    for which, most in bounds:
        _, hard = resource.getrlimit(which)
        value = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(which, (value, value))
    if hasattr(signal, "SIGXFSZ"):
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)  # Python ignores it, and would write on to an error


def _refuse(event: str, arguments: tuple[Any, ...]) -> None:  # noqa: ARG001
    if event in _REFUSED:
        raise PermissionError(f"{event} is not allowed here")


def _told(error: BaseException, limits: ApartLimits) -> bytes:
    """The error as the parent will read it."""
    if isinstance(error, Explained):
        # An error of its own kind is told as the branch of the tree it grows on.
        kind = next(one.__name__ for one in type(error).__mro__ if one.__module__ == errors.__name__)
        message, where, remedy = error.message, error.where, error.remedy()
    elif isinstance(error, MemoryError):
        kind, where, remedy = "InputError", None, REMEDY
        message = f"it needs more than {limits.memory // MIB:,} MiB of memory"
    else:
        kind, where, remedy = "InputError", None, REMEDY
        message = f"{type(error).__name__}: {str(error)[:300]}"
    said = {"kind": kind, "message": message[:2000], "where": where and where[:2000], "remedy": remedy}
    return json.dumps(said).encode()
