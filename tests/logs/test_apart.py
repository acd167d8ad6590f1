"""Functions that run in a process of their own meet limits there, and never here."""

import os
import signal
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from leadline.errors import InputError, LogError, StoreError
from leadline.logs.apart import ApartLimits, calling, opened_apart, run_apart, template
from leadline.logs.apart.fresh import interpreter

#: Runs the payload as Python: what a library gone wrong could do.
ANYTHING = "builtins:eval"
SMALL = ApartLimits(memory=512 << 20, cpu_seconds=5, wall_seconds=60, output=1 << 20)
forked = pytest.mark.parametrize("way", ["forked"], indirect=True)
linux = pytest.mark.skipif(sys.platform != "linux", reason="templates are forked on Linux only")


@pytest.fixture(autouse=True, params=["forked", "fresh"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways of having a process apart; `forked` fails where no template can be had."""
    if request.param == "fresh":
        monkeypatch.setattr(calling, "run_forked", _without)
    elif sys.platform == "linux":
        monkeypatch.setattr(calling, "run_fresh", _without)
    return str(request.param)


def _without(*given: object) -> int:
    raise template.NoTemplateError


def test_it_answers_with_bytes() -> None:
    """A function's answer comes back whole, whatever else it prints."""
    code = b"print('chatter') or __import__('os').write(1, b'noise') and b'answer'"
    assert run_apart(ANYTHING, code, limits=SMALL) == b"answer"
    with opened_apart(ANYTHING, b"b'one\\ntwo'", limits=SMALL) as lines:
        assert list(lines) == [b"one\n", b"two"]


def test_it_is_another_process_without_our_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No variable of ours reaches it, and it has a folder and a session of its own."""
    monkeypatch.setenv("LEADLINE_SECRET", "postgresql://u:p@h/d")
    seen = run_apart(ANYTHING, b"repr(dict(__import__('os').environ)).encode()", limits=SMALL).decode()
    assert "LEADLINE_SECRET" not in seen
    assert str(Path.home()) not in seen
    assert int(run_apart(ANYTHING, b"str(__import__('os').getsid(0)).encode()", limits=SMALL)) != os.getsid(0)


def test_errors_of_the_tree_come_back_as_they_were() -> None:
    """Class, place and remedy of one of Leadline's errors survive; any other error is an InputError."""
    code = (
        b"(_ for _ in ()).throw(__import__('leadline.errors').errors.LogError("
        b"'is odd', where='here', remedy='mend it'))"
    )
    with pytest.raises(LogError) as caught:
        run_apart(ANYTHING, code, limits=SMALL)
    assert (caught.value.message, caught.value.where, caught.value.remedy()) == ("is odd", "here", "mend it")
    with pytest.raises(InputError, match="ZeroDivisionError"):
        run_apart(ANYTHING, b"1/0", limits=SMALL)


@pytest.mark.skipif(sys.platform == "win32", reason="the kernel has no such limits")
@pytest.mark.parametrize(
    ("code", "limits", "what"),
    [
        (b"b'x' * (1 << 33)", SMALL, "memory"),
        (
            b"[0 for _ in iter(int, 1)]",
            ApartLimits(memory=512 << 20, cpu_seconds=1, wall_seconds=60),
            "processor",
        ),
        (b"__import__('time').sleep(60)", ApartLimits(wall_seconds=2), "longer than 2 seconds"),
        (b"b'x' * (1 << 21)", SMALL, "answer is larger"),
        (b"__import__('os')._exit(3)", SMALL, "status 3"),
        (b"__import__('os').kill(__import__('os').getpid(), 11)", SMALL, "status -11"),
        (b"'text, not bytes'", SMALL, "TypeError"),
    ],
)
def test_what_asks_for_too_much_is_ended(code: bytes, limits: ApartLimits, what: str) -> None:
    """Memory, processor time, the clock and the size of the answer are bounded, and each bound has its words."""
    with pytest.raises(InputError, match=what):
        run_apart(ANYTHING, code, limits=limits)


@pytest.mark.parametrize(
    "code",
    [
        b"__import__('socket').create_connection(('127.0.0.1', 9))",
        b"__import__('socket').getaddrinfo('example.org', 80)",
        b"__import__('subprocess').run(['true'])",
        b"__import__('os').system('true')",
        b"__import__('os').fork()",
    ],
)
def test_no_network_and_no_programs(code: bytes) -> None:
    """A library cannot open a connection, look a name up, or start a program."""
    with pytest.raises(InputError, match="PermissionError"):
        run_apart(ANYTHING, code, limits=SMALL)


def test_files_are_gone_afterwards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a run wrote into its folder is removed with it, also when it failed."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    run_apart(ANYTHING, b"str(open('left', 'w').write('x')).encode()", limits=SMALL)
    with pytest.raises(InputError):
        run_apart(ANYTHING, b"1/0", limits=SMALL)
    assert list(tmp_path.iterdir()) == []


def test_a_machine_without_room_is_a_store_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """When no process can be started, the error says what to look at."""
    monkeypatch.undo()
    monkeypatch.setattr(calling, "run_forked", _without)
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(StoreError, match="cannot be started"):
        run_apart(ANYTHING, b"b''", limits=SMALL)


# -- the template ---------------------------------------------------------------------------------


def test_runs_share_nothing() -> None:
    """What one run did to its interpreter is unknown to the next."""
    run_apart(ANYTHING, b"setattr(__import__('json'), 'left', 1) or b'done'", limits=SMALL)
    assert run_apart(ANYTHING, b"str(hasattr(__import__('json'), 'left')).encode()", limits=SMALL) == b"False"


def test_only_the_two_files_are_open() -> None:
    """No connection of the template or its keeper can be reached from inside."""
    code = b"repr(sorted(map(int, __import__('os').listdir('/proc/self/fd')))).encode()"
    opened = set(map(int, run_apart(ANYTHING, code, limits=SMALL).decode().strip("[]").split(",")))
    assert opened <= {0, 1, 2, 3, 4}  # the answer's copy, and the folder that is being listed


def test_many_at_once() -> None:
    """Threads that ask at the same time each get their own answer."""
    with ThreadPoolExecutor(8) as pool:
        asked = [str(number).encode() for number in range(24)]
        answers = list(pool.map(lambda one: run_apart(ANYTHING, b"b'" + one + b"'", limits=SMALL), asked))
    assert answers == asked


@linux
@forked
def test_a_lost_template_is_replaced() -> None:
    """A template that was killed, as when memory ran out, costs nobody an answer."""
    assert run_apart(ANYTHING, b"b'one'", limits=SMALL) == b"one"
    os.kill(template._nursery.get("builtins").process.pid, signal.SIGKILL)
    assert run_apart(ANYTHING, b"b'two'", limits=SMALL) == b"two"


@linux
@forked
def test_a_fork_of_the_caller_has_templates_of_its_own() -> None:
    """A process forked from the caller neither uses nor ends the caller's template."""
    run_apart(ANYTHING, b"b'one'", limits=SMALL)
    before = template._nursery.get("builtins").process.pid
    child = os.fork()
    if child == 0:
        os._exit(0 if not template._nursery._living else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert run_apart(ANYTHING, b"b'two'", limits=SMALL) == b"two"
    assert template._nursery.get("builtins").process.pid == before


@linux
@forked
def test_a_module_that_starts_threads_is_not_forked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where an import leaves a second thread, runs begin in fresh interpreters instead."""
    monkeypatch.undo()
    nursery = template._Nursery()
    monkeypatch.setattr(template, "_nursery", nursery)
    monkeypatch.setattr(template, "interpreter", _threaded)
    assert run_apart(ANYTHING, b"b'slowly'", limits=SMALL) == b"slowly"
    assert nursery._without == {"builtins"}


def _threaded(code: str, *arguments: str) -> list[str]:
    start = "import threading, time; threading.Thread(target=time.sleep, args=(60,), daemon=True).start(); "
    return interpreter(start + code, *arguments)
