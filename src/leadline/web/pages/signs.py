"""For machines that look around: robots, sitemap, search description."""

from typing import Final

from leadline.draw.svg import el
from leadline.store.projections.studies import studies
from leadline.store.protocol import ReadView
from leadline.web.answer import TEXT, Answer
from leadline.web.context import Site
from leadline.web.render import Asked

_XML: Final = "application/xml; charset=utf-8"
_OPENSEARCH: Final = "application/opensearchdescription+xml; charset=utf-8"
_MOST: Final = 40_000
_FIXED: Final = ("/", "/search", "/areas", "/critiques", "/log", "/about", "/draft")


def robots(site: Site, view: ReadView, asked: Asked) -> Answer:  # noqa: ARG001
    """``/robots.txt``: studies may be indexed, searches and single log entries need not be."""
    lines = (
        "User-agent: *",
        "Disallow: /search?",
        "Disallow: /log/",
        "Disallow: /draft/",
        f"Sitemap: {site.address}/sitemap.xml",
    )
    return Answer("\n".join((*lines, "")).encode(), TEXT, lifetime=86_400)


def sitemap(site: Site, view: ReadView, asked: Asked) -> Answer:  # noqa: ARG001
    """``/sitemap.xml``: the fixed pages and the newest studies."""
    places = [*_FIXED, *(f"/study/{row.id}" for row in studies(view, limit=_MOST))]
    found = el(
        "urlset",
        *(el("url", el("loc", site.address + place)) for place in places),
        xmlns="http://www.sitemaps.org/schemas/sitemap/0.9",
    )
    body = '<?xml version="1.0" encoding="utf-8"?>\n' + found.render() + "\n"
    return Answer(body.encode(), _XML, lifetime=3600)


def opensearch(site: Site, view: ReadView, asked: Asked) -> Answer:  # noqa: ARG001
    """``/opensearch.xml``: lets a browser search this registry from its address bar."""
    found = el(
        "OpenSearchDescription",
        el("ShortName", site.name[:16]),
        el("Description", f"Search {site.name}"),
        el("Url", type="text/html", template=f"{site.address}/search?q={{searchTerms}}"),
        xmlns="http://a9.com/-/spec/opensearch/1.1/",
    )
    body = '<?xml version="1.0" encoding="utf-8"?>\n' + found.render() + "\n"
    return Answer(body.encode(), _OPENSEARCH, lifetime=86_400)
