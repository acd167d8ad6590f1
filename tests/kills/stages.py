"""Where a campaign plays: a registry in a file, or in a PostgreSQL cluster of its own that can be crashed too."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Literal

import psycopg

from store.cluster import Cluster, running

#: What is killed: the server; one process of the database; the whole database, which is then started again.
Victim = Literal["server", "backend", "cluster"]
DATABASE = "kills"
LONGEST_RECOVERY = 90.0


@dataclass
class Stage:
    """One registry's address, the folder of its keys, and what can be killed about it."""

    name: str
    url: str
    keys: Path
    environ: dict[str, str] = field(default_factory=dict)
    cluster: Cluster | None = None

    def victim(self, draw: Random) -> Victim:
        """What is to be killed next: mostly the server itself."""
        if self.cluster is None:
            return "server"
        chance = draw.random()
        return "backend" if chance < 0.1 else "cluster" if chance < 0.2 else "server"

    def strike(self, victim: Victim, draw: Random) -> None:
        """Kill what belongs to the database."""
        assert self.cluster is not None
        if victim == "backend":
            _kill_backend(self.cluster, draw)
        else:
            self.cluster.crash()
            self.cluster.start()

    def settle(self) -> None:
        """Wait until the database has recovered."""
        until = time.monotonic() + LONGEST_RECOVERY
        while self.cluster is not None:
            try:
                self.cluster.run("SELECT 1", DATABASE)
                return
            except psycopg.OperationalError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.02)


@contextmanager
def stage(store: str, folder: Path) -> Iterator[Stage]:
    """A new place for a registry, gone after the block."""
    with ExitStack() as stack:
        if store == "sqlite":
            path = folder / "registry.db"
            yield Stage("sqlite", str(path), path.with_name(path.name + ".keys"))
            return
        cluster = stack.enter_context(running("restart_after_crash = on"))
        url = stack.enter_context(cluster.database(DATABASE))
        keys = folder / "keys"
        yield Stage("postgres", url, keys, {"LEADLINE_KEYS": str(keys)}, cluster)


def _kill_backend(cluster: Cluster, draw: Random) -> None:
    """SIGKILL to a process that serves the registry: PostgreSQL then ends all others and recovers by itself."""
    found = cluster.run(
        f"SELECT pid FROM pg_stat_activity WHERE datname = '{DATABASE}' AND backend_type = 'client backend'"
    )
    if found:
        with suppress(ProcessLookupError):
            os.kill(int(draw.choice(found)[0]), signal.SIGKILL)
