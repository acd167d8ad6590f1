"""Errors as pages: what is wrong and what to do, and nothing of the server's inside."""

import json
import logging
import secrets
from dataclasses import replace
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request

from leadline.errors import Explained
from leadline.web.answer import Answer, Sent
from leadline.web.context import Site
from leadline.web.environment import render
from leadline.web.problems import RETRY_AFTER, status_of_error

_LOG: Final = logging.getLogger("leadline.web")
_TITLES: Final = {
    400: "That makes no sense",
    403: "That is not allowed",
    404: "There is no such page",
    405: "This page cannot do that",
    409: "Not at this moment",
    413: "That is too much",
    421: "This server is not known by that name",
    422: "That cannot be read",
    429: "Too much, too soon",
    503: "Not available right now",
}
_OURS: Final = "Something went wrong here"


async def explained(request: Request, error: Exception) -> Sent:
    """A page for an error of the tree, or for one of the router's."""
    site: Site = request.app.state.site
    if isinstance(error, HTTPException):
        page = await _page(site, error.status_code, "", "")
        answer = replace(page, headers=tuple((error.headers or {}).items()))  # which methods a path takes
    else:
        assert isinstance(error, Explained)
        status = status_of_error(error)
        if status >= 500:
            return await unexpected(request, error)
        answer = await _page(site, status, _sentence(error.message), error.remedy() or "")
    return Sent.of(answer)


async def unexpected(request: Request, error: Exception) -> Sent:
    """A page for what nobody foresaw: an id, which the journal has too."""
    site: Site = request.app.state.site
    name = secrets.token_hex(6)
    status = status_of_error(error)
    _LOG.error("page failed %s", json.dumps({"fault": name, "path": request.url.path[:200]}), exc_info=error)
    away = status == 503
    said = "The registry's store does not answer." if away else f"It was noted as {name}."
    page = await _page(site, status, said, "Try again in a moment.")
    return Sent.of(replace(page, headers=(("Retry-After", str(RETRY_AFTER)),)) if away else page)


async def _page(site: Site, status: int, message: str, remedy: str) -> Answer:
    try:
        size = await run_in_threadpool(site.registry.store.size)
    except Explained:  # the page that says so must not need the store
        size = 0
    page = render(
        site,
        "site/error.html",
        title=_TITLES.get(status, _OURS),
        description="",
        here="",
        canonical=None,
        feeds=(),
        size=size,
        code=str(status),
        message=message,
        remedy=_sentence(remedy) if remedy else "",
    )
    return Answer.page(page, status=status, cached=False)


def _sentence(text: str) -> str:
    first = text.strip().partition("\n")[0][:500]
    return first[:1].upper() + first[1:] + ("" if first.endswith((".", "?", "!")) else ".")
