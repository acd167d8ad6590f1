"""The drawing layer: elements, escaping, numbers, and a picture that renders the same everywhere.

Nothing here knows what is drawn. Text is escaped once, on the way out; numbers are written with two
decimals, so equal inputs give equal bytes. Pictures hold no script, no style attribute and no
reference to anything outside themselves.
"""

import hashlib
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

from leadline.errors import StatisticsError

#: Code points XML 1.0 cannot carry (section 2.2), and lone surrogates.
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
#: Marks that reorder or hide the text around them.
_DECEPTIVE = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069\u061c]")
_NAME = re.compile(r"^[A-Za-z][A-Za-z0-9-]*$")

Attribute = str | float | int | None


def visible(text: str) -> str:
    """``text`` with control, bidirectional-override and unpaired surrogate characters made visible."""
    return _DECEPTIVE.sub("\ufffd", _ILLEGAL.sub("\ufffd", text))


def escape(text: str) -> str:
    """``text`` made safe for XML content and for a double-quoted attribute."""
    clean = visible(text)
    for raw, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;"), ("'", "&#39;")):
        clean = clean.replace(raw, entity)
    return clean


def number(x: float) -> str:
    """A coordinate with at most two decimals, no trailing zeros, no minus zero.

    Raises StatisticsError for a number that is not finite: a picture never swallows a NaN.
    """
    if not math.isfinite(x):
        raise StatisticsError(
            "a coordinate is not a finite number",
            remedy="draw only finite estimates; show the reason instead",
        )
    text = f"{x:.2f}".rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


@dataclass(frozen=True, slots=True)
class Element:
    """An element with attributes in the order given and children that are elements or text."""

    name: str
    attributes: tuple[tuple[str, str], ...]
    children: tuple["Element | str", ...]

    def render(self) -> str:
        """The element as XML text."""
        return "".join(self._parts())

    def _parts(self) -> Iterator[str]:
        head = "".join(f' {key}="{escape(value)}"' for key, value in self.attributes)
        if not self.children:
            yield f"<{self.name}{head}/>"
            return
        yield f"<{self.name}{head}>"
        for child in self.children:
            if isinstance(child, str):
                yield escape(child)
            else:
                yield from child._parts()
        yield f"</{self.name}>"


def el(name: str, *children: "Element | str", **attributes: Attribute) -> Element:
    """An element; ``class_`` is written class, ``text_anchor`` text-anchor; None leaves an attribute out."""
    pairs: list[tuple[str, str]] = []
    for key, value in attributes.items():
        if value is None:
            continue
        written = key.rstrip("_").replace("_", "-")
        if not _NAME.match(written):
            raise ValueError(f"not an attribute name: {written!r}")
        pairs.append((written, value if isinstance(value, str) else number(value)))
    return Element(name, tuple(pairs), children)


def group(*children: "Element | str", **attributes: Attribute) -> Element:
    """A ``<g>``."""
    return el("g", *children, **attributes)


def line(x1: float, y1: float, x2: float, y2: float, class_: str) -> Element:
    """A straight line."""
    return el("line", class_=class_, x1=x1, y1=y1, x2=x2, y2=y2)


def rect(x: float, y: float, width: float, height: float, class_: str, rx: float | None = None) -> Element:
    """A rectangle; a negative extent is drawn as nothing."""
    return el("rect", class_=class_, x=x, y=y, width=max(width, 0.0), height=max(height, 0.0), rx=rx)


def text(x: float, y: float, content: str, class_: str, anchor: str = "start") -> Element:
    """One line of text with its baseline at ``y``."""
    return el("text", content, class_=class_, x=x, y=y, text_anchor=None if anchor == "start" else anchor)


@dataclass(frozen=True, slots=True)
class Picture:
    """A finished picture: its size in user units, a title and a description in words, its elements.

    ``description`` says in words what the picture shows, for people who cannot see it.
    """

    width: float
    height: float
    title: str
    description: str
    body: tuple[Element, ...]

    def inline(self) -> str:
        """SVG for embedding in a page whose stylesheet holds `leadline.draw.theme.SHAPES_CSS`."""
        return self._render(())

    def standalone(self) -> str:
        """SVG that carries its own stylesheet, light and dark; fit for a file or a notebook."""
        from leadline.draw.theme import standalone_css

        ground = rect(0, 0, self.width, self.height, "ll-ground")
        return self._render((el("style", standalone_css()), ground))

    def _repr_svg_(self) -> str:
        return self.standalone()

    def _render(self, first: tuple[Element, ...]) -> str:
        # Ids must differ between pictures on one page and agree between machines.
        inner = "".join(element.render() for element in self.body)
        mark = hashlib.sha256(
            f"{self.title}\0{self.description}\0{inner}".encode("utf-8", "replace")
        ).hexdigest()[:10]
        return el(
            "svg",
            el("title", self.title, id=f"t{mark}"),
            el("desc", self.description, id=f"d{mark}"),
            *first,
            *self.body,
            xmlns="http://www.w3.org/2000/svg",
            class_="ll-picture",
            viewBox=f"0 0 {number(self.width)} {number(self.height)}",
            role="img",
            aria_labelledby=f"t{mark} d{mark}",
        ).render()
