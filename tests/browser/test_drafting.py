"""Drafting in the browser: findings while writing, a file to take away, and a signature made at home."""

import json
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from browser.chromium import Opener
from browser.served import Served, leadline

pytestmark = [pytest.mark.browser, pytest.mark.enable_socket]


def download(page: Page, folder: Path) -> Path:
    """Press Download, and keep the file under the name it comes with."""
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Download").click()
    path = folder / waiting.value.suggested_filename
    waiting.value.save_as(path)
    return path


def begin(page: Page, title: str) -> None:
    """Fill the guided form in, and take the template."""
    page.get_by_label("Title").fill(title)
    page.get_by_label("Your name").fill("Ada Example")
    page.get_by_role("button", name="Fill in the template").click()
    expect(page.get_by_label("YAML or JSON")).to_contain_text(title)


def test_a_finding_comes_with_its_place_and_goes_when_it_is_mended(visit: Opener) -> None:
    """A misspelt field is found while writing, leads to its line, and is gone once it is right."""
    with visit("/draft") as page:
        text = page.get_by_label("YAML or JSON")
        right = text.input_value()
        text.fill(right.replace("\ntitle:", "\ntitel:"))
        error = page.locator("#findings .finding-error", has_text="titel").first
        expect(error).to_be_visible()
        error.get_by_role("link").click()
        chosen = "t => t.value.slice(t.selectionStart, t.selectionEnd)"
        assert str(text.evaluate(chosen)).startswith("titel:")
        assert page.evaluate("document.activeElement.id") == "text"
        page.keyboard.press("Home")
        page.keyboard.type("title:")
        for _ in range(len("titel:")):
            page.keyboard.press("Delete")
        expect(page.locator("#findings .finding-error")).to_have_count(0)
        expect(page.locator("#findings-title")).to_have_text("Nothing forbids registration")
        assert text.input_value() == right


def test_findings_stand_beside_the_writer_where_there_is_room(visit: Opener) -> None:
    """On a desk the reader's answers are on the screen while somebody writes at the top of the draft."""
    with visit("/draft") as page:
        text = page.get_by_label("YAML or JSON")
        text.scroll_into_view_if_needed()
        text.fill(text.input_value() + "\nnonsense: 1\n")
        expect(page.locator("#findings .finding-error").first).to_be_in_viewport()


def test_a_silent_server_loses_nothing(visit: Opener) -> None:
    """When the server does not answer, the page says so and the text stays."""
    with visit("/draft", forgive=("Failed to load resource", "answered 503")) as page:
        page.route("**/draft/check", lambda route: route.fulfill(status=503, body=""))
        text = page.get_by_label("YAML or JSON")
        text.fill("title: mine")
        expect(page.locator("#findings")).to_contain_text("Your text is safe in this page")
        assert text.input_value() == "title: mine"


@pytest.mark.parametrize("script", [True, False], ids=["with the script", "without JavaScript"])
def test_from_a_draft_to_the_front_page(browser: Browser, empty: Served, script: bool) -> None:
    """Draft, be corrected, download, register with a key the server never sees; then front page, feed and API have it."""
    opener, title = Opener(browser, empty.address), "Examples before questions"
    with opener("/", java_script_enabled=script) as page:
        expect(page.get_by_role("heading", name="Nothing is registered here yet")).to_be_visible()
        page.get_by_role("navigation", name="Main").get_by_role("link", name="Draft").click()
        begin(page, title)
        text = page.get_by_label("YAML or JSON")
        right = text.input_value()
        text.fill(right.replace("\nstatus: confirmatory", "\nstatus: sure"))
        page.get_by_role("button", name="Check").click()
        expect(page.locator("#findings .finding-error")).to_contain_text("status")
        text.fill(right)
        page.get_by_role("button", name="Check").click()
        expect(page.locator("#findings-title")).to_have_text("Nothing forbids registration")
        file = download(page, empty.folder)
        assert file.read_text() == right

        leadline(empty.folder, "key", "new", "--key", "author.key")
        made = leadline(
            empty.folder, "register", file.name, "--key", "author.key", "--store", empty.address, "--json"
        )
        study = json.loads(made.stdout)["id"]

        page.goto("/")
        expect(page.locator(f"a[href='/study/{study}']")).to_be_visible()
        expect(page.get_by_text("Two worked examples raise the share of right answers.")).to_be_visible()
        expect(page.get_by_text(f"--store {empty.address}")).to_be_attached()
        assert study in page.request.get("/feed.atom").text()
        listed = page.request.get("/api/v1/studies").json()
        assert study in json.dumps(listed)
        page.locator(f"a[href='/study/{study}']").click()
        expect(page.get_by_text(title).first).to_be_visible()
        expect(page.locator("#verdict-word")).to_contain_text("Registered")
