"""What people come for: finding a study, reading it, and taking its proof away."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from browser.chromium import PHONE, Opener
from browser.pages import KINDS, NOT_FOUND, path_of
from browser.served import Served, leadline

pytestmark = [pytest.mark.browser, pytest.mark.enable_socket]


def tab_to(page: Page, selector: str, words: str = "", most: int = 60) -> None:
    """Press Tab until what is focused matches, and says these words."""
    for _ in range(most):
        page.keyboard.press("Tab")
        found = "([selector, words]) => document.activeElement.matches(selector) && document.activeElement.innerText.includes(words)"
        if page.evaluate(found, [selector, words]):
            return
    raise AssertionError(f"no stop is {selector} {words!r}")


def test_a_search_by_keyboard_alone_opens_a_study(visit: Opener, site: Served) -> None:
    """From the front page: to the box, a word, Enter, on to the first study, Enter."""
    with visit("/") as page:
        tab_to(page, "#q")
        page.keyboard.type("scratchpad monitors")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text("Studies")
        tab_to(page, "a", "A monitor with a private scratchpad")
        page.keyboard.press("Enter")
        expect(page).to_have_url(f"{site.address}/study/{site.studies['supported']}")
        expect(page.get_by_role("heading", level=1)).to_contain_text("private scratchpad")


def test_a_keyboard_alone_takes_a_proof_away(visit: Opener, site: Served, tmp_path: Path) -> None:
    """Search, open, unfold a promise and download the certificate without ever touching a mouse."""
    with visit("/search") as page:
        tab_to(page, "#q")
        page.keyboard.type("private scratchpad")
        page.keyboard.press("Enter")
        expect(page).to_have_url(re.compile("q=private"))
        tab_to(page, ".card a", "A monitor with a private scratchpad")
        page.keyboard.press("Enter")
        expect(page).to_have_url(f"{site.address}/study/{site.studies['supported']}")
        tab_to(page, "#promised summary", "promises kept")
        page.keyboard.press("Enter")
        expect(page.locator("#promised details[open] table")).to_be_visible()
        tab_to(page, "#proof a", "Certificate", most=120)
        with page.expect_download() as waiting:
            page.keyboard.press("Enter")
        waiting.value.save_as(tmp_path / "study.tlog-proof")
    assert (tmp_path / "study.tlog-proof").stat().st_size > 500


@pytest.mark.parametrize("kind", KINDS)
def test_without_the_script_every_page_says_the_same(visit: Opener, site: Served, kind: str) -> None:
    """What a page says does not depend on JavaScript; nothing is refused by the policy, nothing complains."""
    said = []
    for script in (True, False):
        with visit(path_of(kind, site.studies), java_script_enabled=script, forgive=NOT_FOUND) as page:
            said.append(page.locator("body").inner_text())
    assert said[0] == said[1] != ""


def test_facets_narrow_and_are_taken_back(visit: Opener) -> None:
    """A facet is a link with a count; choosing it leaves that many studies; its filter has a link that removes it."""
    with visit("/search") as page:
        value = page.locator(".facets a", has_text="Refuted")
        count = int(value.locator(".count").inner_text())
        value.click()
        expect(page).to_have_url(re.compile("verdict=refuted"))
        assert page.locator(".studies > li").count() == count
        for state in page.locator(".studies .outcome").all_inner_texts():
            assert "refuted" in state.lower()
        page.get_by_role("list", name="Filters in force").get_by_role("link").click()
        expect(page).not_to_have_url(re.compile("verdict"))


def test_pages_of_a_search_show_each_study_once(visit: Opener) -> None:
    """Following "Next page" to the end shows as many studies as there are, none of them twice."""
    with visit("/search") as page:
        ids = page.locator(".card .mono").all_inner_texts()
        while page.get_by_role("link", name="Next page").count():
            page.get_by_role("link", name="Next page").click()
            ids += page.locator(".card .mono").all_inner_texts()
    assert len(ids) == len(set(ids)) == 44


@pytest.mark.parametrize("width", [PHONE, 1280])
def test_a_study_leads_from_its_claim_to_a_proof_that_verifies(
    visit: Opener, site: Served, tmp_path: Path, width: int
) -> None:
    """Claim, verdict, picture, promises, then the certificate, which `leadline verify` accepts with the log's key."""
    study = site.studies["supported"]
    with visit("/log", width=width) as page:
        key = page.locator("section[aria-labelledby=key] pre").inner_text().strip()
        page.goto(f"/study/{study}")
        places = [
            page.locator(one).first.bounding_box()
            for one in ("h1", "#verdict-word", "#verdict figure", "#promised", "#proof")
        ]
        heights = [place["y"] for place in places if place is not None]
        assert len(heights) == 5 and heights == sorted(heights)
        band = page.locator("#verdict figure svg:visible .ll-band")
        assert band.count() == 1
        box = band.bounding_box()
        assert box is not None and box["width"] > 20
        page.locator("#promised summary", has_text="promises kept").click()
        expect(page.locator("#promised details[open] table")).to_contain_text("dataset.content")
        with page.expect_download() as waiting:
            page.get_by_role("link", name="Certificate").click()
        file = tmp_path / waiting.value.suggested_filename
        waiting.value.save_as(file)
    said = json.loads(leadline(tmp_path, "verify", str(file), "--key", key, "--json").stdout)
    assert said["holds"] and said["study"] == study


def test_a_certificate_of_another_log_does_not_verify(visit: Opener, site: Served, tmp_path: Path) -> None:
    """The same file with another log's key is refused: the page's proof is more than its word."""
    with visit(f"/study/{site.studies['null']}") as page, page.expect_download() as waiting:
        page.get_by_role("link", name="Certificate").click()
        waiting.value.save_as(tmp_path / "study.tlog-proof")
    made = leadline(tmp_path, "key", "new", "--key", "other.key", "--json")
    command = ("verify", "study.tlog-proof", "--key", json.loads(made.stdout)["vkey"])
    done = subprocess.run(
        [sys.executable, "-c", "import sys; from leadline.cli.main import main; sys.exit(main())", *command],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode != 0


def test_a_sealed_study_shows_a_stub_and_its_certificate(visit: Opener, site: Served) -> None:
    """Nothing of the study but that it exists; what was opened of another is shown."""
    with visit(f"/study/{site.studies['sealed']}", width=PHONE) as page:
        expect(page.get_by_role("heading", level=1)).to_have_text("A sealed study")
        assert "A sealed study, sealed" not in page.content()
        with page.expect_download() as waiting:
            page.get_by_role("link", name="Certificate").click()
        assert waiting.value.failure() is None
        page.goto(f"/study/{site.studies['opened']}")
        expect(page.locator("#opened")).to_contain_text("A sealed study, opened")


def test_everything_can_be_read_without_the_script(visit: Opener, site: Served) -> None:
    """With JavaScript off: search, open, unfold the promises."""
    with visit("/", java_script_enabled=False) as page:
        page.get_by_label("What has been tried?").fill("sandbagging")
        page.get_by_role("button", name="Search").click()
        page.get_by_role("link", name="An activation probe finds sandbagging").click()
        expect(page).to_have_url(f"{site.address}/study/{site.studies['null']}")
        expect(page.locator("#verdict-word")).to_contain_text("Null")
        page.locator("#promised summary").first.click()
        expect(page.locator("#promised table:visible").first).to_be_visible()
