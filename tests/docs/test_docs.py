"""What the documents show is true: expressions compile, sentences parse, links lead somewhere."""

import re
from pathlib import Path

import pytest

from leadline.protocol import templates
from leadline.protocol.blocks.claims import Estimand
from leadline.protocol.expression import compile as compile_expression
from leadline.protocol.language.vocabulary import FUNCTIONS
from leadline.protocol.model import Protocol
from leadline.protocol.takeaway import PRODUCTIONS
from leadline.protocol.takeaway import parse as parse_takeaway

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "design").glob("*.md")])
GUIDE = (ROOT / "docs" / "protocol.md").read_text(encoding="utf-8")
EXPRESSIONS = re.findall(r"```sql\n(.*?)```", GUIDE, re.DOTALL)[0].strip().splitlines()


@pytest.mark.parametrize("text", EXPRESSIONS)
def test_every_expression_in_the_guide_compiles(text: str) -> None:
    """The examples of the filter language are in the filter language."""
    assert compile_expression(text).columns


def test_every_function_the_guide_names_exists_and_none_is_missing() -> None:
    """The list of functions is the list of functions."""
    listed = re.search(r"functions `([a-z_\s]+)`", GUIDE)
    assert listed is not None
    named = set(listed[1].split())
    assert named <= set(FUNCTIONS)
    for name in named:
        assert name in FUNCTIONS


def test_every_production_of_the_grammar_is_in_the_guide() -> None:
    """No takeaway sentence is undocumented, and the documented ones parse."""
    for production in PRODUCTIONS:
        assert f"`{production}`" in GUIDE
    protocol = Protocol.parse(templates.text("compare"))
    arms, measure = [arm.name for arm in protocol.arms], protocol.measures[0].name
    for production in PRODUCTIONS:
        sentence = (
            production.replace("[", "").replace("]", "").replace("MEASURE", measure).replace("X", "0.1")
        )
        sentence = re.sub(r"\bA\b", arms[0], re.sub(r"\bB\b", arms[1], sentence))
        assert parse_takeaway(sentence, protocol).level


def test_every_estimand_is_in_the_guide() -> None:
    """The guide names every kind of estimand."""
    kinds = Estimand.model_json_schema()["properties"]["type"]["enum"]
    assert all(f"`{kind}`" in GUIDE for kind in kinds)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    """A relative link names a file or folder of the project."""
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
        if not target.startswith(("http://", "https://", "mailto:")):
            assert (page.parent / target).exists(), target


def test_the_map_names_places_that_exist() -> None:
    """Every path the map gives to a newcomer is there."""
    text = (ROOT / "MAP.md").read_text(encoding="utf-8")
    paths = re.findall(r"`((?:[a-z_]+/)+(?:[a-z_]+\.py|[a-z_]+\.md)?)`", text)
    assert len(paths) > 15
    for path in paths:
        assert (ROOT / "src" / "leadline" / path).exists() or (ROOT / path).exists(), path
