"""Names are unique, references point at what exists, values have a canonical form."""

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from leadline.errors import ProtocolError
from leadline.protocol.consistency.problems import Problem, duplicates, missing
from leadline.protocol.digest import unrepresentable

if TYPE_CHECKING:
    from leadline.protocol.model import Protocol


def values_have_a_canonical_form(protocol: "Protocol") -> Iterator[Problem]:
    """Every value can be carried exactly by canonical JSON."""
    for path, reason in unrepresentable(protocol):
        yield Problem(path, reason, "write the value as text, or as a number that fits a double")


def names_are_unique(protocol: "Protocol") -> Iterator[Problem]:
    """No two things of one kind share a name."""
    claims = [(("hypotheses", i, "id"), h.id) for i, h in enumerate(protocol.hypotheses)]
    claims += [(("conceptual", i, "id"), c.id) for i, c in enumerate(protocol.conceptual)]
    yield from duplicates(claims, "claim")
    for block, noun in (
        ("models", "model"), ("tasks", "task"), ("arms", "arm"), ("measures", "measure"),
        ("families", "family"), ("controls", "control"), ("robustness", "robustness specification"),
    ):  # fmt: skip
        items = getattr(protocol, block)
        yield from duplicates([((block, i, "name"), item.name) for i, item in enumerate(items)], noun)
    exclusions = protocol.data_rules.exclusions
    yield from duplicates(
        [(("data_rules", "exclusions", i, "id"), rule.id) for i, rule in enumerate(exclusions)], "exclusion"
    )


def models_are_named_once(protocol: "Protocol") -> Iterator[Problem]:
    """A model has either an exact id or a rule."""
    for i, model in enumerate(protocol.models):
        if (model.id is None) == (model.rule is None):
            found = "both an id and a rule" if model.id else "neither an id nor a rule"
            yield Problem(
                ("models", i),
                f"the model {model.name!r} has {found}",
                "give the exact `id` the harness logs, or a `rule` an amendment will settle",
            )


def arms_exist(protocol: "Protocol") -> Iterator[Problem]:
    """The models and tasks of arms exist."""
    models = [model.name for model in protocol.models]
    tasks = [task.name for task in protocol.tasks]
    for i, arm in enumerate(protocol.arms):
        yield from missing(("arms", i, "model"), arm.model, "model", models)
        yield from missing(("arms", i, "task"), arm.task, "task", tasks)


def samples_are_listed_once(protocol: "Protocol") -> Iterator[Problem]:
    """Sample ids are distinct, and as many as `n` says."""
    for i, task in enumerate(protocol.tasks):
        ids, n = task.dataset.samples, task.dataset.n
        if ids is None:
            continue
        if len(set(ids)) != len(ids):
            twice = next(name for name, count in Counter(ids).items() if count > 1)
            yield Problem(
                ("tasks", i, "dataset", "samples"), f"the sample {twice!r} is listed twice", "list it once"
            )
        elif n is not None and n != len(ids):
            yield Problem(
                ("tasks", i, "dataset", "n"),
                f"{n} samples are promised and {len(ids)} ids are listed",
                "make them agree, or leave `n` out",
            )


def claims_refer_to_hypotheses(protocol: "Protocol") -> Iterator[Problem]:
    """Conceptual claims and takeaways name hypotheses that exist."""
    hypotheses = [hypothesis.id for hypothesis in protocol.hypotheses]
    for i, claim in enumerate(protocol.conceptual):
        for j, prediction in enumerate(claim.predicts):
            yield from missing(
                ("conceptual", i, "predicts", j, "hypothesis"),
                prediction.hypothesis,
                "hypothesis",
                hypotheses,
            )
    for i, takeaway in enumerate(protocol.takeaways):
        yield from missing(("takeaways", i, "hypothesis"), takeaway.hypothesis, "hypothesis", hypotheses)
    yield from duplicates(
        [
            (("takeaways", i, "hypothesis"), takeaway.hypothesis)
            for i, takeaway in enumerate(protocol.takeaways)
        ],
        "takeaway",
    )


def takeaways_are_in_the_grammar(protocol: "Protocol") -> Iterator[Problem]:
    """Every takeaway is a sentence of the grammar."""
    from leadline.protocol.takeaway import OUTCOMES, parse

    for i, takeaway in enumerate(protocol.takeaways):
        for outcome in OUTCOMES:
            try:
                parse(getattr(takeaway, outcome), protocol)
            except ProtocolError as error:
                yield Problem(("takeaways", i, outcome), error.message, error.remedy())
