"""Templates: complete, commented, consistent, and filled in without disturbing anything else."""

import re

import pytest
import yaml

from leadline import landscape
from leadline.bench.ladder.skills import items
from leadline.errors import InputError, NotFoundError
from leadline.logs.dataset import dataset_root, item_digest
from leadline.protocol import templates
from leadline.protocol.document import dump, parse
from leadline.protocol.model import Protocol
from leadline.protocol.takeaway import OUTCOMES, allowed_level, exceeds
from leadline.protocol.takeaway import parse as statement
from leadline.verdict.simulation.rehearsal import execute
from leadline.verdict.simulation.run import operating_characteristics


def template(name: str) -> Protocol:
    """A template, unedited."""
    return parse(templates.text(name), name=f"{name}.yaml")


def test_the_templates_there_are() -> None:
    """Three forms and four worked examples, each with its subject."""
    assert templates.names() == (
        "compare",
        "monitor",
        "trend",
        "elicitation",
        "organisms",
        "thresholds",
        "conceptual",
    )
    assert all(templates.SUBJECTS.values())


@pytest.mark.parametrize("name", templates.names())
def test_unedited_it_is_a_protocol(name: str) -> None:
    """Each template parses as it stands, and survives being written out again."""
    protocol = template(name)
    assert parse(dump(protocol)).digest == protocol.digest


@pytest.mark.parametrize("name", templates.names())
def test_it_has_what_a_reviewer_asks_for(name: str) -> None:
    """Positive control, takeaways, forecasts, data rules, robustness, due date, target and every gap axis."""
    protocol = template(name)
    assert any(control.kind == "positive" for control in protocol.controls)
    assert protocol.takeaways
    assert protocol.forecasts
    assert "data_rules" in protocol.model_fields_set
    assert protocol.robustness
    assert protocol.timeline.due is not None
    assert protocol.target is not None
    assert set(protocol.target.meaning) == set(OUTCOMES)
    assert protocol.gap.model_fields_set == set(type(protocol.gap).model_fields)


@pytest.mark.parametrize("name", templates.names())
def test_it_keeps_to_the_map_and_to_what_its_gap_allows(name: str) -> None:
    """Areas exist in the landscape, and no takeaway says more than the distance allows."""
    protocol = template(name)
    assert protocol.area
    assert all(landscape.is_area(area) for area in protocol.area)
    allowed = allowed_level(protocol.gap)
    levels = [
        statement(getattr(t, outcome), protocol).level for t in protocol.takeaways for outcome in OUTCOMES
    ]
    assert not any(exceeds(level, allowed) for level in levels)
    assert any(level != "none" for level in levels)


@pytest.mark.parametrize("name", templates.names())
def test_it_executes(name: str) -> None:
    """The registered analysis of each template runs from simulated samples to a report with every verdict."""
    protocol = template(name)
    report = execute(protocol)
    assert set(report.verdicts) == {hypothesis.id for hypothesis in protocol.hypotheses}


@pytest.mark.slow
@pytest.mark.parametrize("name", templates.names())
def test_it_has_the_power_it_asks_for(name: str) -> None:
    """No template teaches an underpowered design: each claim has its power, give or take Monte Carlo error."""
    protocol = template(name)
    found = operating_characteristics(protocol, replicates=200)
    for hypothesis in protocol.hypotheses:
        power = found.power(hypothesis.id)
        assert power is not None
        assert power.value + 3 * power.standard_error >= protocol.sample_size.power, hypothesis.id


@pytest.mark.parametrize("name", templates.names())
def test_comments_explain_it(name: str) -> None:
    """A template says what it is for, and no mark of the filling machinery shows."""
    text = templates.text(name)
    assert text.startswith("# ")
    assert text.count("#") >= 8
    assert not re.search(r"# <[a-z]+>", text)
    assert max(len(line) for line in text.splitlines()) <= 130
    assert text.count("\n") == len(text.splitlines())


AWKWARD = [
    "Plain title",
    'A: "b" # c',
    "no",
    "Ö. X, {y}",
    "- a",
    "it's",
    "x\u2028y",
    "2027",
    "#",
    "\U0001f600 \\ z",
    "a b ",
]


@pytest.mark.parametrize("name", templates.names())
@pytest.mark.parametrize("value", AWKWARD)
def test_fields_are_filled_in(name: str, value: str) -> None:
    """Any text fills a field, in every place it stands, and nothing else changes."""
    filled = parse(templates.text(name, title=value, author=value, due="2028-02-29", model=value))
    assert filled.title == filled.authors[0].name == filled.forecasts[0].by == value
    assert str(filled.timeline.due) == "2028-02-29"
    assert value in [model.id for model in filled.models]
    before = yaml.safe_load(templates.text(name))
    after = yaml.safe_load(templates.text(name, title=value))
    assert {**after, "title": before["title"]} == before


def test_filling_keeps_comments() -> None:
    """Only the marked lines change."""
    before, after = (
        templates.text("compare", **fields).splitlines()
        for fields in ({}, {"title": "T", "due": "2029-01-01"})
    )
    changed = [(a, b) for a, b in zip(before, after, strict=True) if a != b]
    assert [b for _, b in changed] == [
        "title: T",
        "  due: 2029-01-01               # after this date the study is publicly overdue",
    ]


def test_unknown_names() -> None:
    """An unknown template or field is refused with what there is."""
    with pytest.raises(NotFoundError, match="compare, monitor"):
        templates.text("compar")
    with pytest.raises(InputError, match="title, author"):
        templates.text("compare", titel="x")
    assert templates.fields("compare") == ("title", "author", "model", "due")


@pytest.mark.parametrize("name", templates.names())
def test_datasets_are_those_of_the_ladder(name: str) -> None:
    """The item hashes a template promises are those of the items its task arguments produce."""
    for task in template(name).tasks:
        asked = items(*(task.args[key] for key in ("skill", "level", "n", "seed")))
        digests = {item.id: item_digest(item.id, item.prompt, item.target) for item in asked}
        assert task.dataset.sha256 == dataset_root(digests)
        assert task.dataset.n == len(digests)
        given = {key: value for key, value in task.args.items() if key in {"shots", "password", "tagged"}}
        assert task.solver is not None
        assert task.solver[0].params == {"shots": 0, "password": False, "tagged": True, **given}
