"""YAML to nodes: the safe part of YAML 1.2 that a protocol needs, and nothing more.

Anchors, aliases, tags, merge keys, several documents and repeated keys are refused, so a small text
cannot grow large and no key can silently replace another.
"""

from collections.abc import Iterator
from typing import Any

import yaml

from leadline.protocol.nodes import MAX_DEPTH, MAX_NODES, MalformedError, Node, Place, scalar

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_CORE = "tag:yaml.org,2002:"


def read(text: str) -> Node:
    """The tree of a YAML text; `MalformedError` names the place."""
    try:
        return _Reader(yaml.parse(text, Loader=_Loader)).document()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = _place(mark) if mark is not None else Place(1, 1)
        problem = error.problem or error.context or "not well-formed YAML"
        raise MalformedError(
            f"not well-formed YAML: {problem}",
            place,
            "check indentation (spaces, no tabs), and put texts with `: ` or ` #` in quotation marks",
        ) from error
    except yaml.YAMLError as error:
        line = str(error).splitlines()[0]
        raise MalformedError(
            f"not well-formed YAML: {line}", Place(1, 1), "save the file as UTF-8 text"
        ) from error


def _place(mark: Any) -> Place:
    return Place(mark.line + 1, mark.column + 1)


class _Reader:
    def __init__(self, events: Iterator[Any]) -> None:
        self._events = events
        self._count = 0

    def document(self) -> Node:
        """The single document of the stream."""
        found: Node | None = None
        for event in self._events:
            if not isinstance(event, yaml.DocumentStartEvent):
                continue
            if found is not None:
                raise MalformedError(
                    "a second document begins here", _place(event.start_mark), "one file holds one protocol"
                )
            found = self._node(next(self._events), 0)
        if found is None:
            raise MalformedError("the document is empty", Place(1, 1), "begin with a template: leadline new")
        return found

    def _node(self, event: Any, depth: int) -> Node:
        place = _place(event.start_mark)
        self._count += 1
        if isinstance(event, yaml.AliasEvent) or event.anchor:
            raise MalformedError("anchors and aliases are not read", place, "write the value out")
        if depth > MAX_DEPTH:
            raise MalformedError(f"nests deeper than {MAX_DEPTH}", place, "flatten it")
        if self._count > MAX_NODES:
            raise MalformedError(f"more than {MAX_NODES} values", place, "name the dataset by its sha256")
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(event, place, depth)
        if isinstance(event, yaml.SequenceStartEvent):
            self._require_no_tag(event, "seq", place)
            items = []
            while not isinstance(child := next(self._events), yaml.SequenceEndEvent):
                items.append(self._node(child, depth + 1))
            return Node(items, place)
        return self._scalar(event, place)

    def _mapping(self, event: Any, place: Place, depth: int) -> Node:
        self._require_no_tag(event, "map", place)
        entries: dict[str, tuple[Place, Node]] = {}
        while not isinstance(key := next(self._events), yaml.MappingEndEvent):
            at = _place(key.start_mark)
            if not isinstance(key, yaml.ScalarEvent) or key.anchor:
                raise MalformedError("a key must be a plain text", at, "write `name: value`")
            self._require_no_tag(key, "str", at)
            if key.value == "<<" and key.implicit[0]:
                raise MalformedError("merge keys are not read", at, "write the fields out")
            if key.value in entries:
                first = entries[key.value][0]
                raise MalformedError(
                    f"the key {key.value!r} was already given at line {first.line}", at, "keep one of the two"
                )
            entries[key.value] = (at, self._node(next(self._events), depth + 1))
        return Node(entries, place)

    def _scalar(self, event: Any, place: Place) -> Node:
        if event.tag in {"!", f"{_CORE}str"} or (event.tag is None and not event.implicit[0]):
            return Node(event.value, place)
        if event.tag is not None:
            raise MalformedError(f"the tag {event.tag} is not read", place, "remove the tag")
        return Node(scalar(event.value, place), place)

    def _require_no_tag(self, event: Any, core: str, place: Place) -> None:
        if event.tag not in {None, "!", _CORE + core}:
            raise MalformedError(f"the tag {event.tag} is not read", place, "remove the tag")
