"""Pictures as a template places them: one drawing for a desk, one for a phone."""

from typing import TypedDict

from markupsafe import Markup

from leadline.draw.svg import Picture
from leadline.verdict.pictures import Figure


class Placed(TypedDict):
    """A picture in both layouts; the drawing layer has escaped every text in it."""

    wide: Markup
    compact: Markup


def placed(figure: Figure) -> Placed:
    """A figure as markup."""
    return {"wide": _markup(figure.wide), "compact": _markup(figure.compact)}


def _markup(picture: Picture) -> Markup:
    return Markup(picture.inline())  # noqa: S704 (built by the drawing layer, which escapes)
