"""How pages behave under a keyboard, on narrow and wide screens, on paper, and for who wants no movement."""

import pytest
from playwright.sync_api import Page

from browser.chromium import PHONE, Opener, Scheme
from browser.pages import KINDS, NOT_FOUND, path_of
from browser.served import Served

pytestmark = [pytest.mark.browser, pytest.mark.enable_socket]

FOCUS = """() => {
  const one = document.activeElement;
  const style = getComputedStyle(one);
  const box = one.getBoundingClientRect();
  return { tag: one.tagName, words: (one.innerText || one.getAttribute("aria-label") || one.name || "").trim(),
           outline: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0,
           top: box.top + scrollY, left: box.left, right: box.right, width: box.width, height: box.height };
}"""


def focused(page: Page) -> dict[str, object]:
    """What has the focus: its words, its place, and whether it shows."""
    found: dict[str, object] = page.evaluate(FOCUS)
    return found


@pytest.mark.parametrize("width", [320, 768, 1920])
def test_no_page_scrolls_sideways(visit: Opener, site: Served, width: int) -> None:
    """From the narrowest phone to a wide screen every kind of page fits (the widths between: `test_access`)."""
    wide = []
    with visit("/", width=width, forgive=NOT_FOUND) as page:
        for kind in KINDS:
            page.goto(path_of(kind, site.studies))
            if page.evaluate("document.documentElement.scrollWidth") > width:
                wide.append(kind)
    assert wide == []


def test_names_without_a_break_stay_in_their_place(visit: Opener, site: Served) -> None:
    """Whatever people write, however long a word: no text of theirs pushes a page sideways on a phone."""
    lengthen = (
        "document.querySelectorAll('bdi').forEach(one => { one.textContent = 'unbroken_'.repeat(40); })"
    )
    wide = []
    with visit("/", width=PHONE, forgive=NOT_FOUND) as page:
        for kind in KINDS:
            page.goto(path_of(kind, site.studies))
            page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
            page.evaluate(lengthen)
            if page.evaluate("document.documentElement.scrollWidth") > PHONE:
                wide.append(kind)
    assert wide == []


def test_the_first_stop_skips_to_the_content(visit: Opener) -> None:
    """Tab shows the skip link; Enter moves on to the content, and the next Tab stands in it."""
    with visit("/search") as page:
        page.keyboard.press("Tab")
        first = focused(page)
        assert first["words"] == "Skip to the content"
        assert first["outline"] and float(str(first["left"])) >= 0
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.closest('main') !== null")


@pytest.mark.parametrize("kind", ["front", "search", "supported", "draft", "log"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_stop_shows_itself_and_follows_the_page(
    visit: Opener, site: Served, kind: str, scheme: Scheme
) -> None:
    """Each of the first stops has an outline and a place on the screen, and none leads back up the page."""
    with visit(path_of(kind, site.studies), width=PHONE, scheme=scheme) as page:
        page.keyboard.press("Tab")
        before = -1.0
        for _ in range(25):
            page.keyboard.press("Tab")
            one = focused(page)
            if one["tag"] == "BODY":
                break
            assert one["outline"], one
            assert float(str(one["width"])) > 0 and float(str(one["height"])) > 0, one
            assert float(str(one["top"])) >= before - 60, one
            before = max(before, float(str(one["top"])))


def test_nothing_moves_unasked(visit: Opener, site: Served) -> None:
    """No page animates, or moves what it shows: with and without the wish for reduced motion it is the same."""
    moving = "document.getAnimations().length"
    styled = """[...document.querySelectorAll('*')].filter(one => {
      const style = getComputedStyle(one);
      return style.animationName !== 'none' || parseFloat(style.transitionDuration) > 0 || style.scrollBehavior === 'smooth';
    }).length"""
    for wish in ("reduce", "no-preference"):
        with visit("/", reduced_motion=wish) as page:
            for kind in ("front", "search", "supported", "draft"):
                page.goto(path_of(kind, site.studies))
                assert page.evaluate(moving) == 0
                assert page.evaluate(styled) == 0


@pytest.mark.parametrize("kind", ["supported", "exploratory", "overdue", "sealed", "about"])
def test_on_paper_there_is_the_study_and_no_furniture(visit: Opener, site: Served, kind: str) -> None:
    """Printed, head, foot and buttons are gone; claim, verdict and picture stay, black on white, even from the dark."""
    with visit(path_of(kind, site.studies), width=700, scheme="dark") as page:
        page.emulate_media(media="print", color_scheme="dark")
        for gone in (".top", ".bottom", ".skip", "form", ".files"):
            assert page.locator(f"{gone}:visible").count() == 0, gone
        assert page.locator("h1").is_visible()
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        assert page.evaluate("document.documentElement.scrollWidth") <= 700
        if kind == "supported":
            assert page.locator("figure .wide svg").first.is_visible()


def test_colours_follow_the_reader(visit: Opener) -> None:
    """Light is a light ground, dark a dark one, and the page says that it can be both."""
    grounds = {}
    for scheme in ("light", "dark"):
        with visit("/", scheme=scheme) as page:
            grounds[scheme] = page.evaluate(
                "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)"
            )
    assert min(grounds["light"]) > 240 and max(grounds["dark"]) < 40
