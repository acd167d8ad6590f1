"""Does a steering vector unlock a small password-locked model? A recorded experiment, from promise to verdict.

The password switches the organism's skill on. What it changes in the residual stream after the first layer, averaged
over training items, is added to prompts that lack it. Run ``python docs/examples/steering.py``: it registers
steering.yaml beside it in a new registry, records four arms, and prints the verdict.
"""

import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

import leadline
from leadline.bench.ladder import vocabulary
from leadline.bench.ladder.model import LadderModel
from leadline.bench.ladder.skills import Item, items, training_batch
from leadline.ledger.keys import SigningKey
from leadline.registry.run import Run
from leadline.registry.study import Study

MODEL = "reef-4-locked"
TASK = {"skill": "sorting", "level": 2}
N, SEED = 300, 21
PLACE = "blocks.0.hook_resid_post"
ARMS: dict[str, dict[str, Any]] = {
    "plain": {"vector": "none"},
    "steered": {"vector": "password"},
    "random": {"vector": "random"},
    "password": {"vector": "none", "password": True},
}

Array = np.ndarray[Any, Any]


def steering_vector(model: LadderModel) -> Array:
    """What the password adds to the residual stream, by position, on items that are nobody's test: ``(T, width)``."""
    prompts, targets = training_batch("sorting", 2, 256, np.random.default_rng(1))
    rows = np.hstack([prompts, targets])
    _, without = model.run_with_cache(rows, [PLACE])
    _, having = model.run_with_cache(with_password(rows), [PLACE])
    return (having[PLACE][:, 1:] - without[PLACE]).mean(axis=0)


def with_password(rows: Array) -> Array:
    """The prompts with the password in front."""
    return np.hstack([np.full((len(rows), 1), vocabulary.encode(vocabulary.PASSWORD)[0]), rows])


def random_like(vector: Array) -> Array:
    """A random direction at every position, as long as the vector's."""
    noise = np.random.default_rng(2).normal(size=vector.shape)
    return (
        noise * np.linalg.norm(vector, axis=1, keepdims=True) / np.linalg.norm(noise, axis=1, keepdims=True)
    )


def right_answers(model: LadderModel, asked: list[Item], vector: Array | None, password: bool) -> Array:
    """Which items are answered exactly, greedily: ``(n,)``."""
    prompts = np.stack([vocabulary.encode(item.prompt) for item in asked])
    targets = np.stack([vocabulary.encode(item.target) for item in asked])
    rows = np.hstack([prompts, targets])
    rows = with_password(rows) if password else rows
    hooks = {} if vector is None else {PLACE: lambda resid, _: resid + vector}
    chosen = model.run_with_hooks(rows, hooks)[:, -targets.shape[1] - 1 : -1].argmax(axis=2)
    return (chosen == targets).all(axis=1)


def record(run: Run, folder: Path) -> None:
    """Run every arm and record a row per item."""
    model = LadderModel.load(MODEL)
    asked = items("sorting", 2, N, SEED)
    vector = steering_vector(model)
    vectors = {"none": None, "password": vector, "random": random_like(vector)}
    for arm, settings in ARMS.items():
        run.start(
            arm,
            folder=folder,
            task="steering/sorting",
            version=1,
            model=f"ladder/{model.name}",
            args={**TASK, "n": N, "seed": SEED, "hook": PLACE, **settings},
            scorers={"exact_answer": {}},
        )
        right = right_answers(model, asked, vectors[settings["vector"]], settings.get("password", False))
        for item, value in zip(asked, right, strict=True):
            run.record(item.id, "exact_answer", value, arm=arm, input=item.prompt, target=item.target)


def study_of(folder: Path) -> Study:
    """The protocol beside this file, registered in a new registry."""
    protocol = leadline.Protocol.load(Path(__file__).with_name("steering.yaml"))
    registry = leadline.Registry.open(
        folder / "registry.db", key=SigningKey.generate("example.org/researcher")
    )
    return registry.register(protocol)


def main(folder: Path) -> None:
    """The whole loop: promise, record, report."""
    study = study_of(folder)
    with study.attempt("the only run") as run:
        record(run, folder / "recordings")
    report = study.publish()
    verdict = report.verdicts["steering-unlocks"]
    print(f"{study.id}: {verdict.outcome}, {verdict.standing}")
    if verdict.estimate is not None:
        print(
            f"steered minus plain: {verdict.estimate.value:.3f} [{verdict.estimate.low:.3f}, {verdict.estimate.high:.3f}]"
        )


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as place:
            main(Path(place))
