"""JSON (RFC 8259) to nodes, with line and column; repeated keys and numbers JCS cannot carry are refused."""

import re
from bisect import bisect_right
from json import JSONDecodeError
from json.decoder import scanstring  # type: ignore[attr-defined]
from typing import Any

import rfc8785

from leadline.protocol.digest import MAX_INTEGER
from leadline.protocol.nodes import MAX_DEPTH, MAX_NODES, MalformedError, Node, Place, finite

_SPACE = re.compile(r"[ \t\n\r]*")
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_WORDS = {"true": True, "false": False, "null": None}


def read(text: str) -> Node:
    """The tree of a JSON text; `MalformedError` names the place."""
    return _Reader(text).document()


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._count = 0
        self._lines = [0, *(match.end() for match in re.finditer("\n", text))]

    def document(self) -> Node:
        node = self._value(0)
        self._skip()
        if self._at < len(self._text):
            raise self._error("text after the end of the document", "one file holds one protocol")
        return node

    def _place(self, at: int) -> Place:
        line = bisect_right(self._lines, at)
        return Place(line, at - self._lines[line - 1] + 1)

    def _error(
        self, message: str, remedy: str = "check commas, brackets and quotation marks"
    ) -> MalformedError:
        return MalformedError(message, self._place(self._at), remedy)

    def _skip(self) -> str:
        """Step over white space; the character that follows, or the empty text at the end."""
        match = _SPACE.match(self._text, self._at)
        assert match is not None
        self._at = match.end()
        return self._text[self._at : self._at + 1]

    def _value(self, depth: int) -> Node:
        character = self._skip()
        place = self._place(self._at)
        self._count += 1
        if depth > MAX_DEPTH:
            raise self._error(f"nests deeper than {MAX_DEPTH}", "flatten it")
        if self._count > MAX_NODES:
            raise self._error(f"more than {MAX_NODES} values", "name the dataset by its sha256")
        if character == "{":
            return Node(self._object(depth), place)
        if character == "[":
            return Node(self._array(depth), place)
        if character == '"':
            return Node(self._string(), place)
        for word, value in _WORDS.items():
            if self._text.startswith(word, self._at):
                self._at += len(word)
                return Node(value, place)
        return Node(self._number(place), place)

    def _object(self, depth: int) -> dict[str, tuple[Place, Node]]:
        entries: dict[str, tuple[Place, Node]] = {}
        self._at += 1
        if self._skip() == "}":
            self._at += 1
            return entries
        while True:
            if self._skip() != '"':
                raise self._error("a key in double quotation marks is expected")
            at = self._place(self._at)
            key = self._string()
            if key in entries:
                first = entries[key][0]
                raise MalformedError(
                    f"the key {key!r} was already given at line {first.line}", at, "keep one of the two"
                )
            if self._skip() != ":":
                raise self._error("a colon is expected after the key")
            self._at += 1
            entries[key] = (at, self._value(depth + 1))
            if self._next_or_end("}"):
                return entries

    def _array(self, depth: int) -> list[Node]:
        items: list[Node] = []
        self._at += 1
        if self._skip() == "]":
            self._at += 1
            return items
        while True:
            items.append(self._value(depth + 1))
            if self._next_or_end("]"):
                return items

    def _next_or_end(self, closing: str) -> bool:
        character = self._skip()
        if character not in {",", closing} or not character:
            raise self._error(f"a comma or {closing} is expected")
        self._at += 1
        return character == closing

    def _string(self) -> str:
        try:
            value, self._at = scanstring(self._text, self._at + 1, True)
        except JSONDecodeError as error:
            self._at = error.pos
            raise self._error("a text is broken: " + error.msg.lower()) from error
        return str(value)

    def _number(self, place: Place) -> Any:
        match = _NUMBER.match(self._text, self._at)
        if match is None:
            raise self._error("a value is expected")
        self._at = match.end()
        text = match.group()
        if match.group(2) or match.group(3):
            return finite(text, place)
        if len(text) > 400:
            raise MalformedError("the number has too many digits", place, "write it as text")
        integer = int(text)
        if MAX_INTEGER < abs(integer) < 10**22 and rfc8785.dumps(float(integer)) == text.encode():
            return float(integer)  # canonical JSON writes doubles up to 1e21 without an exponent
        return integer
