"""Pages of a registry with sealed studies: that they exist and are counted, and nothing of what they are about."""

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from leadline.web.app import create_app
from leadline.web.settings import Settings
from registry.sealing.lab import SealedLab
from web.markup import Markup

SECRET = "Zyzzyva"


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SealedLab:
    """A fresh registry with an author who can seal, and one open study."""
    monkeypatch.setenv("LEADLINE_HOME", str(tmp_path / "home"))
    made = SealedLab(tmp_path)
    made.world.register()
    return made


def client_of(lab: SealedLab) -> TestClient:
    """A client of the pages over this registry."""
    return TestClient(create_app(lab.registry, Settings(store="x"), clock=lab.world.clock))


def everywhere(client: TestClient, lab: SealedLab, study: str) -> list[str]:
    """The text of every page and file that could tell."""
    entries = [f"/log/{i}" for i in range(lab.registry.store.size())]
    key = lab.world.key.fingerprint
    paths = ["/", "/search", "/areas", "/log", "/feed.atom", "/sitemap.xml", f"/author/{key}", *entries]
    paths += [
        f"/study/{study}",
        f"/study/{study}/badge.svg",
        f"/study/{study}/certificate",
        f"/study/{study}/statement.dsse",
    ]
    return [client.get(path).text for path in paths]


@pytest.mark.parametrize("tier", ["ordinary", "hazard"])
def test_a_sealed_study_shows_that_it_exists_and_nothing_else(lab: SealedLab, tier: str) -> None:
    """Its page is a stub; no page, feed or file holds a word of it."""
    protocol = lab.world.protocol(title=f"{SECRET} title", area=["organisms/trojans"], notes=SECRET)
    work = lab.seal(protocol=protocol, tier=tier)
    client = client_of(lab)
    page = client.get(f"/study/{work.id}")
    assert page.status_code == 200
    assert Markup.of(page.text).problems == []
    assert "A sealed study" in page.text
    assert all(SECRET not in text for text in everywhere(client, lab, work.id))


@pytest.mark.parametrize("tier", ["ordinary", "hazard"])
def test_badge_and_api_say_what_became_of_a_seal(lab: SealedLab, tier: str) -> None:
    """Sealed, overdue, closed: the state of every seal, in the same words and at the same length for any content."""
    works = [lab.seal(protocol=lab.world.protocol(title=title), tier=tier) for title in (SECRET, SECRET * 9)]
    client = client_of(lab)

    def said() -> str:
        badges = {client.get(f"/study/{one.id}/badge.svg").text for one in works}
        answers = [client.get(f"/api/v1/studies/{one.id}").json() for one in works]
        assert len(badges) == 1
        (status,) = {answer["status"] for answer in answers}
        (badge,) = badges
        assert {*answers[0]} == {"id", "status", "index", "as_of"}
        return f"{status}: {badge.split('<title>Leadline: ')[1].split('</title>')[0]}"

    assert said() == "sealed: sealed"
    embargo = date.fromisoformat(lab.registry.sealed(works[0].id).row.embargo)
    lab.world.clock.now = datetime.combine(embargo + timedelta(days=2), time(), UTC)
    assert said() == "overdue: sealed, embargo over"
    lab.world.clock.now = datetime.combine(embargo + timedelta(days=200), time(), UTC)
    for work in works:
        work.hold()
    assert "closed" in [one.kind for one in lab.registry.tend(lab.world.clock.now.date())]
    assert said() == "closed-undisclosed: closed undisclosed"


def test_searches_do_not_know_a_sealed_study(lab: SealedLab) -> None:
    """Words, areas and techniques of it find nothing, and counts do not move."""
    before = client_of(lab).get("/search?area=organisms").text
    lab.seal(protocol=lab.world.protocol(title=f"{SECRET} title", area=["organisms/trojans"]))
    client = client_of(lab)
    assert "No study answers this" in client.get("/search", params={"q": SECRET}).text
    after = client.get("/search?area=organisms").text
    assert (
        Markup.of(before).text.split("in the log")[0].rsplit(".", 1)[0]
        == (Markup.of(after).text.split("in the log")[0].rsplit(".", 1)[0])
    )


def test_files_of_what_is_sealed_are_not_there(lab: SealedLab) -> None:
    """Protocol, report and citation of a sealed study are 404, with the same words for any content."""
    work = lab.seal()
    client = client_of(lab)
    for name in ("protocol.json", "protocol.yaml", "report.json", "cite.bib", "feed.atom"):
        assert client.get(f"/study/{work.id}/{name}").status_code == 404


def test_an_author_page_counts_seals(lab: SealedLab) -> None:
    """Sealed studies are counted under their author's key: selective opening is seen."""
    lab.seal()
    page = Markup.of(client_of(lab).get(f"/author/{lab.world.key.fingerprint}").text)
    assert page.problems == []
    assert "Sealed studies" in page.text


def test_an_installation_counts_its_hazard_seals(lab: SealedLab) -> None:
    """The front page says how many; the author's page does not."""
    lab.seal(tier="hazard")
    client = client_of(lab)
    assert "At most 1 study is sealed by this installation" in Markup.of(client.get("/").text).text
    assert "Sealed studies" not in client.get(f"/author/{lab.world.key.fingerprint}").text


def test_opened_fields_stand_on_the_stub(lab: SealedLab) -> None:
    """What was opened is shown as text; the rest stays sealed."""
    work = lab.seal(protocol=lab.world.protocol(title="Opened <b>title</b>", notes=SECRET))
    work.reveal_fields(["title"])
    page = client_of(lab).get(f"/study/{work.id}").text
    assert "Opened &lt;b&gt;title&lt;/b&gt;" in page
    assert SECRET not in page


def test_a_revealed_study_is_a_study_like_any_other(lab: SealedLab) -> None:
    """After a whole reveal its page shows the promise, the verdict, and that it was sealed."""
    work = lab.reported(lab.seal(protocol=lab.world.protocol(title=f"{SECRET} title")))
    work.reveal()
    client = client_of(lab)
    page = client.get(f"/study/{work.id}")
    assert Markup.of(page.text).problems == []
    assert "Was sealed" in page.text and SECRET in page.text
    assert 'class="outcome"' in page.text and "Supported" in page.text
    certificate = client.get(f"/study/{work.id}/certificate")
    assert certificate.status_code == 200
