"""A protocol as a document people read: what is asked, of whom, how, and what would count."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from leadline.protocol.blocks.claims import Hypothesis
from leadline.protocol.model import Protocol
from leadline.verdict import promises, words
from leadline.verdict.plain import plain
from leadline.verdict.view import Cell, Row

#: Rows of one table; the file holds all.
_MOST = 200


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the document: paragraphs, pairs of label and text, and at most one table."""

    id: str
    title: str
    paragraphs: tuple[str, ...] = ()
    pairs: tuple[tuple[str, str], ...] = ()
    caption: str = ""
    heads: tuple[str, ...] = ()
    rows: tuple[Row, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether there is nothing to read."""
        return not (self.paragraphs or self.pairs or self.rows)


def document(protocol: Protocol) -> tuple[Part, ...]:
    """The parts of a protocol that say something, in the order a reader asks for them."""
    return tuple(part for part in _parts(protocol) if not part.empty)


def _parts(plan: Protocol) -> Iterator[Part]:
    yield _questions(plan)
    yield _target(plan)
    yield _gap(plan)
    yield _arms(plan)
    yield _tasks(plan)
    yield _measures(plan)
    yield _models(plan)
    yield _controls(plan)
    yield _rules(plan)
    yield _takeaways(plan)
    yield _forecasts(plan)
    yield _conduct(plan)


def _questions(plan: Protocol) -> Part:
    return Part(
        "asked",
        "What is asked",
        caption="Each claim, what it is about, and the smallest effect that would matter.",
        heads=("Claim", "Kind", "About", "Where"),
        rows=tuple(
            (
                Cell(one.claim, under=f"{one.id}, {one.role}"),
                words.registered_as(one, _unit(plan, one)),
                Cell(_estimand(one), under=one.why_smallest),
                one.estimand.where or "all items",
            )
            for one in plan.hypotheses[:_MOST]
        ),
    )


def _estimand(one: Hypothesis) -> str:
    kind = one.estimand.type.replace("_", " ")
    return f"{kind} of {one.estimand.measure}: {' against '.join(one.estimand.arms)}, predicted to {one.prediction}"


def _unit(plan: Protocol, one: Hypothesis) -> str:
    return "" if one.estimand.type == "ratio" else plan.measure(one.estimand.measure).unit


def _target(plan: Protocol) -> Part:
    if plan.target is None:
        return Part("target", "What it is for")
    pairs = [("Hoped to capture", plan.target.dynamic), ("Would serve a case from", plan.target.case or "")]
    pairs += [(f"If {outcome}", text) for outcome, text in sorted(plan.target.meaning.items())]
    return Part("target", "What it is for", _said(plan.target.problem), _filled(pairs))


def _gap(plan: Protocol) -> Part:
    axes = [(name, getattr(plan.gap, name)) for name in type(plan.gap).model_fields]
    known = [(name, gap) for name, gap in axes if gap.distance != "unknown" or gap.why]
    unknown = [name for name, gap in axes if gap.distance == "unknown" and not gap.why]
    said = (f"Not stated: {', '.join(unknown)}.",) if unknown and known else ()
    return Part(
        "gap",
        "How far this is from what it stands for",
        said,
        caption="",
        heads=("Axis", "Distance", "Why"),
        rows=tuple((name, gap.distance, gap.why) for name, gap in known),
    )


def _arms(plan: Protocol) -> Part:
    return Part(
        "arms",
        "What is compared",
        caption="Arms: one technique on one model and task each.",
        heads=("Arm", "Technique", "Model", "Task", "Changes"),
        rows=tuple(
            (
                arm.name,
                arm.technique,
                plan.model(arm.model).id or plan.model(arm.model).rule or arm.model,
                arm.task,
                _settings({**arm.task_args, **arm.generate}),
            )
            for arm in plan.arms[:_MOST]
        ),
    )


def _tasks(plan: Protocol) -> Part:
    return Part(
        "tasks",
        "On what",
        caption="Tasks and the items they promise.",
        heads=("Task", "Items", "Epochs", "Settings", "Dataset digest"),
        rows=tuple(
            (
                Cell(task.task, under=task.name),
                None if task.dataset.n is None else str(task.dataset.n),
                str(task.epochs),
                _settings({**task.generate, **task.limits, **task.args}),
                None if task.dataset.sha256 is None else Cell(task.dataset.sha256, code=True),
            )
            for task in plan.tasks[:_MOST]
        ),
    )


def _measures(plan: Protocol) -> Part:
    return Part(
        "measures",
        "Measured how",
        heads=("Measure", "Score", "Better", "Clusters", "Epochs"),
        rows=tuple(
            (
                Cell(one.name, under=one.unit),
                one.score,
                one.direction,
                one.cluster or "each item its own",
                one.epochs,
            )
            for one in plan.measures[:_MOST]
        ),
    )


def _models(plan: Protocol) -> Part:
    return Part(
        "models",
        "Models",
        heads=("Model", "Role", "Trust", "Parameters"),
        rows=tuple(
            (
                Cell(one.id or one.rule or one.name, under=one.name),
                one.role.replace("_", " "),
                Cell(one.trust.state, under=one.trust.basis),
                None if one.scale.parameters is None else f"{one.scale.parameters:.3g}",
            )
            for one in plan.models[:_MOST]
        ),
    )


def _controls(plan: Protocol) -> Part:
    return Part(
        "controls",
        "Controls",
        heads=("Control", "Kind", "Must lie in", "Why"),
        rows=tuple((one.name, one.kind, _range(one.low, one.high), one.why) for one in plan.controls[:_MOST]),
    )


def _rules(plan: Protocol) -> Part:
    rules = plan.data_rules
    pairs = []
    for name in ("error", "limit", "refusal", "unscored", "malformed", "invalidated", "fallback"):
        rule = getattr(rules, name)
        pairs.append(
            (f"A result with {_KIND[name]}", rule if isinstance(rule, str) else f"counts as {rule.value:g}")
        )
    pairs += [(one.reason, f"excluded when {one.when}") for one in rules.exclusions[:_MOST]]
    pairs.append(("May be missing", f"at most {100 * rules.missing_cap:g} %"))
    size = plan.sample_size
    sized = f"{size.items} items per arm" + (f" in {size.clusters} clusters" if size.clusters else "")
    return Part(
        "rules", "Who counts, and how many", pairs=(("Sample", f"{sized}, {size.design} design"), *pairs)
    )


_KIND = {
    "error": "an error",
    "limit": "a limit reached",
    "refusal": "a refusal",
    "unscored": "no score",
    "malformed": "a malformed score",
    "invalidated": "invalidation",
    "fallback": "an answer from another model",
}


def _takeaways(plan: Protocol) -> Part:
    names = ("supported", "refuted", "null", "inconclusive")
    return Part(
        "takeaways",
        "What may be said afterwards",
        heads=("Claim", *(name.capitalize() for name in names)),
        rows=tuple(
            (one.hypothesis, *(getattr(one, name) for name in names)) for one in plan.takeaways[:_MOST]
        ),
    )


def _forecasts(plan: Protocol) -> Part:
    return Part(
        "expected",
        "What was expected",
        heads=("By", "Claim", "Forecast"),
        rows=tuple(
            (
                one.by,
                one.hypothesis,
                ", ".join(f"{outcome} {100 * p:.3g} %" for outcome, p in sorted(one.probabilities.items())),
            )
            for one in plan.forecasts[:_MOST]
        ),
    )


def _conduct(plan: Protocol) -> Part:
    pairs = [
        ("Kind of study", plan.status),
        ("Seen before", words.foreknowledge(plan) or "nothing"),
        ("Not before", "" if plan.timeline.not_before is None else plan.timeline.not_before.isoformat()),
        ("Due", "" if plan.timeline.due is None else plan.timeline.due.isoformat()),
        (
            "Reruns",
            {"pool": "all completed runs are pooled", "first": "the first run counts"}[plan.attempts.reruns],
        ),
        ("Openness", plan.hazard.level),
        ("Alternative specifications", ", ".join(one.name for one in plan.robustness)),
        ("Funding", plan.funding),
        ("Conflicts of interest", plan.conflicts),
        ("Related studies", ", ".join(f"{one.kind.replace('_', ' ')} {one.study}" for one in plan.relations)),
        ("Licence", plan.licence),
        ("Notes", plan.notes),
    ]
    return Part("conduct", "How it is carried out", pairs=_filled(pairs))


def _settings(values: dict[str, object]) -> str:
    """Settings as one line, cut where it gets long."""
    text = ", ".join(f"{name} = {promises.said(plain(value))}" for name, value in sorted(values.items()))
    return text if len(text) <= 400 else f"{text[:400]}…"


def _range(low: float | None, high: float | None) -> str:
    if low is None:
        return "anything" if high is None else f"at most {high:g}"
    return f"at least {low:g}" if high is None else f"{low:g} to {high:g}"


def _said(*texts: str) -> tuple[str, ...]:
    return tuple(text for text in texts if text.strip())


def _filled(pairs: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    return tuple((label, text) for label, text in pairs if text.strip())
