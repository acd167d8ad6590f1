"""Promises as people read them."""

import json
from typing import Any

import pytest

from leadline.verdict.model import Check
from leadline.verdict.promises import lines, name_of, readable, said, subjects


def check(
    name: str, arm: str | None = "a", *, promised: str = "1", found: str = "1", answer: Any = "pass"
) -> Check:
    """A check of one arm and its log."""
    return Check(name, answer, promised, found, arm, f"{arm}.eval" if arm else None)


def test_arms_that_read_the_same_share_a_line() -> None:
    """Only arm and log may differ; a line names three arms, and counts the others."""
    same = [check("epochs", f"arm{n}") for n in range(50)]
    odd = check("epochs", "odd", found="2", answer="deviation")
    first, second = lines([*same, odd])
    assert first.where == "arm0, arm1, arm2 and 47 more" and first.files == "50 logs"
    assert second.where == "odd" and second.files == "odd.eval" and second.first is odd
    assert lines([check("protocol.frozen", None)])[0].where == "whole study"


def test_every_check_is_counted_under_one_subject() -> None:
    """No promise falls between subjects, whatever its id; each answer is counted apart."""
    checks = [
        check("model.id", promised="lab/model"),
        check("dataset.n", promised="60"),
        check("epochs"),
        check("generate.top_p", promised="0.9", found="1", answer="deviation"),
        check("log.status", answer="unknown"),
        check("of-tomorrow"),
        check(""),
    ]
    found = {one.title: one for one in subjects(checks)}
    assert sum(one.kept + one.unknown + one.deviations for one in found.values()) == len(checks)
    assert found["Models"].promised == "lab/model"
    assert found["Data"].promised == "60 items; each once"
    assert found["Task and settings"].promised == "top p 0.9" and found["Task and settings"].deviations == 1
    assert found["Logs"].unknown == 1
    assert found["Other promises"].kept == 2


def test_a_summary_stays_short_with_very_many_arms() -> None:
    """A thousand models are not a thousand names."""
    (one,) = subjects([check("model.id", f"arm{n}", promised=f"lab/model-{n}") for n in range(1000)])
    assert len(one.promised) < 200 and one.promised.endswith("and 994 more")


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ([{"solver": "generate", "params": {}}], "generate"),
        (
            [{"solver": "cot", "params": {"n": 5, "deep": True}}, {"solver": "generate", "params": None}],
            "cot (n 5, deep yes), generate",
        ),
        ({}, "none"),
        ({"tools": ["bash", "python"], "seed": None}, "tools (bash, python), seed none"),
        ([[1, 2.5], []], "(1, 2.5), ()"),
    ],
)
def test_settings_are_said_not_dumped(value: Any, words: str) -> None:
    """JSON values read as a person would write them."""
    assert readable(json.dumps(value)) == words
    assert said(value) == ("" if words == "none" else words)


def test_what_is_no_json_stays_readable() -> None:
    """Text as it is, digests cut, and JSON that was cut loses its signs; nesting without end does no harm."""
    assert readable("at least one log") == "at least one log"
    assert readable("ab" * 32) == f"{'ab' * 8}…"
    assert (
        readable('[{"solver": "cot", "params": {"template": "thi…')
        == "solver : cot , params : template : thi…"
    )
    assert readable("[" * 100_000) == ""


def test_names_of_promises() -> None:
    """A setting goes by its own name; an id that nobody named is still words."""
    assert name_of("generate.max_tokens") == "max tokens"
    assert name_of("dataset.n") == "items"
    assert name_of("solver") == "solver"
    assert name_of("new.kind_of") == "new kind of"
