"""Rules that look at what is registered already."""

from collections.abc import Iterator
from datetime import date

from leadline.landscape import technique
from leadline.protocol.model import Protocol
from leadline.registry.check.model import Finding, Rule, Studies, View, finding

#: From this likeness on a study is named even where technique, dataset and score go by other names.
_NEAR = 0.5

Key = tuple[str, str, str]


def duplicates(view: View) -> Iterator[Finding]:
    """A study of the same dataset, technique and measure is named, and one that is all but the same."""
    if view.registry is None:
        return
    mine = keys(view.plan)
    for study, likeness in view.registry.neighbours(view.plan):
        theirs = study.protocol
        if theirs.digest == view.plan.digest:
            yield finding(
                "R102",
                "title",
                f"study {study.id} is this very protocol",
                "registering it again returns that study",
            )
            continue
        shared = sorted(mine & keys(theirs))
        if shared:
            _, name, score = shared[0]
            said = f"study {study.id} registered {name!r} on the same dataset with the score {score!r}"
        elif likeness >= _NEAR:
            said = f"study {study.id}, {theirs.title!r}, asks nearly the same"
        else:
            continue
        yield finding("R101", "arms", said, "cite it in `relations`, or say in `notes` what is new")


def compared(plan: Protocol, registry: Studies, today: date | None) -> list[Finding]:
    """What these rules alone find: the part of `check` that needs a registry."""
    view = View(plan, today, registry)
    return [found for rule in RULES for found in rule(view)]


def keys(plan: Protocol) -> set[Key]:
    """(dataset digest, technique, score) of every arm that a hypothesis asks about; only bound datasets count."""
    found = set()
    for hypothesis in plan.hypotheses:
        score = plan.measure(hypothesis.estimand.measure).score
        for name in hypothesis.estimand.arms:
            arm = plan.arm(name)
            digest = plan.task(arm.task).dataset.sha256
            if digest is not None and arm.technique.casefold() not in ("none", "baseline"):
                found.add((digest, canonical_technique(arm.technique), score))
    return found


def canonical_technique(text: str) -> str:
    """The vocabulary's id for a technique, else its words in lower case."""
    known = technique(text)
    return known.id if known is not None else " ".join(text.casefold().split())


RULES: tuple[Rule, ...] = (duplicates,)
