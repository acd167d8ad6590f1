"""Run one task on one ladder model under Inspect, in this process, with the options that are fastest for it."""

import gc
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from leadline.bench.ladder.manifest import read_manifest
from leadline.bench.ladder.weights import weights_folder
from leadline.errors import MissingExtraError, StateError

#: Key of the evaluation's metadata that names the SHA-256 of the weights that answered.
WEIGHTS_KEY = "ladder_weights_sha256"
# Samples in flight: all requests that wait together are computed as one batch.
_TOGETHER = 400
#: Thresholds of the garbage collector during a run; about a fifth less processor time.
_SELDOM = (200_000, 20, 100)


def run_task(
    model: str,
    task_args: Mapping[str, Any],
    log_dir: str | Path,
    *,
    seed: int | None = 0,
    temperature: float = 0.0,
    epochs: int = 1,
    limit: int | None = None,
    metadata: Mapping[str, Any] | None = None,
    tags: list[str] | None = None,
    weights_dir: str | Path | None = None,
) -> Path:
    """Evaluate ``ladder_skill(**task_args)`` on one ladder model and give the path of the finished ``.eval`` log.

    Parameters
    ----------
    model: the model's name, with or without ``ladder/`` before it.
    task_args: arguments of `leadline.bench.ladder.inspect_tasks.ladder_skill`.
    log_dir: where the log is written; created where absent.
    seed, temperature, epochs, limit: generation seed (None states none, which the models read as 0) and temperature,
        repetitions, and most samples to run.
    metadata, tags: stamps for the log; the digest of the weights is added to the metadata.
    weights_dir: other weights than the shipped ones (`leadline.bench.ladder.weights.randomise`); without it, the
        environment variable ``LEADLINE_LADDER_WEIGHTS`` is asked.

    Raises
    ------
    MissingExtraError: Inspect is not installed.
    StateError: the evaluation did not succeed; its log says why.
    """
    try:
        import inspect_ai
        from inspect_ai.model import GenerateConfig, get_model
    except ImportError as problem:
        raise MissingExtraError(
            "running a task needs Inspect", where="run_task", remedy="pip install 'leadline[inspect]'"
        ) from problem
    from leadline.bench.inspect_registry import ladder_skill

    name = model.removeprefix("ladder/")
    folder = weights_folder(weights_dir, os.environ)
    stamps = dict(metadata or {}) | {WEIGHTS_KEY: read_manifest(folder).card(name).sha256}
    settings = GenerateConfig(seed=seed, temperature=temperature, max_connections=_TOGETHER)
    arguments = {"weights_dir": str(weights_dir)} if weights_dir else {}
    # A memoised model would keep the weights of an earlier call after the folder has changed.
    served = get_model(f"ladder/{name}", config=settings, memoize=False, **arguments)
    with _few_collections():
        log = inspect_ai.eval(
            ladder_skill(**task_args),
            model=served,
            log_dir=str(log_dir),
            epochs=epochs,
            limit=limit,
            metadata=stamps,
            tags=tags,
            max_samples=_TOGETHER,
            display="none",
            log_format="eval",
            log_realtime=False,
            log_model_api=False,
            score_display=False,
            acp_server=False,
            ctl_server=False,
        )[0]
    path = Path(log.location.removeprefix("file://"))
    if log.status != "success":
        why = log.error.message if log.error else "no sample was scored"
        raise StateError(
            f"the evaluation ended with status {log.status}: {why}",
            where=str(path),
            remedy="open the log with inspect view; correct the task arguments or the weights",
        )
    return path


@contextmanager
def _few_collections() -> Iterator[None]:
    """Collect cycles seldom: with hundreds of samples under way, each collection visits all that they hold in vain."""
    before = gc.get_threshold()
    gc.set_threshold(*_SELDOM)
    try:
        yield
    finally:
        gc.set_threshold(*before)
