"""A study full of markup, reordering characters and formulas in every text a stranger can write."""

import json
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from starlette.testclient import TestClient

from leadline.registry.study import Study
from leadline.web.app import create_app
from leadline.web.settings import Settings
from registry.world import World
from web.markup import Markup

SCRIPT = "</script><script>alert(1)</script><img src=x onerror=alert(2)>"
MARKS = "\u200ftxet\u061c"
#: Fields of statements refuse the stronger reordering characters; fields of a protocol do not.
BIDI = "\u202etxet\u2066"
HIDDEN = set(MARKS + BIDI) - set("txe")
EVIL = f"{SCRIPT}{MARKS}' \" {{{{ 7*7 }}}} %s \\end{{document}} }}, {{"


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[TestClient, Study, World]]:
    """A registry whose only studies are hostile: one reported, one withdrawn."""
    world = World(Path(tmp_path_factory.mktemp("hostile")))
    protocol = world.protocol(
        title=f"Title {EVIL}",
        authors=[{"name": f"Author {EVIL}", "kind": "llm", "model": EVIL + BIDI}],
        notes=EVIL + BIDI,
        funding=EVIL + BIDI,
        target={"problem": EVIL + BIDI, "dynamic": EVIL, "meaning": {"supported": EVIL}},
        gap={"scale": {"distance": "far", "why": EVIL + BIDI}},
    )
    first = protocol.hypotheses[0].model_copy(update={"claim": f"Claim {EVIL}", "why_smallest": EVIL + BIDI})
    study = world.register(protocol.model_copy(update={"hypotheses": (first,)}))
    with study.attempt(EVIL) as run:
        run.attach(world.lab_run(study, run))
    study.publish()
    second = world.register(world.protocol(title=f"Second {EVIL}"))
    world.registry.amend(second.id, world.protocol(title="Changed"), reason=EVIL, seen="looked")
    world.registry.withdraw(second.id, EVIL)
    critique = {
        "question": EVIL,
        "attempt": EVIL,
        "claim": EVIL,
        "answers": [{"answer": EVIL, "moves": 0.5}],
        "who": EVIL,
    }
    from leadline.registry.judging import judge

    judge(world.registry, study.id, type="critique", part=critique, text=EVIL, minutes=3)
    app = create_app(world.registry, Settings(store="x", name="Leadline"), clock=world.clock)
    with TestClient(app) as client:
        yield client, study, world


def paths(study: Study, world: World) -> list[str]:
    """Every page on which the study's text stands."""
    other = next(one.id for one in world.registry.studies() if one.id != study.id)
    entries = [f"/log/{i}" for i in range(world.registry.store.size())]
    key = world.key.fingerprint
    return [
        "/",
        "/search",
        f"/study/{study.id}",
        f"/study/{other}",
        "/log",
        "/critiques",
        f"/author/{key}",
        f"/key/{key}",
        *entries,
    ]


def test_no_page_lets_markup_or_reordering_through(hostile: tuple[TestClient, Study, World]) -> None:
    """Markup is text, hidden characters are made visible, templates are not evaluated."""
    client, study, world = hostile
    for path in paths(study, world):
        page = client.get(path)
        assert page.status_code == 200, path
        assert "<script>alert" not in page.text and "<img src=x" not in page.text, path
        assert not HIDDEN & set(page.text), path
        assert Markup.of(page.text).problems == [], path


def test_the_data_block_holds_the_text_and_nothing_breaks_out(
    hostile: tuple[TestClient, Study, World],
) -> None:
    """JSON-LD parses, and names the title with its markup as characters."""
    client, study, _ = hostile
    page = client.get(f"/study/{study.id}").text
    block = page.split('<script type="application/ld+json">')[1].split("</script>")[0]
    assert "<" not in block
    assert json.loads(block)["headline"].startswith("Title </script><script>alert(1)")


def test_feeds_stay_xml(hostile: tuple[TestClient, Study, World]) -> None:
    """Feeds parse and carry the title as text."""
    client, study, world = hostile
    for path in ("/feed.atom", f"/study/{study.id}/feed.atom", f"/author/{world.key.fingerprint}/feed.atom"):
        answer = client.get(path)
        root = ET.fromstring(answer.text)
        titles = [node.text or "" for node in root.iter("{http://www.w3.org/2005/Atom}title")]
        assert any("<script>alert(1)" in title for title in titles), path
        assert not HIDDEN & set(answer.text)


def test_citations_cannot_escape_their_format(hostile: tuple[TestClient, Study, World]) -> None:
    """BibTeX braces balance, TeX commands are spelled out, CSL-JSON parses."""
    client, study, _ = hostile
    entry = client.get(f"/study/{study.id}/cite.bib").text
    depth = 0
    for before, character in zip(" " + entry, entry, strict=False):
        if before != "\\":
            depth += (character == "{") - (character == "}")
        assert depth >= 0
    assert depth == 0
    assert "\\end" not in entry.replace("\\textbackslash", "")
    item = json.loads(client.get(f"/study/{study.id}/cite.json").text)[0]
    assert item["title"].startswith("Title </script>")
    assert not HIDDEN & set(item["title"])


def test_pictures_and_names_of_files_hold_no_text_of_strangers(
    hostile: tuple[TestClient, Study, World],
) -> None:
    """A badge says only our words; a download is named after the id."""
    client, study, _ = hostile
    badge = client.get(f"/study/{study.id}/badge.svg")
    ET.fromstring(badge.text)
    assert "alert" not in badge.text
    for name in ("certificate", "statement.dsse", "protocol.json", "protocol.yaml", "report.json"):
        answer = client.get(f"/study/{study.id}/{name}")
        assert answer.status_code == 200
        assert answer.headers["content-disposition"].startswith(f'attachment; filename="{study.id}')
        assert "sandbox" in answer.headers["content-security-policy"]


def test_links_in_strangers_text_are_not_live(hostile: tuple[TestClient, Study, World]) -> None:
    """No link of any page has an address that its text brought along."""
    client, study, world = hostile
    for path in paths(study, world):
        links = Markup.of(client.get(path).text).links
        assert all(link.startswith(("/", "#", "http://127.0.0.1:8300")) for link in links), path


def test_query_text_comes_back_as_text(hostile: tuple[TestClient, Study, World]) -> None:
    """What is searched for stands in the page escaped, also in links and fields."""
    client, _, _ = hostile
    for name in ("q", "author", "technique", "model"):
        page = client.get("/search", params={name: EVIL})
        assert page.status_code == 200
        assert "<script>alert" not in page.text and "onerror=alert(2)>" not in page.text
        assert Markup.of(page.text).problems == []
