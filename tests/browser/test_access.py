"""axe-core on every kind of page, on a phone and a desk, in light and dark: nothing serious."""

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from browser.chromium import DESKTOP, PHONE, Opener, Scheme
from browser.pages import KINDS, NOT_FOUND, path_of
from browser.served import Served

pytestmark = [pytest.mark.browser, pytest.mark.enable_socket]
SCHEMES: tuple[Scheme, ...] = ("light", "dark")
#: Reported studies whose page is built like another one's: on the desk that one stands for them, and its folded parts.
ALIKE = ("null", "refuted", "inconclusive", "long")
#: The rules whose answer can differ between light and dark; the others are asked in light.
OF_COLOUR = ("color-contrast", "link-in-text-block")


def grave(page: Page, *rules: str) -> list[str]:
    """Violations of all rules, or of these, that are serious or critical, with the first elements they are about."""
    options: dict[str, Any] = {"resultTypes": ["violations"]} | ({"runOnly": list(rules)} if rules else {})
    found: list[dict[str, Any]] = Axe().run(page, options=options).response["violations"]
    return [
        f"{one['impact']}: {one['id']}: {[node['html'][:160] for node in one['nodes'][:3]]}"
        for one in found
        if one["impact"] in ("serious", "critical")
    ]


def unfold(page: Page) -> None:
    """Open everything that is folded away, so that it is looked at too."""
    page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")


@pytest.mark.parametrize(
    ("kind", "width"),
    [(kind, width) for kind in KINDS for width in (PHONE, DESKTOP) if width == PHONE or kind not in ALIKE],
)
def test_no_page_keeps_anybody_out(visit: Opener, site: Served, kind: str, width: int) -> None:
    """No serious or critical violation in light or in dark, unfolded too; nothing overflows sideways."""
    with visit(path_of(kind, site.studies), width=width, forgive=NOT_FOUND) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        if kind not in ALIKE:
            unfold(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert grave(page) == []
        page.emulate_media(color_scheme="dark")
        assert grave(page, *OF_COLOUR) == []


@pytest.mark.parametrize("scheme", SCHEMES)
def test_findings_of_a_draft_keep_nobody_out(visit: Opener, scheme: Scheme) -> None:
    """The critical reader's answers, grave ones and a picture, have no serious violation."""
    with visit("/draft", scheme=scheme) as page:
        page.get_by_role("button", name="Simulate").click()
        page.locator("#findings figure svg:visible").wait_for(timeout=60_000)
        assert grave(page) == []
        page.get_by_label("YAML or JSON").fill("title: [")
        page.locator("#findings .finding-error").wait_for()
        assert grave(page) == []
