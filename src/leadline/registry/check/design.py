"""Rules about tasks, arms, scorers, judges and measures: what the plan leaves open."""

import re
from collections.abc import Iterator

from leadline.protocol.blocks.design import Task
from leadline.registry.check.model import Finding, Rule, View, asked, finding
from leadline.verdict.seeding import FROM_FREEZE

_DECODING = ("max_tokens", "top_p", "seed")
_JUDGE = re.compile(r"judge|model_graded|llm_grad|grader", re.IGNORECASE)


def datasets(view: View) -> Iterator[Finding]:
    """Items are bound by content, which binds their ids too, or at least by id."""
    for i, task in enumerate(view.plan.tasks):
        where = f"tasks[{i}].dataset"
        if task.dataset.sha256 is None:
            yield finding(
                "D101",
                f"{where}.sha256",
                f"the content of the items of {task.name!r} is not bound",
                "let `leadline new --from-inspect` compute the digest",
            )
        if task.dataset.samples is None and task.dataset.sha256 is None:
            number = (
                "not even how many" if task.dataset.n is None else f"only that there are {task.dataset.n}"
            )
            yield finding(
                "D102",
                f"{where}.samples",
                f"which samples of {task.name!r} are run is not promised, {number}",
                "list the sample ids",
            )


def orders(view: View) -> Iterator[Finding]:
    """An order that derives from the freeze can be computed from the ids."""
    for i, task in enumerate(view.plan.tasks):
        if task.dataset.order == FROM_FREEZE and task.dataset.samples is None:
            yield finding(
                "D118",
                f"tasks[{i}].dataset.samples",
                f"the order of {task.name!r} derives from the freeze, and the ids it is an order of are not listed",
                "list the sample ids as the dataset has them",
            )


def decoding(view: View) -> Iterator[Finding]:
    """What decides the text a model writes is stated; what is recorded need not be text that a model writes."""
    for i, task in enumerate(view.plan.tasks):
        if task.harness == "recorded":
            continue
        arms = [arm for arm in view.plan.arms if arm.task == task.name]
        stated = (
            set(task.generate) | set.intersection(*(set(arm.generate) for arm in arms))
            if arms
            else set(task.generate)
        )
        where = f"tasks[{i}].generate"
        if "temperature" not in stated:
            yield finding(
                "D103", where, f"the temperature of {task.name!r} is not stated", "add `temperature`"
            )
        absent = [name for name in _DECODING if name not in stated]
        if absent:
            yield finding(
                "D104",
                where,
                f"not stated for {task.name!r}: {', '.join(absent)}",
                "state them, or accept the harness's defaults",
            )


def instruments(view: View) -> Iterator[Finding]:
    """Solver, scorers and version are bound."""
    for i, task in enumerate(view.plan.tasks):
        if task.solver is None and task.harness != "recorded":
            yield finding(
                "D105",
                f"tasks[{i}].solver",
                f"solver and prompts of {task.name!r} are not bound",
                "list the solver's steps with their parameters",
            )
        for j, step in enumerate(task.solver or ()):
            if step.params is None:
                yield finding(
                    "D105",
                    f"tasks[{i}].solver[{j}].params",
                    f"the parameters of the solver step {step.solver!r} are not bound",
                    "add `params` ({} when it takes none), with a task per arm where they differ",
                )
        if not task.scorers:
            yield finding(
                "D106",
                f"tasks[{i}].scorers",
                f"no scorer of {task.name!r} is bound",
                "list each scorer with its parameters",
            )
        for j, scorer in enumerate(task.scorers):
            if scorer.params is None:
                yield finding(
                    "D106",
                    f"tasks[{i}].scorers[{j}].params",
                    f"the parameters of the scorer {scorer.name!r} are not bound",
                    "add `params` ({} when it takes none)",
                )
        if task.version is None:
            yield finding(
                "D111", f"tasks[{i}].version", f"the version of {task.name!r} is not stated", "add `version`"
            )


def shared_solvers(view: View) -> Iterator[Finding]:
    """A solver whose parameters are bound serves arms that run the task alike."""
    for i, task in enumerate(view.plan.tasks):
        bound = [step.solver for step in task.solver or () if step.params]
        arms = [arm for arm in view.plan.arms if arm.task == task.name]
        if bound and any(arm.task_args != arms[0].task_args for arm in arms):
            names = ", ".join(repr(arm.name) for arm in arms)
            yield finding(
                "D117",
                f"tasks[{i}].solver",
                f"the arms {names} give {task.name!r} different arguments, and one set of parameters is bound for "
                f"{', '.join(bound)}: where they follow the arguments, an arm is sure to deviate",
                "write one task per arm, each with its own solver, or leave out the `params` that differ",
            )


