"""From samples to items: every promised result is kept, left out for a reason, or missing."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadline.errors import StatisticsError
from leadline.logs import read_logs
from leadline.protocol.blocks.conduct import CountAs, DataRules, Exclusion
from leadline.protocol.blocks.design import Measure
from leadline.verdict.items import items_of_arm
from leadline.verdict.model import Denominator
from leadline.verdict.specification import Promise, Specification
from logs.factory import sample, write_eval

MATCH = Measure(name="accuracy", score="match")


def table_of(path: Path, samples: list[dict[str, Any]], **columns: Any) -> Any:
    """An Arrow table read from a log with these samples."""
    log = write_eval(path / f"{len(list(path.iterdir()))}.eval", samples=samples)
    return read_logs(log, tier="sample", **columns).to_arrow()


def balanced(side: Denominator) -> bool:
    """Promised = kept + left out + missing."""
    missing = side.missing.count if side.missing else 0
    return side.promised == side.kept + sum(one.count for one in side.left_out) + missing


def test_plain_results_become_items(tmp_path: Path) -> None:
    """C counts 1 and I counts 0, ids sorted."""
    rows = table_of(tmp_path, [sample("b", "I"), sample("a", "C")])
    items, side = items_of_arm(rows, "arm", Promise(("a", "b"), 2, 1), Specification(MATCH, DataRules()))
    assert items.ids.tolist() == ["a", "b"]
    assert items.values.tolist() == [1.0, 0.0]
    assert (side.promised, side.kept, side.left_out, side.missing) == (2, 2, (), None)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ({"score": "C", "error": "boom"}, "error"),
        ({"score": None}, "unscored"),
        ({"score": float("nan")}, "unscored"),
        ({"score": "perhaps"}, "malformed"),
        ({"score": {"match": {"value": float("nan"), "reason": "refusal"}}}, "unscored"),
    ],
)
def test_each_way_of_leaving_has_its_reason(tmp_path: Path, bad: dict[str, Any], reason: str) -> None:
    """A result that is not plain leaves with the name of why."""
    score = bad.pop("score")
    rows = table_of(tmp_path, [sample("a", "C"), sample("b", score, **bad)])
    items, side = items_of_arm(rows, "arm", Promise(("a", "b"), 2, 1), Specification(MATCH, DataRules()))
    assert len(items) == 1
    assert [(one.reason, one.count, one.samples) for one in side.left_out] == [(reason, 1, ("b#1",))]
    assert balanced(side)


def test_a_rule_may_count_instead_of_excluding(tmp_path: Path) -> None:
    """`error: {value: 0}` keeps the sample as wrong."""
    rows = table_of(tmp_path, [sample("a", "C"), sample("b", None, error="boom")])
    rules = DataRules(error=CountAs(value=0))
    items, side = items_of_arm(rows, "arm", Promise(("a", "b"), 2, 1), Specification(MATCH, rules))
    assert items.values.tolist() == [1.0, 0.0]
    assert side.kept == 2


def test_a_sample_without_this_score_is_unscored_not_gone(tmp_path: Path) -> None:
    """A sample that only another scorer scored still counts in the denominator."""
    rows = table_of(tmp_path, [sample("a", {"match": "C", "other": 1}), sample("b", {"other": 1})])
    _, side = items_of_arm(rows, "arm", Promise(("a", "b"), 2, 1), Specification(MATCH, DataRules()))
    assert side.left_out[0].samples == ("b#1",)
    assert balanced(side)


def test_missing_and_unpromised_samples_are_named(tmp_path: Path) -> None:
    """What was promised and not run is missing; what was run and not promised is never analysed."""
    rows = table_of(tmp_path, [sample("a", "C"), sample("z", "C")])
    items, side = items_of_arm(rows, "arm", Promise(("a", "b"), 2, 1), Specification(MATCH, DataRules()))
    assert items.ids.tolist() == ["a"]
    assert side.missing is not None and side.missing.samples == ("b#1",)
    assert side.unpromised is not None and side.unpromised.samples == ("z#1",)
    assert balanced(side)


def test_epochs_of_an_item_are_one_value(tmp_path: Path) -> None:
    """Four answers to one question are one item; the registered rule reduces them."""
    rows = table_of(tmp_path, [sample("a", s, epoch=i + 1) for i, s in enumerate("CICC")])
    for rule, value in (("mean", 0.75), ("max", 1.0), ("min", 0.0), ("first", 1.0), ("median", 1.0)):
        spec = Specification(MATCH, DataRules(), epochs=rule)  # type: ignore[arg-type]
        items, side = items_of_arm(rows, "arm", Promise(("a",), 1, 4), spec)
        assert items.values.tolist() == [value]
        assert (side.promised, side.kept, side.items) == (4, 4, 1)


def test_a_registered_exclusion_is_counted_under_its_id(tmp_path: Path) -> None:
    """An exclusion by expression leaves with its own name."""
    rules = DataRules(exclusions=(Exclusion(id="hard", when="metadata.level > 2", reason="too hard"),))
    samples = [sample(f"s{i}", "C", metadata={"level": i}) for i in range(5)]
    rows = table_of(tmp_path, samples, columns=["metadata.level"])
    items, side = items_of_arm(rows, "arm", Promise(None, 5, 1), Specification(MATCH, rules))
    assert len(items) == 3
    assert [(one.reason, one.count) for one in side.left_out] == [("excluded: hard", 2)]
    assert balanced(side)


def test_a_cluster_that_changes_within_an_item_is_an_error(tmp_path: Path) -> None:
    """A cluster belongs to the item, not to the run."""
    rows = table_of(tmp_path, [sample("a", "C", epoch=1), sample("a", "I", epoch=2)])
    spec = Specification(MATCH, DataRules(), cluster="uuid")
    with pytest.raises(StatisticsError, match="more than one cluster"):
        items_of_arm(rows, "arm", Promise(("a",), 1, 2), spec)


def test_a_registered_value_map_replaces_the_default(tmp_path: Path) -> None:
    """A map says what each logged value is worth; a value outside it is malformed."""
    measure = Measure(name="m", score="match", values={"C": 1.0, "P": 1.0, "I": 0.0})
    rows = table_of(tmp_path, [sample("a", "C"), sample("b", "P"), sample("c", "N")])
    items, side = items_of_arm(rows, "arm", Promise(None, 3, 1), Specification(measure, DataRules()))
    assert items.values.tolist() == [1.0, 1.0]
    assert side.left_out[0].reason == "malformed"


@settings(max_examples=25, deadline=None)
@given(st.permutations(list(range(12))))
def test_the_order_of_rows_does_not_matter(order: list[int]) -> None:
    """Shuffled rows give the same items and the same account."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        rows = table_of(
            Path(folder), [sample(f"s{i // 2}", "CIPN"[i % 4], epoch=i % 2 + 1) for i in range(12)]
        )
    spec = Specification(MATCH, DataRules())
    promise = Promise(None, 6, 2)
    first, account = items_of_arm(rows, "arm", promise, spec)
    again, same_account = items_of_arm(rows.take(order), "arm", promise, spec)
    assert np.array_equal(first.ids, again.ids) and np.array_equal(first.values, again.values)
    assert account == same_account
