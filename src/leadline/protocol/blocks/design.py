"""What is run: tasks, arms, and how a sample becomes a number."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from leadline.protocol.blocks.base import Block, Expression, Line, Name, Settings, Sha256, Text


def _as_ids(value: Any) -> Any:
    """Sample ids as texts: harnesses count items 1, 2, 3, and a log's `1` and `"1"` are one id."""
    if isinstance(value, list | tuple):
        return tuple(str(item) if type(item) is int else item for item in value)
    return value


SampleIds = Annotated[tuple[str, ...], BeforeValidator(_as_ids)]


class Dataset(Block):
    """Which items, bound by content."""

    name: str | None = None
    sha256: Sha256 | None = None
    """Merkle root over item digests (`leadline.logs.dataset`)."""
    n: int | None = Field(default=None, ge=1)
    samples: SampleIds | None = Field(default=None, max_length=200_000)
    """The sample ids promised; every one must show up in the denominators."""
    order: Literal["any", "from_freeze"] = "any"
    """`from_freeze`: the item order derives from the freeze, so earlier data cannot match. `samples` then lists the ids as
    the dataset has them."""


class Scorer(Block):
    """A scorer by the name the log gives it, with the parameters it must have been run with."""

    name: str
    params: Settings | None = None


class Judge(Block):
    """A model that grades, with the digest of the prompt it grades with."""

    model: str
    prompt_sha256: Sha256 | None = None
    validated: Text = ""


class SolverStep(Block):
    """One step of the plan as the log records it: solver name and parameters (prompts among them)."""

    solver: str
    params: Settings | None = None


class Task(Block):
    """A task as the harness runs it."""

    name: Name
    harness: Literal["inspect", "recorded"] = "inspect"
    """`recorded`: the author's own code runs it and records the results (`run.record`), as with probes, steering and
    training; then `task` is a name of the author's, and what is compared is what that code says of itself."""
    task: str
    """The task's name as logged, e.g. `inspect_evals/gpqa_diamond`."""
    file: Line | None = None
    """Where the task's code is, e.g. `my_task.py`, when no package has it: for people and commands, not compared."""
    version: int | str | None = None
    args: Settings = Field(default_factory=dict)
    dataset: Dataset = Dataset()
    epochs: int = Field(default=1, ge=1, le=10_000)
    limits: Settings = Field(default_factory=dict)
    """message_limit, token_limit, time_limit, working_limit, cost_limit, as logged."""
    generate: Settings = Field(default_factory=dict)
    """Generate config as logged (temperature, top_p, max_tokens, seed, ...). `seed: from_freeze` derives it."""
    solver: tuple[SolverStep, ...] | None = None
    scorers: tuple[Scorer, ...] = ()
    judge: Judge | None = None


class Arm(Block):
    """One condition: a technique applied to a model on a task."""

    name: Name
    technique: Line
    model: Name
    task: Name
    task_args: Settings = Field(default_factory=dict)
    """What this arm changes in the task's arguments."""
    generate: Settings = Field(default_factory=dict)
    metadata: Settings = Field(default_factory=dict)
    """Eval metadata that tells this arm's logs from another's."""
    factors: dict[str, str] = Field(default_factory=dict)


class Measure(Block):
    """How one score becomes one number per item."""

    name: Name
    score: str
    """Scorer name as logged."""
    key: str | None = None
    """For scores that are tables of values: which entry."""
    values: dict[str, float] | None = None
    """Map from logged values to numbers; None = Inspect's (C 1, I 0, P .5, N 0, yes/no, true/false, numbers)."""
    transform: Expression | None = None
    """Expression over `value` and the sample columns, applied after the map."""
    epochs: Literal["mean", "max", "min", "first", "median"] = "mean"
    """How epochs of one item become one value."""
    cluster: Expression | None = None
    """Expression over the sample columns naming the cluster; None = each item is its own."""
    direction: Literal["higher", "lower", "neither"] = "higher"
    """Which way is better."""
    unit: str = ""
    low: float | None = None
    high: float | None = None
    """Bounds a value may not leave; outside is malformed."""
