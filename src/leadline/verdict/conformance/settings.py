"""Model, task, decoding, limits, solver and scorers, against what each log says it ran with.

Decoding and limits are closed lists: what the protocol does not name must be at the harness's default,
because an unnamed temperature is a degree of freedom. Transport settings (retries, connections,
timeouts of one call) cannot change an answer and are not compared; cached answers and extra headers can,
and are.
"""

from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any

from leadline.logs.headers import LogHeader
from leadline.logs.recording.shapes import FORMAT as RECORDING
from leadline.protocol.blocks.design import Arm, Judge, Task
from leadline.verdict.arms import expected_args, expected_generate, same_task
from leadline.verdict.conformance.context import Context, answered, compare, show
from leadline.verdict.model import Check
from leadline.verdict.seeding import FROM_FREEZE, generate_seed

TRANSPORT = frozenset(
    {
        "max_retries", "timeout", "attempt_timeout", "max_connections", "adaptive_connections", "batch",
        "cache_prompt", "stream_idle_timeout",
    }
)  # fmt: skip
LIMITS = ("message_limit", "token_limit", "time_limit", "working_limit", "cost_limit", "turn_limit")
#: Other run options that choose which answer of a sample stands, or what its tools may do.
CONDUCT = ("token_limit_type", "retry_on_error", "score_on_error", "approval")

#: Roles of models that are measured; being registered for one arm is no leave to help in another.
ARMS_ONLY = frozenset({"subject", "baseline"})


def setting_checks(context: Context) -> Iterator[Check]:
    """One check per promised setting, arm and log."""
    for arm, task, header in context.pairs():
        yield from _model(context, arm, header)
        yield from _task(context, arm, task, header)
        yield from _generate(context, arm, header)
        yield from _limits(arm, task, header)
        yield from _solver(arm, task, header)
        yield from _scoring(context, arm, task, header)


def _model(context: Context, arm: Arm, header: LogHeader) -> Iterator[Check]:
    model = context.protocol.model(arm.model)
    if model.id is None:
        yield Check("model.id", "unknown", f"rule: {model.rule}", header.model, arm.name, header.log)
    else:
        yield compare("model.id", model.id, header.model or None, arm.name, header.log)
    if model.base_url is not None:
        yield compare("model.base_url", model.base_url, header.model_base_url, arm.name, header.log)
    elif header.model_base_url is not None:
        note = "whether this server is the provider's own cannot be told; promise it as `base_url`"
        yield Check(
            "model.base_url", "unknown", "the default", header.model_base_url, arm.name, header.log, note
        )
    yield from _closed_list("model.args", model.args, header.model_args, arm, header)
    fallbacks = context.seen[header.sha256].fallbacks
    if header.format != RECORDING:  # there a fallback is no event that anybody would log
        answer = answered(not fallbacks)
        yield Check(
            "model.fallback", answer, "no other model answers", f"{fallbacks} results", arm.name, header.log
        )


def _task(context: Context, arm: Arm, task: Task, header: LogHeader) -> Iterator[Check]:
    yield _task_name(arm, task, header)
    if task.version is not None:
        yield compare("task.version", str(task.version), header.task_version or None, arm.name, header.log)
    expected = expected_args(context.protocol, arm)
    for key, value in sorted(expected.items()):
        logged = key in (header.task_args or {})
        yield compare(
            f"task.args.{key}", value, (header.task_args or {}).get(key), arm.name, header.log, logged=logged
        )
    passed = header.task_args_passed or {}
    for key in sorted(passed.keys() - expected.keys()):
        yield Check(f"task.args.{key}", "deviation", "not passed", show(passed[key]), arm.name, header.log)
    for key, value in sorted(arm.metadata.items()):
        yield compare(f"metadata.{key}", value, (header.metadata or {}).get(key), arm.name, header.log)
    epochs = (header.config or {}).get("epochs") or 1
    yield compare("epochs", task.epochs, epochs, arm.name, header.log)


def _task_name(arm: Arm, task: Task, header: LogHeader) -> Check:
    """Equal to the name logged, or to the one in the harness's registry; the last part alone proves little."""
    if task.task in (header.task, header.task_registry_name):
        return Check("task.name", "pass", task.task, header.task, arm.name, header.log)
    if not header.task:
        return Check("task.name", "unknown", task.task, "not logged", arm.name, header.log)
    if not same_task(task.task, header.task):
        return Check("task.name", "deviation", task.task, header.task, arm.name, header.log)
    note = "equal but for the package: a task of the same name from elsewhere is not excluded"
    return Check("task.name", "unknown", task.task, header.task, arm.name, header.log, note)


def _generate(context: Context, arm: Arm, header: LogHeader) -> Iterator[Check]:
    expected = dict(expected_generate(context.protocol, arm))
    skip = TRANSPORT
    if expected.get("seed") == FROM_FREEZE:
        if context.registration is None:
            found = show((header.generate_config or {}).get("seed"))
            yield Check("generate.seed", "unknown", "derived from the freeze", found, arm.name, header.log)
            skip = TRANSPORT | {"seed"}
        else:
            expected["seed"] = generate_seed(context.registration.leaf_hash)
    yield from _closed_list("generate", expected, header.generate_config, arm, header, skip)


