"""What a study looks at: which dataset, measure and technique, and whether two studies look at the same.

Protocols are taken as plain JSON values, because those of other studies may be of another version.
"""

from collections.abc import Collection
from typing import Any, TypeAlias

Trait: TypeAlias = tuple[str, str, str]
"""Dataset, measure and technique, in lower case."""
Tested: TypeAlias = frozenset[tuple[Trait, bool]]
"""What one hypothesis looks at: each trait, and whether its arm comes first (the other is what it is compared with)."""


def traits(protocol: Any) -> frozenset[Trait]:
    """Every (dataset, measure, technique) of a protocol given as plain JSON values; none where it is odd.

    The dataset is its content digest where the protocol binds one, else its name, else the task's.
    """
    if not isinstance(protocol, dict):
        return frozenset()
    datasets = _datasets(protocol)
    measures = _measures(protocol).values()
    pairs = {(datasets.get(task, ""), technique) for task, technique in _arms(protocol).values()}
    found = ((dataset, measure, technique) for dataset, technique in pairs for measure in measures)
    return frozenset(trait for trait in found if all(trait))


def looks_of(protocol: Any) -> dict[str, Tested]:
    """What each hypothesis of a protocol looks at, by its id; none where it is odd."""
    if not isinstance(protocol, dict):
        return {}
    datasets, measures, arms = _datasets(protocol), _measures(protocol), _arms(protocol)
    found: dict[str, Tested] = {}
    for hypothesis in _dicts(protocol.get("hypotheses")):
        estimand = hypothesis.get("estimand")
        if not isinstance(estimand, dict) or not isinstance(estimand.get("arms"), list):
            continue
        measure = measures.get(str(estimand.get("measure")), "")
        looks = set()
        for place, name in enumerate(estimand["arms"]):
            task, technique = arms.get(str(name), ("", ""))
            trait = (datasets.get(task, ""), measure, technique)
            if all(trait):
                looks.add((trait, place == 0))
        found[str(hypothesis.get("id"))] = frozenset(looks)
    return found


def kin(one: Tested, others: Collection[Tested]) -> bool:
    """Whether a hypothesis looks at what one of the others looks at.

    What both only compare with (a baseline, the second arm of each) makes no kinship: a lab that tries five techniques
    against one baseline asks five questions.
    """
    return any(
        trait == shared and (first or leads)
        for trait, first in one
        for other in others
        for shared, leads in other
    )


def _datasets(protocol: dict[str, Any]) -> dict[str, str]:
    return {str(task.get("name")): _dataset(task) for task in _dicts(protocol.get("tasks"))}


def _measures(protocol: dict[str, Any]) -> dict[str, str]:
    measures = _dicts(protocol.get("measures"))
    return {str(one.get("name")): _text(one.get("score") or one.get("name")) for one in measures}


def _arms(protocol: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """Task and technique of each arm."""
    arms = _dicts(protocol.get("arms"))
    return {str(arm.get("name")): (str(arm.get("task")), _text(arm.get("technique"))) for arm in arms}


def _dataset(task: dict[str, Any]) -> str:
    dataset = task.get("dataset")
    found = dataset if isinstance(dataset, dict) else {}
    return _text(found.get("sha256") or found.get("name") or task.get("task") or task.get("name"))


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _text(value: Any) -> str:
    return " ".join(str(value or "").casefold().split())
