"""Running one function of Leadline in a process of its own, with bounds that the kernel keeps.

Code that Leadline did not write, run over bytes that strangers wrote, stays out of the process that holds keys
and connections: it gets a fresh interpreter (``-I``), an empty environment, a folder of its own, limits on
address space, processor time, files and the clock, and no network and no further programs. The last two are
kept by Python's audit hooks: they stop a library, not machine code that an attacker brought along.
"""

import io
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

from leadline import errors
from leadline.errors import Explained, InputError, StoreError

MIB = 1 << 20
GIB = 1 << 30


@dataclass(frozen=True, slots=True)
class ApartLimits:
    """Bounds of one run: bytes of address space, seconds of processor and of clock, bytes of any file it writes.

    The answer is such a file. `files` is how many may be open at once.
    """

    memory: int = 4 * GIB
    cpu_seconds: int = 120
    wall_seconds: float = 300.0
    output: int = GIB
    files: int = 256


DEFAULT = ApartLimits()
#: The child runs the very Leadline that started it, whichever else is installed; for everything else its folder
#: comes last.
_CODE: Final = (
    "import sys; sys.path.insert(0, sys.argv[1]); import leadline; sys.path.append(sys.path.pop(0)); "
    "from leadline.logs.apart import _inside; _inside()"
)
_ANSWER, _ERROR = b"A", b"E"
_MOST_ERROR = 20_000
#: True in a process that `run_apart` started; such a process starts no other.
_confined = False
#: Events of Python's audit table that open the network or start another program.
_REFUSED: Final = (
    "socket.connect", "socket.bind", "socket.sendto", "socket.sendmsg", "socket.getaddrinfo",
    "socket.gethostbyname", "subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.spawn",
    "os.fork", "os.forkpty", "pty.spawn",
)  # fmt: skip


def run_apart(function: str, payload: bytes, *, limits: ApartLimits = DEFAULT) -> bytes:
    """What ``package.module:function`` returns for `payload`, computed in a process of its own.

    The function is named by Leadline's own code, never by anything that came from outside. It takes
    bytes and returns bytes. An error of Leadline's own tree that it raises is raised here;
    any other error, and every limit that it meets, is InputError. See `opened_apart` for a large answer.
    """
    with opened_apart(function, payload, limits=limits) as answer:
        return answer.read()


@contextmanager
def opened_apart(function: str, payload: bytes, *, limits: ApartLimits = DEFAULT) -> Iterator[BinaryIO]:
    """The answer of `run_apart` as a file that is open for reading, for an answer too large to hold."""
    if _confined:  # a reader inside an analysis that runs apart already is within that one's bounds
        yield io.BytesIO(bytes(memoryview(_found(function)(payload))))
        return
    with tempfile.TemporaryDirectory(prefix="leadline-apart-") as folder:
        place = Path(folder)
        (place / "payload").write_bytes(payload)
        code = _run(function, place, limits)
        answer = (place / "answer").open("rb")
        with answer:
            mark = answer.read(1)
            if code == 0 and mark == _ANSWER:
                yield answer
                return
            raise _failure(code, answer.read(_MOST_ERROR) if mark == _ERROR else b"", limits, function)


def _run(function: str, place: Path, limits: ApartLimits) -> int | None:
    """Run the child to its end; its exit status, or None where the clock ended it."""
    work = place / "work"
    work.mkdir()
    command = [sys.executable, "-I", "-c", _CODE, _import_folder(), function, json.dumps(asdict(limits))]
    try:
        with (
            (place / "payload").open("rb") as payload,
            (place / "answer").open("wb") as answer,
            subprocess.Popen(  # noqa: S603 (this interpreter, and arguments of our own)
                command,
                stdin=payload,
                stdout=answer,
                stderr=subprocess.DEVNULL,
                cwd=work,
                env=_environment(work),
                close_fds=True,
                start_new_session=True,
            ) as child,
        ):
            try:
                return child.wait(timeout=limits.wall_seconds)
            except subprocess.TimeoutExpired:
                return None
            finally:
                _end(child)
    except OSError as error:
        raise StoreError(
            f"a process of its own cannot be started: {error.strerror or error}",
            where=function,
            remedy="check memory, the number of processes, and space in the temporary folder",
        ) from error


