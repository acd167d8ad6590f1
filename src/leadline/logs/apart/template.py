"""Forks of an interpreter that has imported and done nothing else, so that a run need not begin with a second of imports.

One such template per module lives beside the process that asks, started by `fresh.interpreter` with the same empty
environment. It never sees a payload: for every run it forks a keeper, which forks the process apart, waits for it,
and kills it when the caller's line closes, because the caller's clock ran out or the caller is gone. A template ends
with its caller, or when nobody asked for `_IDLE` seconds. Where forking is not known to be safe (another system, an
import that started threads) there is none, and `run_fresh` does the same more slowly.
"""

import atexit
import gc
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
from contextlib import suppress
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from threading import Lock
from typing import Any, Final, NoReturn

from leadline.logs.apart import inside
from leadline.logs.apart.fresh import environment, interpreter
from leadline.logs.apart.limits import ApartLimits

#: Seconds without a question after which a template ends and gives its memory back.
_IDLE: Final = 600.0
#: Seconds in which a killed process has to be gone.
_END: Final = 10.0
#: Status of a template that must not be forked.
_UNFIT: Final = 3
_MOST_JOB: Final = 1 << 16


class NoTemplateError(Exception):
    """No template can do this run, or it was lost on the way."""


class _Template:
    """The caller's end of one template."""

    def __init__(self, module: str) -> None:
        self._control, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with there:
            self.process = subprocess.Popen(  # noqa: S603 (this interpreter, and arguments of our own)
                interpreter("template.serve()", module, str(there.fileno())),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd="/",
                env=environment(Path("/nonexistent")),
                pass_fds=(there.fileno(),),
                start_new_session=True,
            )

    def run(self, function: str, place: Path, limits: ApartLimits) -> int | None:
        """As `run_fresh`; NoTemplateError where the template or the keeper was lost."""
        job = json.dumps({"function": function, "work": str(place / "work"), "limits": asdict(limits)})
        line, theirs = socket.socketpair()
        with line:
            with theirs, (place / "payload").open("rb") as payload, (place / "answer").open("wb") as answer:
                files = [payload.fileno(), answer.fileno(), theirs.fileno()]
                try:
                    socket.send_fds(self._control, [job.encode()], files)
                except OSError as error:
                    raise NoTemplateError from error
            line.settimeout(limits.wall_seconds)
            try:
                status = line.recv(16)
            except TimeoutError:
                line.shutdown(socket.SHUT_WR)
                line.settimeout(_END)
                with suppress(OSError):
                    line.recv(16)
                return None
            if not status:
                raise NoTemplateError
            return int(status)

    def close(self) -> int | None:
        """Let the template end; its exit status, None where it does not end."""
        self._control.close()
        try:
            return self.process.wait(_END)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(_END)
            return None

    def inherited(self) -> None:
        """Forget a template that belongs to the process this one was forked from."""
        self._control.close()
        self.process.returncode = 0


class _Nursery:
    """The templates of this process, by module."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._living: dict[str, _Template] = {}
        self._without: set[str] = set()

    def get(self, module: str) -> _Template:
        """The module's template, started if there is none."""
        with self._lock:
            if module in self._without:
                raise NoTemplateError
            if module not in self._living:
                try:
                    self._living[module] = _Template(module)
                except OSError as error:
                    raise NoTemplateError from error
            return self._living[module]

    def drop(self, module: str, lost: _Template) -> None:
        """End a template that no longer answers; one that said it must not be forked is not started again."""
        with self._lock:
            if self._living.get(module) is not lost:  # another thread was here first
                return
            del self._living[module]
            if lost.close() == _UNFIT:
                self._without.add(module)

    def close(self) -> None:
        """End all of them."""
        with self._lock:
            for one in self._living.values():
                one.close()
            self._living.clear()

    def forked(self) -> None:
        """In a fork of this process: these templates are not ours."""
        self._lock = Lock()
        for one in self._living.values():
            one.inherited()
        self._living.clear()


_nursery = _Nursery()
if sys.platform == "linux":
    atexit.register(_nursery.close)
    os.register_at_fork(after_in_child=_nursery.forked)


def run_forked(function: str, place: Path, limits: ApartLimits) -> int | None:
    """As `leadline.logs.apart.fresh.run_fresh`, in a fork of the function's module; NoTemplateError where there is none."""
    if sys.platform != "linux":
        raise NoTemplateError
    module = function.partition(":")[0]
    for _ in range(2):  # a template that ended because it was idle is replaced
        template = _nursery.get(module)
        try:
            return template.run(function, place, limits)
        except NoTemplateError:
            _nursery.drop(module, template)
    raise NoTemplateError


# -- the template's own process -------------------------------------------------------------------


def serve() -> NoReturn:
    """The template's whole life: import the module, then fork a keeper for every job until the caller is gone.

    A module may have a function `prepare`, which imports what its functions would import one by one.
    """
    getattr(import_module(sys.argv[2]), "prepare", int)()
    control = socket.socket(fileno=int(sys.argv[3]))
    if sum(1 for _ in Path("/proc/self/task").iterdir()) != 1:
        os._exit(_UNFIT)  # a lock that another thread holds would stay locked in a fork
    try:
        os.close(os.pidfd_open(os.getpid()))
    except OSError:
        os._exit(_UNFIT)
    gc.collect()
    gc.freeze()  # forks share these pages as long as nobody touches them
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # keepers are reaped by the kernel
    while select.select([control], [], [], _IDLE)[0]:
        said, files, _, _ = socket.recv_fds(control, _MOST_JOB, 3)
        if not said:
            break
        if os.fork() == 0:
            control.close()
            _keep(json.loads(said), *files)
        for one in files:
            os.close(one)
    os._exit(0)


def _keep(job: dict[str, Any], payload: int, answer: int, line: int) -> NoReturn:
    """Fork the process apart, wait for it, say how it ended; kill it when the line closes first."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    child = os.fork()
    if child == 0:
        _work(job, payload, answer)
    os.close(payload)
    os.close(answer)
    ended = os.pidfd_open(child)
    ready, _, _ = select.select([ended, line], [], [])
    if ended not in ready:
        for kill in (os.killpg, os.kill):  # the group may not be there yet
            with suppress(ProcessLookupError):
                kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    with suppress(OSError):
        os.write(line, str(os.waitstatus_to_exitcode(status)).encode())
    os._exit(0)


def _work(job: dict[str, Any], payload: int, answer: int) -> NoReturn:
    """Become what a fresh interpreter would be: own session and folder, the two files, nothing else open."""
    try:
        os.setsid()
        os.chdir(job["work"])
        os.environ.update(HOME=job["work"], TMPDIR=job["work"])
        tempfile.tempdir = None
        os.dup2(payload, 0)
        os.dup2(answer, 1)
        os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    except BaseException:  # noqa: BLE001 (a fork must never go on as its parent)
        os._exit(1)
    inside.answer(job["function"], ApartLimits(**job["limits"]))
