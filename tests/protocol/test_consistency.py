"""Blocks that contradict each other are refused when a protocol is made, whichever way it is made."""

from typing import Any

import pytest

from leadline.errors import ProtocolError
from leadline.protocol.consistency import InconsistentProtocolError, find_problems
from protocol.examples import study, with_fields

ONE_ARM = {"type": "mean", "measure": "acc", "arms": ["treated"]}


def hypothesis(**fields: Any) -> list[dict[str, Any]]:
    """The study's hypothesis with fields replaced."""
    return [{**study().hypotheses[0].model_dump(mode="json"), **fields}]


def estimand(**fields: Any) -> dict[str, Any]:
    """The hypothesis' estimand with fields replaced."""
    return {**study().hypotheses[0].estimand.model_dump(mode="json"), **fields}


FORECAST = {"by": "Ada", "hypothesis": "h1"}
EVEN = {"supported": 0.25, "refuted": 0.25, "null": 0.25, "inconclusive": 0.25}
CONTROL = {"name": "c", "kind": "positive", "estimand": estimand(), "low": 0.1}

WRONG = [
    ({"hypotheses": hypothesis(estimand=ONE_ARM)}, "hypotheses[0]", "needs the `reference`"),
    ({"hypotheses": hypothesis(estimand={**ONE_ARM, "cut": 1}, reference=0)}, "hypotheses[0].estimand.cut", "no `cut`"),
    ({"hypotheses": hypothesis(estimand={**ONE_ARM, "type": "threshold"}, reference=0)}, "hypotheses[0].estimand", "needs its `cut`"),
    ({"hypotheses": hypothesis(estimand=estimand(type="ratio"))}, "hypotheses[0].smallest", "factor above 1"),
    ({"hypotheses": hypothesis(estimand=estimand(type="ratio"), smallest=1.2, margin=0.5)}, "hypotheses[0].margin", "at least 1"),
    ({"hypotheses": hypothesis(estimand=estimand(type="ratio"), smallest=1.2, reference=-1)}, "hypotheses[0].reference", "above 0"),
    ({"hypotheses": hypothesis(estimand=estimand(type="ratio"), smallest=1.2, expected=-1)}, "hypotheses[0].expected", "above 0"),
    ({"hypotheses": hypothesis(margin=0.05)}, "hypotheses[0].margin", "below the smallest"),
    ({"hypotheses": hypothesis(kind="differs", margin=0.01)}, "hypotheses[0].margin", "has no margin"),
    ({"hypotheses": hypothesis(kind="at_least", expected=0.05)}, "hypotheses[0].expected", "above 0.05"),
    ({"hypotheses": hypothesis(family="side")}, "hypotheses[0].family", "no family"),
    ({"hypotheses": hypothesis(method="wilson")}, "hypotheses[0].method", "does not answer"),
    ({"hypotheses": hypothesis(method="tango", estimand=estimand(type="difference"))}, "hypotheses[0].method", "does not answer"),
    ({"hypotheses": hypothesis() * 2}, "hypotheses[1].id", "used twice"),
    ({"hypotheses": hypothesis(estimand=estimand(where="value = 1"))}, "hypotheses[0].estimand.where", "after the run"),
    ({"hypotheses": hypothesis(estimand=estimand(where="log = 'a.eval'"))}, "hypotheses[0].estimand.where", "after the run"),
    ({"hypotheses": hypothesis(estimand=estimand(where="epoch"))}, "hypotheses[0].estimand.where", "a condition is wanted"),
    ({"conceptual": [{"id": "h1", "claim": "x", "predicts": [{"hypothesis": "h1", "outcome": "null"}]}]}, "conceptual[0].id", "used twice"),
    ({"conceptual": [{"id": "c", "claim": "x", "predicts": [{"hypothesis": "z", "outcome": "null"}]}]}, "conceptual[0].predicts[0].hypothesis", "no hypothesis"),
    ({"takeaways": [{"hypothesis": "h1"}, {"hypothesis": "h1"}]}, "takeaways[1].hypothesis", "used twice"),
    ({"controls": [{**CONTROL, "low": None}]}, "controls[0]", "can never fail"),
    ({"controls": [{**CONTROL, "high": 0.1}]}, "controls[0].high", "must be above low"),
    ({"controls": [{**CONTROL, "supports": ["z"]}]}, "controls[0].supports[0]", "no hypothesis"),
    ({"controls": [CONTROL, CONTROL]}, "controls[1].name", "used twice"),
    ({"controls": [{**CONTROL, "estimand": estimand(measure="z")}]}, "controls[0].estimand.measure", "no measure"),
    ({"forecasts": [{**FORECAST, "probabilities": {**EVEN, "null": 0.3}}]}, "forecasts[0].probabilities", "sum to 1.05"),
    ({"forecasts": [{**FORECAST, "probabilities": {"supported": 1}}]}, "forecasts[0].probabilities", "inconclusive, null, refuted"),
    ({"forecasts": [{**FORECAST, "probabilities": EVEN, "interval80": [1, 0]}]}, "forecasts[0].interval80", "above its high end"),
    ({"forecasts": [{**FORECAST, "probabilities": EVEN}] * 2}, "forecasts[1]", "already forecast"),
    ({"forecasts": [{**FORECAST, "hypothesis": "z", "probabilities": EVEN}]}, "forecasts[0].hypothesis", "no hypothesis"),
    ({"measures": [{"name": "acc", "score": "m", "low": 1, "high": 0}]}, "measures[0].high", "above low"),
    ({"robustness": [{"name": "r", "change": {}}]}, "robustness[0].change", "changes nothing"),
    ({"robustness": [{"name": "r", "change": {"method": "wilson"}}]}, "robustness[0].change.method", "none of the estimands"),
    ({"robustness": [{"name": "r", "change": {"where": "answer = 'A'"}}]}, "robustness[0].change.where", "after the run"),
    ({"robustness": [{"name": "r", "change": {"cluster": "split_part(id, '-', 1)"}}]}, "robustness[0].change.cluster", "no column"),
    ({"robustness": [{"name": "r", "change": {"data_rules": {"refusal_when": "nothing"}}}]}, "robustness[0].change.data_rules.refusal_when", "no column"),
    ({"data_rules": {"exclusions": [{"id": "e", "when": "error", "reason": "x"}]}}, "data_rules.exclusions[0].when", "a condition is wanted"),
    ({"data_rules": {"exclusions": [{"id": "e", "when": "epoch=2", "reason": "x"}] * 2}}, "data_rules.exclusions[1].id", "used twice"),
    ({"hazard": {"level": "sealed", "fields": ["hypothesis.claim"]}}, "hazard.fields[0]", "no block"),
    ({"timeline": {"not_before": "2027-02-01", "due": "2027-01-01"}}, "timeline.due", "before the run may begin"),
    ({"models": [{"name": "small", "id": "a", "rule": "b"}]}, "models[0]", "both an id and a rule"),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "where", "message"), WRONG)
