"""Rules about who promises, when, and what had been seen."""

from collections.abc import Iterator

from leadline.landscape import is_area, mentioned, suggest
from leadline.protocol.model import Protocol
from leadline.registry.check.model import Finding, Rule, View, finding
from leadline.verdict.draft import FILL_IN


def dates(view: View) -> Iterator[Finding]:
    """A result is owed on a day to come."""
    timeline, today = view.plan.timeline, view.today
    if timeline.due is None:
        yield finding(
            "I101",
            "timeline.due",
            "no day is set on which a result is owed",
            "add `timeline: {due: YYYY-MM-DD}`",
        )
    elif today is not None and timeline.due < today:
        yield finding(
            "I102",
            "timeline.due",
            f"the result was due on {timeline.due}, today is {today}",
            "set a day to come",
        )
    if today is not None and timeline.not_before is not None and timeline.not_before < today:
        yield finding(
            "I103",
            "timeline.not_before",
            f"the run may begin on {timeline.not_before}, which has passed",
            "set today or a later day, and begin after registering",
        )


def areas(view: View) -> Iterator[Finding]:
    """The study has its place in the landscape."""
    if not view.plan.area:
        near = mentioned(" ".join([view.plan.title, *(arm.technique for arm in view.plan.arms)]))[:3]
        remedy = (
            f"perhaps {', '.join(near)}; `leadline new --areas` lists all"
            if near
            else "see `leadline new --areas`"
        )
        yield finding("I104", "area", "the study names no area of the landscape", remedy)
    for i, name in enumerate(view.plan.area):
        if not is_area(name):
            near = suggest(name, limit=1)
            remedy = f"did you mean {near[0]!r}?" if near else "see `leadline new --areas`"
            yield finding("I105", f"area[{i}]", f"{name!r} is not in the vocabulary", remedy)


def authors(view: View) -> Iterator[Finding]:
    """Automated authors say which model they are."""
    for i, author in enumerate(view.plan.authors):
        if author.kind == "llm" and not author.model:
            yield finding(
                "I106",
                f"authors[{i}]",
                f"the automated author {author.name!r} does not say which model it is",
                "add its exact `model`",
            )


def target(view: View) -> Iterator[Finding]:
    """The problem served, and what each outcome would mean for it."""
    stated = view.plan.target
    if stated is None:
        yield finding(
            "I107", "target", "the later problem this stands for is not stated", "add a `target` block"
        )
        return
    absent = [
        word
        for word in ("supported", "refuted", "null", "inconclusive")
        if not stated.meaning.get(word, "").strip()
    ]
    if absent:
        yield finding(
            "I112",
            "target.meaning",
            f"not stated for: {', '.join(absent)}",
            "write a sentence for each outcome",
        )


def foreknowledge(view: View) -> Iterator[Finding]:
    """What had been seen agrees with what the study calls itself."""
    known = view.plan.foreknowledge
    if known.level == "outcomes" and view.plan.status == "confirmatory":
        yield finding(
            "I108",
            "foreknowledge.level",
            "the outcomes have been seen, and the study calls itself confirmatory",
            "set `status: exploratory`, or register a plan for data nobody has seen",
        )
    if known.level == "pilot_outcomes" and not known.pilots:
        yield finding(
            "I109",
            "foreknowledge.pilots",
            "pilot outcomes were seen, and no pilot log is named",
            "list the sha256 of each pilot log",
        )


def pilots_on_the_same_items(view: View) -> Iterator[Finding]:
    """Deterministic decoding of items a pilot has answered gives the pilot's answers again."""
    plan = view.plan
    known = plan.foreknowledge
    seen = known.level == "pilot_outcomes" and known.pilot_items != "other"
    if not seen or plan.status != "confirmatory":
        return
    arms = [plan.arm(name) for name in {n for h in plan.hypotheses for n in h.estimand.arms}]
    bound = all(plan.task(arm.task).dataset.sha256 is not None for arm in arms)
    settings = [{**plan.task(arm.task).generate, **arm.generate} for arm in arms]
    if bound and settings and all(_greedy(generate.get("temperature")) for generate in settings):
        yield finding(
            "I114",
            "foreknowledge.pilot_items",
            "pilot outcomes are known, the items are fixed and every arm decodes at temperature 0: "
            "running the pilot's items again would give its numbers, and no new information",
            "register other items (another seed or selection) and say `pilot_items: other`, "
            "or decode above temperature 0 with `seed: from_freeze`",
        )


def _greedy(temperature: object) -> bool:
    return isinstance(temperature, int | float) and not isinstance(temperature, bool) and temperature == 0


def rules_for_models(view: View) -> Iterator[Finding]:
    """Models named by a rule are still to be fixed."""
    for i, model in enumerate(view.plan.models):
        if model.id is None:
            yield finding(
                "I110",
                f"models[{i}]",
                f"the model {model.name!r} is so far only a rule: {model.rule}",
                "amend the protocol with the exact id before running",
            )


def relations(view: View) -> Iterator[Finding]:
    """A replication names what it replicates."""
    if view.plan.status == "replication" and not any(r.kind == "replicates" for r in view.plan.relations):
        yield finding(
            "I111",
            "relations",
            "a replication that names no study",
            "add `relations: [{kind: replicates, study: ...}]`",
        )


def unfilled(view: View) -> Iterator[Finding]:
    """Nothing a draft marked for a person to fill in is left."""
    for path, text in unfinished(view.plan):
        yield finding("I113", path, f"still to be filled in: {text[:60]!r}", "write what only you know")


def unfinished(plan: Protocol) -> list[tuple[str, str]]:
    """Path and text of every field a draft marked for a person to fill in."""
    written = plan.model_dump(mode="json", exclude_defaults=True)
    return [(path, text) for path, text in _texts(written, "") if FILL_IN in text]


def _texts(value: object, path: str) -> Iterator[tuple[str, str]]:
    """Every text below a value, with its path."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _texts(item, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _texts(item, f"{path}[{index}]")


RULES: tuple[Rule, ...] = (
    dates, areas, authors, target, foreknowledge, pilots_on_the_same_items, rules_for_models, relations, unfilled,
)  # fmt: skip
