"""Differences are told by name, with their weight."""

from typing import Any

import pytest

from leadline.protocol.diff import Change, diff, render
from leadline.protocol.document import parse
from leadline.protocol.model import Protocol
from leadline.protocol.templates import text
from protocol.examples import study, with_fields


def edited(block: str, index: int | None, **fields: Any) -> Protocol:
    """The study with fields of one block (or one entry of it) replaced."""
    document = study().model_dump(mode="json")
    target = document[block] if index is None else document[block][index]
    target.update(fields)
    return Protocol.model_validate(document)


def test_the_same_protocol_has_no_difference() -> None:
    """No difference for equal protocols, even when one spells defaults out."""
    assert diff(study(), study()) == []
    assert diff(study(), with_fields(notes="", families=[{"name": "primary", "correction": "holm"}])) == []
    assert render([]) == "no difference"


@pytest.mark.parametrize(
    ("new", "changes"),
    [
        (edited("sample_size", None, items=80), [Change("/sample_size/items", 100, 80, "material")]),
        (edited("hypotheses", 0, smallest=0.1), [Change("/hypotheses/h1/smallest", 0.05, 0.1, "material")]),
        (edited("hypotheses", 0, why_smallest="x"), [Change("/hypotheses/h1/why_smallest", "", "x", "editorial")]),
        (edited("tasks", 0, limits={"message_limit": 12, "time_limit": 5}), [
            Change("/tasks/t/limits/message_limit", 10, 12, "material"),
            Change("/tasks/t/limits/time_limit", None, 5, "material", "added"),
        ]),
        (edited("tasks", 0, limits={}), [Change("/tasks/t/limits/message_limit", 10, None, "material", "removed")]),
        (edited("tasks", 0, limits={"message_limit": True}), [Change("/tasks/t/limits/message_limit", 10, True, "material")]),
        (edited("tasks", 0, limits={"message_limit": 10.0}), []),
        (edited("data_rules", None, error={"value": 0}), [Change("/data_rules/error", "exclude", {"value": 0.0}, "material")]),
        (with_fields(title="Another"), [Change("/title", "A first study", "Another", "editorial")]),
        (with_fields(area=["control"]), [Change("/area", [], ["control"], "editorial")]),
        (with_fields(target={"problem": "p"}), [
            Change("/target", None, study_target := {"problem": "p", "dynamic": "", "case": None, "meaning": {}}, "material"),
        ]),
    ],
)  # fmt: skip
def test_changes(new: Protocol, changes: list[Change]) -> None:
    """Each change is named by block and name; explanations weigh less than promises."""
    assert diff(study(), new) == changes
    assert (not changes) == (study().digest == new.digest)


def test_entries_are_matched_by_name() -> None:
    """An added entry is one change and does not shift the others; reordering is editorial."""
    arms = study().model_dump(mode="json")["arms"]
    third = {**arms[0], "name": "third"}
    inserted = diff(study(), with_fields(arms=[third, *arms]))
    assert [(change.pointer, change.kind) for change in inserted] == [("/arms/third", "added")]
    removed = diff(with_fields(arms=[*arms, third]), study())
    assert [(change.pointer, change.kind, change.weight) for change in removed] == [
        ("/arms/third", "removed", "material")
    ]
    swapped = diff(study(), with_fields(arms=arms[::-1]))
    assert swapped == [Change("/arms", ["treated", "base"], ["base", "treated"], "editorial")]


def test_order_of_arms_in_an_estimand_is_material() -> None:
    """Which arm is subtracted from which is a promise."""
    estimand = {"type": "paired_difference", "measure": "acc", "arms": ["base", "treated"]}
    changes = diff(study(), edited("hypotheses", 0, estimand=estimand))
    assert changes == [
        Change("/hypotheses/h1/estimand/arms", ["treated", "base"], ["base", "treated"], "material")
    ]


def test_slashes_in_keys_are_escaped() -> None:
    """Pointers follow RFC 6901."""
    assert diff(study(), edited("tasks", 0, args={"a/b~c": 1}))[0].pointer == "/tasks/t/args/a~1b~0c"


def test_rendering_puts_promises_first() -> None:
    """The lines people read: promises before explanations, long values cut."""
    changes = diff(
        study(),
        Protocol.model_validate({**edited("sample_size", None, items=80).model_dump(), "title": "x" * 200}),
    )
    lines = render(changes).splitlines()
    assert lines[0] == "/sample_size/items: 100 -> 80"
    assert lines[1].endswith("...  (editorial)")
    assert str(Change("/a", None, 1, "material", "added")) == "/a: added 1"
    assert str(Change("/a", "x", None, "material", "removed")) == "/a: removed x"


def test_any_two_templates_differ() -> None:
    """Differences between whole documents are found in both directions, and only there."""
    a, b = parse(text("compare")), parse(text("monitor"))
    assert len(diff(a, b)) > 10
    assert {change.pointer for change in diff(a, b)} == {change.pointer for change in diff(b, a)}
