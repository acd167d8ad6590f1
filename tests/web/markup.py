"""Reading a page as a strict reader would: what is wrong with its structure, and where it links."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

_VOID = frozenset({"meta", "link", "input", "img", "br", "hr"})
_LABELLED = frozenset({"input", "select", "textarea"})


@dataclass
class Markup(HTMLParser):
    """One parsed page."""

    problems: list[str] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    loads: list[str] = field(default_factory=list)
    headings: list[int] = field(default_factory=list)
    landmarks: list[str] = field(default_factory=list)
    text: str = ""
    _open: list[str] = field(default_factory=list)
    _references: list[str] = field(default_factory=list)
    _labels: set[str] = field(default_factory=set)
    _fields: list[dict[str, str | None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    @classmethod
    def of(cls, page: str) -> "Markup":
        """The page, parsed, with everything that is wrong with it in `problems`."""
        found = cls()
        found.feed(page)
        found.close()
        found._conclude()
        return found

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element that opens."""
        given = dict(attrs)
        if len(given) != len(attrs):
            self.problems.append(f"an attribute is given twice on <{tag}>")
        if tag not in _VOID:
            self._open.append(tag)
        self._attributes(tag, given)
        if tag in ("h1", "h2", "h3", "h4"):
            self.headings.append(int(tag[1]))
        if tag in ("main", "nav", "header", "footer", "aside"):
            self.landmarks.append(tag)
        if tag == "label" and given.get("for"):
            self._labels.add(str(given["for"]))
        if tag in _LABELLED and given.get("type") != "hidden":
            self._fields.append(given)
        if tag == "img" and given.get("alt") is None:
            self.problems.append("a picture without words")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element that closes itself."""
        self._attributes(tag, dict(attrs))

    def _attributes(self, tag: str, given: dict[str, str | None]) -> None:
        for name, value in given.items():
            if name == "style" or name.startswith("on"):
                self.problems.append(f"{name} on <{tag}>")
            if name == "id" and value is not None:
                self.ids.append(value)
            if name in ("aria-labelledby", "aria-describedby") and value:
                self._references += value.split()
            if name == "href" and value is not None:
                (
                    self.loads if tag == "link" and given.get("rel") in ("stylesheet", "icon") else self.links
                ).append(value)
            if name in ("src", "srcset", "action", "data", "poster") and value is not None:
                self.loads.append(value)
        if tag == "script" and "src" not in given and given.get("type") != "application/ld+json":
            self.problems.append("an inline script")

    def handle_endtag(self, tag: str) -> None:
        """Note an element that closes."""
        if not self._open or self._open.pop() != tag:
            self.problems.append(f"</{tag}> where something else was open")

    def handle_data(self, data: str) -> None:
        """Collect the text."""
        self.text += data

    def _conclude(self) -> None:
        if self._open:
            self.problems.append(f"never closed: {self._open}")
        self.problems += [
            f"two elements have the id {name}" for name in set(self.ids) if self.ids.count(name) > 1
        ]
        self.problems += [f"nothing has the id {name}" for name in self._references if name not in self.ids]
        for one in self._fields:
            if not one.get("aria-label") and one.get("id") not in self._labels:
                self.problems.append(f"a field without a label: {one}")
        if self.headings.count(1) != 1:
            self.problems.append(f"{self.headings.count(1)} first headings")
        for before, after in zip(self.headings, self.headings[1:], strict=False):
            if after > before + 1:
                self.problems.append(f"a heading of level {after} after one of level {before}")
        self.problems += [
            f"no <{name}>" for name in ("main", "nav", "header", "footer") if name not in self.landmarks
        ]
