"""The templates of the site, and the few words they may use."""

from functools import cache
from importlib import resources
from typing import Any
from urllib.parse import quote, urlencode

from jinja2 import Environment

from leadline.verdict.page import environment, templates
from leadline.web.assets import asset_address
from leadline.web.context import Site


def render(site: Site, name: str, /, **context: Any) -> str:
    """The template `name` filled in; everything that is not markup is escaped."""
    return _environment().get_template(name).render(site=site, asset=asset_address, **context)


def address(path: str, **query: str | None) -> str:
    """A path within the site with a query, both encoded; what is None or empty is left out."""
    given = {name: value for name, value in query.items() if value}
    return quote(path, safe="/:@") + (f"?{urlencode(given)}" if given else "")


def thousands(number: int) -> str:
    """A count with thin spaces between thousands."""
    return f"{number:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def plural(number: int, one: str, many: str | None = None) -> str:
    """A count with its noun."""
    return f"{thousands(number)} {one if number == 1 else many or one + 's'}"


@cache
def _environment() -> Environment:
    made = environment({**templates(), **_own()})
    made.globals.update(address=address, plural=plural)
    made.filters.update(thousands=thousands)
    return made


def _own() -> dict[str, str]:
    folder = resources.files("leadline.web") / "templates"
    return {
        f"site/{item.name}": item.read_text(encoding="utf-8")
        for item in sorted(folder.iterdir(), key=lambda item: item.name)
        if item.name.endswith(".html")
    }
