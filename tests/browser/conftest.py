"""A real Chromium and real servers for the tests of this folder.

Playwright keeps an event loop running while it is open, so it is opened for one module at a time: tests of other
modules in the same process may then run loops of their own.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from browser.chromium import Opener, find_chromium, launch, required
from browser.served import Served, everything, fresh

ABSENT = "no Chromium was found: install chromium, or name one with LEADLINE_TEST_CHROMIUM"


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium; without one the test is skipped, or fails where one is required."""
    path = find_chromium()
    if path is None:
        if required():
            pytest.fail(ABSENT)
        pytest.skip(ABSENT)
    return path


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """A headless Chromium, for one module."""
    with sync_playwright() as playwright:
        found = launch(playwright, chromium)
        yield found
        found.close()


@pytest.fixture(scope="session")
def site(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server with every fate of a study in it; nobody writes to it."""
    with everything(Path(tmp_path_factory.mktemp("everything"))) as found:
        yield found


@pytest.fixture
def empty(chromium: str, tmp_path: Path) -> Iterator[Served]:
    """A server with nothing in it, that everybody may write to."""
    with fresh(tmp_path) as found:
        yield found


@pytest.fixture
def visit(browser: Browser, site: Served) -> Opener:
    """Opens pages of the server with everything in it."""
    return Opener(browser, site.address)