def _limits(arm: Arm, task: Task, header: LogHeader) -> Iterator[Check]:
    config = {key: (header.config or {}).get(key) for key in LIMITS}
    # These are written as false or 0 by some versions where nothing was asked for.
    config |= {key: (header.config or {}).get(key) or None for key in CONDUCT}
    yield from _closed_list("limits", task.limits, config, arm, header)


def _closed_list(
    prefix: str,
    expected: Mapping[str, Any],
    found: Mapping[str, Any] | None,
    arm: Arm,
    header: LogHeader,
    skip: frozenset[str] = frozenset(),
) -> Iterator[Check]:
    """Each promised key equal, each unpromised key absent."""
    found = {key: value for key, value in (found or {}).items() if value is not None}
    for key, value in sorted(expected.items()):
        if key not in skip:
            yield compare(f"{prefix}.{key}", value, found.get(key), arm.name, header.log)
    for key in sorted(found.keys() - expected.keys() - skip):
        yield Check(f"{prefix}.{key}", "deviation", "the default", show(found[key]), arm.name, header.log)


def _solver(arm: Arm, task: Task, header: LogHeader) -> Iterator[Check]:
    if task.solver is None:
        return
    # A step whose params are null is bound by name only.
    open_steps = {position for position, step in enumerate(task.solver) if step.params is None}
    promised = [{"solver": step.solver, "params": step.params} for step in task.solver]
    found = [
        {"solver": step.get("solver"), "params": None if position in open_steps else step.get("params") or {}}
        for position, step in enumerate(header.steps)
    ]
    yield compare("solver", promised, found or None, arm.name, header.log)


def _scoring(context: Context, arm: Arm, task: Task, header: LogHeader) -> Iterator[Check]:
    found = {str(scorer.get("name")): _params(header, scorer) for scorer in header.scorers}
    for scorer in task.scorers:
        if not found:
            yield Check("scorer.name", "unknown", scorer.name, "not logged", arm.name, header.log)
            continue
        present = scorer.name in found
        name = scorer.name if present else ", ".join(sorted(found))
        yield Check("scorer.name", answered(present), scorer.name, name, arm.name, header.log)
        if present and scorer.params is not None:
            yield compare("scorer.params", scorer.params, found[scorer.name], arm.name, header.log)
    yield from _judge(context, arm, task, header)


def _params(header: LogHeader, scorer: Mapping[str, Any]) -> Any:
    """A scorer's parameters as logged; None where a recording did not say, for then it may have had any."""
    unsaid = header.format == RECORDING and "options" not in scorer
    return None if unsaid else scorer.get("options") or scorer.get("params") or {}


def _judge(context: Context, arm: Arm, task: Task, header: LogHeader) -> Iterator[Check]:
    """A judge shows itself as a model role or in the usage; one that nobody registered is a deviation."""
    own = {header.model, context.protocol.model(arm.model).id}
    declared = {model.id for model in context.protocol.models if model.role not in ARMS_ONLY}
    roles, others = _roles(header), sorted(set(header.model_usage) - own)
    if task.judge is not None:
        judge = _judge_id(context, task.judge)
        used = sorted({*roles, *others})
        found = judge if judge in {*used, *header.model_usage} else ", ".join(used) or None
        yield compare("judge.model", judge, found, arm.name, header.log)
        yield from _judge_prompt(arm, task.judge, header)
        declared.add(judge)
    for other in sorted({*roles, *others} - declared):
        yield Check("judge.undeclared", "deviation", "no other model", other, arm.name, header.log)


def _judge_id(context: Context, judge: Judge) -> str:
    """The judge's id as logged; a protocol may name it by its alias."""
    named = next((model.id for model in context.protocol.models if model.name == judge.model), None)
    return named or judge.model


def _judge_prompt(arm: Arm, judge: Judge, header: LogHeader) -> Iterator[Check]:
    """A prompt shows itself only where a scorer was handed it; otherwise nobody can tell."""
    if judge.prompt_sha256 is None:
        return
    texts = [
        value
        for scorer in header.scorers
        for value in (scorer.get("options") or scorer.get("params") or {}).values()
        if isinstance(value, str)
    ]
    digests = {sha256(text.encode("utf-8", "surrogatepass")).hexdigest() for text in texts}
    shown = judge.prompt_sha256 in digests
    found = judge.prompt_sha256 if shown else "no scorer's logged options hold this prompt"
    yield Check(
        "judge.prompt", "pass" if shown else "unknown", judge.prompt_sha256, found, arm.name, header.log
    )


def _roles(header: LogHeader) -> set[str]:
    """Models the log binds to roles."""
    return {
        str(role.get("model"))
        for role in header.model_roles.values()
        if isinstance(role, Mapping) and role.get("model")
    }
