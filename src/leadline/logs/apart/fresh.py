"""A fresh interpreter for one run: slower to begin than a fork, and there on every system."""

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Final

from leadline.errors import StoreError
from leadline.logs.apart.limits import ApartLimits

#: The child runs the very Leadline that started it, whichever else is installed; for everything else its folder
#: comes last.
START: Final = (
    "import sys; sys.path.insert(0, sys.argv[1]); import leadline; sys.path.append(sys.path.pop(0)); "
    "from leadline.logs.apart import inside, template; "
)


def run_fresh(function: str, place: Path, limits: ApartLimits) -> int | None:
    """Run the child to its end; its exit status, or None where the clock ended it.

    Reads ``payload`` in `place` and writes ``answer`` there; ``work`` is the child's folder. Raises StoreError when
    no process can be started.
    """
    work = place / "work"
    command = interpreter("inside.alone()", function, json.dumps(asdict(limits)))
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
                env=environment(work),
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


def interpreter(code: str, *arguments: str) -> list[str]:
    """The command of an interpreter that knows nothing but this Leadline, and does `code`."""
    # With -I an interpreter forgets PYTHONPATH: it is told the folder that Leadline was imported from.
    return [sys.executable, "-I", "-c", START + code, str(Path(__file__).resolve().parents[3]), *arguments]


def environment(work: Path) -> dict[str, str]:
    """Nothing of ours: no proxies, no tokens, no home. One thread, since each costs address space, and a template none."""
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    keep = {name: os.environ[name] for name in ("SYSTEMROOT", "LD_LIBRARY_PATH") if name in os.environ}
    return {
        **keep,
        **threads,
        "HOME": str(work),
        "TMPDIR": str(work),
        "LANG": "C.UTF-8",
        "MALLOC_ARENA_MAX": "2",
        "JE_ARROW_MALLOC_CONF": "background_thread:false",
        "no_proxy": "*",
    }


def _end(child: "subprocess.Popen[bytes]") -> None:
    """Kill the child, and everything it may have started, if it has not ended by itself."""
    if child.returncode is not None:  # its number may be another process's by now
        return
    with suppress(ProcessLookupError, PermissionError):
        if os.name == "posix":
            os.killpg(child.pid, signal.SIGKILL)
        else:  # pragma: no cover (Windows has no process groups of this kind)
            child.kill()
