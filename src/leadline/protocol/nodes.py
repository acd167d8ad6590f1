"""A document as a tree of nodes that know their line and column; YAML and JSON both become this."""

import re
from dataclasses import dataclass
from typing import Any

from leadline.errors import ProtocolError
from leadline.protocol.digest import Path

MAX_BYTES = 1_000_000
MAX_DEPTH = 32
MAX_NODES = 300_000


@dataclass(frozen=True, slots=True)
class Place:
    """A position in a text: line and column, both counted from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Node:
    """A value and where it begins.

    ``value`` is a scalar, a list of nodes, or a dict from key to (place of the key, node).
    """

    value: Any
    place: Place

    def plain(self) -> Any:
        """The value without places."""
        if isinstance(self.value, dict):
            return {key: node.plain() for key, (_, node) in self.value.items()}
        if isinstance(self.value, list):
            return [node.plain() for node in self.value]
        return self.value

    def nearest(self, path: Path) -> tuple["Node", Place, Path]:
        """The node at `path` or its nearest ancestor; the place to point at; the part of the path found."""
        node, place = self, self.place
        for depth, part in enumerate(path):
            if isinstance(node.value, dict) and part in node.value:
                _, node = node.value[part]
            elif isinstance(node.value, list) and isinstance(part, int) and part < len(node.value):
                node = node.value[part]
            else:
                return node, place, path[:depth]
            place = node.place
        return node, place, path

    def key_place(self, path: Path) -> Place:
        """Where the last key of `path` is written, else the place of the nearest ancestor."""
        parent, place, found = self.nearest(path[:-1])
        if len(found) == len(path) - 1 and isinstance(parent.value, dict) and path[-1] in parent.value:
            return parent.value[path[-1]][0]  # type: ignore[no-any-return]
        return place


class MalformedError(ProtocolError):
    """The text is not well-formed; `place` says where."""

    def __init__(self, message: str, place: Place, remedy: str | None = None) -> None:
        super().__init__(message, remedy=remedy)
        self.place = place


_INTEGER = re.compile(r"[-+]?[0-9]+")
_OCTAL_OR_HEX = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")


def scalar(text: str, place: Place) -> Any:
    """A plain scalar by the core schema of YAML 1.2 (section 10.3.2).

    So `yes`, `no`, `on`, `off` and dates stay texts, unlike in YAML 1.1. Numbers JSON cannot carry
    are refused.
    """
    if text in {"", "~", "null", "Null", "NULL"}:
        return None
    if text in {"true", "True", "TRUE", "false", "False", "FALSE"}:
        return text[0] in "tT"
    if _NOT_FINITE.fullmatch(text):
        raise MalformedError(
            f"{text} is not a finite number", place, "write a number, or leave the field out"
        )
    if not (text[0].isdigit() or text[0] in "+-."):
        return text
    if _INTEGER.fullmatch(text) or _OCTAL_OR_HEX.fullmatch(text):
        if len(text) > 400:
            raise MalformedError(
                "the number has too many digits", place, "put it in quotation marks if it is a name"
            )
        return int(text, 0) if _OCTAL_OR_HEX.fullmatch(text) else int(text)
    if _FLOAT.fullmatch(text):
        return finite(text, place)
    return text


def finite(text: str, place: Place) -> float:
    """The double a numeral stands for; refuses what overflows."""
    number = float(text)
    if number in {float("inf"), float("-inf")}:
        raise MalformedError(f"{text[:40]} is too large for a number", place, "write a smaller number")
    return number


def require_size(data: bytes) -> None:
    """Refuse a document beyond `MAX_BYTES`."""
    if len(data) > MAX_BYTES:
        raise MalformedError(
            f"the document has {len(data)} bytes, at most {MAX_BYTES} are read",
            Place(1, 1),
            "name the dataset by its sha256 instead of listing its samples",
        )
