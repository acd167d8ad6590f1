"""The demonstration's lab: runs the arms of a frozen protocol on the ladder, each under its attempt's stamp."""

from collections.abc import Callable
from pathlib import Path

from leadline.bench.ladder.run import WEIGHTS_KEY, run_task
from leadline.errors import InputError
from leadline.registry.study import Study
from leadline.verdict.arms import expected_args, expected_generate
from leadline.verdict.seeding import FROM_FREEZE

Say = Callable[[str], None]


def run_study(study: Study, folder: Path, *, weights: Path | None, say: Say) -> None:
    """Announce one attempt, run every arm of the protocol under Inspect, attach the logs."""
    protocol = study.protocol
    with study.attempt("demonstration") as run:
        paths = []
        for arm in protocol.arms:
            model = protocol.model(arm.model)
            task = protocol.task(arm.task)
            if model.id is None or not model.id.startswith("ladder/"):
                raise InputError(
                    f"arm {arm.name} is not on a ladder model",
                    remedy="the demonstration runs the ladder only",
                )
            generate = expected_generate(protocol, arm)
            seed = study.seed if generate.get("seed") == FROM_FREEZE else generate.get("seed")
            say(f"{arm.name}: {model.id}, {task.dataset.n} samples")
            stamp = {key: value for key, value in run.stamp(arm.name).items() if key != WEIGHTS_KEY}
            paths.append(
                run_task(
                    model.id,
                    expected_args(protocol, arm),
                    folder,
                    seed=seed,
                    temperature=float(generate.get("temperature", 0.0)),
                    epochs=task.epochs,
                    metadata=stamp,
                    weights_dir=weights,
                )
            )
        run.attach(paths)
