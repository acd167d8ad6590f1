"""A protocol drafted from an Inspect task: what loading it and a dry run can tell is filled in."""

import contextlib
import importlib.util
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from leadline.errors import InputError, MissingExtraError, NotFoundError
from leadline.logs.headers import LogHeader
from leadline.protocol.blocks.claims import Estimand, Hypothesis, Takeaway
from leadline.protocol.blocks.conduct import Foreknowledge, SampleSize
from leadline.protocol.blocks.design import Arm, Dataset, Measure, Scorer, SolverStep, Task
from leadline.protocol.blocks.identity import Author, Model
from leadline.protocol.model import Protocol
from leadline.verdict.conformance.settings import LIMITS, TRANSPORT
from leadline.verdict.draft import DEFAULT_SMALLEST, FILL_IN, name_of, plain

#: Datasets up to this many items are promised id by id, larger ones by hash and number alone.
MAX_LISTED = 5_000

_PREFACE = """\
# Drafted from {source}. What the task and a dry run of {dry_run} samples could tell is filled in.
# What only you know is marked "{mark}": who you are, the claim, what the treated arm does differently
# (its task_args or model), why the smallest effect matters{model}.
# A positive control, robustness specifications and forecasts are worth adding: see `leadline new`.
# Then: leadline check {{this file}}, and leadline register {{this file}}.
"""


@dataclass(frozen=True, slots=True)
class Found:
    """What the probe saw: the items, and the header and score values of the dry run's log."""

    task: str
    samples: int
    ids: tuple[str, ...]
    dataset_sha256: str | None
    header: LogHeader | None
    scores: Mapping[str, str | None]
    """Score name -> None for a single value, or the first key of a table of values."""
    notes: tuple[str, ...]


def draft(
    target: str,
    *,
    model: str | None = None,
    task_args: Mapping[str, Any] | None = None,
    dry_run: int = 2,
    timeout: float = 120.0,
) -> str:
    """YAML text of a protocol for an Inspect task, ``FILE@task`` (the task may be left out if it is the only one).

    The file is executed in a separate process that ends after `timeout` seconds. Without `model`
    the dry run asks a mock; with one it asks that model `dry_run` samples. Raises
    `MissingExtraError` without Inspect, `NotFoundError` for a missing file, and `InputError` with
    the last line of the traceback when the user's code fails.
    """
    file, _, task = target.partition("@")
    path = Path(file).resolve()
    if not path.is_file():
        raise NotFoundError(f"no file {file}", remedy="give FILE.py@task")
    if importlib.util.find_spec("inspect_ai") is None:
        raise MissingExtraError(
            "reading an Inspect task needs Inspect", remedy="pip install 'leadline[inspect]'"
        )
    args = dict(task_args or {})
    found = _probe(path, task, args, model, dry_run, timeout)
    return _text(found, target, model, args, dry_run)


# -- the probe -----------------------------------------------------------------------------------


def _probe(
    path: Path, task: str, args: dict[str, Any], model: str | None, dry_run: int, timeout: float
) -> Found:
    with tempfile.TemporaryDirectory(prefix="leadline-probe-") as folder:
        work = Path(folder)
        request = {
            "file": str(path),
            "task": task or None,
            "args": args,
            "model": model,
            "dry_run": dry_run,
            "log_dir": str(work / "logs"),
            "answer": str(work / "answer.json"),
        }
        (work / "request.json").write_text(json.dumps(request), encoding="utf-8")
        _run_child(work / "request.json", path, timeout)
        answer = json.loads((work / "answer.json").read_text(encoding="utf-8"))
        return _understand(answer, work / "logs")


def _run_child(request: Path, path: Path, timeout: float) -> None:
    command = [sys.executable, "-m", "leadline.bench.inspect_probe", str(request)]
    child = subprocess.Popen(  # noqa: S603  (our own module, on a file of the user's)
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
        text=True,
        errors="replace",
    )
    try:
        _, complaint = child.communicate(timeout=timeout)
    except subprocess.TimeoutExpired as error:
        raise InputError(
            f"loading and trying the task took more than {timeout:g} s",
            where=str(path),
            remedy="give fewer dry-run samples, or more time",
        ) from error
    finally:
        _end(child)
    if child.returncode != 0:
        lines = [line for line in complaint.splitlines() if line.strip()]
        raise InputError(
            f"the task could not be loaded: {lines[-1].strip() if lines else 'no message'}",
            where=str(path),
            remedy="run it with `inspect eval` first; missing packages and arguments show there",
        )


def _end(child: subprocess.Popen[str]) -> None:
    """End the child and whatever it started; it leads a process group of its own."""
    with contextlib.suppress(ProcessLookupError, PermissionError):  # all of it has ended already
        os.killpg(child.pid, signal.SIGKILL)
    child.communicate()


