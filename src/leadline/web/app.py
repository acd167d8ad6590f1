"""The application: pages, and whatever else is served beside them, behind one door.

Order of the doors: names (`hosts`), the log's tiles and checkpoint (`log`), pages made already (`render`), then the
router. Parts that are not installed are left out; what is there is decided once, when the application is made.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from leadline.errors import Explained
from leadline.registry.registry import Clock, Registry, utc_now
from leadline.web import faults
from leadline.web.answer import Answer, Sent
from leadline.web.assets import asset_address, assets
from leadline.web.beside import access_of, beside
from leadline.web.context import Site
from leadline.web.hosts import Hosts
from leadline.web.log import LogApp
from leadline.web.pages import about, areas, author, draft, feeds, files, front, log, search, signs, study
from leadline.web.render import Pages, Renderer
from leadline.web.settings import Settings

#: Path and the function that makes the page.
PAGES: Final[tuple[tuple[str, Renderer], ...]] = (
    ("/", front.front),
    ("/search", search.search),
    ("/areas", areas.areas_page),
    ("/area/{area:path}", areas.area_page),
    ("/critiques", about.critiques),
    ("/about", about.about),
    ("/draft", draft.draft_page),
    ("/log", log.log_page),
    ("/log/{index}", log.entry_page),
    ("/log/{index}/certificate", log.entry_certificate),
    ("/log/{index}/statement.dsse", log.entry_statement),
    ("/key/{fingerprint}", log.key_page),
    ("/author/{lineage}", author.author),
    ("/author/{lineage}/feed.atom", feeds.author_feed),
    ("/feed.atom", feeds.newest_feed),
    ("/study/{study}", study.study),
    ("/study/{study}/badge.svg", files.badge),
    ("/study/{study}/certificate", files.certificate_file),
    ("/study/{study}/cite.bib", files.bibtex),
    ("/study/{study}/cite.json", files.csl_json),
    ("/study/{study}/feed.atom", feeds.study_feed),
    ("/study/{study}/protocol.json", files.protocol_json),
    ("/study/{study}/protocol.yaml", files.protocol_yaml),
    ("/study/{study}/report.json", files.report_json),
    ("/study/{study}/statement.dsse", files.statement_file),
    ("/robots.txt", signs.robots),
    ("/sitemap.xml", signs.sitemap),
    ("/opensearch.xml", signs.opensearch),
)


def create_app(registry: Registry, settings: Settings | None = None, *, clock: Clock = utc_now) -> Starlette:
    """Everything one registry serves, as a Starlette application.

    Its ``state.site`` is what handlers work with. The caller opens and closes the registry.
    """
    chosen = Settings() if settings is None else settings
    site = Site(registry, chosen, clock, access_of(registry, chosen))
    pages = Pages(site, most_bytes=chosen.page_cache << 20)
    others = beside(site)
    app = Starlette(
        routes=[*_page_routes(pages), *_draft_routes(site), *_asset_routes(), *others.routes],
        exception_handlers={
            Explained: faults.explained,
            HTTPException: faults.explained,
            Exception: faults.unexpected,
        },
        lifespan=_lifespan(others.lifespans),
    )
    app.state.site = site
    app.add_middleware(_Doors, pages=pages, log=LogApp(registry.store), settings=chosen)
    return app


class _Doors:
    """What a request passes before the router."""

    def __init__(self, app: ASGIApp, *, pages: Pages, log: LogApp, settings: Settings) -> None:
        pages.inner = app
        self._pages, self._log = pages, log
        self._hosts = Hosts(self._inside, settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._hosts(scope, receive, send)

    async def _inside(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and self._log.handles(scope["path"]):
            await self._log(scope, receive, send)
        else:
            await self._pages(scope, receive, send)


def _page_routes(pages: Pages) -> list[Route]:
    return [Route(path, pages.endpoint(renderer), methods=["GET"]) for path, renderer in PAGES]


def _draft_routes(site: Site) -> list[Route]:
    desk = draft.Desk(site)
    return [
        Route("/draft", _answering(desk.answer), methods=["POST"]),
        Route("/draft/check", _answering(desk.check), methods=["POST"]),
    ]


def _answering(handler: Callable[[Request], Awaitable[Answer]]) -> Callable[[Request], Awaitable[Sent]]:
    async def handle(request: Request) -> Sent:
        return Sent.of(await handler(request))

    return handle


def _asset_routes() -> list[Route]:
    made = {path: Sent.of(answer) for path, answer in assets().items()}
    icon = made[asset_address("favicon.svg")]

    def serving(what: Sent) -> Callable[[Request], Awaitable[Sent]]:
        async def handle(request: Request) -> Sent:  # noqa: ARG001
            return what

        return handle

    routes = [Route(path, serving(what), methods=["GET"]) for path, what in made.items()]
    return [*routes, Route("/favicon.ico", serving(icon), methods=["GET"])]


def _lifespan(inner: Sequence[Starlette]) -> Callable[[Starlette], Any]:
    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:  # noqa: ARG001
        async with AsyncExitStack() as stack:
            for one in inner:
                await stack.enter_async_context(one.router.lifespan_context(one))
            yield

    return lifespan
