"""Protocols as files: YAML or JSON in, with line and column in every error; YAML out."""

import json
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from leadline.errors import NotFoundError, ProtocolError
from leadline.protocol import json_nodes, yaml_nodes
from leadline.protocol.consistency import InconsistentProtocolError
from leadline.protocol.digest import dotted
from leadline.protocol.faults import Fault, from_validation, place_text, sentence
from leadline.protocol.nodes import MAX_BYTES, MalformedError, Node, require_size
from leadline.protocol.writing import dump

if TYPE_CHECKING:
    from leadline.protocol.model import Protocol

MAX_FAULTS = 20


class DocumentError(ProtocolError):
    """A document that is not a protocol; `faults` lists what is wrong, first in the document first."""

    def __init__(self, name: str, faults: list[Fault]) -> None:
        first = faults[0]
        shown = faults[:MAX_FAULTS]
        message = f"{dotted(first.path)}: {first.message}" if first.path else first.message
        for fault in shown[1:]:
            message += f"\n  {sentence(fault, name)}"
        if len(faults) > len(shown):
            message += f"\n  and {len(faults) - len(shown)} more"
        super().__init__(message, where=place_text(name, first.place), remedy=first.remedy)
        self.faults = tuple(faults)


def load(path: str | FilePath) -> "Protocol":
    """Read a protocol file (YAML, or JSON when the name ends in .json).

    Raises `NotFoundError` for a missing file and `DocumentError` (a `ProtocolError`) naming file,
    line and column for anything wrong inside.
    """
    file = FilePath(path)
    try:
        with file.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except FileNotFoundError as error:
        raise NotFoundError(
            f"no file {file}", remedy="check the path; `leadline new` writes a first protocol"
        ) from error
    except OSError as error:
        raise NotFoundError(
            f"cannot read {file}: {error.strerror or error}", remedy="check the path"
        ) from error
    return parse(data, name=str(path))


def parse(text: str | bytes, *, name: str = "protocol") -> "Protocol":
    """Read a protocol from YAML or JSON text; errors call it `name`.

    Raises `DocumentError` (a `ProtocolError`) with every fault found, each with line and column.
    """
    from leadline.protocol.model import Protocol

    try:
        root = read_nodes(text, name=name)
        data = root.plain()
        if not isinstance(data, dict):
            raise MalformedError("a protocol is a table of blocks", root.place, "begin with `leadline: 1`")
        return Protocol.model_validate_json(json.dumps(data), strict=True)
    except MalformedError as error:
        raise DocumentError(name, [Fault(error.place, (), error.message, error.remedy())]) from error
    except ValidationError as error:
        raise DocumentError(name, from_validation(error, root, Protocol)) from error
    except InconsistentProtocolError as error:
        faults = [Fault(root.nearest(p.path)[1], p.path, p.message, p.remedy) for p in error.problems]
        faults.sort(key=lambda fault: (fault.place.line, fault.place.column))
        raise DocumentError(name, faults) from error


def read_nodes(text: str | bytes, *, name: str = "protocol") -> Node:
    """The tree of a YAML or JSON text, each value with its line and column; raises `MalformedError`."""
    data = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
    require_size(data)
    decoded = _decode(data)
    if name.lower().endswith(".json"):
        return json_nodes.read(decoded)
    if decoded.lstrip().startswith("{"):
        try:
            return json_nodes.read(decoded)
        except MalformedError:
            return yaml_nodes.read(decoded)  # a flow mapping begins alike
    return yaml_nodes.read(decoded)


def _decode(data: bytes) -> str:
    from leadline.protocol.nodes import Place

    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        place = Place(before.count(b"\n") + 1, error.start - (before.rfind(b"\n") + 1) + 1)
        raise MalformedError("the text is not UTF-8", place, "save the file as UTF-8") from error


def as_mapping(protocol: "Protocol") -> dict[str, Any]:
    """The protocol as JSON values, defaults left out."""
    from leadline.protocol.digest import plain

    return plain(protocol)


__all__ = ["DocumentError", "as_mapping", "dump", "load", "parse", "read_nodes"]
