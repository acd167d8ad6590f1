"""The takeaway grammar: what can be said, at which level, and what the proxy's distance allows."""

import pytest

from leadline.errors import ProtocolError
from leadline.protocol.blocks.identity import Gap, Gaps
from leadline.protocol.takeaway import LEVELS, PRODUCTIONS, Level, Statement, allowed_level, exceeds, parse
from protocol.examples import study

SENTENCES = [
    ("no update", Statement("none")),
    ("treated can change acc", Statement("existence", "treated", None, "acc")),
    ("treated raises acc", Statement("direction", "treated", None, "acc", None, 1)),
    ("treated raises acc compared with base", Statement("direction", "treated", "base", "acc", None, 1)),
    ("treated lowers acc compared with base", Statement("direction", "treated", "base", "acc", None, -1)),
    ("try treated before base", Statement("order", "treated", "base")),
    ("try treated before base for acc", Statement("order", "treated", "base", "acc")),
    ('try "linear probe" before "none" for acc', Statement("order", "linear probe", "none", "acc")),
    ("treated changes acc by about 0.12", Statement("magnitude", "treated", None, "acc", 0.12)),
    ("treated changes acc by about -3e-2 over base", Statement("magnitude", "treated", "base", "acc", -0.03)),
    ("  treated   raises  acc ", Statement("direction", "treated", None, "acc", None, 1)),
]


@pytest.mark.parametrize(("text", "statement"), SENTENCES)
def test_sentence(text: str, statement: Statement) -> None:
    """Each production yields its level and its parts."""
    assert parse(text, study()) == statement


@pytest.mark.parametrize(
    "text",
    [
        "", "No update.", "no update at all", "treated raises acc a lot", 'treated raises acc "a remark"',
        "treated raises acc; we are excited", "try treated before base for acc because it is better",
        "treated changes acc by about much", "treated changes acc by about nan", "treated changes acc by about 1e999x",
        "base", "treated improves acc", "treated raises acc compared to base", "treated\nraises\nacc",
    ],
)  # fmt: skip
def test_anything_else_is_refused(text: str) -> None:
    """What is not in the grammar is refused, and the productions are listed."""
    with pytest.raises(ProtocolError, match="not in the grammar") as caught:
        parse(text, study())
    assert all(production in (caught.value.remedy() or "") for production in PRODUCTIONS)


@pytest.mark.parametrize(
    ("text", "message", "remedy"),
    [
        ("treted raises acc", "names the arm 'treted'", "'treated'?"),
        ("treated raises accuracy", "names the measure 'accuracy'", "name one of: acc"),
        ('"linear prob" raises acc', "names the technique 'linear prob'", "'linear probe'?"),
        ("try base before base", "compares 'base' with itself", "different arms"),
    ],
)
def test_names_must_exist(text: str, message: str, remedy: str) -> None:
    """Arms, techniques and measures are those of the protocol."""
    with pytest.raises(ProtocolError, match=message) as caught:
        parse(text, study())
    assert remedy in (caught.value.remedy() or "")


AXES = tuple(Gaps.model_fields)
SAME = {axis: Gap(distance="same") for axis in AXES}


@pytest.mark.parametrize(
    ("changes", "level"),
    [
        ({}, "magnitude"),
        ({"scale": "near"}, "order"),
        ({"scale": "near", "realism": "near"}, "order"),
        ({"scale": "far"}, "direction"),
        ({"elicitation": "unknown"}, "direction"),
        ({"task": "near"}, "direction"),
        ({"task": "far"}, "existence"),
        ({"task": "unknown"}, "existence"),
        ({"adversary": "far"}, "existence"),
        ({"measure": "unknown", "scale": "near"}, "existence"),
    ],
)
def test_allowed_level(changes: dict[str, str], level: Level) -> None:
    """Which axis differs decides how much may be claimed; everything unstated allows existence only."""
    gaps = Gaps(
        **{**SAME, **{axis: Gap.model_validate({"distance": value}) for axis, value in changes.items()}}
    )
    assert allowed_level(gaps) == level
    assert allowed_level(Gaps()) == "existence"


@pytest.mark.parametrize("axis", AXES)
def test_more_distance_never_allows_more(axis: str) -> None:
    """Moving one axis away from the target never strengthens what may be said."""
    levels = [
        LEVELS.index(allowed_level(Gaps(**{**SAME, axis: Gap.model_validate({"distance": distance})})))
        for distance in ("same", "near", "far", "unknown")
    ]
    assert levels == sorted(levels, reverse=True)
    assert levels[0] > levels[-1]


def test_exceeds() -> None:
    """A statement exceeds what is allowed when its level is higher."""
    assert exceeds("order", "direction")
    assert not exceeds("direction", "direction")
    assert not exceeds("none", "existence")