def _end(child: "subprocess.Popen[bytes]") -> None:
    """Kill the child, and everything it may have started, if it has not ended by itself."""
    if child.returncode is not None:  # its number may be another process's by now
        return
    with suppress(ProcessLookupError, PermissionError):
        if os.name == "posix":
            os.killpg(child.pid, signal.SIGKILL)
        else:  # pragma: no cover (Windows has no process groups of this kind)
            child.kill()


def _import_folder() -> str:
    """The folder Leadline was imported from; with ``-I`` an interpreter forgets PYTHONPATH."""
    return str(Path(__file__).resolve().parents[2])


def _environment(work: Path) -> dict[str, str]:
    """Nothing of ours: no proxies, no tokens, no home. One thread, since each costs address space."""
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    keep = {name: os.environ[name] for name in ("SYSTEMROOT", "LD_LIBRARY_PATH") if name in os.environ}
    return {
        **keep,
        **threads,
        "HOME": str(work),
        "TMPDIR": str(work),
        "LANG": "C.UTF-8",
        "MALLOC_ARENA_MAX": "2",
        "no_proxy": "*",
    }


def _failure(code: int | None, said: bytes, limits: ApartLimits, function: str) -> Explained:
    """What a run that gave no answer is, as an error."""
    if said:
        with suppress(ValueError, KeyError, TypeError):
            return _remembered(json.loads(said))
    if code is None:
        what = f"it took longer than {limits.wall_seconds:g} seconds"
    elif code in (-int(getattr(signal, "SIGXCPU", 24)), -int(signal.SIGTERM), -9):
        what = (
            f"it took more than {limits.cpu_seconds} seconds of processor time, or more memory than there is"
        )
    elif code == -int(getattr(signal, "SIGXFSZ", 25)):
        what = f"its answer is larger than {limits.output:,} bytes"
    else:
        what = f"its process ended with status {code}"
    return InputError(what, where=function, remedy=_REMEDY)


_REMEDY = "this input asks for more than is allowed to any; if it is honest, read it on a machine of your own"


def _remembered(said: dict[str, Any]) -> Explained:
    """An error of the child as an error of the same class."""
    found = getattr(errors, str(said["kind"]), InputError)
    kind = found if isinstance(found, type) and issubclass(found, Explained) else InputError
    return kind(str(said["message"]), where=said["where"], remedy=said["remedy"])


# -- inside the child -----------------------------------------------------------------------------


def _inside() -> None:
    """The child's whole life: bounds first, then the function, then its answer."""
    global _confined  # noqa: PLW0603 (this process has one life)
    _confined = True
    limits = ApartLimits(**json.loads(sys.argv[3]))
    _bound(limits)
    answer = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints is not the answer
    payload = sys.stdin.buffer.read()
    sys.addaudithook(_refuse)
    try:
        result = bytes(memoryview(_found(sys.argv[2])(payload)))
    except BaseException as error:  # noqa: BLE001 (the parent hears of it in one form)
        result, mark = _told(error, limits), _ERROR
    else:
        mark = _ANSWER
    answer.write(mark)
    answer.write(result)
    answer.flush()
    os._exit(0 if mark == _ANSWER else 1)  # no library's farewell, which may hang


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


def _found(function: str) -> Callable[[bytes], bytes]:
    from importlib import import_module

    module, _, name = function.partition(":")
    called: Callable[[bytes], bytes] = getattr(import_module(module), name)
    return called


def _told(error: BaseException, limits: ApartLimits) -> bytes:
    """The error as the parent will read it."""
    if isinstance(error, Explained):
        # An error of its own kind is told as the branch of the tree it grows on.
        kind = next(one.__name__ for one in type(error).__mro__ if one.__module__ == errors.__name__)
        message, where, remedy = error.message, error.where, error.remedy()
    elif isinstance(error, MemoryError):
        kind, where, remedy = "InputError", None, _REMEDY
        message = f"it needs more than {limits.memory // MIB:,} MiB of memory"
    else:
        kind, where, remedy = "InputError", None, _REMEDY
        message = f"{type(error).__name__}: {str(error)[:300]}"
    said = {"kind": kind, "message": message[:2000], "where": where and where[:2000], "remedy": remedy}
    return json.dumps(said).encode()
