"""The stylesheet, the script and the sign of the site, under names that change with their content."""

from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from importlib import resources
from typing import Final

from leadline.verdict.page import stylesheet
from leadline.web.answer import SVG, Answer

_YEAR: Final = 365 * 86_400
_MEDIA: Final = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8", "svg": SVG}


@cache
def assets() -> Mapping[str, Answer]:
    """What the site's pages load, by path."""
    folder = resources.files("leadline.web") / "static"
    texts = {
        "site.css": stylesheet() + (folder / "site.css").read_text(encoding="utf-8"),
        "site.js": (folder / "site.js").read_text(encoding="utf-8"),
        "favicon.svg": (folder / "favicon.svg").read_text(encoding="utf-8"),
    }
    found = {}
    for name, text in texts.items():
        body = text.encode()
        stem, _, kind = name.partition(".")
        path = f"/assets/{stem}.{sha256(body).hexdigest()[:16]}.{kind}"
        found[path] = Answer(body, _MEDIA[kind], lifetime=_YEAR, headers=(("cache-control", _KEPT),))
    return found


@cache
def asset_address(name: str) -> str:
    """The path under which ``site.css``, ``site.js`` or ``favicon.svg`` is served."""
    stem, _, kind = name.partition(".")
    return next(
        path for path in assets() if path.startswith(f"/assets/{stem}.") and path.endswith(f".{kind}")
    )


_KEPT: Final = f"public, max-age={_YEAR}, immutable"
