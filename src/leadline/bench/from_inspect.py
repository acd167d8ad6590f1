"""A protocol drafted from an Inspect task: what loading it and a dry run can tell is filled in."""

import importlib.util
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from leadline.bench.probing import Found, probe
from leadline.errors import InputError, MissingExtraError, NotFoundError
from leadline.logs.headers import LogHeader
from leadline.protocol.blocks.claims import Estimand, Hypothesis, Takeaway
from leadline.protocol.blocks.conduct import Assumptions, Foreknowledge, SampleSize, Timeline
from leadline.protocol.blocks.design import Arm, Dataset, Measure, Scorer, SolverStep, Task
from leadline.protocol.blocks.identity import Author, Model
from leadline.protocol.model import Protocol
from leadline.verdict.conformance.settings import CONDUCT, LIMITS, TRANSPORT
from leadline.verdict.draft import DEFAULT_SMALLEST, FILL_IN
from leadline.verdict.from_headers import name_of, plain

#: Datasets up to this many items are promised id by id, larger ones by hash and number alone.
MAX_LISTED = 5_000
#: What the simulation assumes until somebody knows better: the middle of the scale, where power is least.
GUESSED_BASELINE, GUESSED_SD = 0.5, 0.25


@dataclass(frozen=True, slots=True)
class Draft:
    """A drafted protocol: its YAML text, and why the dry run failed (None when it did not, or was not asked for)."""

    text: str
    problem: str | None


