"""A task is compared before it begins, by the report's own checks."""

from typing import Any

import pytest

from bench.launch.lab import ITEMS, plan
from leadline.bench.launch.berth import Order
from leadline.bench.launch.comparing import compare, header_of
from leadline.ledger.seeds import order as keyed
from leadline.protocol.model import Protocol
from leadline.verdict.seeding import Seeds, shuffled

LEAF = bytes(range(32))
SEEDS = Seeds.of(LEAF)
PROTOCOL = Protocol.model_validate(plan())
IDS = list(PROTOCOL.tasks[0].dataset.samples or ())
ORDER = Order(
    study="LL-x",
    origin="example.org",
    attempt=1,
    stamp={"leadline_study": "LL-x", "leadline_attempt": "ab"},
    registration={"digest": "d", "index": 1, "leaf": LEAF.hex(), "created": "2026-01-01T00:00:00+00:00"},
    created="2026-01-02T00:00:00+00:00",
)


def spec(**changes: Any) -> dict[str, Any]:
    """What Inspect says of a task that keeps every promise of the arm `examples`; fields replaced."""
    args = {"skill": "sorting", "level": 1, "n": ITEMS, "seed": 21, "shots": 2}
    return {
        "eval_id": "e",
        "run_id": "r",
        "task": "leadline/ladder_skill",
        "task_id": "t",
        "task_version": 1,
        "task_args": args,
        "task_args_passed": args,
        "created": "2026-01-03T00:00:00+00:00",
        "model": "ladder/reef-1",
        "model_generate_config": {"temperature": 0, "seed": SEEDS.generate},
        "config": {"sample_shuffle": SEEDS.shuffle, "epochs": 1},
        "dataset": {"name": "d", "sample_ids": shuffled(IDS, SEEDS.shuffle)},
        "scorers": [{"name": "exact_answer", "options": {}}],
        "metadata": {"leadline_study": "LL-x", "leadline_attempt": "ab"},
        **changes,
    }


def differing(order: Order = ORDER, **changes: Any) -> tuple[str | None, dict[str, str]]:
    """The arm, and what was found where something differs."""
    arm, differences = compare(PROTOCOL, order, header_of(spec(**changes), {"steps": [], "config": {}}))
    return arm, {one.setting: one.found for one in differences}


def test_a_kept_promise_differs_in_nothing() -> None:
    """The arm is found by what distinguishes it."""
    assert differing() == ("examples", {})


@pytest.mark.parametrize(
    ("changes", "setting"),
    [
        ({"model": "ladder/reef-2"}, "model.id"),
        ({"task_version": 2}, "task.version"),
        ({"model_generate_config": {"temperature": 0, "seed": 7}}, "generate.seed"),
        (
            {"model_generate_config": {"temperature": 0, "seed": SEEDS.generate, "top_p": 0.5}},
            "generate.top_p",
        ),
        ({"config": {"sample_shuffle": SEEDS.shuffle, "epochs": 2}}, "epochs"),
        ({"config": {"sample_shuffle": SEEDS.shuffle, "message_limit": 3}}, "limits.message_limit"),
        ({"config": {"sample_shuffle": 7}}, "dataset.order"),
        ({"config": {}}, "dataset.order"),
        ({"scorers": [{"name": "other"}]}, "scorer.name"),
        ({"metadata": {"leadline_study": "LL-x"}}, "metadata.leadline_attempt"),
        ({"model_roles": {"grader": {"model": "openai/judge"}}}, "judge.undeclared"),
    ],
)
def test_each_broken_promise_is_named(changes: dict[str, Any], setting: str) -> None:
    """And nothing else is."""
    assert list(differing(**changes)[1]) == [setting]


def test_items_that_were_not_promised_are_named() -> None:
    """By id, and by their number."""
    _, found = differing(dataset={"sample_ids": ["x"]}, config={"sample_shuffle": SEEDS.shuffle})
    assert {"dataset.samples", "dataset.n"} <= set(found)


def test_ids_in_the_derived_order_need_no_shuffle() -> None:
    """A harness without a seeded shuffle sorts the ids by their digests."""
    ids = keyed(LEAF, sorted(IDS))
    assert differing(config={}, dataset={"sample_ids": ids}) == ("examples", {})


def test_no_arm_and_two_arms_are_told() -> None:
    """A stranger's task; and one that could be either of two arms."""
    arm, found = differing(task="other", model="other/model")
    assert arm is None and found["arm"] == "other on other/model"
    passed = {"skill": "sorting", "level": 1, "n": ITEMS, "seed": 21, "shots": 1}
    other = spec(task_args=passed, task_args_passed=passed)
    plain = Protocol.model_validate(plan(arms=[{**arm, "metadata": {}} for arm in plan()["arms"]]))
    arm, differences = compare(plain, ORDER, header_of(other, {}))
    assert arm is None and "as near to examples as to plain" in [one.found for one in differences]
