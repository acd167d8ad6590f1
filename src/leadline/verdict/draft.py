"""A protocol drafted from logs: what they say is filled in, what only a person knows is marked."""

import textwrap
from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from leadline.logs.headers import LogHeader
from leadline.protocol.blocks.claims import Estimand, Hypothesis
from leadline.protocol.blocks.conduct import Assumptions, Foreknowledge, SampleSize
from leadline.protocol.blocks.design import Arm, Measure, Task
from leadline.protocol.blocks.identity import Author
from leadline.protocol.document import dump
from leadline.protocol.model import Protocol
from leadline.verdict.conformance.context import same
from leadline.verdict.from_headers import beyond, line, models_of, name_of, plain, shown, task_of
from leadline.verdict.seeding import FROM_FREEZE
from leadline.verdict.sides import Difference, decoding, differing, is_telling

if TYPE_CHECKING:
    from leadline.verdict.comparison import Comparison

FILL_IN = "FILL IN"
DEFAULT_SMALLEST = 0.05

#: Longest value of a setting that becomes part of an arm's name.
_NAMED = 24


def draft_from_comparison(comparison: "Comparison") -> str:
    """YAML text of a protocol for the next run of a comparison of two logs.

    Both logs are named as pilots. Where they were sampled (a temperature above 0), the next seed derives from
    the freeze; the preface says what else has to be new, and which fields only a person can fill in.
    """
    a, b = (side[0] for side in comparison.headers)
    headers = [header for side in comparison.headers for header in side]
    lead = next((one for one in differing(a, b) if is_telling(one.name)), None)
    arms = _arm_names(a, b, lead)
    models = models_of([a, b])
    tasks = _tasks(list(zip(arms, comparison.headers, strict=True)))
    measure = Measure(name=name_of(comparison.score), score=comparison.score, cluster=comparison.cluster_by)
    protocol = Protocol(
        title=_title(a, b, lead),
        authors=(Author(name=FILL_IN),),
        models=tuple(models.values()),
        tasks=tuple({task.name: task for task in tasks.values()}.values()),
        arms=tuple(
            _arm(arm, header, models[header.model].name, tasks[arm])
            for arm, header in zip(arms, (a, b), strict=True)
        ),
        measures=(measure,),
        hypotheses=(
            Hypothesis(
                id="H1",
                claim=line(f"{FILL_IN}: {arms[0]} and {arms[1]} differ on {comparison.score}"),
                kind="differs",
                estimand=Estimand(type="paired_difference", measure=measure.name, arms=arms),
                smallest=comparison.smallest or DEFAULT_SMALLEST,
                why_smallest=FILL_IN,
            ),
        ),
        sample_size=SampleSize(
            items=max(comparison.pairs, 1), clusters=comparison.clusters, assumptions=_assumptions(comparison)
        ),
        foreknowledge=Foreknowledge(
            level="pilot_outcomes", pilots=tuple(dict.fromkeys(header.sha256 for header in headers))
        ),
    )
    return preface(protocol, (a, b)) + dump(protocol)


def preface(protocol: Protocol, pilots: Sequence[LogHeader]) -> str:
    """Comment lines above a draft: what was seen, what has to be new, and what is left to fill in."""
    places = fields_to_fill(protocol)
    change = "change the items or the seed before registering, so that the next run brings new information"
    paragraphs = (
        "Drafted from logs that were already seen: they are named as pilots below, and the next run is the test.",
        f"These results are known: {change}. {_news(pilots)}",
        f'{len(places)} fields are marked "{FILL_IN}", for only you know what belongs there: {", ".join(places)}.',
        "Then: leadline check FILE, and leadline register FILE (FILE is this file).",
    )
    wrap = partial(textwrap.wrap, width=108, break_long_words=False, break_on_hyphens=False)
    return "".join(f"# {row}\n" for paragraph in paragraphs for row in wrap(paragraph))


def fields_to_fill(protocol: Protocol) -> tuple[str, ...]:
    """Paths of the fields that still say FILL IN, in the order of the document, e.g. `authors[0].name`."""
    document = protocol.model_dump(mode="json", exclude_defaults=True)
    return tuple(line(path) for path, text in _texts(document, "") if FILL_IN in text)