def draft(
    target: str,
    *,
    model: str | None = None,
    task_args: Mapping[str, Any] | None = None,
    dry_run: int = 2,
    timeout: float = 120.0,
    title: str | None = None,
    author: str | None = None,
    due: date | None = None,
) -> Draft:
    """A protocol for an Inspect task, ``FILE@task`` (the task may be left out if it is the only one).

    The file is executed in a separate process that ends after `timeout` seconds. Without `model`
    the dry run asks a mock; with one it asks that model `dry_run` samples. `title`, `author`, `due`
    and `model` are filled in where given. Raises `MissingExtraError` without Inspect, `NotFoundError`
    for a missing file, and `InputError` with the last line of the traceback when the user's code
    cannot be loaded; a dry run that fails is told in `Draft.problem` and in the text.
    """
    file, _, task = target.partition("@")
    path = Path(file).resolve()
    if not path.is_file():
        raise NotFoundError(f"no file {file}", remedy="give FILE.py@task")
    if importlib.util.find_spec("inspect_ai") is None:
        raise MissingExtraError(
            "reading an Inspect task needs Inspect", remedy="pip install 'leadline[inspect]'"
        )
    for name, text in (("title", title), ("author", author), ("model", model)):
        if text is not None and not (text.strip() and text.isprintable() and len(text) <= 500):
            raise InputError(
                f"the {name} {text[:60]!r} is not one line of at most 500 characters", remedy="shorten it"
            )
    args = dict(task_args or {})
    found = probe(path, task, args, model=model, dry_run=dry_run, timeout=timeout)
    wanted = _Wanted(_from_here(path, file), args, model, dry_run, title, author, due)
    return Draft(_text(found, target, wanted), found.problem)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What the caller said."""

    file: str
    args: dict[str, Any]
    model: str | None
    dry_run: int
    title: str | None
    author: str | None
    due: date | None


def _from_here(path: Path, typed: str) -> str:
    """The file as `inspect eval` finds it from this folder; outside of it as it was typed."""
    relative = os.path.relpath(path)
    name = typed if relative.startswith(os.pardir) else Path(relative).as_posix()
    if not name.isprintable() or len(name) > 500:
        raise InputError(
            "the file's name cannot be written in a protocol", remedy="give it a plain, short name"
        )
    return name


# -- the text ------------------------------------------------------------------------------------


def _text(found: Found, target: str, wanted: _Wanted) -> str:
    from leadline.protocol.document import dump
    from leadline.registry.check.identity import unfinished

    protocol = _protocol(found, wanted)
    open_fields = [path for path, _ in unfinished(protocol)]
    lines = [
        f"Drafted from {target}. {_tried(found, wanted)}",
        f'{len(open_fields)} fields only you can fill in are marked "{FILL_IN}":',
        *(f"  {path}" for path in open_fields),
        "Replace the task_args of the arm `treated` by what it does differently: task_args, generate or a model.",
        "A positive control, robustness specifications and forecasts are worth adding: see `leadline new`.",
        *(f"Note: {note}." for note in (*found.notes, *_remarks(protocol))),
        "Then: leadline check FILE, and leadline register FILE, with the name of this file.",
    ]
    return "".join(f"# {_one_line(line)}\n" for line in lines) + "\n" + dump(protocol)


def _one_line(text: str) -> str:
    """Text that stays within its comment."""
    return "".join(char if char.isprintable() else "?" for char in text)


def _tried(found: Found, wanted: _Wanted) -> str:
    """What the draft rests on, in a sentence."""
    if wanted.dry_run == 0:
        return "What loading the task could tell is filled in; nothing was run."
    if found.problem is not None:
        return f"What loading the task could tell is filled in. The dry run failed: {found.problem}"
    return f"What the task and a dry run of {min(wanted.dry_run, found.samples)} samples could tell is filled in."


def _remarks(protocol: Protocol) -> list[str]:
    steps = [step.solver for step in protocol.tasks[0].solver or () if step.params is None]
    if not steps:
        return []
    return [
        (
            f"parameters of {', '.join(steps)} are left open, for they may follow the task's arguments; "
            "to bind them, write one task per arm, each with the parameters its first log shows"
        )
    ]


# -- the protocol --------------------------------------------------------------------------------


def _protocol(found: Found, wanted: _Wanted) -> Protocol:
    score, key = next(iter(found.scores.items()), (FILL_IN, None))
    measure = name_of(score)
    task = _task(found, wanted)
    return Protocol(
        title=wanted.title or f"{FILL_IN}: {task.task}"[:500],
        authors=(Author(name=wanted.author or FILL_IN),),
        models=(Model(name="subject", id=wanted.model or f"{FILL_IN}/model"),),
        tasks=(task,),
        arms=(
            # The open argument tells the arms apart until a person says how, so that the plan can be simulated.
            Arm(
                name="treated",
                technique=FILL_IN,
                model="subject",
                task=task.name,
                task_args={FILL_IN: FILL_IN},
            ),
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
        sample_size=SampleSize(items=max(found.samples, 1), assumptions=_assumptions(found)),
        foreknowledge=Foreknowledge(level="structure", note=_seen(found, wanted)),
        timeline=Timeline(due=wanted.due),
    )


def _assumptions(found: Found) -> Assumptions:
    """A guess that lets the plan be simulated, marked as one: a few dry-run samples say nothing of the mean."""
    guessed = "the baseline" if found.binary else "the baseline and the standard deviation"
    verb = "is a guess" if found.binary else "are guesses"
    return Assumptions(
        baseline=GUESSED_BASELINE,
        binary=found.binary,
        sd=None if found.binary else GUESSED_SD,
        source=f"{FILL_IN}: {guessed} {verb}; state what you expect of the arm without the technique, and why",
    )


def _seen(found: Found, wanted: _Wanted) -> str:
    """What drafting showed its author before the freeze."""
    if wanted.dry_run == 0:
        return "the task was loaded, and nothing was run"
    asked = wanted.model or "a mock model"
    if found.problem is not None:
        return f"a dry run that asked {asked} failed"
    return (
        f"a dry run of {min(wanted.dry_run, found.samples)} samples asked {asked} how samples look and score"
    )


def _task(found: Found, wanted: _Wanted) -> Task:
    header = found.header
    dataset = Dataset(
        name=header.dataset.name if header else None,
        sha256=found.dataset_sha256,
        n=max(found.samples, 1),
        samples=found.ids if found.ids and len(found.ids) <= MAX_LISTED else None,
    )
    if header is None:
        return Task(
            name=name_of(found.task), task=found.task, file=wanted.file, args=wanted.args, dataset=dataset
        )
    generate = {
        key: value
        for key, value in plain(header.generate_config).items()
        if value is not None and key not in TRANSPORT
    }
    return Task(
        name=name_of(header.task),
        task=header.task,
        file=wanted.file,
        version=header.task_version or None,
        args=plain(header.task_args),
        dataset=dataset,
        epochs=int(header.config.get("epochs") or 1),
        limits={key: header.config[key] for key in (*LIMITS, *CONDUCT) if header.config.get(key)},
        generate=generate,
        solver=_steps(header),
        scorers=tuple(
            Scorer(name=str(scorer.get("name")), params=plain(scorer.get("options") or {}))
            for scorer in header.scorers
        ),
    )


def _steps(header: LogHeader) -> tuple[SolverStep, ...] | None:
    """The steps; where the task has arguments, parameters stay open, for the treated arm's may differ with them."""
    follows = bool(header.task_args)
    return (
        tuple(
            SolverStep(solver=str(step.get("solver")), params=None if follows and params else params)
            for step in header.steps
            for params in (plain(step.get("params") or {}),)
        )
        or None
    )


__all__ = ["Draft", "draft"]
