"""Servers in processes of their own: one shows a registry with everything in it, one takes new studies."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
_RUN = "import sys; from leadline.cli.main import main; sys.exit(main())"


@dataclass(frozen=True)
class Served:
    """A running server: where it is, the ids of its studies by how they ended, and the folder it works in."""

    address: str
    folder: Path
    studies: Mapping[str, str]


def environment(folder: Path, **more: str) -> dict[str, str]:
    """This process's variables without any setting of Leadline, with a home in `folder`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LEADLINE_")}
    path = os.pathsep.join(filter(None, (str(TESTS), os.environ.get("PYTHONPATH"))))
    return kept | {"LEADLINE_HOME": str(folder / "home"), "PYTHONPATH": path} | more


def leadline(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command line in `folder` as somebody does who has just installed it; it must succeed."""
    done = subprocess.run(
        [sys.executable, "-c", _RUN, *arguments],
        cwd=folder,
        env=environment(folder),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done


@contextmanager
def everything(folder: Path) -> Iterator[Served]:
    """The registry of `web.site`, as of its own day."""
    command = [sys.executable, str(TESTS / "web" / "site.py"), str(folder / "registry"), "0"]
    with _running(command, environment(folder)) as lines:
        found = json.loads(next(line for line in lines if line.startswith("{")))
        yield Served(found["address"], folder, found["studies"])


@contextmanager
def fresh(folder: Path) -> Iterator[Served]:
    """An empty registry that everybody may write to, served by `leadline serve`."""
    arguments = ("serve", "--store", str(folder / "registry.db"), "--create", "--port", "0")
    command = [sys.executable, "-c", _RUN, *arguments]
    with _running(command, environment(folder, LEADLINE_ACCESS="open", LEADLINE_TEND="no")) as lines:
        address = next(found[1] for line in lines if (found := re.search(r"is at (http://[\w.:]+)", line)))
        yield Served(address, folder, {})


@contextmanager
def _running(command: Sequence[str], environ: Mapping[str, str]) -> Iterator[Iterator[str]]:
    """The lines a process prints until it says where it is; ended, and waited for, at the end."""
    with subprocess.Popen(
        command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        said: list[str] = []
        assert process.stdout is not None
        try:
            yield _lines(process.stdout, said)
        except StopIteration:
            raise RuntimeError("the server did not start:\n" + "".join(said)) from None
        finally:
            process.terminate()
            process.communicate(timeout=30)


def _lines(stream: Iterator[str], said: list[str]) -> Iterator[str]:
    for line in stream:
        said.append(line)
        yield line
