"""A small world: a registry, a study that can be confirmed, and a lab that runs it honestly or not.

`World` makes everything in one folder with a clock of its own. `lab_run` writes the `.eval` logs of
one attempt; every way of cheating is a keyword that changes just one thing.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from leadline.ledger.keys import SigningKey
from leadline.logs import read_logs
from leadline.protocol.model import Protocol
from leadline.registry.registry import Registry
from leadline.registry.run import Run
from leadline.registry.study import Study
from logs.factory import sample, write_eval

START = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
ITEMS = 40
GENERATE = {"temperature": 0.0, "seed": 11, "max_tokens": 64}
STEPS = [{"solver": "generate", "params": {}, "params_passed": {}}]
ARMS = ("plain", "hint", "given")


@dataclass
class Clock:
    """A clock that moves one minute each time it is read."""

    now: datetime = START

    def __call__(self) -> datetime:
        """The next minute."""
        self.now += timedelta(minutes=1)
        return self.now


def answers(arm: str, items: int = ITEMS) -> list[str]:
    """Right or wrong, item by item: plain .5, hint .9, given 1."""
    share = {"plain": 2, "hint": 10, "given": 10**9}[arm]
    return ["I" if position % share == share - 1 else "C" for position in range(items)]


def samples_of(arm: str, items: int = ITEMS) -> list[dict[str, Any]]:
    """The samples of one arm: the same items in every arm."""
    return [
        sample(
            f"item-{i:03d}x", score, input=f"question {i}", target=f"answer {i}", metadata={"level": i % 4}
        )
        for i, score in enumerate(answers(arm, items))
    ]


def document(dataset_sha256: str | None = None, items: int = ITEMS, **changes: Any) -> dict[str, Any]:
    """The protocol as plain values: hint against plain, with a positive control, everything bound."""
    base: dict[str, Any] = {
        "title": "Does a hint raise accuracy on addition?",
        "authors": [{"name": "Ada"}],
        "area": [],
        "models": [{"name": "tiny", "id": "mockllm/tiny"}],
        "tasks": [
            {
                "name": "addition",
                "task": "addition",
                "version": 0,
                "dataset": {
                    "n": items,
                    "samples": [f"item-{i:03d}x" for i in range(items)],
                    "sha256": dataset_sha256,
                },
                "generate": GENERATE,
                "limits": {"message_limit": 10},
                "solver": [{"solver": "generate", "params": {}}],
                "scorers": [{"name": "match", "params": {}}],
            }
        ],
        "arms": [
            {
                "name": name,
                "technique": f"{name} prompt",
                "model": "tiny",
                "task": "addition",
                "task_args": {"style": name},
            }
            for name in ARMS
        ],
        "measures": [{"name": "accuracy", "score": "match"}],
        "hypotheses": [
            {
                "id": "H1",
                "claim": "A hint raises accuracy",
                "kind": "greater",
                "estimand": {"type": "paired_difference", "measure": "accuracy", "arms": ["hint", "plain"]},
                "smallest": 0.15,
                "expected": 0.4,
                "why_smallest": "less would not change what we try first",
            }
        ],
        "takeaways": [{"hypothesis": "H1", "supported": "try hint before plain for accuracy"}],
        "controls": [
            {
                "name": "answers given",
                "kind": "positive",
                "estimand": {"type": "proportion", "measure": "accuracy", "arms": ["given"]},
                "low": 0.8,
            }
        ],
        "sample_size": {
            "items": items,
            "assumptions": {"baseline": 0.5, "correlation": 0.3},
            "replicates": 200,
        },
        "timeline": {"due": "2026-06-01"},
    }
    base["controls"][0]["name"] = "answers-given"
    return {**base, **changes}


@dataclass
class World:
    """A folder with a registry in it, an author, and a clock."""

    folder: Path
    items: int = ITEMS
    clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.key = SigningKey.generate("example.org/ada")
        self.registry = Registry.open(self.folder / "registry.db", key=self.key, clock=self.clock)

    def dataset_sha256(self) -> str:
        """Content digest of the items, from a log written for that purpose."""
        path = write_eval(
            self.folder / "items.eval", task="addition", samples=samples_of("plain", self.items)
        )
        digest = read_logs(path, tier="sample").headers[0].dataset_sha256
        path.unlink()
        assert digest is not None
        return digest

    def protocol(self, **changes: Any) -> Protocol:
        """The world's protocol, with top-level blocks replaced."""
        return Protocol.model_validate(document(self.dataset_sha256(), self.items, **changes))

    def register(self, protocol: Protocol | None = None) -> Study:
        """Freeze a protocol (simulation left out: what it computes is tested elsewhere)."""
        return self.registry.register(protocol or self.protocol(), simulate=False)

    def lab_run(self, study: Study, run: Run | None, *, name: str = "run", **cheat: Any) -> list[Path]:
        """Write one log per arm; `cheat` changes one thing (see `write_arm`)."""
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        return [
            self.write_arm(study, run, arm, folder / f"{name}-{arm}.eval", **cheat)
            for arm in cheat.pop("arms", ARMS)
        ]

    def write_arm(
        self,
        study: Study,
        run: Run | None,
        arm: str,
        path: Path,
        *,
        only: slice | None = None,
        model: str = "mockllm/tiny",
        generate: dict[str, Any] | None = None,
        created: datetime | None = None,
        edit_aggregate: float | None = None,
        metadata: dict[str, Any] | None = None,
        cheat_arm: str | None = None,
        **fields: Any,
    ) -> Path:
        """One honest log, unless a keyword says otherwise; `cheat_arm` limits the change to one arm."""
        honest = cheat_arm is not None and arm != cheat_arm
        samples = fields.pop("samples", None) or samples_of(arm, self.items)
        if only is not None and not honest:
            samples = samples[only]
        if honest:
            model, generate, edit_aggregate = "mockllm/tiny", None, None
        stamp = {} if run is None else run.stamp(arm)
        when = created or self.clock()
        extra: dict[str, Any] = dict(fields)
        if edit_aggregate is not None:
            extra["results"] = {
                "total_samples": len(samples),
                "completed_samples": len(samples),
                "scores": [
                    {
                        "name": "match",
                        "scorer": "match",
                        "reducer": "mean",
                        "params": {},
                        "metrics": {"accuracy": {"name": "accuracy", "value": edit_aggregate, "params": {}}},
                    }
                ],
            }
        return write_eval(
            path,
            task="addition",
            model=model,
            samples=samples,
            created=when.isoformat(),
            generate_config=GENERATE if generate is None else generate,
            task_args={"style": arm},
            metadata={**stamp, **(metadata or {})},
            config={"message_limit": 10},
            **extra,
        )

    def honest_study(self) -> Study:
        """Registered, run once, attached: what a careful lab does."""
        study = self.register()
        self.attempt(study)
        return study

    def attempt(self, study: Study, *, force: bool = False, **cheat: Any) -> list[Path]:
        """One announced run with its logs attached."""
        with study.attempt() as run:
            paths = self.lab_run(study, run, name=cheat.pop("name", f"run{run.number}"), **cheat)
            run.attach(paths, force=force)
        return paths