def _texts(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _texts(item, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from _texts(item, f"{path}[{index}]")


def _news(pilots: Sequence[LogHeader]) -> str:
    """What has to change before registering, given how the pilots were decoded."""
    items = (
        "other items (a new seed or selection of the dataset; then renew or leave out `sha256`, `n` and"
        " `samples` of `dataset`)"
    )
    if all(_is_sampled(header) for header in pilots):
        return (
            "The seed is changed already: with `seed: from_freeze` the freeze decides it, and the same items get"
            f" new answers. For new questions as well, take {items}."
        )
    stated = all(_temperature(header) is not None for header in pilots)
    why = (
        "At temperature 0 the same items only give the same numbers again"
        if stated
        else "The logs do not all state a temperature; if it is 0, the same items only give the same numbers again"
    )
    return f"{why}. Take {items}, or a temperature above 0 with `seed: from_freeze` in `generate`."


def _title(a: LogHeader, b: LogHeader, lead: Difference | None) -> str:
    on = f" on {a.task}" if a.task == b.task else ""
    if a.model != b.model:
        return line(f"{a.model} against {b.model}{on}")
    if lead is None:
        return line(f"{a.model} against itself{on}")
    if lead.name == "solver":
        return line(f"One solver against another, {a.model}{on}")
    values = f"{shown(lead.a)} against {shown(lead.b)}"
    return line(f"{lead.name} {values}, {a.model}{on}")


def _arm_names(a: LogHeader, b: LogHeader, lead: Difference | None) -> tuple[str, str]:
    """Names that say what differs: the models, or the leading setting with its value."""
    if lead is None:
        return "a", "b"
    if lead.name == "model":
        short = [name_of(header.model.rpartition("/")[2]) for header in (a, b)]
        names = short if short[0] != short[1] else [name_of(header.model) for header in (a, b)]
    elif lead.name == "task":
        names = [name_of(header.task) for header in (a, b)]
    else:
        key = lead.name.rpartition(".")[2]
        values = [shown(value) for value in (lead.a, lead.b)]
        if lead.name == "solver" or max(map(len, values)) > _NAMED:
            values = ["a", "b"]
        names = [name_of(f"{key}-{value}") for value in values]
    return (names[0], names[1]) if names[0] != names[1] else ("a", "b")


def _tasks(sides: Sequence[tuple[str, Sequence[LogHeader]]]) -> dict[str, Task]:
    """The task of each arm: one for both if they ran one task by one plan, else one each.

    Arguments and decoding that the logs share go to the task.
    """
    (first, ours), (second, theirs) = sides
    one, two = ours[0], theirs[0]
    if one.task == two.task and same(list(one.steps), list(two.steps)):
        both = task_of([*ours, *theirs], name_of(one.task), _decoding)
        return {first: both, second: both}
    names = [name_of(one.task), name_of(two.task)]
    if names[0] == names[1]:
        names = [name_of(f"{names[0][:40]}-{arm[:20]}") for arm in (first, second)]
    return {first: task_of(ours, names[0], _decoding), second: task_of(theirs, names[1], _decoding)}


def _arm(name: str, header: LogHeader, model: str, task: Task) -> Arm:
    return Arm(
        name=name,
        technique=f"{FILL_IN} (arm {name})",
        model=model,
        task=task.name,
        task_args=beyond(plain(header.task_args), task.args),
        generate=beyond(_decoding(header), task.generate),
    )


def _decoding(header: LogHeader) -> dict[str, Any]:
    """Decoding for the next run: as logged, but a sampled run gets a seed nobody could have tried out."""
    config: dict[str, Any] = plain(decoding(header))
    return config | {"seed": FROM_FREEZE} if _is_sampled(header) else config


def _temperature(header: LogHeader) -> float | None:
    value = (header.generate_config or {}).get("temperature")
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _is_sampled(header: LogHeader) -> bool:
    return (_temperature(header) or 0.0) > 0


def _assumptions(comparison: "Comparison") -> Assumptions:
    """The pilot's own numbers, so that power is computed from them."""
    binary = comparison.both is not None
    estimate = comparison.estimate
    sd = None
    if not binary and estimate is not None and estimate.se:
        # Standard deviation of a single value if both arms vary alike and correlate at the default.
        sd = float(estimate.se * np.sqrt(comparison.pairs))
    return Assumptions(
        baseline=None if comparison.b.mean is None else round(comparison.b.mean, 6),
        binary=binary,
        sd=None if sd is None else max(round(sd, 6), 1e-6),
        source="the two logs this draft was made from",
    )
