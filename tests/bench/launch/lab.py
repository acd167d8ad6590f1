"""A small study on the ladder, a folder of its own for everything, and evaluations that stop half-way on purpose."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from cli.shell import leadline

ITEMS = 8
PLAN: dict[str, Any] = {
    "title": "Do two worked examples bring out a skill?",
    "authors": [{"name": "Ada"}],
    "models": [{"name": "small", "id": "ladder/reef-1"}],
    "tasks": [
        {
            "name": "sorting",
            "task": "leadline/ladder_skill",
            "version": 1,
            "args": {"skill": "sorting", "level": 1, "n": ITEMS, "seed": 21},
            "generate": {"temperature": 0, "seed": "from_freeze"},
            "scorers": [{"name": "exact_answer", "params": {}}],
        }
    ],
    "arms": [
        {"name": "examples", "technique": "two examples", "model": "small", "task": "sorting", "task_args": {"shots": 2}},
        {
            "name": "plain",
            "technique": "none",
            "model": "small",
            "task": "sorting",
            "task_args": {"shots": 0},
            "metadata": {"told": "two words"},
        },
    ],
    "measures": [{"name": "accuracy", "score": "exact_answer"}],
    "hypotheses": [
        {
            "id": "H1",
            "claim": "Examples help.",
            "kind": "greater",
            "estimand": {"type": "paired_difference", "measure": "accuracy", "arms": ["examples", "plain"]},
            "smallest": 0.1,
            "why_smallest": "less would not matter",
        }
    ],
    "takeaways": [{"hypothesis": "H1", "supported": "examples can change accuracy"}],
    "sample_size": {"items": ITEMS, "assumptions": {"baseline": 0.2}, "replicates": 200},
    "timeline": {"due": "2100-01-31"},
}  # fmt: skip

#: A task that answers its first items with a ladder model and then waits until somebody ends it.
STALLING = """
import asyncio, os
from pathlib import Path
from inspect_ai import Task, task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.solver import solver
from leadline.bench.ladder.inspect_tasks import exact_answer
from leadline.bench.ladder.skills import items

@solver
def stalling():
    async def solve(state, generate):
        state = await generate(state)
        if state.metadata["number"] >= 2:
            Path("stalled").touch()
            await asyncio.sleep(600)
        return state
    return solve

@task
def slow():
    found = enumerate(items("sorting", 1, 4, 0))
    samples = [Sample(id=i.id, input=i.prompt, target=i.target, metadata={"number": n}) for n, i in found]
    return Task(dataset=MemoryDataset(samples, name="slow"), solver=stalling(), scorer=exact_answer())
"""


def plan(**changes: Any) -> dict[str, Any]:
    """The protocol as plain values: order and sample ids derived and bound, top-level blocks replaced."""
    from leadline.bench.ladder.skills import items

    ids = [item.id for item in items("sorting", 1, ITEMS, 21)]
    task = {**PLAN["tasks"][0], "dataset": {"n": ITEMS, "samples": ids, "order": "from_freeze"}}
    return {**PLAN, "tasks": [task], **changes}


@dataclass(frozen=True)
class Bench:
    """A folder with a key, a registry and a registered study; commands run in it."""

    folder: Path
    study: str

    @classmethod
    def make(cls, folder: Path) -> "Bench":
        """Register the study by commands alone; the folder is the current one, and its `home` $LEADLINE_HOME."""
        (folder / "study.yaml").write_text(yaml.safe_dump(plan(), sort_keys=False))
        (folder / "slow.py").write_text(STALLING)
        leadline("key", "new")
        return cls(folder, leadline("register", folder / "study.yaml", "--no-simulate", "--json").json["id"])

    def report(self) -> tuple[str, dict[tuple[str, str], set[str]]]:
        """The report's standing, and the answers of its checks by (id, arm)."""
        said = leadline("report", self.study, "--json").json
        found: dict[tuple[str, str], set[str]] = {}
        for check in said["conformance"]:
            found.setdefault((check["id"], check["arm"] or ""), set()).add(check["answer"])
        return said["standing"], found

    def attempts(self) -> list[dict[str, Any]]:
        """The study's attempts, as the command line tells them."""
        return list(leadline("attempts", "list", self.study, "--json").json["attempts"])

    def told(self) -> str:
        """What the last command that was started said on standard error."""
        return (self.folder / "told.txt").read_text()

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        """`leadline run` of the stalling task as a process of its own; returned when it has begun to stall."""
        mark = self.folder / "stalled"
        mark.unlink(missing_ok=True)
        command = [sys.executable, "-m", "leadline.cli", "run", self.study, "--", *words]
        with (self.folder / "told.txt").open("wb") as told:  # a pipe would outlive the launcher in its child
            begun = subprocess.Popen(
                command, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=told
            )
        deadline = time.monotonic() + 120
        while not mark.exists() and begun.poll() is None and time.monotonic() < deadline:
            time.sleep(0.1)
        assert mark.exists(), self.told()
        return begun


SLOW = (
    str(Path(sys.executable).with_name("inspect")),
    "eval",
    "slow.py",
    "--model",
    "ladder/reef-1",
    "--display",
    "none",
)


def child_of(parent: int) -> int:
    """The one child of a process."""
    return int(Path(f"/proc/{parent}/task/{parent}/children").read_text().split()[0])


def end(process: int) -> None:
    """Kill a process, so that it has no say."""
    os.kill(process, signal.SIGKILL)
