"""Rules about controls, clusters, sample size, data rules and openness."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from math import ceil

from leadline.protocol.blocks.claims import Control
from leadline.registry.check.model import Finding, Rule, View, asked, finding
from leadline.registry.openness import opens_on
from leadline.store.projections.status import closing_day, grace_end

#: Claim kinds that can end null.
_NULLABLE = ("greater", "at_least", "differs")
_LARGE_CAP = 0.2
_TOO_FEW, _FEW = 5, 10


def controls(view: View) -> Iterator[Finding]:
    """Nulls have assay sensitivity; the pipeline is tried in both directions."""
    registered = view.plan.controls
    for i, hypothesis in enumerate(view.plan.hypotheses):
        if hypothesis.kind in _NULLABLE and not any(_supports(c, hypothesis.id) for c in registered):
            yield finding(
                "C101",
                f"hypotheses[{i}]",
                f"no positive control supports {hypothesis.id!r}: a null would carry no assay sensitivity",
                "add a control of kind `positive`: an effect known to be there that the pipeline must find",
            )
    for kind, code, remedy in (
        ("baseline", "C102", "add a control of kind `baseline` with the value others found"),
        ("negative", "C103", "add a control of kind `negative`: a comparison with no difference"),
    ):
        if not any(control.kind == kind for control in registered):
            yield finding(code, "controls", f"no {kind} control is registered", remedy)


def _supports(control: Control, hypothesis: str) -> bool:
    return control.kind == "positive" and (not control.supports or hypothesis in control.supports)


def missing(view: View) -> Iterator[Finding]:
    """The cap on missing results is small; refusals are recognised."""
    rules = view.plan.data_rules
    if rules.missing_cap > _LARGE_CAP:
        yield finding(
            "C104",
            "data_rules.missing_cap",
            f"{rules.missing_cap:.0%} of the results may be missing and the outcome still counts",
            "lower the cap, or count what fails with a value instead of excluding it",
        )
    if rules.refusal != "keep" and rules.refusal_when is None:
        yield finding(
            "C113",
            "data_rules.refusal_when",
            "refusals are treated apart, and only the scorer's own mark will recognise them",
            "add `refusal_when` if the scorer does not mark refusals",
        )


def clusters(view: View) -> Iterator[Finding]:
    """Clusters are enough, registered where planned, and assumed to matter."""
    size = view.plan.sample_size
    clustered = any(measure.cluster is not None for measure in view.plan.measures)
    if size.clusters is not None and not clustered:
        yield finding(
            "C108",
            "sample_size.clusters",
            f"{size.clusters} clusters are planned, and no measure has a `cluster`",
            "add `cluster` to the measure, e.g. `metadata.topic`",
        )
    if not clustered or size.clusters is None:
        return
    floor = max(_TOO_FEW, size.min_clusters)
    if size.clusters < floor:
        yield finding(
            "C105",
            "sample_size.clusters",
            f"{size.clusters} clusters are planned, at least {floor} are needed",
            "plan more clusters with fewer items each",
        )
    elif size.clusters < _FEW:
        yield finding(
            "C106",
            "sample_size.clusters",
            f"{size.clusters} clusters are few",
            "plan ten or more, with fewer items each",
        )
    if size.assumptions.icc == 0:
        yield finding(
            "C110",
            "sample_size.assumptions.icc",
            "the items of a cluster are assumed to be as different as any others",
            "state an `icc` from a pilot; .05 to .2 is usual for benchmark topics",
        )


def groups(view: View) -> Iterator[Finding]:
    """Sample ids that fall in groups have a cluster."""
    for i, measure in enumerate(view.plan.measures):
        if measure.cluster is not None:
            continue
        tasks = {view.plan.arm(arm).task for arm in _arms_of(view, measure.name)}
        for task in view.plan.tasks:
            found = grouping(task.dataset.samples or ()) if task.name in tasks else None
            if found is not None:
                groups, example = found
                yield finding(
                    "C107",
                    f"measures[{i}].cluster",
                    f"the sample ids of {task.name!r} look like {groups} groups (e.g. {example!r}), and no cluster is registered",
                    "add `cluster`, e.g. `split_part(sample_id, '-', 1)`, or say in `notes` why the items are independent",
                )


def _arms_of(view: View, measure: str) -> Iterable[str]:
    for entry in asked(view.plan):
        if entry.estimand.measure == measure:
            yield from entry.estimand.arms


def grouping(ids: Sequence[str]) -> tuple[int, str] | None:
    """(number of groups, one of them) when ids share what precedes their last separator; None when they do not.

    At least two groups, of at least two ids on average, that hold nine ids of ten.
    """
    stems = Counter(match[1] for name in ids if (match := re.fullmatch(r"(.+)[-_/:.#][^-_/:.#]+", name)))
    shared = {stem: count for stem, count in stems.items() if count > 1}
    covered = sum(shared.values())
    if len(shared) < 2 or covered < 0.9 * len(ids) or covered < 2 * len(shared):
        return None
    return len(shared), min(shared)


def sizes(view: View) -> Iterator[Finding]:
    """The dataset holds the items the analysis demands."""
    size = view.plan.sample_size
    least = ceil(size.items * (1 - view.plan.data_rules.missing_cap) - 1e-9)
    for i, task in enumerate(view.plan.tasks):
        have = len(task.dataset.samples) if task.dataset.samples else task.dataset.n
        if have is not None and have < least and _asked(view, task.name):
            yield finding(
                "C109",
                f"tasks[{i}].dataset",
                f"{have} samples are promised, and the analysis needs at least {least} of {size.items} items",
                "lower `sample_size.items`, or promise more samples",
            )


def _asked(view: View, task: str) -> bool:
    return any(view.plan.arm(arm).task == task for h in view.plan.hypotheses for arm in h.estimand.arms)


def support(view: View) -> Iterator[Finding]:
    """Assumptions come from somewhere; another analysis is tried."""
    if not view.plan.sample_size.assumptions.source.strip():
        yield finding(
            "C111",
            "sample_size.assumptions.source",
            "where the assumptions come from is not said",
            "name the pilot or the paper",
        )
    if not view.plan.robustness:
        yield finding(
            "C112",
            "robustness",
            "no alternative specification is registered",
            "add one, e.g. another treatment of errors",
        )


def openness(view: View) -> Iterator[Finding]:
    """A plan that asks for less openness than registering gives says so before it is registered."""
    hazard, due = view.plan.hazard, view.plan.timeline.due
    if hazard.level == "open":
        return
    yield finding(
        "C114",
        "hazard.level",
        f"the level is {hazard.level!r}: registered in the open, the plan and every attached log are public at "
        "once, and only the report does not follow by itself",
        "seal it (`leadline seal`) if its content must stay shut; else say in `hazard.reason` what may be seen",
    )
    day = opens_on(hazard)
    if hazard.level != "delayed":
        return
    if day is None:
        yield finding(
            "C115",
            "hazard.release",
            "no date says until when the report waits, so it is never published by itself",
            "give the day, e.g. `release: 2027-03-31`",
        )
    elif due is not None and day >= closing_day(grace_end(due)):
        yield finding(
            "C115",
            "hazard.release",
            f"the report waits until {day}, and the study closes as undisclosed on {closing_day(grace_end(due))}",
            "move `release` or `timeline.due`; a closed study may still be reported, late",
        )


RULES: tuple[Rule, ...] = (controls, missing, clusters, groups, sizes, support, openness)
