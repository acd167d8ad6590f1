"""Every kind of page of the site, by a name for it."""

from collections.abc import Mapping

FIXED: Mapping[str, str] = {
    "front": "/",
    "search": "/search",
    "search with words and a filter": "/search?q=monitor&verdict=supported",
    "search without an answer": "/search?q=zzzqqq",
    "areas": "/areas",
    "an area": "/area/control",
    "critiques": "/critiques",
    "about": "/about",
    "draft": "/draft",
    "log": "/log",
    "an entry": "/log/12",
    "nothing there": "/nowhere",
    "a bad request": "/search?status=odd",
}
OF_STUDIES = (
    "supported",
    "null",
    "refuted",
    "inconclusive",
    "exploratory",
    "overdue",
    "running",
    "registered",
    "withdrawn",
    "closed",
    "long",
    "sealed",
    "hazard",
    "opened",
)
OF_KEYS = ("author", "key")
KINDS = (*FIXED, *OF_STUDIES, *OF_KEYS)
#: What a browser says of a page that is not there, or not well asked for.
NOT_FOUND = ("Failed to load resource",)


def path_of(kind: str, studies: Mapping[str, str]) -> str:
    """Where a kind of page is found."""
    if kind in FIXED:
        return FIXED[kind]
    return f"/{kind}/{studies['author']}" if kind in OF_KEYS else f"/study/{studies[kind]}"
