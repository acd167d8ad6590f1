"""Logs that the installed Inspect writes, and the shapes that such logs are found in."""

import json
import math
import random
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

from inspect_ai import Task
from inspect_ai import eval as inspect_eval
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.log import read_eval_log, write_eval_log
from inspect_ai.log._recorders.chunked import convert_eval_logs_to_chunked
from inspect_ai.model import ChatMessageUser, ModelOutput, ModelUsage, get_model
from inspect_ai.scorer import Score, Target, mean, scorer
from inspect_ai.solver import Generate, Solver, TaskState, solver

from leadline.logs.container import Archive
from leadline.logs.source import opened
from logs.factory import archive

#: What scorers give: letters, words, numbers of every size, NaN, infinities, text of any script.
VALUES = ["C", "I", "P", "N", "yes", "no", "0.25", "seven", 0, 1, -3, 1 << 80, 0.1, -0.0, 1e300, 5e-324, True, False,
          math.nan, math.inf, -math.inf, "naïve ☃", "a\nb\t\"c\"", ""]  # fmt: skip
TEXTS = ["plain", "two  spaces", " ends ", "tab\tand\nline", "é😀\u2028", "x" * 1500, '{"a": 1}', "\\", ""]


@scorer(metrics=[mean()])
def judged(rng: random.Random) -> Any:
    """A scorer that says anything at all."""

    async def score(state: TaskState, target: Target) -> Score:
        return Score(
            value=rng.choice(VALUES),
            answer=rng.choice([None, *TEXTS]),
            explanation=rng.choice([None, *TEXTS]),
            metadata=rng.choice([None, {}, {"grade": rng.choice(TEXTS), "n": [1, None, 0.5]}]),
        )

    return score


@scorer(metrics={"*": [mean()]})
def keyed(rng: random.Random) -> Any:
    """A scorer whose values are objects."""

    async def score(state: TaskState, target: Target) -> Score:
        return Score(value={"x": rng.choice([0, 1, 0.5, True]), "y": rng.random()})

    return score


@solver
def answered(rng: random.Random) -> Solver:
    """One answer; now and then a failure."""

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        if rng.random() < 0.02:
            raise ValueError(f"failed: {rng.choice(TEXTS)}")
        return await generate(state)

    return solve


def _outputs(rng: random.Random) -> Iterator[ModelOutput]:
    while True:
        output = ModelOutput.from_content("mockllm/model", rng.choice(TEXTS) or "-")
        output.usage = ModelUsage(
            input_tokens=10, output_tokens=5, total_tokens=15
        )  # else it counts with a download
        yield output


def _items(rng: random.Random, number: int) -> Iterator[Sample]:
    for at in range(number):
        said = rng.choice(TEXTS) or "?"
        yield Sample(
            id=rng.choice([at + 1, f"q/{at}", f"é{at}_epoch_1"]),
            input=said if rng.random() < 0.7 else [ChatMessageUser(content=said)],
            target=rng.choice(["t", ["a", "b"], ""]),
            choices=rng.choice([None, ["x", "y"]]),
            metadata=rng.choice([None, {"k": rng.choice(TEXTS), "n": rng.random(), "deep": {"l": [1, {}]}}]),
        )


def generate(folder: Path, samples: int, *, seed: int, per_log: int = 1000) -> list[Path]:
    """Logs of `samples` samples in 2 epochs, run with mockllm."""
    rng = random.Random(seed)
    written = []
    for number in count():
        if samples <= 0:
            return written
        items = min(samples, per_log) // 2
        task = Task(
            name=f"t{number}",
            dataset=MemoryDataset([*_items(rng, items)]),
            solver=answered(rng),
            scorer=[judged(rng), judged(rng), keyed(rng)],
            epochs=2,
        )
        model = get_model("mockllm/model", custom_outputs=_outputs(rng))
        (log,) = inspect_eval(
            task, model=model, log_dir=str(folder), display="none", fail_on_error=False, score_display=False
        )
        assert log.status == "success", log.error
        written.append(Path(log.location))
        samples -= 2 * items
    return written


def members(path: Path) -> list[tuple[str, bytes]]:
    """The members of a log, inflated, in order."""
    with opened(path) as source:
        found = Archive(source)
        return [(name, found.read(name)) for name in found.members]


def shapes(path: Path, folder: Path) -> Iterator[tuple[Path, Path]]:
    """The same log in other shapes, each with the file that Inspect can read it from."""
    folder.mkdir()
    whole = members(path)
    for name, options in (
        ("deflate", {"compression": "deflate"}),
        ("stored", {"compression": "stored"}),
        ("frames", {"frame": 700}),
        ("zip64", {"zip64": True, "comment": b"c"}),
    ):
        shaped = archive(folder / f"{name}.eval", whole, **options)  # type: ignore[arg-type]
        yield shaped, shaped
    first = next(name for name, _ in whole if name.startswith("samples/"))
    yield (requeued := archive(folder / "requeued.eval", [(first, b"{}"), *whole])), requeued
    indented = [(name, json.dumps(json.loads(data), indent=2).encode()) for name, data in whole]
    yield archive(folder / "indented.eval", indented), path
    unfinished = [(name, data) for name, data in whole if name.startswith(("_journal", "samples/"))]
    yield (crashed := archive(folder / "crashed.eval", unfinished)), crashed
    write_eval_log(read_eval_log(str(path)), str(folder / "log.json"))
    yield folder / "log.json", folder / "log.json"
    convert_eval_logs_to_chunked(str(path), str(folder / "chunked"))
    chunked = folder / "chunked" / path.name
    yield chunked, path
    apart = [(name, data) for name, data in whole if name != first]
    pieces = [(name, data) for name, data in members(chunked) if name.startswith(first.removesuffix(".json"))]
    yield archive(folder / "mixed.eval", [*pieces, *apart]), path