def _understand(answer: dict[str, Any], logs: Path) -> Found:
    from leadline.logs import dataset_root, read_logs

    notes: list[str] = []
    digests, ids = answer["digests"], tuple(answer["ids"])
    header = None
    scores: dict[str, str | None] = {}
    if any(logs.glob("*.eval")):
        table = read_logs(logs, tier="sample")
        header, scores = table.headers[0], _scores(table, notes)
    if answer.get("problem"):
        notes.append(f"the dry run failed: {answer['problem'].splitlines()[0]}")
    agrees = header is None or all(digests.get(key) == value for key, value in header.item_digests.items())
    complete = len(digests) == len(ids) == len(set(ids))
    if not answer["stable"]:
        notes.append("the dataset differs from one load to the next; fix its seed, then state its hash")
    elif not (agrees and complete):
        notes.append("the dataset's hash could not be computed from the task; state it from a first log")
    sha256 = dataset_root(digests) if answer["stable"] and agrees and complete and digests else None
    return Found(answer["task"], answer["samples"], ids, sha256, header, scores, tuple(notes))


def _scores(table: Any, notes: list[str]) -> dict[str, str | None]:
    """Score names of the dry run, each with the key to read where its value is a table; notes say what else there is."""
    found: dict[str, str | None] = {}
    arrow = table.to_arrow()
    for name, written in zip(arrow["score"].to_pylist(), arrow["value_json"].to_pylist(), strict=True):
        if name is None or name in found:
            continue
        try:
            value = json.loads(written) if written else None
        except ValueError:
            value = None  # NaN and its like
        keys = list(value) if isinstance(value, dict) else []
        found[name] = keys[0] if keys else None
        if len(keys) > 1:
            notes.append(
                f"the score {name} holds several values ({', '.join(keys)}); choose the measure's `key`"
            )
    return found


# -- the draft -----------------------------------------------------------------------------------


def _text(found: Found, target: str, model: str | None, args: dict[str, Any], dry_run: int) -> str:
    from leadline.protocol.document import dump

    preface = _PREFACE.format(
        source=target, dry_run=dry_run, mark=FILL_IN, model="" if model else ", and the model's exact id"
    )
    notes = "".join(f"# Note: {note}.\n" for note in found.notes)
    return preface + notes + "\n" + dump(_protocol(found, model, args))


def _protocol(found: Found, model: str | None, args: dict[str, Any]) -> Protocol:
    score, key = next(iter(found.scores.items()), (FILL_IN, None))
    measure = name_of(score)
    task = _task(found, args)
    return Protocol(
        title=f"{FILL_IN}: {task.task}"[:500],
        authors=(Author(name=FILL_IN),),
        models=(Model(name="subject", id=model or f"{FILL_IN}/model"),),
        tasks=(task,),
        arms=(
            Arm(name="treated", technique=FILL_IN, model="subject", task=task.name),
            Arm(name="baseline", technique="none", model="subject", task=task.name),
        ),
        measures=(Measure(name=measure, score=score, key=key),),
        hypotheses=(
            Hypothesis(
                id="H1",
                claim=f"{FILL_IN}: the treated arm scores higher on {score}"[:500],
                kind="greater",
                estimand=Estimand(type="paired_difference", measure=measure, arms=("treated", "baseline")),
                smallest=DEFAULT_SMALLEST,
                why_smallest=FILL_IN,
            ),
        ),
        takeaways=(Takeaway(hypothesis="H1", supported=f"treated can change {measure}"),),
        sample_size=SampleSize(items=max(found.samples, 1)),
        foreknowledge=Foreknowledge(level="structure", note="a dry run showed how samples look and score"),
    )


def _task(found: Found, args: dict[str, Any]) -> Task:
    header = found.header
    dataset = Dataset(
        name=header.dataset.name if header else None,
        sha256=found.dataset_sha256,
        n=max(found.samples, 1),
        samples=found.ids if found.ids and len(found.ids) <= MAX_LISTED else None,
    )
    if header is None:
        return Task(name=name_of(found.task), task=found.task, args=args, dataset=dataset)
    generate = {
        key: value
        for key, value in plain(header.generate_config).items()
        if value is not None and key not in TRANSPORT
    }
    return Task(
        name=name_of(header.task),
        task=header.task,
        version=header.task_version or None,
        args=plain(header.task_args),
        dataset=dataset,
        epochs=int(header.config.get("epochs") or 1),
        limits={key: header.config[key] for key in LIMITS if header.config.get(key) is not None},
        generate=generate,
        solver=tuple(
            SolverStep(solver=str(step.get("solver")), params=plain(step.get("params") or {}))
            for step in header.steps
        )
        or None,
        scorers=tuple(
            Scorer(name=str(scorer.get("name")), params=plain(scorer.get("options") or {}))
            for scorer in header.scorers
        ),
    )


__all__ = ["draft"]