def test_contradiction(fields: dict[str, Any], where: str, message: str) -> None:
    """Each contradiction is refused, alone, with the path of the field."""
    with pytest.raises(InconsistentProtocolError) as caught:
        with_fields(**fields)
    assert caught.value.where == where
    assert message in caught.value.message + (caught.value.remedy() or "")
    assert len(caught.value.problems) == 1, caught.value


RIGHT = [
    {"hypotheses": hypothesis(estimand=ONE_ARM, reference=0.5)},
    {
        "hypotheses": hypothesis(
            estimand={**ONE_ARM, "type": "threshold", "cut": 0.5}, reference=0.1, method="wilson"
        )
    },
    {"hypotheses": hypothesis(estimand=estimand(type="ratio"), smallest=1.2, margin=1.1, expected=1.5)},
    {"hypotheses": hypothesis(estimand=estimand(type="ratio"), smallest=1.2)},
    {"hypotheses": hypothesis(margin=0.04)},
    {"hypotheses": hypothesis(kind="at_least", expected=0.06)},
    {"hypotheses": hypothesis(method="tango")},
    {"hypotheses": hypothesis(family="side"), "families": [{"name": "side", "correction": "bh"}]},
    {"hypotheses": hypothesis(estimand=estimand(where="metadata.level = 'hard' and epoch = 1"))},
    {"controls": [CONTROL, {**CONTROL, "name": "d", "kind": "negative", "low": -0.1, "high": 0.1}]},
    {"forecasts": [{**FORECAST, "probabilities": {**EVEN, "null": 0.2500004}}]},
    {"robustness": [{"name": "r", "change": {"cluster": "item", "epochs": "first"}}]},
    {"data_rules": {"refusal_when": "contains(lower(answer), 'cannot')", "limit": {"value": 0}}},
    {"models": [{"name": "small", "rule": "next eligible release"}]},
    {"hazard": {"level": "sealed", "fields": ["hypotheses", "target.problem"]}},
]


@pytest.mark.parametrize("fields", RIGHT)
def test_consistent(fields: dict[str, Any]) -> None:
    """What fits together is accepted."""
    assert list(find_problems(with_fields(**fields))) == []


def test_a_takeaway_must_be_in_the_grammar() -> None:
    """Free text is not a takeaway, in any of the four outcomes."""
    for outcome in ("supported", "refuted", "null", "inconclusive"):
        with pytest.raises(ProtocolError, match="not in the grammar") as caught:
            with_fields(takeaways=[{"hypothesis": "h1", outcome: "it works!"}])
        assert caught.value.where == f"takeaways[0].{outcome}"
