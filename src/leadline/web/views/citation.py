"""How to cite a study: plain text, BibTeX and CSL-JSON, from names and a title that strangers chose."""

import json
from dataclasses import dataclass
from typing import Any, Final

from leadline.draw.svg import visible

_TEX: Final = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
}


@dataclass(frozen=True, slots=True)
class Citation:
    """A study as a bibliography knows it; `registered` and `accessed` are ISO dates."""

    study: str
    title: str
    authors: tuple[str, ...]
    registered: str
    accessed: str
    address: str
    registry: str
    index: int

    @property
    def plain(self) -> str:
        """One line of text."""
        return (
            f"{_list(self.authors)} ({self.registered[:4]}). {_line(self.title)}. "
            f"{_line(self.registry)}, study {self.study}, registered {self.registered}, log entry {self.index}. "
            f"{self.address}"
        )

    @property
    def bibtex(self) -> str:
        """A BibTeX entry; what TeX would act on is written so that it does not."""
        fields = {
            "author": " and ".join("{" + _tex(name) + "}" for name in self.authors),
            "title": "{" + _tex(self.title) + "}",
            "year": self.registered[:4],
            "month": str(int(self.registered[5:7])),
            "howpublished": f"Registered study {self.study}, {_tex(self.registry)}",
            "note": f"Registered {self.registered}, log entry {self.index}",
            "url": self.address,
            "urldate": self.accessed,
        }
        body = "".join(f"  {name} = {{{value}}},\n" for name, value in fields.items())
        return f"@misc{{{self.study},\n{body}}}\n"

    @property
    def csl(self) -> str:
        """A CSL-JSON list of one item."""
        item: dict[str, Any] = {
            "id": self.study,
            "type": "report",
            "genre": "Registered study",
            "title": _line(self.title),
            "author": [{"literal": _line(name)} for name in self.authors],
            "issued": {"date-parts": [[int(part) for part in self.registered.split("-")]]},
            "accessed": {"date-parts": [[int(part) for part in self.accessed.split("-")]]},
            "number": self.study,
            "publisher": _line(self.registry),
            "URL": self.address,
        }
        return json.dumps([item], ensure_ascii=False, indent=2, sort_keys=True) + "\n"


def _line(text: str) -> str:
    """One line without hidden characters."""
    return " ".join(visible(text).split())


def _tex(text: str) -> str:
    return "".join(_TEX.get(character, character) for character in _line(text))


def _list(names: tuple[str, ...]) -> str:
    shown = [_line(name) for name in names]
    if len(shown) > 6:
        return f"{', '.join(shown[:5])} and {len(shown) - 5} others"
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"