def judges(view: View) -> Iterator[Finding]:
    """A model that grades is declared, with the digest of its prompt."""
    for i, task in enumerate(view.plan.tasks):
        if task.judge is None:
            names = [scorer.name for scorer in task.scorers if _JUDGE.search(scorer.name)]
            names += [
                m.score for m in view.plan.measures if _JUDGE.search(m.score) and _reads(view, m.name, task)
            ]
            if names:
                yield finding(
                    "D108",
                    f"tasks[{i}].judge",
                    f"the score {names[0]!r} looks as if a model gave it, and no judge is declared",
                    "add `judge` with its model and the digest of its prompt",
                )
            continue
        if task.judge.prompt_sha256 is None:
            yield finding(
                "D109",
                f"tasks[{i}].judge.prompt_sha256",
                "the judge's prompt is not bound",
                "add the sha256 of the prompt",
            )
        if not task.judge.validated.strip():
            yield finding(
                "D110",
                f"tasks[{i}].judge.validated",
                "how the judge was validated is not said",
                "state agreement with people, and on how many",
            )
        if task.judge.model not in {name for model in view.plan.models for name in (model.name, model.id)}:
            yield finding(
                "D108",
                f"tasks[{i}].judge.model",
                f"the judge {task.judge.model!r} is not among the models",
                "add it with `role: grader`",
            )


def _reads(view: View, measure: str, task: Task) -> bool:
    return any(
        view.plan.arm(arm).task == task.name
        for entry in asked(view.plan)
        if entry.estimand.measure == measure
        for arm in entry.estimand.arms
    )


def scores(view: View) -> Iterator[Finding]:
    """Every measure reads a score its tasks produce, when the scorers are listed."""
    for i, measure in enumerate(view.plan.measures):
        for task in view.plan.tasks:
            names = {scorer.name for scorer in task.scorers}
            if names and measure.score not in names and _reads(view, measure.name, task):
                yield finding(
                    "D107",
                    f"measures[{i}].score",
                    f"{measure.name!r} reads the score {measure.score!r}; the scorers of {task.name!r} are {', '.join(sorted(names))}",
                    "name the score as the log does",
                )


def unused(view: View) -> Iterator[Finding]:
    """Everything that is run is asked about."""
    arms = {arm for entry in asked(view.plan) for arm in entry.estimand.arms}
    measures = {entry.estimand.measure for entry in asked(view.plan)}
    for i, arm in enumerate(view.plan.arms):
        if arm.name not in arms:
            yield finding(
                "D112",
                f"arms[{i}]",
                f"no hypothesis or control uses the arm {arm.name!r}",
                "ask about it, or remove it",
            )
    for i, measure in enumerate(view.plan.measures):
        if measure.name not in measures:
            yield finding(
                "D113",
                f"measures[{i}]",
                f"no hypothesis or control uses the measure {measure.name!r}",
                "ask about it, or remove it",
            )


def pairing(view: View) -> Iterator[Finding]:
    """Paired arms share their samples; unpaired ones do not."""
    for i, hypothesis in enumerate(view.plan.hypotheses):
        tasks = [view.plan.task(view.plan.arm(arm).task) for arm in hypothesis.estimand.arms]
        if len(tasks) < 2:
            continue
        where = f"hypotheses[{i}].estimand"
        first, second = (task.dataset for task in tasks)
        known = first.sha256 is not None and second.sha256 is not None
        if hypothesis.estimand.type == "paired_difference" and known and first.sha256 != second.sha256:
            yield finding(
                "D114",
                where,
                "the arms are paired, and their datasets differ",
                "use `difference`, or the same dataset",
            )
        if hypothesis.estimand.type == "difference" and tasks[0].name == tasks[1].name:
            yield finding(
                "D115",
                where,
                "both arms run the same samples, and the analysis does not pair them",
                "use `paired_difference`",
            )


def shares(view: View) -> Iterator[Finding]:
    """Shares are of items that are 0 or 1."""
    for i, hypothesis in enumerate(view.plan.hypotheses):
        if hypothesis.estimand.type != "proportion":
            continue
        task = view.plan.task(view.plan.arm(hypothesis.estimand.arms[0]).task)
        if task.epochs > 1 and view.plan.measure(hypothesis.estimand.measure).epochs == "mean":
            yield finding(
                "D116",
                f"hypotheses[{i}].estimand",
                f"{task.epochs} epochs are averaged before the share of items is taken",
                "use `type: mean`, or reduce epochs by max, min or first",
            )


RULES: tuple[Rule, ...] = (
    datasets, orders, decoding, instruments, shared_solvers, judges, scores, unused, pairing, shares,
)  # fmt: skip
