"""Finding a Chromium, and opening pages in it that must not complain about anything."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlsplit

from playwright.sync_api import Browser, ConsoleMessage, Error, Page, Playwright, Request, Response

Scheme = Literal["light", "dark"]
PHONE, DESKTOP = 390, 1280
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
#: Nothing of the browser's own goes out; as root there is no sandbox to be had.
_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


def find_chromium() -> str | None:
    """The path of a Chromium: $LEADLINE_TEST_CHROMIUM, or the first on the path; None without one."""
    given = os.environ.get("LEADLINE_TEST_CHROMIUM")
    if given:
        return given if os.access(given, os.X_OK) else None
    return next((found for name in _NAMES if (found := shutil.which(name))), None)


def required() -> bool:
    """Whether the absence of a Chromium is a failure: in CI, and where it is asked for."""
    return os.environ.get("CI", "").lower() == "true" or os.environ.get("LEADLINE_TEST_BROWSER") == "required"


def launch(playwright: Playwright, path: str) -> Browser:
    """A headless Chromium."""
    return playwright.chromium.launch(executable_path=path, args=list(_FLAGS))


@dataclass
class Watch:
    """What a page did that it must not do; `forgive` are parts of messages that a test expects."""

    address: str
    problems: list[str] = field(default_factory=list)
    forgive: tuple[str, ...] = ()

    def follow(self, page: Page) -> None:
        """Listen to everything the page says and loads."""
        page.on("console", self._said)
        page.on("pageerror", self._threw)
        page.on("request", self._asked)
        page.on("requestfailed", self._failed)
        page.on("response", self._answered)

    def _note(self, problem: str) -> None:
        if not any(part in problem for part in self.forgive):
            self.problems.append(problem)

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self._note(f"console {message.type}: {message.text}")

    def _threw(self, error: Error) -> None:
        self._note(f"the script threw: {error}")

    def _asked(self, request: Request) -> None:
        parts = urlsplit(request.url)
        own = f"{parts.scheme}://{parts.netloc}" == self.address
        if not own and parts.scheme not in ("data", "blob", "about"):
            self._note(f"a request to {request.url}")

    def _failed(self, request: Request) -> None:
        # A check that a newer one overtakes is taken back by our own script, and a download is no page.
        if request.failure != "net::ERR_ABORTED":
            self._note(f"{request.url} failed: {request.failure}")

    def _answered(self, response: Response) -> None:
        if response.status >= 500:
            self._note(f"{response.url} answered {response.status}")


@dataclass
class Opener:
    """Opens pages of one site in one browser, each in a context of its own."""

    browser: Browser
    address: str

    @contextmanager
    def __call__(
        self,
        path: str = "/",
        *,
        width: int = DESKTOP,
        scheme: Scheme = "light",
        forgive: tuple[str, ...] = (),
        **options: Any,
    ) -> Iterator[Page]:
        """A page at `path`; on leaving, everything the browser had to complain about fails the test."""
        context = self.browser.new_context(
            viewport={"width": width, "height": 844}, color_scheme=scheme, base_url=self.address, **options
        )
        watch = Watch(self.address, forgive=forgive)
        try:
            page = context.new_page()
            watch.follow(page)
            page.goto(path)
            yield page
        finally:
            context.close()
        assert watch.problems == []
