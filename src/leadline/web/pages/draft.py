"""Drafting a protocol in the browser: nothing is stored, nothing is signed, no secret is asked for."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from typing import Final
from urllib.parse import parse_qsl

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from leadline.errors import InputError, NotFoundError, StateError
from leadline.protocol import templates
from leadline.protocol.model import Protocol
from leadline.registry.intake import Gate
from leadline.registry.intake.apart import Apart
from leadline.registry.intake.places import Purse
from leadline.store.projections.status import status_of
from leadline.store.protocol import ReadView
from leadline.web.answer import Answer
from leadline.web.api.guard import address_of
from leadline.web.context import Site
from leadline.web.environment import render
from leadline.web.render import Asked
from leadline.web.views.reading import MOST, Near, Reading, read_draft
from leadline.web.views.words import STATUS

#: Bytes of a form: every character of a draft may be written as nine.
_MOST_BYTES: Final = 12 * MOST
_FIELDS: Final = (
    ("title", "Title", "text"),
    ("author", "Your name", "text"),
    ("model", "Model", "text"),
    ("due", "Result due", "date"),
)
_YAML: Final = "application/yaml; charset=utf-8"
#: Drafts read at the same time, and simulated at the same time; more than this many waiting are sent away.
_READERS: Final = 2
_WAITING: Final = 16
#: Registered studies that are shown beside a draft.
_NEAR: Final = 5


def draft_page(site: Site, view: ReadView, asked: Asked) -> Answer:
    """The page at ``/draft``, filled from a template and the fields in its address."""
    template = asked.query.get("template", "compare")
    if template not in templates.names():
        raise NotFoundError(
            f"no template is named {template!r}", remedy=f"There are {', '.join(templates.names())}."
        )
    known = templates.fields(template)
    given = {name: asked.query[name][:300] for name, _, _ in _FIELDS if name in known and name in asked.query}
    clean = {name: "".join(c for c in value if c.isprintable()) for name, value in given.items()}
    if "due" in known and "due" not in clean:
        clean["due"] = (site.today() + timedelta(days=90)).isoformat()
    text = templates.text(template, **{name: value for name, value in clean.items() if value})
    return _page(site, view.size(), text, None, template, clean)


class Desk:
    """Answers forms: bounded in size, in time, in how many are read at once, and in what one address has read."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self._readers = asyncio.Semaphore(_READERS)
        self._waiting = 0
        self._gate = Gate(site.registry, site.access)

    async def answer(self, request: Request) -> Answer:
        """The whole page again, or the file: what the form does without JavaScript."""
        form = await _form(request)
        text, action = form.get("text", ""), form.get("action", "check")
        if action == "download":
            body = text.replace("\r\n", "\n").encode("utf-8", "replace")
            return Answer(body, _YAML, filename="study.yaml", cached=False)
        reading = await self._read(request, text, simulate=action == "simulate")
        size = await run_in_threadpool(self.site.registry.store.size)
        return _page(self.site, size, text, reading, "compare", {})

    async def check(self, request: Request) -> Answer:
        """The findings alone: what the script asks for while somebody writes."""
        form = await _form(request)
        text = form.get("text", "")
        reading = await self._read(request, text, simulate=form.get("action") == "simulate")
        return Answer.page(render(self.site, "site/findings.html", reading=reading), cached=False)

    async def _read(self, request: Request, text: str, *, simulate: bool) -> Reading:
        purse = self._gate.purse(address_of(request.scope))
        if self._waiting >= _WAITING:
            raise StateError("many drafts are being read right now", remedy="Wait a moment, and check again.")
        self._waiting += 1
        try:
            async with self._readers:
                return await run_in_threadpool(self._reading, text.replace("\r\n", "\n"), simulate, purse)
        finally:
            self._waiting -= 1

    def _reading(self, text: str, simulate: bool, purse: Purse) -> Reading:
        today = self.site.today()
        return read_draft(
            text, today=today, simulate=simulate, similar=partial(self._similar, purse), purse=purse
        )

    def _similar(self, purse: Purse, plan: Protocol) -> list[Near]:
        today = self.site.today()
        return [
            Near(one.row.id, one.row.title, STATUS[status_of(one.row, today)].lower(), _why(one.why))
            for one in Apart(purse).similar(plan, self.site.registry, _NEAR)
        ]


def _why(why: object) -> str:
    return why if isinstance(why, str) else ", ".join(map(str, why)) if isinstance(why, tuple | list) else ""


async def _form(request: Request) -> Mapping[str, str]:
    """The fields of an urlencoded form; InputError for another form, or one that is too long."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise InputError("this is not a form", remedy="Use the form on the page.")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MOST_BYTES:
            raise InputError(f"the form is longer than {_MOST_BYTES:,} bytes", remedy="Shorten the draft.")
    try:
        return dict(parse_qsl(body.decode("ascii"), max_num_fields=20, encoding="utf-8", errors="replace"))
    except ValueError:
        raise InputError("the form cannot be read", remedy="Use the form on the page.") from None


def _page(
    site: Site, size: int, text: str, reading: Reading | None, template: str, given: Mapping[str, str]
) -> Answer:
    page = render(
        site,
        "site/draft.html",
        title="Draft a protocol",
        description="Write the protocol of an experiment, with a critical reader beside you.",
        here="/draft",
        canonical=f"{site.address}/draft",
        feeds=(),
        size=size,
        templates=list(templates.SUBJECTS.items()),
        template=template,
        guided=[(name, label, given.get(name, ""), kind) for name, label, kind in _FIELDS],
        text=text,
        most=MOST,
        reading=reading,
    )
    return Answer.page(page, cached=reading is None)
