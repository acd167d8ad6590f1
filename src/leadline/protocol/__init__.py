"""What a study promises: the schema, its documents, its digest and its small languages.

The names below load when they are first used, so that importing the package costs nothing.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from leadline.protocol.diff import Change, diff
    from leadline.protocol.document import DocumentError, dump, load, parse
    from leadline.protocol.model import Protocol
    from leadline.protocol.schema import json_schema

_HOMES = {
    "Change": "diff",
    "DocumentError": "document",
    "Protocol": "model",
    "diff": "diff",
    "dump": "document",
    "json_schema": "schema",
    "load": "document",
    "parse": "document",
}


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


__all__ = ["Change", "DocumentError", "Protocol", "diff", "dump", "json_schema", "load", "parse"]
